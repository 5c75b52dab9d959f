//! How many pairs a verdict will need, and what the affordable ones can resolve, from the pairs so far.

use stats::group_sequential::{Design, LOOKS};
use stats::normal;

use crate::effect::Estimate;
use crate::verdict::Bounds;

/// Chance of a verdict that a forecast promises.
const POWER: f64 = 0.8;

/// Beyond this nobody measures: the answer is "less noise or a wider margin", not a number.
const MOST_PAIRS: f64 = 100_000.0;

/// Pairs after which a verdict is expected if effect and noise are what they seem now; `None` when no number will do.
pub(crate) fn repeats_needed(estimate: &Estimate, design: &Design, bounds: &Bounds) -> Option<u32> {
    let (effect, stddev) = (estimate.effect?, estimate.pair_stddev?);
    let mut last_z = None;
    for look in design.looks() {
        last_z = look.z().or(last_z);
        if look.pairs > estimate.pairs
            && look
                .z()
                .is_some_and(|z| decides(effect, stddev, look.pairs as f64, z, bounds))
        {
            return u32::try_from(look.pairs).ok();
        }
    }
    // Past the last look the count says how far the noise is from what the design can do.
    let mut pairs = LOOKS[LOOKS.len() - 1] as f64;
    while pairs < MOST_PAIRS {
        pairs = (pairs * 1.1).ceil();
        if decides(effect, stddev, pairs, last_z?, bounds) {
            return Some(pairs as u32);
        }
    }
    None
}

/// Smallest margin, as a log effect, within which `max_pairs` pairs show a tie of equal engines four times in five.
pub(crate) fn smallest_margin(stddev: f64, design: &Design, max_pairs: usize) -> Option<f64> {
    let look = design.look_at(max_pairs)?;
    let standard_error = stddev / (look.pairs as f64).sqrt();
    // The estimate must lie within margin − z · error of zero, on either side.
    Some((look.z()? + normal::quantile(0.5 + POWER / 2.0)) * standard_error)
}

/// Whether some verdict is reached with the promised chance.
fn decides(effect: f64, stddev: f64, pairs: f64, z: f64, bounds: &Bounds) -> bool {
    let error = stddev / pairs.sqrt();
    if error == 0.0 {
        return bounds.judge(effect, effect) != contracts::gap_decide::decision::Verdict::Inconclusive;
    }
    let below = |limit: f64| normal::cdf((limit - effect) / error);
    let half = z * error;
    let ahead = 1.0 - below(bounds.threshold().1 + half);
    let behind = below(bounds.threshold().0 - half);
    let tied = (below(bounds.margin().1 - half) - below(bounds.margin().0 + half)).max(0.0);
    ahead.max(behind).max(tied) >= POWER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(effect: f64, stddev: f64, pairs: usize) -> Estimate {
        Estimate {
            effect: Some(effect),
            interval: None,
            pairs,
            nominal_alpha: None,
            pair_stddev: Some(stddev),
        }
    }

    #[test]
    fn more_noise_needs_more_pairs() {
        let (design, bounds) = (Design::new(0.05), Bounds::new(0.01, 0.01));
        let needed = |stddev| repeats_needed(&estimate(-0.03, stddev, 4), &design, &bounds).unwrap();
        assert_eq!(needed(0.005), 8);
        assert!(
            needed(0.02) > 8 && needed(0.035) > needed(0.02) && needed(0.2) > 120,
            "{}",
            needed(0.2)
        );
    }

    #[test]
    fn on_the_threshold_no_number_will_do() {
        let (design, bounds) = (Design::new(0.05), Bounds::new(0.01, 0.01));
        assert_eq!(
            repeats_needed(&estimate((-0.01_f64).ln_1p(), 0.02, 8), &design, &bounds),
            None
        );
        assert_eq!(
            repeats_needed(
                &Estimate {
                    pair_stddev: None,
                    ..estimate(0.0, 0.0, 2)
                },
                &design,
                &bounds
            ),
            None
        );
    }

    #[test]
    fn margin_shrinks_with_pairs_and_is_what_a_tie_needs() {
        let design = Design::new(0.05);
        let margin = |pairs| smallest_margin(0.014, &design, pairs).unwrap();
        assert!(margin(56) < margin(26) && margin(26) < margin(8));
        // The two forecasts agree: with that margin a tie at 56 pairs is what is expected.
        let bounds = Bounds::new(0.5, margin(56) * 1.001);
        assert!(repeats_needed(&estimate(0.0, 0.014, 38), &design, &bounds).unwrap() <= 56);
        assert_eq!(smallest_margin(0.014, &design, 7), None);
    }
}
