//! `loop-ledger.done/1`: whether the campaign may end, and in which state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Terminal;
use super::status::Need;

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.done/1";

/// `data` of `loop-ledger.done/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DoneData {
    /// Artifact root.
    pub root: String,
    /// Whether the campaign has ended.
    pub done: bool,
    /// The state; null while it goes on.
    pub terminal: Option<Terminal>,
    /// What every terminal state would still need.
    pub states: Vec<TerminalState>,
    /// Hash of the last entry.
    pub head: String,
}

/// One terminal state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TerminalState {
    /// The state.
    pub terminal: Terminal,
    /// Whether its evidence is complete.
    pub reached: bool,
    /// What it still needs.
    pub missing: Vec<Need>,
}
