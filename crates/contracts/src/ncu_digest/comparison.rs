//! Baseline against candidate, as the profiler saw them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counter;
use crate::Finite;

/// Baseline against candidate. A time under the profiler decides no promotion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Comparison {
    /// Pairs of kernels, the one that was asked for first: `--pair`, `--kernel`, else the longest of the baseline.
    pub pairs: Vec<Pair>,
    /// Kernels without a partner, or with work that differs.
    pub unmatched: Vec<Unmatched>,
    /// False where the versions of Nsight Compute differ: then only durations and cycles are compared.
    pub compares_metrics: bool,
}

/// A kernel on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pair {
    /// Baseline.
    pub baseline: Side,
    /// Candidate.
    pub candidate: Side,
    /// Candidate / baseline − 1 of the durations, percent; negative is faster. Null where that is no finite number.
    pub duration_delta_pct: Option<Finite>,
    /// The same of the elapsed cycles; null where they were not collected.
    pub cycles_delta_pct: Option<Finite>,
    /// Candidate / baseline − 1 of the clocks, percent; null where they were not collected.
    pub clock_delta_pct: Option<Finite>,
    /// What a difference has to exceed, percent; null where that is no finite number.
    pub noise_pct: Option<Finite>,
    /// What set it: `floor`, `resolution`, `spread`, `control`.
    pub noise_from: NoiseFrom,
    /// What the durations say; `clock_drift` where the clocks differ too much for them to say it.
    pub duration_verdict: Change,
    /// What holds: the durations, or the cycles where clocks drifted.
    pub verdict: Change,
    /// True where the verdict needs to be repeated: one launch a side beyond the noise, clocks that drifted, or two versions.
    pub provisional: bool,
    /// True where both sides are the same program on the same grid with as many executed instructions: what it moved is noise.
    pub is_control: bool,
    /// Further numbers that moved by more than 2 % or 2 points, the largest first.
    pub metrics: Vec<MetricDelta>,
}

/// One side of a pair; of several launches the median.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Side {
    /// Name and template arguments, normalised.
    pub key: String,
    /// Launches.
    pub n: u64,
    /// Blocks.
    pub grid: [u64; 3],
    /// Threads of a block.
    pub block: [u64; 3],
    /// Registers of a thread; null where it was not collected.
    pub registers: Option<Counter>,
    /// Duration, ns.
    pub duration_ns: Counter,
    /// Elapsed cycles; null where it was not collected.
    pub cycles: Option<Counter>,
    /// Clock of the multiprocessors, Hz; null likewise.
    pub sm_clock_hz: Option<Counter>,
    /// Executed warp instructions; null likewise.
    pub instructions: Option<Counter>,
}

/// What set the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseFrom {
    /// 2 %, which long kernels keep to.
    Floor,
    /// 0.6 µs of the duration.
    Resolution,
    /// Twice the coefficient of variation of five launches or more.
    Spread,
    /// An unchanged kernel of similar duration that moved.
    Control,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Less time, beyond the noise.
    Faster,
    /// More time, beyond the noise.
    Slower,
    /// Within the noise.
    NoChange,
    /// The clocks differ by more than 3 %: the durations do not say.
    ClockDrift,
    /// The change, or what it has to exceed, is no finite number.
    Unknown,
}

/// A number that moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricDelta {
    /// Field of a kernel of the digest, such as `memory.bytes_per_sector`.
    pub name: String,
    /// Metric, or the formula over metrics.
    pub metric: String,
    /// Baseline.
    pub baseline: Finite,
    /// Candidate.
    pub candidate: Finite,
    /// Candidate / baseline − 1, percent; null where the baseline is 0, and for percentages.
    pub delta_pct: Option<Finite>,
    /// Candidate − baseline of a percentage, points; null for other numbers.
    pub delta_points: Option<Finite>,
}

/// A kernel without a partner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Unmatched {
    /// `baseline` or `candidate`.
    pub side: String,
    /// Name and template arguments, normalised.
    pub key: String,
    /// Blocks.
    pub grid: [u64; 3],
    /// Why.
    pub why: String,
}
