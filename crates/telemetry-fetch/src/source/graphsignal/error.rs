//! Why Graphsignal says nothing.

use cli_kit::ToolError;
use contracts::Exit;
use engine_client::ClientError;

use super::api::{BASE, KEY};

/// Fragments complete "failed to …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum GraphsignalError {
    /// It cannot be asked.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The profiler beside the engine does not answer with its signals.
    #[error("read the signals of Graphsignal's profiler at {url}: {reason}")]
    NoSignals {
        /// What was asked.
        url: String,
        /// What it answers.
        reason: String,
    },
    /// No key for the hosted API.
    #[error("ask Graphsignal's API: the variable `{KEY}` is not set")]
    KeyMissing,
    /// The key is refused.
    #[error("ask Graphsignal's API at {url}: it answers {status} to the key of `{KEY}`")]
    KeyRefused {
        /// What was asked.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// The hosted API gives no context.
    #[error("read the context of Graphsignal's API at {url}: {reason}")]
    NoContext {
        /// What was asked.
        url: String,
        /// What it answers.
        reason: String,
    },
}

impl ToolError for GraphsignalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::NoSignals { .. } => "graphsignal-no-signals",
            Self::KeyMissing => "graphsignal-key-missing",
            Self::KeyRefused { .. } => "graphsignal-key-refused",
            Self::NoContext { .. } => "graphsignal-no-context",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Client(ClientError::Refused { .. }) | Self::NoSignals { .. } => {
                "start the engine as `graphsignal-run --metrics-port PORT COMMAND…` (PyPI's graphsignal, 1.1 or newer): its \
                 endpoint lives as long as the engine, at http://127.0.0.1:18259"
                    .to_owned()
            }
            Self::Client(error) => return error.hint(),
            Self::KeyMissing => format!("export {KEY}; `--graphsignal local` needs no key"),
            Self::KeyRefused { .. } => {
                format!("check {KEY}, and {BASE} where the API is not the hosted one; `--graphsignal local` needs no key")
            }
            Self::NoContext { .. } => {
                format!("check {BASE}, and that the account has signals in the window; `--graphsignal local` needs no account")
            }
        };
        Some(hint)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => error.exit(),
            Self::NoSignals { .. } | Self::KeyMissing | Self::KeyRefused { .. } | Self::NoContext { .. } => {
                Exit::Unavailable
            }
        }
    }

    fn retryable(&self) -> bool {
        matches!(self, Self::Client(error) if error.retryable())
    }
}
