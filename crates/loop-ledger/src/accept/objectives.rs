//! The service-level objectives of the target, as every run has to answer them. A run that was not asked is not within them.

use contracts::Bound;
use contracts::metric::Metric;
use contracts::serve_bench::run::{Run, SloRule, SloStatus};

use super::{Context, Refusal};

/// `METRIC<=NUMBER` or `METRIC>=NUMBER`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Objective {
    metric: Metric,
    bound: Bound,
}

impl Objective {
    /// Reads a rule as serve-bench does; `None` where it would refuse it.
    pub(crate) fn read(rule: &str) -> Option<Objective> {
        let (metric, bound) = Bound::split(rule)?;
        Some(Objective {
            metric: Metric::parse(metric).ok()?,
            bound,
        })
    }

    fn admits(&self, value: f64) -> bool {
        self.bound.admits(value)
    }

    /// What is wrong with the answer of a run, when its own numbers say otherwise.
    fn contradiction(&self, run: &Run, answer: &SloRule) -> Option<String> {
        let value = self.metric.value(run);
        if value != answer.observed {
            return Some(format!(
                "it observed {:?} for {}, and its {} is {value:?}",
                answer.observed,
                answer.rule,
                self.metric.name()
            ));
        }
        let is_met = value.is_some_and(|value| self.admits(value.get()));
        (answer.status == SloStatus::Passed && !is_met)
            .then(|| format!("{} is said to be met, with {value:?}", answer.rule))
    }
}

/// Every objective of the target is answered, and by the run's own numbers.
pub(super) fn answered(context: &Context<'_>, side: &str, run: &Run) -> Result<(), Refusal> {
    for rule in &context.ledger.lock.target.slo {
        let rule = rule.trim();
        let answers = run.slo.iter().flat_map(|slo| &slo.rules);
        let Some(answer) = answers.into_iter().find(|answer| answer.rule == rule) else {
            return Err(context.invalid(
                "objective-not-measured",
                format!(
                    "{side}: run {} does not say whether {rule} is met; measure with --target",
                    run.run
                ),
            ));
        };
        let wrong = Objective::read(rule).and_then(|objective| objective.contradiction(run, answer));
        if let Some(what) = wrong {
            return Err(context.drift("edited-numbers", format!("{side}, run {}: {what}", run.run)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_serve_bench_reads_them() {
        let objective = Objective::read(" p50_ttft_ms <= 2000").unwrap();
        assert!(objective.admits(2000.0) && !objective.admits(2000.1));
        assert!(Objective::read("output_tps>=100").unwrap().admits(100.0));
        for bad in [
            "p50_ttft_ms<2",
            "fast<=1",
            "p50_ttft_ms<=",
            "output_tps>=inf",
            "a<=1>=2",
            "",
        ] {
            assert_eq!(Objective::read(bad), None, "{bad}");
        }
    }
}
