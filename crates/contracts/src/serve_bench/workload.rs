//! `serve-bench.workload/1`: a JSONL file that freezes every request, so that two servers get byte-identical load.
//! The first line is the header, then one line a request. The served model name and adapter fields are filled in
//! at send time and stand outside the hash.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::result::LengthRange;
use crate::Finite;

/// The value of `schema` in the header line.
pub const SCHEMA: &str = "serve-bench.workload/1";

/// What a workload may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// May decide a gap.
    Evidence,
    /// Explains a gap; gap-decide refuses it.
    Diagnostic,
}

/// First line of a workload file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WorkloadHeader {
    /// `serve-bench.workload/1`.
    pub schema: String,
    /// Name of the workload.
    pub name: String,
    /// Canonical model id, declared when the workload was frozen; null when it was not.
    pub model: Option<String>,
    /// Tokenizer that sized the prompts: a file's hash or `server:/tokenize`; null for words.
    pub tokenizer: Option<String>,
    /// Hash over all scenarios, in the order of the file.
    pub request_stream_sha256: String,
    /// The scenarios.
    pub scenarios: Vec<ScenarioInfo>,
}

/// One scenario of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScenarioInfo {
    /// Its name.
    pub scenario: String,
    /// What it may be used for.
    pub purpose: Purpose,
    /// Requests.
    pub num_prompts: u64,
    /// Seed; null for a dataset that needs none.
    pub seed: Option<u64>,
    /// Dataset kind: `random`, `sharegpt`, `jsonl`, `azure`, `burstgpt`, `mooncake`.
    pub dataset: String,
    /// `tokens` or `words`.
    pub prompt_unit: String,
    /// `chat` or `completions`.
    pub endpoint: String,
    /// Prompt lengths in `prompt_unit`; null when the dataset does not say.
    pub input_len: Option<LengthRange>,
    /// Output lengths in tokens; null when the dataset does not say.
    pub output_len: Option<LengthRange>,
    /// Hash of this scenario's request lines, see [`StreamHash`].
    pub request_stream_sha256: String,
}

/// One request of a workload file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WorkloadRequest {
    /// Scenario it belongs to.
    pub scenario: String,
    /// Number in the scenario, from 0.
    pub index: u64,
    /// Arrival, milliseconds from the start; null when the load decides (closed loop, or a rate given at run time).
    pub arrival_offset_ms: Option<Finite>,
    /// Prompt length in the scenario's unit; null when unknown.
    pub input_len: Option<u64>,
    /// Output tokens asked for; null when the body does not say.
    pub output_len: Option<u64>,
    /// Prefix group it shares a prefix with; null without groups.
    pub prefix_group: Option<u64>,
    /// Its place in a conversation; null for a request by itself.
    pub turn: Option<Turn>,
    /// The request body without `model`.
    pub body: Value,
}

/// A turn of a conversation. It is sent when the answer of the turn before is there and the user has thought; its body holds
/// the turns before with the answers that were frozen, so that every server gets the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Turn {
    /// Number of the conversation in the scenario, from 0.
    pub conversation: u64,
    /// Number of the turn in it, from 0.
    pub number: u32,
    /// Time between the end of the answer before and this request, milliseconds; 0 for the first turn.
    pub think_ms: Finite,
}

/// Running hash of a request stream: for every request in order the RFC 8785 canonical JSON of
/// `{"arrival_offset_ms": …, "body": …}`, with `"turn"` where there is one, and a newline.
#[derive(Clone, Debug, Default)]
pub struct StreamHash(crate::fields::RunningSha256);

impl StreamHash {
    /// Adds one request.
    pub fn add(&mut self, request: &WorkloadRequest) {
        let mut line = json!({"arrival_offset_ms": request.arrival_offset_ms, "body": request.body});
        if let Some(turn) = &request.turn {
            line["turn"] = json!(turn);
        }
        self.0.add(crate::fields::canonical(&line).as_bytes());
        self.0.add(b"\n");
    }

    /// `sha256:<hex>` of what was added.
    pub fn finish(self) -> String {
        self.0.hex()
    }
}
