//! The engine that telemetry is of.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Finite;
use crate::serve_bench::result::EngineKind;

/// What the engine says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EngineFacts {
    /// By its endpoints, else by the names of its metrics; null when no engine was among the sources.
    pub kind: Option<EngineKind>,
    /// Version it reports; null when it reports none.
    pub version: Option<String>,
    /// First model it serves; null when it does not say.
    pub model: Option<String>,
    /// Settings read back from its control endpoints; empty when it has none.
    pub launch_args: BTreeMap<String, Value>,
    /// Sizes that are fixed at start and that the metrics tell: `kv_capacity_tokens`, `weights_gib`, …; the smallest over
    /// its ranks.
    pub startup_attributes: BTreeMap<String, Finite>,
}
