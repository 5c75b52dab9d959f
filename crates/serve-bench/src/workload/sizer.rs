//! How long a text is: in words, or in the tokens of a tokenizer.

use super::error::WorkloadError;

/// What prompt lengths are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptUnit {
    /// White-space separated words; the token check is off.
    Words,
    /// Tokens.
    Tokens,
}

impl PromptUnit {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            PromptUnit::Words => "words",
            PromptUnit::Tokens => "tokens",
        }
    }
}

/// Counts the length of a text.
pub trait PromptSizer {
    /// What it counts in.
    fn unit(&self) -> PromptUnit;

    /// The tokenizer as the workload's header names it; null for words.
    fn tokenizer(&self) -> Option<String>;

    /// Length of a text as a prompt of its own.
    ///
    /// # Errors
    /// [`WorkloadError::Tokenizer`] when it does not answer.
    fn count(&mut self, text: &str) -> Result<u64, WorkloadError>;
}

/// Words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words;

impl PromptSizer for Words {
    fn unit(&self) -> PromptUnit {
        PromptUnit::Words
    }

    fn tokenizer(&self) -> Option<String> {
        None
    }

    fn count(&mut self, text: &str) -> Result<u64, WorkloadError> {
        Ok(text.split_whitespace().count() as u64)
    }
}

/// The server's own `/tokenize`, asked by the caller's closure: what waits on a socket stays with the caller.
pub struct ServerTokenizer<F> {
    ask: F,
}

impl<F: FnMut(&str) -> Result<u64, String>> ServerTokenizer<F> {
    /// From a closure that gives the number of tokens of a text, or says why not.
    pub fn new(ask: F) -> ServerTokenizer<F> {
        ServerTokenizer { ask }
    }
}

/// The header's name of the server's tokenizer.
const SERVER: &str = "server:/tokenize";

impl<F: FnMut(&str) -> Result<u64, String>> PromptSizer for ServerTokenizer<F> {
    fn unit(&self) -> PromptUnit {
        PromptUnit::Tokens
    }

    fn tokenizer(&self) -> Option<String> {
        Some(SERVER.to_owned())
    }

    fn count(&mut self, text: &str) -> Result<u64, WorkloadError> {
        (self.ask)(text).map_err(|reason| WorkloadError::Tokenizer {
            tokenizer: SERVER.to_owned(),
            reason: contracts::text::clean(&reason, contracts::text::FOREIGN_TEXT_CAP),
        })
    }
}
