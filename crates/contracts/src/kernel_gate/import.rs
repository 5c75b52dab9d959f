//! `kernel-gate.import/1`: what of a foreign ledger became results.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "kernel-gate.import/1";

/// `data` of `kernel-gate.import/1`. The results themselves are the artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ImportData {
    /// Rows of results that were written.
    pub rows: u64,
    /// Lines of the ledger that the map keeps.
    pub lines_kept: u64,
    /// Lines of the ledger that the map leaves out.
    pub lines_left_out: u64,
    /// Kinds of time that all rows have: `device`, `wall`.
    pub times: Vec<String>,
    /// Evidence for which the map names no column, and which the verdict will miss.
    pub missing: Vec<String>,
}
