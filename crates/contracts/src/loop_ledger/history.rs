//! `loop-ledger.history/1`: what others already changed for this model, written by hand or by an agent in YAML or JSON.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.history/1";

/// Notes on the history of a model in the engines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct History {
    /// `loop-ledger.history/1`.
    pub schema: String,
    /// Model or model family that was looked up.
    pub model: String,
    /// Commit of the target engine that the campaign starts from.
    pub baseline_commit: String,
    /// Day of the look-up.
    #[schemars(with = "String")]
    pub checked_on: Date,
    /// Where was looked: repositories, knowledge bases.
    pub sources: Vec<String>,
    /// What was found.
    pub changes: Vec<Change>,
    /// Why `changes` is empty; null when it is not.
    pub none_found: Option<String>,
}

/// A pull request or commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    /// Repository and number, for example `sgl-project/sglang#12345`.
    pub reference: String,
    /// `merged`, `open` or `closed`.
    pub state: ChangeState,
    /// Day of its last change.
    #[schemars(with = "String")]
    pub date: Date,
    /// What it does.
    pub title: String,
    /// Source files that matter.
    #[serde(default)]
    pub files: Vec<String>,
    /// What it decides for this campaign.
    pub influences: String,
}

/// State of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// In the main branch.
    Merged,
    /// Not yet decided.
    Open,
    /// Rejected or given up.
    Closed,
}
