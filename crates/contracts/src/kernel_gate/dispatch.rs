//! `kernel-gate.dispatch/1`: which rows take the candidate. The file that `kernel-gate judge --dispatch` reads.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The id of its schema.
pub const SCHEMA: &str = "kernel-gate.dispatch/1";

/// A dispatch: a rule about fields that new rows have, too. Unlike other files it is read strictly: a condition with a wrong name
/// would route rows that nobody meant.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispatchTable {
    /// In their order: the first whose condition holds takes the row. 1 to 64.
    pub buckets: Vec<BucketRule>,
}

/// One bucket: a field of the row with a condition, or none for all that is left.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketRule {
    /// Its name.
    pub name: String,
    /// What runs there.
    pub entry: Entry,
    /// Field of the row, with points between the names of nested ones; `id` is refused.
    #[serde(default)]
    pub field: Option<String>,
    /// The field is this.
    #[serde(default)]
    pub equals: Option<Value>,
    /// The field is a number, this or more.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The field is a number, less than this.
    #[serde(default)]
    pub below: Option<f64>,
}

/// What a bucket runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The candidate.
    Candidate,
    /// The baseline.
    Baseline,
}
