//! What a simulated engine put into a trace: what a reader of the trace has to find.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Identity;

/// The file beside a trace, `<name>.truth.json`. All times are those of the model, in whole nanoseconds; a reader finds
/// the same sums in the trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProfileTruth {
    /// Always `engine-sim.profile-truth/1`.
    pub schema: String,
    /// Always true.
    pub simulated: bool,
    /// File name of the trace.
    pub trace: String,
    /// The engine whose layout and names the trace has.
    pub engine: Identity,
    /// Hub id of the model.
    pub model: String,
    /// Layers in every step of the trace; they stand for all layers of the model.
    pub layers: u64,
    /// Steps that were left out because the trace was full.
    pub steps_dropped: u64,
    /// From the start of the first piece of device work to the end of the last; 0 without device work.
    pub span_ns: u64,
    /// Sum of all device work.
    pub device_ns: u64,
    /// Sum of all time without device work: `span_ns` - `device_ns`, as nothing overlaps.
    pub idle_ns: u64,
    /// The kinds of step that occur, in the order prefill, decode, mixed.
    pub stages: Vec<ProfileStage>,
}

/// All steps of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProfileStage {
    /// What the steps compute.
    pub stage: StepStage,
    /// Steps.
    pub steps: u64,
    /// Prompt tokens computed.
    pub prefill_tokens: u64,
    /// Tokens decoded.
    pub decode_tokens: u64,
    /// Device work of the steps.
    pub device_ns: u64,
    /// Idle time before the steps while the host scheduled, prepared, and handled the results of the step before: from
    /// the last device work of that step to the first of this one. The first step of a trace has none.
    pub host_gap_ns: u64,
    /// Of `host_gap_ns`, what the choice of a batch took: once a scheduler round, not once a step.
    pub scheduler_round_ns: u64,
    /// Idle time inside the steps: the device waited for the launch of one kernel after the other.
    pub launch_gap_ns: u64,
    /// Graph launches.
    pub graph_launches: u64,
    /// Kernels that graph launches started.
    pub graph_kernels: u64,
    /// Kernels and copies that were launched one by one.
    pub single_launches: u64,
    /// The families of kernels, by name.
    pub families: Vec<ProfileFamily>,
}

/// All kernels of one family in the steps of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProfileFamily {
    /// The family, as profile-tables names it: attention, gemm, norm, …
    pub family: String,
    /// Kernels, or copies for the family memcpy.
    pub kernels: u64,
    /// Sum of their durations.
    pub total_ns: u64,
}

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStage {
    /// Prompts only.
    Prefill,
    /// One token of each running request.
    Decode,
    /// Both.
    Mixed,
}
