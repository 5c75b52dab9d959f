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
const MOST_ITEMS: u64 = 1_000_000;

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

/// Items that would decide with a power of 80 %, at the ratio and the discordance that were seen: as many as the difference to
/// the limit asks for, and as many as the interval itself needs to leave the limit out.
pub fn needed_items(pairs: &Pairs, at_least: f64) -> Option<u64> {
    let items = pairs.both + pairs.only_baseline + pairs.only_candidate + pairs.neither;
    let (base, candidate) = paired_ratio::rights(counted(pairs));
    if base == 0.0 || candidate == 0.0 {
        return None;
    }
    let share = |count: f64| count / float(items);
    let discordant = share(float(pairs.only_baseline + pairs.only_candidate));
    let variance = discordant / (share(base) * share(candidate));
    let distance = (candidate / base).ln() - at_least.ln();
    let by_power = ((quantile(UPPER) + quantile(POWER)) / distance).powi(2) * variance;
    let decides = |size: u64| {
        let scaled = |count: u64| count * size / items;
        let found = ratio(&Pairs {
            both: scaled(pairs.both),
            only_baseline: scaled(pairs.only_baseline),
            only_candidate: scaled(pairs.only_candidate),
            neither: 0,
        });
        found.is_some_and(|found| found.ci_low_ratio.get() > at_least || found.ci_high_ratio.get() < at_least)
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a million"
    )]
    let by_power = (by_power <= float(MOST_ITEMS)).then_some(by_power.ceil() as u64)?;
    let (mut least, mut most) = (by_power.max(items + 1), MOST_ITEMS);
    if !decides(most) {
        return None;
    }
    while least < most {
        let middle = least + (most - least) / 2;
        if decides(middle) {
            most = middle;
        } else {
            least = middle + 1;
        }
    }
    Some(least)
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
        // Without a difference the interval alone decides how many.
        let same = |both| Pairs {
            both,
            ..Pairs::default()
        };
        for seen in [1, 60, 70] {
            assert_eq!(needed_items(&same(seen), 0.95), Some(73));
        }
        let low = |both| ratio(&same(both)).unwrap().ci_low_ratio.get();
        assert!(low(72) < 0.95 && low(73) > 0.95);
        let exact = Pairs {
            both: 95,
            only_baseline: 5,
            ..Pairs::default()
        };
        assert_eq!(needed_items(&exact, 0.95), None);
    }
}
