//! `profile-tables.diff/1`: where the time between two engines went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::{FuseState, IdleCause, TraceInfo};
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "profile-tables.diff/1";

/// Code of the warning when the two sides are of two models; the document is no evidence then.
pub const DIFFERENT_MODEL: &str = "different-model";

/// Code of the warning when the two sides are of two stages; the document is no evidence then.
pub const DIFFERENT_STAGE: &str = "different-stage";

/// `data` of `profile-tables.diff/1`. Times and launches are those of one unit (`normalised_by`), unless a field says
/// otherwise; `delta_ns` is ours - theirs, so that above 0 ours takes longer.
///
/// A step has one time before it. The first step of a trace has none there, so N steps may show N - 1 times between steps:
/// these are scaled by steps over the steps that another step precedes, and the sums hold the scaled times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DiffData {
    /// The side that is explained.
    pub ours: DiffSide,
    /// The side that it is held against.
    pub theirs: DiffSide,
    /// Whether `--force-pair` put two models or two stages side by side; the warnings say which.
    pub forced: bool,
    /// What times are divided by.
    pub normalised_by: NormalisedBy,
    /// Busy and idle time of ours, nanoseconds.
    pub ours_ns: i64,
    /// Busy and idle time of theirs, nanoseconds.
    pub theirs_ns: i64,
    /// `ours_ns` - `theirs_ns`: the whole difference, nanoseconds.
    pub delta_ns: i64,
    /// What makes it up, the largest difference first; the rows' `ours_ns`, `theirs_ns` and `delta_ns` add up to the three
    /// above, without a rest.
    pub waterfall: Vec<WaterfallRow>,
    /// Kernels that one side has and the other has not, by time; names are compared without their digits (tile sizes).
    pub kernels: Vec<OneSidedKernel>,
    /// Known fusions that are done on one side only.
    pub fusions: Vec<OneSidedFusion>,
}

/// What times are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NormalisedBy {
    /// Steps: both sides compute as much in each.
    Step,
    /// Tokens: the steps of the two sides differ in size.
    Token,
    /// Nothing: steps or tokens are unknown, and whole traces are compared.
    Trace,
}

/// How the steps of a side were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepsFrom {
    /// By the ranges that the engine names.
    Ranges,
    /// By the passes over the model's layers, where the engine names none.
    Passes,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DiffSide {
    /// The traces that were read, by name.
    pub traces: Vec<TraceInfo>,
    /// Engine; null when nothing says.
    pub engine: Option<String>,
    /// Model, from `server_args.json` beside the trace; null without one.
    pub model: Option<String>,
    /// Stage that was compared.
    pub stage: String,
    /// How the stage of its work is known: launch, file-name, flag or none.
    pub stage_source: String,
    /// Steps of the stage; null when they are unknown.
    pub steps: Option<u64>,
    /// How they were counted; null with `steps`.
    pub steps_from: Option<StepsFrom>,
    /// Tokens computed in all of them; null when a step does not say.
    pub tokens: Option<u64>,
    /// What its times are divided by: steps, tokens or 1.
    pub units: u64,
    /// Layers of a whole pass; null when none were found.
    pub layers: Option<u64>,
    /// Width of the hidden states, from the shapes of norms; null when no shapes were recorded.
    pub hidden_size: Option<u64>,
    /// Busy time of the stage, all units together, nanoseconds.
    pub gpu_busy_ns: i64,
    /// Idle time of the stage, all units together, nanoseconds.
    pub idle_ns: i64,
}

/// One part of the difference: a family of kernels, or a cause of idle time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WaterfallRow {
    /// Family of kernels; null for idle time.
    pub family: Option<String>,
    /// Cause of idle time; null for a family.
    pub idle_cause: Option<IdleCause>,
    /// Time of ours: for a family its part of the busy time, each instant split equally among what runs then,
    /// nanoseconds.
    pub ours_ns: i64,
    /// The same of theirs, nanoseconds.
    pub theirs_ns: i64,
    /// `ours_ns` - `theirs_ns`, nanoseconds.
    pub delta_ns: i64,
    /// `delta_ns` in the whole difference, percent, negative where the row makes the difference smaller; null without a
    /// difference.
    pub delta_pct: Option<Finite>,
    /// Launches of ours; for idle time the gaps.
    pub ours_launches: Finite,
    /// Launches of theirs; for idle time the gaps.
    pub theirs_launches: Finite,
    /// What takes most of it on our side: the whole name of a kernel, or the line of Python that the device waited for; null
    /// when there is none or it is unknown.
    pub ours_most: Option<String>,
    /// The same on their side.
    pub theirs_most: Option<String>,
    /// The same by place in the model; they add up to the row. Empty for idle time, and where no layers were found on one of
    /// the sides.
    pub positions: Vec<PositionRow>,
}

/// Place in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// The first layer.
    First,
    /// The layers between the first and the last.
    Middle,
    /// The last layer.
    Last,
    /// Before, after and beside the layers: embedding, logits, sampling, copies, other streams.
    Outside,
}

/// The part of a family at one place in the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PositionRow {
    /// Where.
    pub position: Position,
    /// Time of ours, nanoseconds.
    pub ours_ns: i64,
    /// Time of theirs, nanoseconds.
    pub theirs_ns: i64,
    /// `ours_ns` - `theirs_ns`, nanoseconds.
    pub delta_ns: i64,
    /// Launches of ours.
    pub ours_launches: Finite,
    /// Launches of theirs.
    pub theirs_launches: Finite,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
}

/// A kernel that only one side has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OneSidedKernel {
    /// Who has it.
    pub side: Whose,
    /// Whole name; of several that differ in digits only, the one with most time.
    pub kernel: String,
    /// Family.
    pub family: String,
    /// Launches.
    pub launches: Finite,
    /// Its part of the busy time, nanoseconds.
    pub ns: i64,
}

/// A known fusion that only one side has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OneSidedFusion {
    /// Name of the pattern.
    pub pattern: String,
    /// Who has it.
    pub side: Whose,
    /// The other side: split (its parts run one after the other) or absent (neither is there).
    pub other: FuseState,
    /// How often the side that has it runs the fused kernel.
    pub fused_launches: Finite,
    /// How often the other side runs the parts; 0 where absent.
    pub split_occurrences: Finite,
    /// What it could save on the other side, an upper bound, nanoseconds; null where absent.
    pub estimated_saving_ns: Option<i64>,
    /// Where the fused form is implemented: repository, path, commit.
    pub source: String,
    /// What the fusion does, in one line.
    pub rationale: String,
}
