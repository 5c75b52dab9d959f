//! What a tool prints instead of its document when it cannot do its work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Exit, NextAction};

/// What every error enum of this workspace can say about itself.
pub trait ToolError: std::error::Error {
    /// Stable kebab-case name.
    fn code(&self) -> &'static str;
    /// What to do next.
    fn hint(&self) -> Option<String>;
    /// How the process ends.
    fn exit(&self) -> Exit;
    /// Whether the same command can succeed later without a change.
    fn retryable(&self) -> bool {
        false
    }
    /// Commands that lead on.
    fn next_actions(&self) -> Vec<NextAction> {
        Vec::new()
    }
}

/// `error/1`: printed on stdout with `--format json` when a tool ends with exit code 2, 3, 4, 7 or 70.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ErrorDocument {
    /// Always `error/1`.
    pub schema: String,
    /// Stable kebab-case name of what is wrong.
    pub code: String,
    /// What is wrong, in words; foreign text in it is cleaned and capped.
    pub message: String,
    /// What to do next; null when there is nothing to advise.
    pub hint: Option<String>,
    /// Whether the same command can succeed later without a change.
    pub retryable: bool,
    /// Commands that lead on.
    pub next_actions: Vec<NextAction>,
}

impl ErrorDocument {
    /// The value of `schema`.
    pub const SCHEMA: &'static str = "error/1";
}
