//! `serve-bench.doctor/1`: a look at the machine before anything is measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probe::ProbeData;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.doctor/1";

/// `data` of `serve-bench.doctor/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DoctorData {
    /// The checks.
    pub checks: Vec<Check>,
    /// Servers found on loopback.
    pub servers: Vec<ProbeData>,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nothing in the way.
    Ok,
    /// Numbers may suffer.
    Warn,
    /// A measurement would fail.
    Fail,
    /// Could not be looked at here.
    NotChecked,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Check {
    /// Name, for example `file-descriptors`.
    pub name: String,
    /// What it says.
    pub status: CheckStatus,
    /// What was seen.
    pub detail: String,
    /// What to do; null when nothing.
    pub hint: Option<String>,
}
