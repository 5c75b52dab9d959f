//! Checks of telemetry against the benchmark that it explains.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AuditCheck {
    /// `window_match`, `token_conservation`, `foreign_traffic`, `littles_law`, `ttft_client_server`, `profiled`,
    /// `benchmark_sound` or `log_engine`.
    pub id: String,
    /// Null when it cannot be decided; `message` says why.
    pub passed: Option<bool>,
    /// What the benchmark, or the other side of the check, says; unit by `unit`.
    pub expected: Option<Finite>,
    /// What the telemetry says.
    pub observed: Option<Finite>,
    /// (observed - expected) / expected, percent; null when either is missing.
    pub difference_pct: Option<Finite>,
    /// Largest difference that passes, percent; null where another rule decides, which `message` names.
    pub limit_pct: Option<Finite>,
    /// Unit of `expected` and `observed`.
    pub unit: String,
    /// In words, with the numbers.
    pub message: String,
}
