//! From the verdicts of all scenarios to one decision: the first rule that applies.

use contracts::Exit;
use contracts::gap_decide::decision::{Decision, Geomean, ScenarioVerdict, Verdict};

use crate::verdict::log_to_pct;

/// What to do next.
pub(crate) fn decide(scenarios: &[ScenarioVerdict]) -> Decision {
    let any = |verdict: Verdict| scenarios.iter().any(|scenario| scenario.verdict == verdict);
    if any(Verdict::Invalid) {
        Decision::Rebaseline
    } else if any(Verdict::OursFailsSlo) {
        Decision::FixSlo
    } else if any(Verdict::Behind) {
        Decision::Profile
    } else if any(Verdict::Inconclusive) {
        Decision::Repeat
    } else if scenarios.iter().any(|scenario| scenario.provisional) {
        Decision::Rebaseline
    } else {
        Decision::StopReached
    }
}

/// How the process ends: a gate that was asked for is decided or not met; what no gate decides is undecided while any
/// scenario is, whatever is known of the others.
pub(crate) fn exit(scenarios: &[ScenarioVerdict], fail_on: &[&str]) -> Exit {
    let any = |verdict: Verdict| scenarios.iter().any(|scenario| scenario.verdict == verdict);
    if any(Verdict::Invalid) {
        Exit::Undecided
    } else if scenarios
        .iter()
        .any(|scenario| fail_on.contains(&scenario.verdict.name()))
    {
        Exit::GateNotMet
    } else if any(Verdict::Inconclusive) {
        Exit::Undecided
    } else {
        Exit::Ok
    }
}

/// Log effect of a scenario and its interval.
pub(crate) type LogEffect = (Option<f64>, Option<(f64, f64)>);

/// Geometric mean of log effects with its interval by variance recovery (Zou and Donner 2008): each scenario's distance
/// from effect to bound stands for its variance on that side.
pub(crate) fn geomean(effects: &[LogEffect]) -> Geomean {
    let none = Geomean {
        effect_pct: None,
        ci_low_pct: None,
        ci_high_pct: None,
    };
    let count = effects.len() as f64;
    let known: Option<Vec<f64>> = effects.iter().map(|(effect, _)| *effect).collect();
    let Some(known) = known.filter(|known| !known.is_empty()) else {
        return none;
    };
    let mean = known.iter().sum::<f64>() / count;
    let pct = |log: f64| contracts::Finite::new(log_to_pct(log));
    let intervals: Option<Vec<(f64, f64)>> = effects.iter().map(|(_, interval)| *interval).collect();
    let Some(intervals) = intervals else {
        return Geomean {
            effect_pct: pct(mean),
            ..none
        };
    };
    let recovered = |bound: fn(&(f64, f64)) -> f64| {
        let squares: f64 = known
            .iter()
            .zip(&intervals)
            .map(|(effect, i)| (effect - bound(i)).powi(2))
            .sum();
        squares.sqrt() / count
    };
    Geomean {
        effect_pct: pct(mean),
        ci_low_pct: pct(mean - recovered(|i| i.0)),
        ci_high_pct: pct(mean + recovered(|i| i.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geomean_of_equal_scenarios_narrows_by_the_root() {
        let one = geomean(&[(Some(0.02), Some((0.01, 0.03)))]);
        assert!((one.ci_low_pct.unwrap().get() - log_to_pct(0.01)).abs() < 1e-6);
        let four = geomean(&[(Some(0.02), Some((0.01, 0.03))); 4]);
        assert!((four.ci_low_pct.unwrap().get() - log_to_pct(0.015)).abs() < 1e-6);
        assert!((four.ci_high_pct.unwrap().get() - log_to_pct(0.025)).abs() < 1e-6);
    }

    #[test]
    fn an_unknown_scenario_leaves_the_mean_unknown() {
        assert_eq!(geomean(&[(Some(0.02), None), (None, None)]).effect_pct, None);
        let partly = geomean(&[(Some(0.02), None), (Some(0.0), Some((-0.1, 0.1)))]);
        assert!(partly.effect_pct.is_some() && partly.ci_low_pct.is_none());
        assert_eq!(geomean(&[]).effect_pct, None);
    }
}
