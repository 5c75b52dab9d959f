//! `loop-ledger.digest/1`: the morning after, in twenty lines.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.digest/1";

/// `data` of `loop-ledger.digest/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DigestData {
    /// Artifact root.
    pub root: String,
    /// From when.
    pub since: Timestamp,
    /// Entries since then.
    pub entries: u64,
    /// The lines, twenty at most.
    pub lines: Vec<String>,
}
