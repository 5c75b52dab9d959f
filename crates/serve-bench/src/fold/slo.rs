//! Service-level objectives of a run, and per-request goodput limits.
//!
//! A percentile rule is decided with the binomial bound of MLPerf LoadGen's early stopping: with too few requests
//! it is undecided, not passed.

use std::fmt;

use contracts::metric::{Metric, UnknownMetric};
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::run::{Run, Slo, SloRule, SloStatus};
use contracts::{Bound, Finite, serve_bench::outcome::Outcome};
use stats::early_stopping::{RuleOutcome, percentile_rule, requests_needed};

/// Confidence of percentile rules, as in MLPerf LoadGen.
const CONFIDENCE: f64 = 0.99;

/// A bound such as `p99_tpot_ms<=80`.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    text: String,
    metric: String,
    bound: Bound,
}

/// A rule that does not read.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleError {
    /// No `<=` or `>=`, or no number after it.
    Shape(String),
    /// The metric is none of ours.
    Metric(UnknownMetric),
    /// A goodput limit on something that a single request does not have.
    PerRequest(String),
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleError::Shape(rule) => {
                write!(
                    f,
                    "rule `{}` is not of the form METRIC<=NUMBER or METRIC>=NUMBER",
                    contracts::text::clean(rule, 80)
                )
            }
            RuleError::Metric(error) => error.fmt(f),
            RuleError::PerRequest(metric) => write!(
                f,
                "a goodput limit needs a per-request latency ({}), not `{}`",
                PER_REQUEST.join(", "),
                contracts::text::clean(metric, 80)
            ),
        }
    }
}

impl std::error::Error for RuleError {}

/// Latencies that a single request has.
const PER_REQUEST: [&str; 5] = [
    "ttft_ms",
    "tpot_ms",
    "e2e_latency_ms",
    "ttft_from_schedule_ms",
    "e2e_from_schedule_ms",
];

impl Limit {
    fn parse(text: &str) -> Result<Limit, RuleError> {
        let (metric, bound) = Bound::split(text).ok_or_else(|| RuleError::Shape(text.to_owned()))?;
        Ok(Limit {
            text: text.trim().to_owned(),
            metric: metric.to_owned(),
            bound,
        })
    }
}

/// All rules of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SloRules {
    rules: Vec<(Limit, Metric)>,
    goodput: Vec<Limit>,
}

impl SloRules {
    /// Reads `--slo` and `--goodput` values.
    ///
    /// # Errors
    /// [`RuleError`] of the first one that does not read.
    pub fn parse(slo: &[String], goodput: &[String]) -> Result<SloRules, RuleError> {
        let rules = slo
            .iter()
            .map(|text| {
                let limit = Limit::parse(text)?;
                let metric = Metric::parse(&limit.metric).map_err(RuleError::Metric)?;
                Ok((limit, metric))
            })
            .collect::<Result<_, RuleError>>()?;
        let goodput = goodput
            .iter()
            .map(|text| {
                let limit = Limit::parse(text)?;
                if PER_REQUEST.contains(&limit.metric.as_str()) {
                    Ok(limit)
                } else {
                    Err(RuleError::PerRequest(limit.metric))
                }
            })
            .collect::<Result<_, RuleError>>()?;
        Ok(SloRules { rules, goodput })
    }

    pub(super) fn has_goodput(&self) -> bool {
        !self.goodput.is_empty()
    }

    /// Whether there is any SLO rule.
    pub fn has_slo(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether a request meets every goodput limit; one without the value (a single token has no TPOT) does. `None`
    /// for a limit that counts from the schedule, where there was none.
    pub(super) fn is_good(&self, record: &RequestRecord) -> Option<bool> {
        let is_unknown =
            |limit: &Limit| limit.metric.contains("_from_schedule_") && record.send_delay_ms.is_none();
        if self.goodput.iter().any(is_unknown) {
            return None;
        }
        let admits =
            |limit: &Limit| per_request(record, &limit.metric).is_none_or(|value| limit.bound.admits(value));
        Some(self.goodput.iter().all(admits))
    }

    /// Judges a run; `None` when no rule was asked for.
    pub(super) fn judge(&self, run: &Run, measured: &[&RequestRecord]) -> Option<Slo> {
        if self.rules.is_empty() {
            return None;
        }
        let rules: Vec<SloRule> = self
            .rules
            .iter()
            .map(|(limit, metric)| judge(limit, metric, run, measured))
            .collect();
        let any = |status| rules.iter().any(|rule| rule.status == status);
        let passed = if any(SloStatus::Failed) {
            Some(false)
        } else if any(SloStatus::Undecided) {
            None
        } else {
            Some(true)
        };
        Some(Slo { passed, rules })
    }
}

fn judge(limit: &Limit, metric: &Metric, run: &Run, measured: &[&RequestRecord]) -> SloRule {
    let observed = metric.value(run);
    let mut rule = SloRule {
        rule: limit.text.clone(),
        observed,
        status: SloStatus::Undecided,
        requests_needed: None,
    };
    let Some(value) = observed else { return rule };
    let bounded = metric
        .percentile()
        .zip(metric.latency().map(|(_, field)| field))
        .filter(|_| limit.bound.is_at_most());
    match bounded {
        // Pooled gaps are not independent trials; requests are.
        Some((percentile, field)) if PER_REQUEST.contains(&field) => {
            let values: Vec<f64> = measured
                .iter()
                .filter(|record| record.outcome == Outcome::Ok)
                .filter_map(|record| per_request(record, field))
                .collect();
            let exceeding = values.iter().filter(|value| !limit.bound.admits(**value)).count() as u64;
            rule.status = match percentile_rule(values.len() as u64, exceeding, percentile, CONFIDENCE) {
                RuleOutcome::Passed => SloStatus::Passed,
                RuleOutcome::Failed => SloStatus::Failed,
                RuleOutcome::Undecided => SloStatus::Undecided,
            };
            rule.requests_needed = requests_needed(exceeding, percentile, CONFIDENCE);
        }
        _ => {
            rule.status = if limit.bound.admits(value.get()) {
                SloStatus::Passed
            } else {
                SloStatus::Failed
            }
        }
    }
    rule
}

fn per_request(record: &RequestRecord, field: &str) -> Option<f64> {
    let delay = || record.send_delay_ms.map(Finite::get);
    match field {
        "ttft_ms" => record.ttft_ms.map(Finite::get),
        "tpot_ms" => record.tpot_ms.map(Finite::get),
        "e2e_latency_ms" => record.e2e_latency_ms.map(Finite::get),
        "ttft_from_schedule_ms" => Some(record.ttft_ms?.get() + delay()?),
        "e2e_from_schedule_ms" => Some(record.e2e_latency_ms?.get() + delay()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodput_from_the_schedule_is_unknown_in_a_closed_loop() {
        let rules = |limit: &str| SloRules::parse(&[], &[limit.to_owned()]).unwrap();
        let mut record = crate::fold::requests::tests::ok_record();
        record.send_delay_ms = None;
        assert_eq!(rules("ttft_from_schedule_ms<=1000000").is_good(&record), None);
        assert_eq!(rules("ttft_ms<=1000000").is_good(&record), Some(true));
        record.send_delay_ms = Some(Finite::from(2_000_000));
        assert_eq!(
            rules("ttft_from_schedule_ms<=1000000").is_good(&record),
            Some(false)
        );
    }

    #[test]
    fn rules_that_do_not_read_say_why() {
        let error = |rule: &str| SloRules::parse(&[rule.to_owned()], &[]).unwrap_err().to_string();
        assert!(error("p50_ttft_ms<2000").contains("METRIC<=NUMBER"));
        assert!(error("p50_ttft_ms<=nan").contains("METRIC<=NUMBER"));
        assert!(error("ttft<=1").contains("unknown metric"));
        let goodput = SloRules::parse(&[], &["output_tps>=1".to_owned()]).unwrap_err();
        assert!(goodput.to_string().contains("per-request"), "{goodput}");
    }
}
