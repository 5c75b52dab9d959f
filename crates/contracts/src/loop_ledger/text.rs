//! `loop-ledger.text/1`: text that was rendered from the ledger: prompts, plans, reports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.text/1";

/// `data` of `loop-ledger.text/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TextData {
    /// What it is, for example `prompt codex-goal`.
    pub kind: String,
    /// The text; null when it was only written to files.
    pub text: Option<String>,
    /// Its length in characters; 0 without a text.
    pub chars: u64,
    /// Hash of the last entry it was rendered from; null where no ledger was read.
    pub head: Option<String>,
}
