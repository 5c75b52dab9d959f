//! `serve-bench.probe/1`: who answers at a URL.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::result::EngineInfo;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.probe/1";

/// `data` of `serve-bench.probe/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProbeData {
    /// Base URL, without credentials.
    pub url: String,
    /// The engine.
    pub engine: EngineInfo,
    /// Model names that `/v1/models` lists.
    pub models: Vec<String>,
    /// Longest context of the first model, tokens; null when the server does not say.
    pub max_model_len: Option<u64>,
    /// Whether the server says that it is simulated.
    pub simulated: bool,
    /// Whether it can tokenize for us.
    pub tokenize: bool,
    /// Every endpoint that was asked, with its HTTP status; null when nothing answered.
    pub endpoints: Vec<EndpointStatus>,
    /// Settings read back from the server (attention backend, cache type, slots, …); the subject's observed part.
    pub settings: BTreeMap<String, Value>,
}

/// What one endpoint answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EndpointStatus {
    /// Path, for example `/v1/models`.
    pub path: String,
    /// HTTP status; null when nothing answered.
    pub status: Option<u16>,
}
