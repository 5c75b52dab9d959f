//! Numbers of paired answers: interval on the ratio of two accuracies, and how many items would decide. Pure.

use contracts::Finite;
use contracts::quality_gate::result::RatioInterval;
use contracts::quality_gate::verdict::Pairs;
use stats::normal::quantile;
use stats::paired_ratio::{self, UPPER};
use stats::wilson;

/// How often a sample of the proposed size decides.
const POWER: f64 = 0.8;
/// Largest sample that is proposed.
const MOST_ITEMS: f64 = 1e6;

/// Candidate accuracy / baseline accuracy; `None` where one side has no right answer.
pub fn ratio(pairs: &Pairs) -> Option<RatioInterval> {
    let found = paired_ratio::ratio_interval(counted(pairs))?;
    Some(RatioInterval {
        ratio: Finite::new(found.estimate)?,
        ci_low_ratio: Finite::new(found.low)?,
        ci_high_ratio: Finite::new(found.high)?,
    })
}

fn counted(pairs: &Pairs) -> paired_ratio::Pairs {
    paired_ratio::Pairs {
        both: pairs.both,
        only_first: pairs.only_baseline,
        only_second: pairs.only_candidate,
    }
}

/// A share with its Wilson interval; `None` of nothing.
pub fn accuracy(correct: u64, answered: u64) -> Option<RatioInterval> {
    let (correct, answered) = (float(correct), float(answered));
    let ratio = Finite::ratio(correct, answered)?;
    let (low, high) = wilson::bounds(correct, answered, quantile(UPPER));
    Some(RatioInterval {
        ratio,
        ci_low_ratio: Finite::new(low)?,
        ci_high_ratio: Finite::new(high)?,
    })
}

/// Items that would decide with a power of 80 %, at the ratio and the discordance that were seen.
pub fn needed_items(pairs: &Pairs, at_least: f64) -> Option<u64> {
    let items = float(pairs.both + pairs.only_baseline + pairs.only_candidate + pairs.neither);
    let (base, candidate) = paired_ratio::rights(counted(pairs));
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

#[expect(clippy::cast_precision_loss, reason = "items lie far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

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
