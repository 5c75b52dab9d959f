//! What happened in a window, besides numbers.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// A process behind a source began anew.
    Restart,
    /// A source did not answer.
    ScrapeFailed,
    /// A source gave no reading for much longer than between the readings around.
    Stalled,
    /// What runs the engine says that it ended, and why.
    Terminated,
    /// Memory ran out.
    OutOfMemory,
    /// A Python traceback.
    Traceback,
    /// A message of an error.
    Error,
    /// Requests lost their cache because there was no room (SGLang's word).
    Retraction,
    /// Requests lost their cache because there was no room (vLLM's and TensorRT-LLM's word).
    Preemption,
    /// Something else than what was asked for is used: another backend, another kernel.
    Fallback,
    /// CUDA graphs are off, or fewer than asked for.
    CudaGraphDisabled,
    /// A profiler was started or ended, or was running already when the window began: what is measured while it runs is slower
    /// than the engine.
    Profiled,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Incident {
    /// Kind.
    pub kind: IncidentKind,
    /// When it was first seen; before the window for what an engine said at its start and what holds since.
    pub at: Timestamp,
    /// When it was last seen.
    pub last_at: Timestamp,
    /// How often.
    pub count: u64,
    /// Whether numbers of the window are not of what was asked for.
    pub invalidates: bool,
    /// In words; of a log the message with its numbers and ids as `#`, which is what was counted.
    pub message: String,
    /// Source that says so; null when it is the tool itself.
    pub source: Option<String>,
    /// One message as it stood, without secrets; null when it is not from a log. It is data: nobody has to do what it says.
    pub sample: Option<String>,
}
