//! Why a server is not running, with the end of its log.

use std::path::PathBuf;

use contracts::{Exit, ToolError as _};
use engine_client::ClientError;

/// A server that was not started, or did not become ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// There is nothing to start.
    #[error("cannot start a server from an empty argv")]
    EmptyArgv,
    /// The program cannot be started.
    #[error("cannot start {program}: {reason}")]
    Spawn {
        /// First word of the argv.
        program: String,
        /// What the system says.
        reason: String,
    },
    /// The log file cannot be written.
    #[error("cannot write the log {}: {reason}", .path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Something listens at the address already.
    #[error("something listens at {url} already")]
    PortInUse {
        /// Base URL.
        url: String,
    },
    /// The process ended before it was ready.
    #[error("the server ended with {status} before it was ready{}", ends(.log_tail))]
    Exited {
        /// How it ended: `exit status 1`, `signal 9 (SIGKILL)`.
        status: String,
        /// Last lines of the log, cleaned and without secrets.
        log_tail: Vec<String>,
        /// The log.
        log_path: PathBuf,
    },
    /// The process runs but was not ready in time.
    #[error("the server was not ready after {} s ({reason}){}", .seconds, ends(.log_tail))]
    NotReady {
        /// The time limit.
        seconds: u64,
        /// What the last look at it said.
        reason: String,
        /// Last lines of the log, cleaned and without secrets.
        log_tail: Vec<String>,
        /// The log.
        log_path: PathBuf,
    },
    /// It answers, but waiting will not help: it wants a credential, or is reached in a wrong way.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Lines of the log that fit into a message; the error carries more.
const SHOWN_LINES: usize = 3;

fn ends(tail: &[String]) -> String {
    if tail.is_empty() {
        return "; its log is empty".to_owned();
    }
    let shown = &tail[tail.len().saturating_sub(SHOWN_LINES)..];
    format!("; its log ends: {}", shown.join(" | "))
}

impl LaunchError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            LaunchError::EmptyArgv => "empty-argv",
            LaunchError::Spawn { .. } => "engine-not-started",
            LaunchError::Log { .. } => "engine-log",
            LaunchError::PortInUse { .. } => "port-in-use",
            LaunchError::Exited { .. } => "engine-exited",
            LaunchError::NotReady { .. } => "engine-not-ready",
            LaunchError::Client(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            LaunchError::EmptyArgv => {
                "give the launch command as one JSON array of strings, for example [\"engine-sim\",\"--port\",\"{port}\"]"
                    .to_owned()
            }
            LaunchError::Spawn { .. } => {
                "check that the program is on PATH and executable; the command is an argv, not a shell line".to_owned()
            }
            LaunchError::Log { .. } => "choose a directory that exists and has room".to_owned(),
            LaunchError::PortInUse { .. } => {
                "stop the server there, or choose another port; `serve-bench doctor` lists servers on this machine"
                    .to_owned()
            }
            LaunchError::Exited { log_path, .. } => format!("read the whole log: {}", log_path.display()),
            LaunchError::NotReady { log_path, .. } => {
                format!("allow more time if it is still loading; the log is {}", log_path.display())
            }
            LaunchError::Client(error) => return error.hint(),
        })
    }

    /// How a tool ends with this error.
    pub fn exit(&self) -> Exit {
        match self {
            LaunchError::EmptyArgv => Exit::Usage,
            LaunchError::Spawn { .. }
            | LaunchError::Log { .. }
            | LaunchError::PortInUse { .. }
            | LaunchError::Exited { .. }
            | LaunchError::NotReady { .. } => Exit::Unavailable,
            LaunchError::Client(error) => error.exit(),
        }
    }

    /// Whether the same call may succeed later without a change.
    pub fn retryable(&self) -> bool {
        match self {
            LaunchError::PortInUse { .. } | LaunchError::NotReady { .. } => true,
            LaunchError::EmptyArgv
            | LaunchError::Spawn { .. }
            | LaunchError::Log { .. }
            | LaunchError::Exited { .. } => false,
            LaunchError::Client(error) => error.retryable(),
        }
    }
}
