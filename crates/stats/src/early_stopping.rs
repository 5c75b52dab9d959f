//! The binomial bound behind MLPerf LoadGen's early stopping, for percentile rules such as p99 <= limit.
//!
//! LoadGen (mlcommons/inference, `loadgen/early_stopping.cc` at 51a4a7e) accepts `h + t` queries with `t`
//! over the limit when P(Bin(h + t, 1 − p) <= t) <= 1 − c: were the true share within the limit only p,
//! so few queries over it would be seen with probability 1 − c at most. Its tolerance d is 0 here, and
//! MLPerf's c is 0.99: p99 then needs 459 requests with none over the limit, 662 with one.
//! LoadGen stops at "passed, or send more"; a rule that the data refute is told apart here, by the
//! same bound from the other side.

use crate::special::beta_regularized;

/// Confidence of MLPerf's early stopping.
pub const MLPERF_CONFIDENCE: f64 = 0.99;

/// What a number of requests says about a percentile rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// The percentile is within the limit, with the asked confidence.
    Passed,
    /// The percentile is over the limit, with the asked confidence.
    Failed,
    /// The requests cannot tell: send more.
    Undecided,
}

/// Decides "the `percentile` (0..100) of the latency is within its limit" from `requests`, of which
/// `exceedances` were over the limit.
///
/// A percentile of 100 is a maximum: it fails with one exceedance and is never proven.
pub fn percentile_rule(requests: u64, exceedances: u64, percentile: f64, confidence: f64) -> RuleOutcome {
    let share_allowed = 1.0 - percentile / 100.0;
    if requests == 0 {
        return RuleOutcome::Undecided;
    }
    if at_most(requests, exceedances, share_allowed) <= 1.0 - confidence {
        return RuleOutcome::Passed;
    }
    if exceedances > 0 && 1.0 - at_most(requests, exceedances - 1, share_allowed) <= 1.0 - confidence {
        return RuleOutcome::Failed;
    }
    RuleOutcome::Undecided
}

/// The fewest requests with which `exceedances` over the limit still pass the rule.
///
/// `None` for a percentile that no number of requests proves (100 and above).
pub fn requests_needed(exceedances: u64, percentile: f64, confidence: f64) -> Option<u64> {
    let share_allowed = 1.0 - percentile / 100.0;
    if share_allowed <= 0.0 {
        return None;
    }
    let passes = |requests| at_most(requests, exceedances, share_allowed) <= 1.0 - confidence;
    let (mut low, mut high) = (exceedances, exceedances + 1);
    while !passes(high) {
        low = high;
        high = high.checked_mul(2)?;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// P(Bin(trials, probability) <= successes).
fn at_most(trials: u64, successes: u64, probability: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    if probability <= 0.0 {
        return 1.0;
    }
    beta_regularized(
        1.0 - probability,
        (trials - successes) as f64,
        successes as f64 + 1.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn p99(requests: u64, exceedances: u64) -> RuleOutcome {
        percentile_rule(requests, exceedances, 99.0, MLPERF_CONFIDENCE)
    }

    #[test]
    fn loadgen_numbers() {
        // The minimum query counts of MLPerf's rules: 64 for p90 and 662 for p99 come from one overlatency query.
        assert_eq!(requests_needed(0, 99.0, 0.99), Some(459));
        assert_eq!(requests_needed(1, 99.0, 0.99), Some(662));
        assert_eq!(requests_needed(1, 90.0, 0.99), Some(64));
        assert_eq!(requests_needed(0, 100.0, 0.99), None);
    }

    #[test]
    fn too_few_requests_do_not_pass() {
        assert_eq!(p99(0, 0), RuleOutcome::Undecided);
        assert_eq!(p99(458, 0), RuleOutcome::Undecided);
        assert_eq!(p99(459, 0), RuleOutcome::Passed);
        assert_eq!(p99(459, 1), RuleOutcome::Undecided);
        assert_eq!(p99(100, 2), RuleOutcome::Undecided);
        assert_eq!(p99(100, 6), RuleOutcome::Failed);
        assert_eq!(percentile_rule(5, 1, 100.0, 0.99), RuleOutcome::Failed);
        assert_eq!(percentile_rule(5, 0, 100.0, 0.99), RuleOutcome::Undecided);
    }

    /// The binomial sum, term by term; logarithms, because the first term may be smaller than any float.
    fn reference(trials: u64, successes: u64, probability: f64) -> f64 {
        let mut log_term = trials as f64 * (-probability).ln_1p();
        let mut sum = 0.0;
        for k in 0..=successes {
            sum += log_term.exp();
            log_term += ((trials - k) as f64 / (k + 1) as f64 * probability / (1.0 - probability)).ln();
        }
        sum
    }

    proptest! {
        #[test]
        fn bound_is_the_binomial_sum(trials in 1..300u64, share in 0.0..1.0f64, probability in 0.001..0.999f64) {
            let successes = (share * trials as f64) as u64;
            let expected = if successes >= trials { 1.0 } else { reference(trials, successes, probability) };
            prop_assert!((at_most(trials, successes, probability) - expected).abs() < 1e-9);
        }

        #[test]
        fn more_exceedances_never_help(requests in 1..2000u64, exceedances in 0..100u64) {
            let worse = |o| match o { RuleOutcome::Passed => 0, RuleOutcome::Undecided => 1, RuleOutcome::Failed => 2 };
            let exceedances = exceedances.min(requests);
            prop_assert!(worse(p99(requests, exceedances)) <= worse(p99(requests, (exceedances + 1).min(requests))));
        }
    }
}
