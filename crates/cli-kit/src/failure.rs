//! From an error of a library to what a tool prints and how it exits.

use contracts::{ErrorDocument, Exit, NextAction, ToolError};

/// An ending without a document of the tool's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What is printed.
    pub document: Box<ErrorDocument>,
    /// How the process ends.
    pub exit: Exit,
}

impl Failure {
    /// From its parts; add a hint with [`Failure::hint`].
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Failure {
        Failure {
            document: Box::new(ErrorDocument {
                schema: ErrorDocument::SCHEMA.to_owned(),
                code: code.to_owned(),
                message: message.into(),
                hint: None,
                retryable: false,
                next_actions: Vec::new(),
            }),
            exit,
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.document.hint = Some(hint.into());
        self
    }

    /// Adds a command that leads on.
    #[must_use]
    pub fn next(mut self, action: NextAction) -> Failure {
        self.document.next_actions.push(action);
        self
    }
}

impl<E: ToolError> From<E> for Failure {
    fn from(error: E) -> Failure {
        // The whole chain: "failed to read x: permission denied".
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = inner.source();
        }
        Failure {
            document: Box::new(ErrorDocument {
                schema: ErrorDocument::SCHEMA.to_owned(),
                code: error.code().to_owned(),
                message,
                hint: error.hint(),
                retryable: error.retryable(),
                next_actions: error.next_actions(),
            }),
            exit: error.exit(),
        }
    }
}
