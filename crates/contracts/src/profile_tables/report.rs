//! `profile-tables.report/1`: where the GPU time of a trace goes, what overlaps, what could be fused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::critical_path::{CriticalKind, CriticalKindRow, CriticalPath, CriticalSegment, EventWaits};
pub use super::graph_place::{GraphInfo, GraphPlace, LayerPart};
use crate::Finite;
pub use crate::trace_info::{Completeness, Grade, TraceInfo};

/// The value of `schema`.
pub const SCHEMA: &str = "profile-tables.report/1";

/// `data` of `profile-tables.report/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReportData {
    /// The traces that were read, by rank, then path.
    pub traces: Vec<TraceInfo>,
    /// The trace that gave locations to kernels of graphs; null without `--mapping`.
    pub mapping: Option<MappingInfo>,
    /// What the server said of itself; null without `--server-info`.
    pub server: Option<ServerInfo>,
    /// What was inferred of the kernels of graphs; null with `--mapping`, and where no graph was launched.
    pub graph: Option<GraphInfo>,
    /// The stages, by their first work; with `--stage all` exactly one.
    pub stages: Vec<Stage>,
    /// Collectives across ranks; null with fewer than two ranks.
    pub ranks: Option<Ranks>,
}

/// The mapping trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MappingInfo {
    /// File.
    pub path: String,
    /// Kernels of graph launches.
    pub graph_kernels: u64,
    /// Of them, those that the order of the mapping trace's launches located.
    pub aligned: u64,
}

/// What a server said of itself; what it did not say is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServerInfo {
    /// File.
    pub path: String,
    /// Engine.
    pub engine: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Model, as the server was given it.
    pub model: Option<String>,
    /// Ranks of tensor parallelism.
    pub tp_size: Option<u32>,
    /// Stages of pipeline parallelism.
    pub pp_size: Option<u32>,
    /// Replicas of data parallelism.
    pub dp_size: Option<u32>,
    /// Number format of activations.
    pub dtype: Option<String>,
    /// Quantization of the weights; null also where the checkpoint brings its own.
    pub quantization: Option<String>,
    /// Number format of the KV cache.
    pub kv_cache_dtype: Option<String>,
    /// Attention backend.
    pub attention_backend: Option<String>,
}

/// One stage of the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Stage {
    /// prefill, decode, mixed, draft; `unassigned` for work outside every step; `all` when no stage is known or asked for.
    pub stage: String,
    /// How the stage of its work is known: launch (the launch lies in the step's range), file-name, flag or none.
    pub stage_source: String,
    /// Steps of this kind.
    pub steps: u64,
    /// Busy time + idle time: for one stage from the first start to the last end, nanoseconds.
    pub span_ns: i64,
    /// Union over all streams, nanoseconds.
    pub gpu_busy_ns: i64,
    /// Sum of all durations, nanoseconds.
    pub sum_ns: i64,
    /// `sum_ns` / `gpu_busy_ns`: above 1 where work overlaps; null without work.
    pub sum_over_busy_ratio: Option<Finite>,
    /// Overlap of neighbours on one stream (programmatic dependent launch), nanoseconds.
    pub same_stream_overlap_ns: i64,
    /// Pairs of neighbours that overlap so.
    pub same_stream_overlap_pairs: u64,
    /// Time without work on any stream, nanoseconds.
    pub idle_ns: i64,
    /// Of it, time until the call that launched the next work had returned, whatever the host did until then: `idle` divides
    /// it by cause, `launch_bound` being one of them. Nanoseconds.
    pub idle_launch_bound_ns: i64,
    /// Union of communication, nanoseconds.
    pub comm_ns: i64,
    /// Of it, time in which other work ran, too, nanoseconds.
    pub comm_hidden_ns: i64,
    /// Kernels, copies and fills that graph launches started.
    pub graph_events: u64,
    /// Kernels of steps with graph launches that ran outside of them.
    pub graph_breaks: u64,
    /// Share of the family `other` in the busy time, percent.
    pub other_share_pct: Option<Finite>,
    /// Why the device was idle, the longest first.
    pub idle: Vec<IdleRow>,
    /// What determines the span; null where the trace cannot say.
    pub critical_path: Option<CriticalPath>,
    /// Why there is no critical path; null with one.
    pub critical_path_unknown: Option<String>,
    /// Kernels, copies and fills by their share of the busy time.
    pub kernel_table: Vec<KernelRow>,
    /// The same by what could be hidden under other work.
    pub overlap_table: Vec<OverlapRow>,
    /// Known fusions that were found or that the sequence of kernels would allow.
    pub fuse_table: Vec<FuseRow>,
}

/// Idle time of one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdleRow {
    /// Why.
    pub cause: IdleCause,
    /// Gaps.
    pub gaps: u64,
    /// Their sum, nanoseconds.
    pub ns: i64,
    /// Share of the stage's span, percent.
    pub span_pct: Option<Finite>,
    /// Line of Python that was being worked on in most of it; null when no stack was recorded.
    pub python_location: Option<String>,
    /// Settings of this engine that are known to act on this cause; empty where none is known or the engine is not.
    pub levers: Vec<Lever>,
}

/// A setting to try: what to measure next, not what will help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lever {
    /// The change of the launch command, as `add FLAG` or `run without FLAG`.
    pub change: String,
    /// What it acts on.
    pub why: String,
    /// Where the engine says so.
    pub source: String,
}

/// Causes of idle time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdleCause {
    /// The host spent most of the gap in calls that launch, one after the other.
    LaunchBound,
    /// The host waited for the device in a call.
    Synchronisation,
    /// The host was in a copy.
    MemoryCopy,
    /// The host did something else.
    HostPython,
    /// The next work had to wait for an event of another stream.
    OtherStream,
    /// One step was over and the next not begun.
    BetweenSteps,
    /// The work was launched in time, and the device did not begin it.
    Device,
}

impl IdleCause {
    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::LaunchBound => "launch bound",
            Self::Synchronisation => "synchronisation",
            Self::MemoryCopy => "memory copy",
            Self::HostPython => "host Python",
            Self::OtherStream => "other stream",
            Self::BetweenSteps => "between steps",
            Self::Device => "device",
        }
    }
}

/// One kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KernelRow {
    /// Whole name.
    pub kernel: String,
    /// attention, mla, moe, gemm, norm, rope, activation, quantize, comm, sampling, linear_attention, mhc, hadamard,
    /// elementwise, memcpy, memset, other.
    pub family: String,
    /// Launches.
    pub calls: u64,
    /// Sum of durations, nanoseconds.
    pub gpu_time_ns: i64,
    /// Time in which no other stream had work, nanoseconds.
    pub exclusive_ns: i64,
    /// Share of the busy time, each instant split equally among what runs then, percent: all rows add up to 100.
    pub share_pct: Option<Finite>,
    /// Operator that launches it most; null when none is known.
    pub cpu_op: Option<String>,
    /// Line of Python that launches it most; null when none is known.
    pub python_location: Option<String>,
    /// How the location is known: stack, call-stack, graph-alignment (the `--mapping` trace),
    /// graph-position (inferred from the same place in a step without a graph, not recorded); null without a location.
    pub located_by: Option<String>,
    /// Where it is launched from, most time first, four at most.
    pub sites: Vec<Site>,
}

/// A place that launches a kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Site {
    /// Line of Python; null when unknown.
    pub python_location: Option<String>,
    /// How the location is known, as for the whole row; null without a location.
    pub located_by: Option<String>,
    /// Operator; null when unknown.
    pub cpu_op: Option<String>,
    /// Where in the model it runs; only for a kernel that a graph replays, without `--mapping`, where layers repeat.
    pub place: Option<GraphPlace>,
    /// Launches.
    pub calls: u64,
    /// Share of the kernel's time, percent.
    pub kernel_share_pct: Option<Finite>,
}

/// What could be hidden of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OverlapRow {
    /// Whole name.
    pub kernel: String,
    /// Family.
    pub family: String,
    /// Share of its time in which no other stream had work, percent.
    pub exclusive_pct: Option<Finite>,
    /// Share of its time in which another stream had work, percent.
    pub hidden_pct: Option<Finite>,
    /// Its time on the critical path, nanoseconds: what is not on it shortens nothing when it is hidden. Null where the path
    /// is not known.
    pub critical_ns: Option<i64>,
    /// Exclusive time that other work could use: all of it for communication, copies and fills, a part of it for kernels
    /// that wait for memory, none for kernels that fill the device; of no more time than `critical_ns`, where that is
    /// known. Nanoseconds.
    pub headroom_ns: i64,
    /// high: what follows on its stream begins at once in nearly all calls, so it probably waits for it; medium: in some;
    /// low: rarely; unclear: what follows was launched too late to tell.
    pub dependency_risk: String,
    /// Line of Python, else operator, that launches it; null when unknown.
    pub launch_scope: Option<String>,
    /// What to do.
    pub recommendation: String,
    /// P1 (first) to P5.
    pub priority: String,
}

/// A known fusion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FuseRow {
    /// Name of the pattern.
    pub pattern: String,
    /// present (the fused kernel runs) or split (its parts run one after the other); what is neither has no row.
    pub state: FuseState,
    /// The kernels of one occurrence.
    pub kernels: Vec<String>,
    /// Time of the kernels that the fusion removes or replaces, nanoseconds.
    pub related_ns: i64,
    /// Share of `related_ns` in the busy time, percent.
    pub share_pct: Option<Finite>,
    /// How often the sequence occurs.
    pub occurrences: u64,
    /// Families of the sequence, in order.
    pub sequence: Vec<String>,
    /// What the fusion could save of the device's time, an upper bound, nanoseconds; null when the state is not split.
    pub estimated_saving_ns: Option<i64>,
    /// What it could shorten the span by: `estimated_saving_ns`, but no more than the time of its kernels on the critical
    /// path; null when the state is not split, or the path is not known.
    pub shortens_ns: Option<i64>,
    /// Where the fused form is implemented: repository, path, commit or pull request.
    pub source: String,
    /// Why it helps.
    pub rationale: String,
}

/// State of a fusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FuseState {
    /// The fused kernel runs.
    Present,
    /// Its parts run one after the other.
    Split,
    /// Neither; no table has such rows.
    Absent,
}

/// Collectives across ranks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ranks {
    /// One row a rank.
    pub summary: Vec<RankRow>,
    /// Collectives by the spread of their starts, the widest first.
    pub collectives: Vec<CollectiveRow>,
    /// Ranks that the others waited for most, the slowest first.
    pub stragglers: Vec<u32>,
}

/// One rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RankRow {
    /// Rank.
    pub rank: u32,
    /// First start to last end, nanoseconds.
    pub span_ns: i64,
    /// Union over streams, nanoseconds.
    pub gpu_busy_ns: i64,
    /// Union of communication, nanoseconds.
    pub comm_ns: i64,
    /// Of it, hidden under other work, nanoseconds.
    pub comm_hidden_ns: i64,
    /// Collectives in which this rank was the last to begin.
    pub last_arrivals: u64,
    /// Time that others waited for it in them, nanoseconds.
    pub waited_for_ns: i64,
}

/// One collective of all ranks, matched by its index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CollectiveRow {
    /// Its index among the collectives of each rank.
    pub index: u64,
    /// Kernel.
    pub kernel: String,
    /// Longest minus shortest duration: who comes last waits least, nanoseconds.
    pub skew_ns: i64,
    /// Shortest duration: the transfer itself, nanoseconds.
    pub shortest_ns: i64,
    /// Rank with the shortest duration: it came last.
    pub last_rank: u32,
}
