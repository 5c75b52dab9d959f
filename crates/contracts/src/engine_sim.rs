//! What a simulated engine is told to do (`engine-sim.script/1`), what it says when it is ready
//! (`engine-sim.ready/1`), what it really did (`engine-sim.truth/1`), and what it put into a trace
//! (`engine-sim.profile-truth/1`).

mod profile_truth;
mod ready;
mod script;
mod truth;

pub use profile_truth::{ProfileFamily, ProfileStage, ProfileTruth, StepStage};
pub use ready::Ready;
pub use script::{
    Answers, Ending, Identity, KeepAlive, LineEnd, ReasoningField, Refusal, Reply, RoleChunk, Rule, Script,
    Split, Usage,
};
pub use truth::{Lateness, Meant, RequestTruth, Truth};

/// Schema of a script file.
pub const SCRIPT_SCHEMA: &str = "engine-sim.script/1";
/// Schema of the line printed when the server listens.
pub const READY_SCHEMA: &str = "engine-sim.ready/1";
/// Schema of the answer of `GET /truth`.
pub const TRUTH_SCHEMA: &str = "engine-sim.truth/1";
/// Schema of the file beside a trace.
pub const PROFILE_TRUTH_SCHEMA: &str = "engine-sim.profile-truth/1";
