//! A request before its body is made: what every data set comes down to.

use serde_json::Value;

use super::body::Prompt;

/// One request of a data set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) prompt: Prompt,
    /// In the sizer's unit.
    pub(super) input_len: Option<u64>,
    /// Tokens.
    pub(super) output_len: Option<u64>,
    pub(super) prefix_group: Option<u64>,
    /// Time stamp of a trace, milliseconds from any fixed point.
    pub(super) timestamp_ms: Option<f64>,
    /// Its place in a conversation, with the answer that the next turn's history holds.
    pub(super) turn: Option<DraftTurn>,
    /// Fields of this request alone.
    pub(super) extra_body: Option<Value>,
    /// Line of the file it comes from, from 1; 0 for none.
    pub(super) line: u64,
}

impl Draft {
    /// A text and nothing else known.
    pub(super) fn text(text: String) -> Draft {
        Draft {
            prompt: Prompt::Text(text),
            input_len: None,
            output_len: None,
            prefix_group: None,
            timestamp_ms: None,
            turn: None,
            extra_body: None,
            line: 0,
        }
    }
}

/// A turn before the history is put before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DraftTurn {
    /// Number of the conversation, from 0.
    pub(super) conversation: u64,
    /// What is answered in the history of later turns.
    pub(super) answer: String,
    /// In the sizer's unit.
    pub(super) answer_len: u64,
}
