//! `loop-ledger.preflight/1`: whether a runtime can run the loop here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.preflight/1";

/// `data` of `loop-ledger.preflight/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PreflightData {
    /// `redeploy`, `humanize`, `codex-goal` or `claude-goal`.
    pub runtime: String,
    /// True when the loop of the runtime was to be shown active.
    pub after_start: bool,
    /// Whether nothing that is needed is missing.
    pub passed: bool,
    /// The checks.
    pub checks: Vec<Check>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Passed,
    /// Missing, and needed.
    Failed,
    /// Could hurt; the loop can start.
    Warning,
    /// Cannot be looked at here.
    NotChecked,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Check {
    /// Stable kebab-case name.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found, cleaned.
    pub found: String,
    /// What mends it; null when nothing has to.
    pub fix: Option<String>,
}
