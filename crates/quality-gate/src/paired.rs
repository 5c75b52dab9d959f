//! Numbers of paired answers: interval on the ratio of two accuracies, and how many items would decide. Pure.
//!
//! The interval is the hybrid of two Wilson intervals by Bonett and Price (Statistics in Medicine 25, 2006): it holds its
//! level on small samples and where both sides answer everything right, where a delta method has no width.

use contracts::Finite;
use contracts::quality_gate::result::RatioInterval;
use contracts::quality_gate::verdict::Pairs;
use stats::normal::quantile;

/// Probability below the upper bound of a two-sided interval at 95 %.
const UPPER: f64 = 0.975;
/// How often a sample of the proposed size decides.
const POWER: f64 = 0.8;
/// Largest sample that is proposed.
const MOST_ITEMS: f64 = 1e6;

/// Candidate accuracy / baseline accuracy; `None` where one side has no right answer.
///
/// Each bound is computed with one more answer that speaks for it than was seen: without that a candidate at the limit
/// passes in up to 11 % of small samples with few discordant pairs (tests/it/error_rate.rs).
pub fn ratio(pairs: &Pairs) -> Option<RatioInterval> {
    let (base, candidate) = rights(pairs);
    if base == 0.0 || candidate == 0.0 {
        return None;
    }
    let one_more_lost = Pairs {
        both: pairs.both.saturating_sub(1),
        only_baseline: pairs.only_baseline + 1,
        ..*pairs
    };
    let one_more_gained = Pairs {
        only_candidate: pairs.only_candidate + 1,
        ..*pairs
    };
    Some(RatioInterval {
        ratio: Finite::ratio(candidate, base)?,
        ci_low_ratio: Finite::new(bonett_price(&one_more_lost).0)?,
        ci_high_ratio: Finite::new(bonett_price(&one_more_gained).1)?,
    })
}

/// The interval of Bonett and Price, of a baseline with right answers.
fn bonett_price(pairs: &Pairs) -> (f64, f64) {
    let (base, candidate) = rights(pairs);
    let discordant = float(pairs.only_baseline + pairs.only_candidate);
    let either = float(pairs.both) + discordant;
    let joint = ((discordant + 2.0) / ((candidate + 1.0) * (base + 1.0))).sqrt();
    let alone = |right: f64| ((1.0 - (right + 1.0) / (either + 2.0)) / (right + 1.0)).sqrt();
    let z = quantile(UPPER) * joint / (alone(candidate) + alone(base));
    let (candidate_low, candidate_high) = wilson(candidate, either, z);
    let (base_low, base_high) = wilson(base, either, z);
    (candidate_low / base_high, candidate_high / base_low)
}

/// A share with its Wilson interval; `None` of nothing.
pub fn accuracy(correct: u64, answered: u64) -> Option<RatioInterval> {
    let (correct, answered) = (float(correct), float(answered));
    let ratio = Finite::ratio(correct, answered)?;
    let (low, high) = wilson(correct, answered, quantile(UPPER));
    Some(RatioInterval {
        ratio,
        ci_low_ratio: Finite::new(low)?,
        ci_high_ratio: Finite::new(high)?,
    })
}

/// Items that would decide with a power of 80 %, at the ratio and the discordance that were seen.
pub fn needed_items(pairs: &Pairs, at_least: f64) -> Option<u64> {
    let items = float(pairs.both + pairs.only_baseline + pairs.only_candidate + pairs.neither);
    let (base, candidate) = rights(pairs);
    if base == 0.0 || candidate == 0.0 {
        return None;
    }
    // One more than was seen: none seen is not none there.
    let discordant = (float(pairs.only_baseline + pairs.only_candidate) + 1.0) / items;
    let variance = discordant / (base / items * (candidate / items));
    let distance = (candidate / base).ln() - at_least.ln();
    let needed = ((quantile(UPPER) + quantile(POWER)) / distance).powi(2) * variance;
    let needed = needed.ceil().max(items + 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and a million"
    )]
    (needed <= MOST_ITEMS).then_some(needed as u64)
}

fn rights(pairs: &Pairs) -> (f64, f64) {
    (
        float(pairs.both + pairs.only_baseline),
        float(pairs.both + pairs.only_candidate),
    )
}

fn wilson(right: f64, count: f64, z: f64) -> (f64, f64) {
    let square = z * z;
    let middle = (right + square / 2.0) / (count + square);
    let half = z / (count + square) * (right * (count - right) / count + square / 4.0).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[expect(clippy::cast_precision_loss, reason = "items lie far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_surround_the_ratio() {
        let pairs = Pairs {
            both: 43,
            only_baseline: 1,
            only_candidate: 12,
            neither: 30,
        };
        let found = ratio(&pairs).unwrap();
        assert!((found.ratio.get() - 55.0 / 44.0).abs() < 1e-12);
        // Reckoned apart: 1.0517 and 1.4804.
        assert!((found.ci_low_ratio.get() - 1.051_68).abs() < 1e-4);
        assert!((found.ci_high_ratio.get() - 1.480_37).abs() < 1e-4);
    }

    #[test]
    fn equal_answers_still_have_a_width_that_shrinks() {
        let low = |both| {
            let pairs = Pairs {
                both,
                ..Pairs::default()
            };
            ratio(&pairs).unwrap().ci_low_ratio.get()
        };
        assert!(low(10) < 0.95 && low(90) > 0.95 && low(90) < 1.0);
        assert_eq!(ratio(&Pairs::default()), None);
    }

    #[test]
    fn a_larger_sample_is_asked_for_near_the_limit() {
        let pairs = |only_baseline| Pairs {
            both: 80,
            only_baseline,
            only_candidate: 2,
            neither: 10,
        };
        let far = needed_items(&pairs(2), 0.95).unwrap();
        let near = needed_items(&pairs(5), 0.95).unwrap();
        assert!(far > 94 && near > far, "{far} {near}");
        let exact = Pairs {
            both: 95,
            only_baseline: 5,
            ..Pairs::default()
        };
        assert_eq!(needed_items(&exact, 0.95), None);
    }
}
