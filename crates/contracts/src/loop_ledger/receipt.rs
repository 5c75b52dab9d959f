//! `loop-ledger.receipt/1`: what a command added to the ledger.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::status::BudgetState;

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.receipt/1";

/// `data` of `loop-ledger.receipt/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReceiptData {
    /// Artifact root.
    pub root: String,
    /// The entries that were added; those that stood there already where the command was a repetition.
    pub entries: Vec<Entry>,
    /// True when the command had been run before and nothing was added.
    pub already: bool,
    /// Hash of the last entry: what an anchor outside the agent's reach should hold.
    pub head: String,
    /// The budget after it.
    pub budget: BudgetState,
}
