//! The effect on the log scale with its interval at the look that the data have reached.

use contracts::gap_decide::decision::Method;
use stats::group_sequential::Design;
use stats::signed_rank;
use stats::welch;

use crate::evidence::Pairing;
use crate::validity::Usable;

/// Log values of a comparison, oriented so that positive effects favour ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// Log ratios of interleaved pairs in time order.
    Pairs(Vec<f64>),
    /// Logs of runs of two sides that were measured apart; the effect is the first minus the second.
    Apart {
        /// Ours.
        ours: Vec<f64>,
        /// The other.
        other: Vec<f64>,
    },
}

/// What a sample says at one look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Log effect; `None` without data.
    pub effect: Option<f64>,
    /// Interval of the log effect; `None` below the first look, or where so few pairs cannot carry the confidence.
    pub interval: Option<(f64, f64)>,
    /// Pairs (apart: runs a side) in the estimate.
    pub pairs: usize,
    /// Two-sided error of this look's interval.
    pub nominal_alpha: Option<f64>,
    /// Standard deviation of one pair's log ratio as the interval sees it; `None` below 3 pairs.
    pub pair_stddev: Option<f64>,
}

impl Sample {
    /// From the values of both sides.
    pub(crate) fn new(usable: &Usable, pairing: Pairing, higher_is_better: bool) -> Sample {
        let sign = if higher_is_better { 1.0 } else { -1.0 };
        let log = |value: &f64| sign * value.ln();
        match pairing {
            Pairing::Interleaved { .. } => Sample::Pairs(
                usable
                    .ours
                    .iter()
                    .zip(&usable.other)
                    .map(|(a, b)| log(a) - log(b))
                    .collect(),
            ),
            Pairing::Apart => Sample::Apart {
                ours: usable.ours.iter().map(log).collect(),
                other: usable.other.iter().map(log).collect(),
            },
        }
    }

    /// Pairs, or runs on the side that has fewer.
    pub fn available(&self) -> usize {
        match self {
            Sample::Pairs(logs) => logs.len(),
            Sample::Apart { ours, other } => ours.len().min(other.len()),
        }
    }

    /// How its interval is made.
    pub fn method(&self) -> Method {
        match self {
            Sample::Pairs(_) => Method::SignedRankPairs,
            Sample::Apart { .. } => Method::WelchUnpaired,
        }
    }

    /// Estimate and interval at the largest look that the data have reached; later pairs wait for the next look, so
    /// that looking more often costs no error.
    pub fn estimate(&self, design: &Design) -> Estimate {
        let available = self.available();
        let look = design.look_at(available);
        let pairs = look.map_or(available, |look| look.pairs);
        let mut estimate = Estimate {
            effect: None,
            interval: None,
            pairs,
            nominal_alpha: None,
            pair_stddev: self.spread(pairs),
        };
        let critical = look.and_then(|look| look.critical);
        match self {
            Sample::Pairs(logs) => {
                estimate.effect = signed_rank::hodges_lehmann(&logs[..pairs]);
                let interval =
                    critical.and_then(|critical| signed_rank::shift_interval(&logs[..pairs], critical));
                estimate.interval = interval.map(|interval| (interval.low, interval.high));
            }
            Sample::Apart { ours, other } => {
                let (ours, other) = (&ours[..pairs.min(ours.len())], &other[..pairs.min(other.len())]);
                estimate.effect = stats::summary::mean(ours)
                    .zip(stats::summary::mean(other))
                    .map(|(a, b)| a - b);
                let alpha = look
                    .filter(|look| look.critical.is_some())
                    .map(|look| look.nominal_alpha);
                let interval = alpha.and_then(|alpha| welch::difference_interval(ours, other, alpha));
                estimate.interval = interval.map(|interval| (interval.low, interval.high));
            }
        }
        if let (Some(look), Some((low, high))) = (look, estimate.interval) {
            estimate.nominal_alpha = Some(look.nominal_alpha);
            // The interval is the robust witness of the noise: outliers widen it by rank, not by size.
            estimate.pair_stddev = look
                .z()
                .map(|z| (high - low) / 2.0 * (pairs as f64).sqrt() / z)
                .or(estimate.pair_stddev);
        }
        estimate
    }

    /// Standard deviation of one pair from the first `pairs`, for data too few for an interval.
    fn spread(&self, pairs: usize) -> Option<f64> {
        if pairs < 3 {
            return None;
        }
        match self {
            Sample::Pairs(logs) => stats::summary::stddev(&logs[..pairs]),
            Sample::Apart { ours, other } => {
                let (a, b) = (
                    stats::summary::stddev(&ours[..pairs])?,
                    stats::summary::stddev(&other[..pairs])?,
                );
                Some(a.hypot(b))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evenly scattered values around `centre`, no two alike.
    fn spread_around(centre: f64, count: usize) -> Vec<f64> {
        (1..=count)
            .map(|i| centre + 0.01 * ((i as f64 * 0.618_034).fract() - 0.5))
            .collect()
    }

    #[test]
    fn pairs_beyond_a_look_wait() {
        let design = Design::new(0.05);
        let mut logs = spread_around(0.02, 11);
        let at_eight = Sample::Pairs(logs[..8].to_vec()).estimate(&design);
        let at_eleven = Sample::Pairs(logs.clone()).estimate(&design);
        assert_eq!(at_eight, at_eleven);
        assert_eq!(at_eleven.pairs, 8);
        logs.push(0.02);
        assert_eq!(Sample::Pairs(logs).estimate(&design).pairs, 12);
    }

    #[test]
    fn few_pairs_have_an_estimate_and_no_interval() {
        let estimate = Sample::Pairs(spread_around(0.02, 7)).estimate(&Design::new(0.05));
        assert!((estimate.effect.unwrap() - 0.02).abs() < 0.003);
        assert_eq!(
            (estimate.interval, estimate.nominal_alpha, estimate.pairs),
            (None, None, 7)
        );
        assert!(estimate.pair_stddev.is_some());
        assert_eq!(
            Sample::Pairs(vec![0.1, 0.2])
                .estimate(&Design::new(0.05))
                .pair_stddev,
            None
        );
    }

    #[test]
    fn sides_measured_apart_use_the_fewer_runs() {
        let sample = Sample::Apart {
            ours: spread_around(0.05, 20),
            other: spread_around(0.0, 13),
        };
        let estimate = sample.estimate(&Design::new(0.05));
        assert_eq!((sample.available(), estimate.pairs), (13, 12));
        let (low, high) = estimate.interval.unwrap();
        assert!(low < 0.05 && 0.05 < high && high - low < 0.02, "{low} {high}");
    }
}
