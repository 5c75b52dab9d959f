//! `gap-decide.calibration/1`: the error rates and repeat counts to expect on a machine, from its own A/A noise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decision::Verdict;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "gap-decide.calibration/1";

/// `data` of `gap-decide.calibration/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CalibrationData {
    /// Metric that was calibrated.
    pub metric: String,
    /// Confidence of a verdict over all its looks.
    pub confidence_ratio: Finite,
    /// Threshold, percent.
    pub threshold_pct: Finite,
    /// Margin, percent.
    pub margin_pct: Finite,
    /// Pairs after which a campaign gives up.
    pub max_pairs: u32,
    /// Campaigns a row.
    pub campaigns: u32,
    /// Seed of the campaigns.
    pub seed: u64,
    /// What the measurements show.
    pub noise: Noise,
    /// The verdict on the measurements themselves, side A as ours.
    pub aa: AaVerdict,
    /// Simulated campaigns, one row a true effect.
    pub rows: Vec<CalibrationRow>,
}

/// Noise of the measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Noise {
    /// Runs.
    pub runs: u32,
    /// Pairs: measured ones of a comparison, else runs next to each other.
    pub pairs: u32,
    /// True when the pairs were interleaved by `serve-bench compare`.
    pub interleaved: bool,
    /// Coefficient of variation of the runs of one side of one document, pooled over all, percent.
    pub cv_pct: Option<Finite>,
    /// Standard deviation of the log ratio of a pair, percent.
    pub pair_stddev_pct: Option<Finite>,
    /// Share of single pairs that differ by more than the threshold: how often "1 % on one run each" is wrong here.
    pub naive_wrong_ratio: Option<Finite>,
    /// Smallest margin, percent, that `max_pairs` pairs can show a tie within.
    pub smallest_margin_pct: Option<Finite>,
}

/// The verdict on two equal sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AaVerdict {
    /// `ahead` or `behind` here means that the two sides were not equal, or that this is one of the promised few errors.
    pub verdict: Verdict,
    /// Effect, percent.
    pub effect_pct: Option<Finite>,
    /// Lower end of its interval.
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    pub ci_high_pct: Option<Finite>,
}

/// Campaigns at one true effect, every look taken until a verdict or `max_pairs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CalibrationRow {
    /// True effect, percent.
    pub true_effect_pct: Finite,
    /// Share that ended `ahead`.
    pub ahead_ratio: Finite,
    /// Share that ended `behind`.
    pub behind_ratio: Finite,
    /// Share that ended `tied`.
    pub tied_ratio: Finite,
    /// Share without a verdict after `max_pairs` pairs.
    pub inconclusive_ratio: Finite,
    /// Share whose interval at the end held the true effect.
    pub coverage_at_end_ratio: Finite,
    /// Share whose interval held the true effect at every look up to 120 pairs.
    pub coverage_all_looks_ratio: Finite,
    /// Mean number of pairs used.
    pub mean_pairs: Finite,
    /// 90th percentile of the number of pairs used.
    pub p90_pairs: u32,
    /// Share that "1 % on one run each" calls better or worse by the first pair alone.
    pub naive_decided_ratio: Finite,
}
