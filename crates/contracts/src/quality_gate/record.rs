//! `quality-gate.record/1`: a JSONL file, a header and then one answer a line, written as it comes, so that a run that was
//! stopped goes on and another run is compared with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::{PromptAnswer, Prompts};
use super::result::Item;

/// Its schema id.
pub const SCHEMA: &str = "quality-gate.record/1";

/// One line of a records file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordLine {
    /// First line: whose answers these are.
    Header(Box<RecordHeader>),
    /// An answer to an item of the suite.
    Item(Box<Item>),
    /// An answer to a prompt of the workload.
    Prompt(Box<PromptAnswer>),
}

/// What a records file belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RecordHeader {
    /// `quality-gate.record/1`.
    pub schema: String,
    /// Hash over suite, model, settings, prompts and the server: its URL, and what it says of its engine and its flags. A run
    /// goes on only with records of an equal one.
    pub run: String,
    /// Base URL of the server, without credentials.
    pub url: String,
    /// The model's hub id.
    pub model: String,
    /// Whether the server is a simulated engine.
    pub simulated: bool,
    /// What was asked of a workload's prompts, `answers` empty; null without a workload.
    pub prompts: Option<Prompts>,
}
