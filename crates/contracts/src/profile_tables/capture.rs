//! `profile-tables.capture/1`: what was sent to a server to record a trace, and the files that came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::serve_bench::result::EngineInfo;

/// The value of `schema`.
pub const SCHEMA: &str = "profile-tables.capture/1";

/// `data` of `profile-tables.capture/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CaptureData {
    /// Base URL of the server that was profiled, without credentials.
    pub url: String,
    /// What it does in its deployment; null where it was given no role.
    pub role: Option<String>,
    /// Where the requests of the probe were sent; null where that is `url`.
    pub front_url: Option<String>,
    /// The engine.
    pub engine: EngineInfo,
    /// Model name as it was sent.
    pub model: String,
    /// What was recorded.
    pub stage: ProbeStage,
    /// The requests that made the engine work.
    pub probe: Probe,
    /// Steps that the engine was asked to record; null where no number was sent and the stop ends the recording.
    pub steps_asked: Option<u64>,
    /// What the servers of the deployment had to do before the profiler was started, together.
    pub load: ServerLoad,
    /// Why nothing was recorded; null when something was.
    pub refused: Option<Refusal>,
    /// The control requests in their order; empty when nothing was recorded.
    pub sent: Vec<Sent>,
    /// Folder in which the traces were waited for.
    pub folder: String,
    /// The traces, by name.
    pub traces: Vec<CapturedTrace>,
}

/// The stage that a probe exercises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStage {
    /// Prompts of the scenario's length, one token each.
    Prefill,
    /// A prompt of one token, and as many tokens as the scenario's answers have.
    Decode,
}

/// The requests of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Probe {
    /// Requests, one after the other.
    pub requests: u64,
    /// Prompt tokens of each.
    pub input_tokens: u64,
    /// Tokens asked for of each.
    pub output_tokens: u64,
    /// Prompt tokens as the server counted them, of the last one; null when it did not say.
    pub served_input_tokens: Option<u64>,
    /// Where the lengths come from.
    pub derived_from: DerivedFrom,
}

/// The scenario whose lengths a probe has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DerivedFrom {
    /// The benchmark that names them; null when the flags did.
    pub result: Option<String>,
    /// Its scenario; null without a benchmark.
    pub scenario: Option<String>,
    /// Input length of the slow scenario, tokens; null when a decode probe was given none.
    pub input_len: Option<u64>,
    /// Output length of the slow scenario, tokens; null when a prefill probe was given none.
    pub output_len: Option<u64>,
}

/// Requests of others in the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServerLoad {
    /// Running; null when the server does not say.
    pub running: Option<u64>,
    /// Waiting; null when the server does not say.
    pub waiting: Option<u64>,
    /// The path that said so; null when none did.
    pub source: Option<String>,
}

/// Why nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Requests were running or waiting: a profiler would slow down what is being measured.
    ServerBusy,
}

/// One request to the profiler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sent {
    /// Path; the method is POST.
    pub path: String,
    /// JSON body; null for none.
    pub body: Value,
    /// HTTP status of the answer.
    pub status: u16,
}

/// A trace that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CapturedTrace {
    /// File.
    pub path: String,
    /// `sha256:<hex>` of its bytes.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Rank, from the content, else from the name; null when neither says.
    pub rank: Option<u32>,
    /// Kernels in it.
    pub kernels: u64,
    /// Steps of the stage in it; null when the trace names no steps.
    pub steps: Option<u64>,
    /// Requests in the largest of them; null when no step says how many it has.
    pub largest_batch: Option<u64>,
}
