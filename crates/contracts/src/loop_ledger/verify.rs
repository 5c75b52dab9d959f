//! `loop-ledger.verify/1`: whether anything in a campaign was changed after it was written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.verify/1";

/// `data` of `loop-ledger.verify/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VerifyData {
    /// Artifact root.
    pub root: String,
    /// Whether everything is as it was written.
    pub intact: bool,
    /// Entries that were checked.
    pub entries: u64,
    /// Stored files that were checked.
    pub objects: u64,
    /// Hash of the last entry.
    pub head: Option<String>,
    /// The anchor that was given, and where it stands in the chain; null without one.
    pub anchor: Option<Anchor>,
    /// What is not as it was written, in the order in which it was found.
    pub faults: Vec<Fault>,
}

/// A hash that was kept elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Anchor {
    /// The hash.
    pub hash: String,
    /// Number of the entry that has it; null when none has.
    pub seq: Option<u64>,
}

/// A change that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Fault {
    /// Stable kebab-case name.
    pub code: String,
    /// File, with line or field.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}
