//! `loop-ledger.root-cause/1`: why ours is behind, in claims that cite stored documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.root-cause/1";

/// A root cause, written by hand or by an agent in YAML or JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RootCause {
    /// `loop-ledger.root-cause/1`.
    pub schema: String,
    /// Scenario in which ours is behind.
    pub scenario: String,
    /// The cause, in a sentence or two.
    pub cause: String,
    /// Where it can be mended: source paths, flags, kernel families.
    pub targets: Vec<String>,
    /// What shows it. One at least.
    pub claims: Vec<Claim>,
}

/// A claim and the value it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Claim {
    /// What is claimed.
    pub claim: String,
    /// `sha256:<hex>` of the stored document, or the beginning of it, eight digits at least.
    pub document: String,
    /// JSON pointer to the value in it, for example `/data/scenarios/0/effect_pct`.
    pub pointer: String,
    /// The value that stands there.
    pub value: Value,
}
