//! From an interval to a verdict. Noise is in the interval, never in the threshold.

use contracts::gap_decide::decision::Verdict;

/// Threshold and margin on the log scale of effects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// ln(1 − threshold) and ln(1 + threshold).
    threshold: (f64, f64),
    /// ln(1 − margin) and ln(1 + margin).
    margin: (f64, f64),
}

impl Bounds {
    /// From threshold and margin as ratios between 0 and 1.
    pub fn new(threshold_ratio: f64, margin_ratio: f64) -> Bounds {
        let both = |ratio: f64| ((-ratio).ln_1p(), ratio.ln_1p());
        Bounds {
            threshold: both(threshold_ratio),
            margin: both(margin_ratio),
        }
    }

    /// Judges the interval of a log effect, positive where ours is better.
    pub fn judge(&self, low: f64, high: f64) -> Verdict {
        if low > self.threshold.1 {
            Verdict::Ahead
        } else if high < self.threshold.0 {
            Verdict::Behind
        } else if low > self.margin.0 && high < self.margin.1 {
            Verdict::Tied
        } else {
            Verdict::Inconclusive
        }
    }

    /// Upper and lower log effects beyond which a gap counts: (ln(1 − threshold), ln(1 + threshold)).
    pub fn threshold(&self) -> (f64, f64) {
        self.threshold
    }

    /// Log effects between which engines are tied.
    pub fn margin(&self) -> (f64, f64) {
        self.margin
    }
}

/// A log effect in percent.
pub fn log_to_pct(log_effect: f64) -> f64 {
    100.0 * log_effect.exp_m1()
}

/// How bad a verdict is for ours; of several engines the worst counts.
pub(crate) fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Invalid => 0,
        Verdict::OursFailsSlo => 1,
        Verdict::Behind => 2,
        Verdict::Inconclusive => 3,
        Verdict::Tied => 4,
        Verdict::Ahead => 5,
        Verdict::TheirsFailsSlo => 6,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge_pct(low: f64, high: f64) -> Verdict {
        Bounds::new(0.01, 0.01).judge((low / 100.0).ln_1p(), (high / 100.0).ln_1p())
    }

    #[test]
    fn the_edges_belong_to_nobody() {
        assert_eq!(judge_pct(1.01, 3.0), Verdict::Ahead);
        assert_eq!(judge_pct(0.99, 3.0), Verdict::Inconclusive);
        assert_eq!(judge_pct(-3.0, -1.01), Verdict::Behind);
        assert_eq!(judge_pct(-3.0, -0.99), Verdict::Inconclusive);
        assert_eq!(judge_pct(-0.99, 0.99), Verdict::Tied);
        assert_eq!(judge_pct(-1.01, 0.5), Verdict::Inconclusive);
        let bounds = Bounds::new(0.01, 0.01);
        assert_eq!(bounds.judge(bounds.threshold().1, 1.0), Verdict::Inconclusive);
        assert_eq!(bounds.judge(bounds.margin().0, 0.0), Verdict::Inconclusive);
    }

    proptest! {
        #[test]
        fn swapping_the_sides_swaps_the_verdict(low in -0.1..0.1f64, width in 0.0..0.05f64) {
            // ln(1 − t) is farther from 0 than ln(1 + t): symmetric in percent, not in logs. Skip the sliver between.
            let bounds = Bounds::new(0.01, 0.01);
            let high = low + width;
            let sliver = |x: f64| (x.abs() - 0.01).abs() < 1e-4;
            prop_assume!(!sliver(low) && !sliver(high));
            let swapped = match bounds.judge(-high, -low) {
                Verdict::Ahead => Verdict::Behind,
                Verdict::Behind => Verdict::Ahead,
                other => other,
            };
            prop_assert_eq!(bounds.judge(low, high), swapped);
        }

        #[test]
        fn a_wider_interval_never_decides_more(low in -0.1..0.1f64, width in 0.0..0.05f64, more in 0.0..0.05f64) {
            let bounds = Bounds::new(0.01, 0.02);
            let (narrow, wide) = (bounds.judge(low, low + width), bounds.judge(low - more, low + width + more));
            prop_assert!(wide == Verdict::Inconclusive || narrow != Verdict::Inconclusive);
        }
    }
}
