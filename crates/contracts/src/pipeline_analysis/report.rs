//! `pipeline-analysis.report/1`: the passes of a trace, the layers of one of them, their kinds, and the kernels of each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;
pub use crate::trace_info::{Completeness, Grade, TraceInfo};

/// The value of `schema`.
pub const SCHEMA: &str = "pipeline-analysis.report/1";

/// `data` of `pipeline-analysis.report/1`. Times are null where the trace holds none: in the trace of a graph's capture,
/// launches name their kernels and nothing runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReportData {
    /// The traces that were read, by rank, then path.
    pub traces: Vec<TraceInfo>,
    /// The ranks of the run beside each other, by rank: one trace of each. The fields that follow are of the one that is
    /// `shown`: the slowest, or that of `--rank`.
    pub ranks: Vec<RankRow>,
    /// How the layers were found.
    pub detection: Detection,
    /// The pass to look at: of the kind of pass that is there most often, the one nearest to the median of its steady
    /// part; null when no layers were found.
    pub steady_pass: Option<u64>,
    /// The pass whose layers, clusters and flow follow: the steady one, or that of `--pass`; null when no layers were found.
    pub shown_pass: Option<u64>,
    /// Layers of one kind, in the order of their first layer; empty when no layers were found.
    pub clusters: Vec<Cluster>,
    /// Where to look in a trace viewer; empty when the trace holds no times.
    pub perfetto: Vec<PerfettoRange>,
    /// Two layers against each other; null without `--compare-layer`.
    pub comparison: Option<Comparison>,
    /// Passes over the model, in the order of the trace; the steps of the engine when no layers were found.
    pub passes: Vec<Pass>,
    /// Time of the trace that lies in no pass; null without passes or times.
    pub outside: Option<Outside>,
    /// The layers of the shown pass, in order; null when none were found.
    pub layers: Option<Vec<Layer>>,
    /// Kernels in launch order: of the representative layer of each cluster, or of the layer of `--layer`.
    pub flow: Vec<FlowRow>,
}

/// Time that lies in no pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Outside {
    /// First event of the trace, of host or device, to the start of the first pass, nanoseconds.
    pub before_ns: i64,
    /// Between the passes, nanoseconds.
    pub between_ns: i64,
    /// End of the last pass to the end of the last work of the device, nanoseconds.
    pub after_ns: i64,
}

/// One rank. Clocks of ranks differ, so that times of day of two ranks are no comparison; durations are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RankRow {
    /// Rank in the process group; null when neither the file nor its name says.
    pub rank: Option<u32>,
    /// Its trace; of several that with the most kernels.
    pub path: String,
    /// Whether detection, passes, layers, clusters and flow are of this rank: that with the longest steady pass, unless
    /// `--rank` names another.
    pub shown: bool,
    /// How many passes it has.
    pub passes: u64,
    /// Layers of a whole pass; null when nothing was found.
    pub layers: Option<u64>,
    /// Its steady pass, as a place among its passes; null when no layers were found.
    pub steady_pass: Option<u64>,
    /// Kind of the steady pass; null when nothing says.
    pub kind: Option<PassKind>,
    /// Wall time of the steady pass, nanoseconds. A rank that waits for others in a collective has their wall time.
    pub wall_ns: Option<i64>,
    /// Time of the steady pass in which any stream of the device had work, nanoseconds; waiting in a collective is work.
    pub busy_ns: Option<i64>,
    /// `wall_ns` - `busy_ns`.
    pub idle_ns: Option<i64>,
    /// The layer of the steady pass with the longest wall time, the first of equals; null without layers or times.
    pub slowest_layer: Option<SlowestLayer>,
}

/// The slowest layer of a rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SlowestLayer {
    /// Its place among the layers of the steady pass, from 0.
    pub index: u64,
    /// Type of its cluster.
    #[serde(rename = "type")]
    pub layer_type: String,
    /// Start of its first to end of its last kernel, nanoseconds.
    pub wall_ns: i64,
}

/// How the layers were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Detection {
    /// period (one repeat is one layer), superperiod (a repeat is a group of layers, which was split), subperiod (repeats
    /// are parts of a layer, which were joined), slots (kernels stand out of order; layers are stretches of equal length),
    /// divider (a kernel that stands between layers divides them), given (`--anchor`), none.
    pub method: String,
    /// Kernels of one repeat; null where nothing repeats, and with divider and given.
    pub period: Option<u64>,
    /// Length of the longest run of repeats, in repeats; null with the period.
    pub repeats: Option<Finite>,
    /// Share of the layers' kernels that are the same, at the same place, in all layers of one kind, times the ratio of
    /// found and configured layers; 0 when nothing was found.
    pub confidence: Finite,
    /// Layers of a whole pass; null when nothing was found.
    pub layers: Option<u64>,
    /// Layers that the configuration names; null without `--config`.
    pub config_layers: Option<u64>,
    /// The stream that was cut into layers: the one with the most kernels that are no communication. For the trace of a
    /// graph's capture the thread that launches.
    pub stream: String,
    /// Its kernels.
    pub stream_kernels: u64,
    /// Whether the trace is of a graph's capture: names from launches, and no times.
    pub captured: bool,
}

/// One pass over the model's layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pass {
    /// Its place among the passes, from 0.
    pub index: u64,
    /// By the engine's step that launched it, else by the file's name; of a graph's capture by the name of its range; null
    /// when none of them says.
    pub kind: Option<PassKind>,
    /// Start of its first kernel, from the first event of the trace, nanoseconds.
    pub start_ns: Option<i64>,
    /// End of its last kernel, from the first event of the trace, nanoseconds.
    pub end_ns: Option<i64>,
    /// `end_ns` - `start_ns`.
    pub wall_ns: Option<i64>,
    /// Time in which any stream of the device had work, nanoseconds: work that overlaps is counted once.
    pub busy_ns: Option<i64>,
    /// `wall_ns` - `busy_ns`.
    pub idle_ns: Option<i64>,
    /// Durations of all work of the device that begins in the pass, added up, nanoseconds.
    pub sum_ns: Option<i64>,
    /// Requests in the engine's step, or those that a graph is captured for; null when no step names them.
    pub batch: Option<u64>,
    /// Tokens computed in the engine's step, or those that a graph is captured for; null when no step names them.
    pub tokens: Option<u64>,
    /// Layers in it; null when no layers were found.
    pub layers: Option<u64>,
    /// Whether its wall time lies in the steady part of the passes of its kind, found as a change of level.
    pub steady: bool,
    /// What is special about it; null for nothing.
    pub note: Option<String>,
}

/// Kinds of passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PassKind {
    /// Prompts.
    Prefill,
    /// One token of each request.
    Decode,
    /// Both.
    Mixed,
    /// A draft model or its layers, or the verification of drafted tokens.
    Draft,
}

impl PassKind {
    /// As documents print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Mixed => "mixed",
            Self::Draft => "draft",
        }
    }
}

/// One layer of the shown pass. Work of other streams is no part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Layer {
    /// Its place among the layers, from 0.
    pub index: u64,
    /// Type of its cluster.
    #[serde(rename = "type")]
    pub layer_type: String,
    /// Start of its first kernel, from the first event of the trace, nanoseconds.
    pub start_ns: Option<i64>,
    /// Start of its first to end of its last kernel, nanoseconds.
    pub wall_ns: Option<i64>,
    /// Durations of its kernels, added up, nanoseconds.
    pub sum_ns: Option<i64>,
    /// Time in which one of its kernels ran, nanoseconds: kernels that overlap are counted once.
    pub busy_ns: Option<i64>,
    /// `wall_ns` - `busy_ns`.
    pub idle_ns: Option<i64>,
    /// Busy time by family, `gemm_ns` and so on, each instant split equally among the kernels that run then, nanoseconds:
    /// they add up to `busy_ns`, up to rounding. Families without a kernel are left out.
    pub families: Option<BTreeMap<String, i64>>,
    /// Its kernels.
    pub kernels: u64,
    /// Whether its wall time is far from those of its cluster: 1.5 times the median or more, or two thirds of it or less,
    /// and over five standard deviations away, which are taken from the median deviation. In clusters of four or more, and of at
    /// most one layer in eight: more are a level of their own.
    pub outlier: bool,
    /// How far an outlier is away, and whether it is a cold start; null for any other layer.
    pub note: Option<String>,
}

/// Layers of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cluster {
    /// Mixer and feed-forward block. By the configuration: full, sliding, mla, c4, c128, linear, mamba, … and dense, moe,
    /// hash-moe, none. Without one by the kernels: mla, linear or attention (`sliding` where a kernel's name says so, and
    /// then `full` where it does not) and dense, moe, none. Where no layer of the pass has attention or a state space, the
    /// families with most of the time: `gemm+elementwise`. Clusters of one type with different kernels are numbered:
    /// `full+moe#2`.
    #[serde(rename = "type")]
    pub layer_type: String,
    /// How many.
    pub count: u64,
    /// Which, as places in `layers`.
    pub layers: Vec<u64>,
    /// The layer whose wall time is nearest to the median of the steady part; the first without times.
    pub representative: u64,
    /// Mean of their wall times, outliers included, nanoseconds: times `count` it is the time of all.
    pub wall_mean_ns: Option<i64>,
    /// Median of their wall times, which outliers do not move, nanoseconds; of an even number the lower middle.
    pub wall_median_ns: Option<i64>,
    /// Those that are outliers, as places in `layers`.
    pub outliers: Vec<u64>,
    /// Share of the busy time of all layers of the pass, percent.
    pub share_pct: Option<Finite>,
    /// Share of each family in the busy time of the cluster, percent.
    pub families_pct: Option<BTreeMap<String, Finite>>,
    /// The family with the most busy time; `idle` where the device waits for longer than any family runs.
    pub bottleneck: Option<String>,
}

/// One kernel of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FlowRow {
    /// The layer, as a place in `layers`.
    pub layer: u64,
    /// Its place in the layer, from 0.
    pub order: u64,
    /// Family.
    pub family: String,
    /// Whole name.
    pub kernel: String,
    /// Duration, nanoseconds.
    pub dur_ns: Option<i64>,
    /// Share of the layer's busy time, each instant split equally among the kernels that run then, percent.
    pub share_pct: Option<Finite>,
    /// Start, from the start of the layer, nanoseconds.
    pub rel_ns: Option<i64>,
    /// Shapes of the operator's inputs, as JSON text; null where none were recorded.
    pub input_dims: Option<String>,
    /// Line of Python that launched it; null when none is known, as for kernels that a graph replays.
    pub python_location: Option<String>,
    /// Whether it is one of the few kernels that together take half of the layer's busy time.
    pub hot: bool,
}

/// Two layers of the shown pass against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Comparison {
    /// The layer of `--layer`.
    pub layer: u64,
    /// The layer of `--compare-layer`.
    pub other: u64,
    /// Wall time of the other layer minus that of the layer, nanoseconds.
    pub wall_delta_ns: Option<i64>,
    /// Kernels that only the layer has, or has more of.
    pub only_layer: Vec<OnlyKernel>,
    /// Kernels that only the other layer has, or has more of.
    pub only_other: Vec<OnlyKernel>,
    /// Busy time by family, the largest difference first; empty without times.
    pub families: Vec<FamilyDelta>,
}

/// A kernel that one of two layers has and the other has not, or fewer times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OnlyKernel {
    /// Family.
    pub family: String,
    /// Whole name.
    pub kernel: String,
    /// How many more.
    pub calls: u64,
}

/// Time of one family in two layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FamilyDelta {
    /// Family.
    pub family: String,
    /// In the layer, nanoseconds.
    pub layer_ns: i64,
    /// In the other layer, nanoseconds.
    pub other_ns: i64,
    /// `other_ns` - `layer_ns`.
    pub delta_ns: i64,
}

/// A range to look at in a trace viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PerfettoRange {
    /// What is there.
    pub what: String,
    /// Start on the viewer's clock, which begins with the first event, seconds to the microsecond.
    pub start_s: Finite,
    /// End on the viewer's clock, seconds to the microsecond.
    pub end_s: Finite,
}
