//! What every document says of a torch-profiler trace that it was made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Warning;

/// One trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TraceInfo {
    /// File.
    pub path: String,
    /// Rank in the process group; from the file's content, else from its name; null when neither says.
    pub rank: Option<u32>,
    /// Ranks of the process group; null when the file does not say.
    pub world_size: Option<u32>,
    /// Name of the GPU; null when the file does not say.
    pub gpu: Option<String>,
    /// Engine: sglang, vllm, tensorrt-llm, tokenspeed, transformers, engine-sim; null when nothing says.
    pub engine: Option<String>,
    /// Events of any kind.
    pub events: u64,
    /// Kernels, copies and fills not counted.
    pub kernels: u64,
    /// Events that damage made unreadable.
    pub events_lost: u64,
    /// Whether the tables come from this trace: profile-tables takes one rank unless `--rank all`, pipeline-analysis shows
    /// one.
    pub analysed: bool,
    /// How far it can be trusted.
    pub completeness: Completeness,
}

impl TraceInfo {
    /// What is missing of the trace, as a warning; `None` for a complete one.
    #[must_use]
    pub fn incomplete(&self) -> Option<Warning> {
        let code = match self.completeness.grade {
            Grade::Complete => return None,
            Grade::Partial => "trace-partial",
            Grade::Incomplete => "trace-incomplete",
        };
        let reasons = self.completeness.reasons.join("; ");
        Some(Warning::new(code, format!("{}: {reasons}", self.path)))
    }
}

/// How far a trace can be trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Completeness {
    /// complete: nothing is known to be missing; partial: tables hold, with gaps; incomplete: shares and idle time are
    /// those of a part only.
    pub grade: Grade,
    /// What is missing, one sentence each.
    pub reasons: Vec<String>,
}

/// Grades of completeness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Nothing is known to be missing.
    Complete,
    /// Something is missing; the tables hold.
    Partial,
    /// So much is missing that shares and idle time mislead.
    Incomplete,
}
