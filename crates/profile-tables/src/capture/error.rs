//! What keeps a trace from being recorded. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use engine_client::ClientError;

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub(super) enum CaptureError {
    /// Neither flag nor benchmark names the length of the probe.
    #[error("size the probe: {flag} is not given, and no --for names it")]
    LengthMissing {
        /// The flag.
        flag: &'static str,
    },
    /// A URL that is none.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// Several servers whose roles do not say which is profiled.
    #[error("find the server of the {stage} steps: {why}")]
    RolesUnclear {
        /// What is wrong.
        why: String,
        /// The stage's role.
        stage: &'static str,
    },
    /// The variable of the key is not set.
    #[error("read the API key: the variable {0} is not set")]
    KeyMissing(String),
    /// An engine without a profiler behind its API.
    #[error("profile {engine}: it has no /start_profile")]
    Unsupported {
        /// Engine.
        engine: &'static str,
    },
    /// The endpoint is not there.
    #[error("start the profiler of {engine}: /start_profile answers HTTP {status}")]
    Disabled {
        /// Engine.
        engine: &'static str,
        /// Status.
        status: u16,
        /// How it is switched on.
        enable: &'static str,
    },
    /// The engine refuses to start.
    #[error("start the profiler: HTTP {status} {reason}")]
    StartRefused {
        /// Status.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// The engine refuses to stop.
    #[error("stop the profiler: HTTP {status} {reason}")]
    StopRefused {
        /// Status.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// Nobody says where the traces will be.
    #[error("find the traces: {engine} does not say in which folder it writes them")]
    FolderUnknown {
        /// Engine.
        engine: &'static str,
    },
    /// The probe is over the context of the server.
    #[error("fit the probe into the server's context: {why}")]
    PromptTooLong {
        /// Both lengths, or what the server said.
        why: String,
    },
    /// The probe failed.
    #[error("make the server work: the probe ended as {outcome}{reason}")]
    ProbeFailed {
        /// Outcome.
        outcome: String,
        /// What the server said.
        reason: String,
    },
    /// No file in time.
    #[error("find a trace in {folder}: none appeared within {waited_s} s after the stop")]
    NoTrace {
        /// Folder.
        folder: String,
        /// Time that was waited.
        waited_s: u64,
    },
    /// No handlers.
    #[error("catch Ctrl-C")]
    Signals(#[source] std::io::Error),
    /// No I/O runtime.
    #[error("start the I/O runtime")]
    Runtime(#[source] std::io::Error),
}

impl ToolError for CaptureError {
    fn code(&self) -> &'static str {
        match self {
            Self::LengthMissing { .. } => "capture-length-missing",
            Self::Client(error) => error.code(),
            Self::RolesUnclear { .. } => "capture-roles-unclear",
            Self::KeyMissing(_) => "capture-key-missing",
            Self::Unsupported { .. } => "capture-unsupported",
            Self::Disabled { .. } => "capture-disabled",
            Self::StartRefused { .. } => "capture-start-refused",
            Self::StopRefused { .. } => "capture-stop-refused",
            Self::FolderUnknown { .. } => "capture-folder-unknown",
            Self::PromptTooLong { .. } => "capture-prompt-too-long",
            Self::ProbeFailed { .. } => "capture-probe-failed",
            Self::NoTrace { .. } => "capture-no-trace",
            Self::Signals(_) => "capture-no-signals",
            Self::Runtime(_) => "capture-no-runtime",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::LengthMissing { .. } => {
                    "give the lengths of the scenario that is slow, or its result with --for"
                }
                Self::Client(error) => return error.hint(),
                Self::RolesUnclear { stage, .. } => {
                    return Some(format!(
                        "name each server once: `--url router=http://… --url {stage}=http://…`; of several with one role give one"
                    ));
                }
                Self::KeyMissing(variable) => {
                    return Some(format!("export {variable}=… and run the same command"));
                }
                Self::Unsupported { .. } => {
                    "SGLang, vLLM and TokenSpeed have one; record a trace of another engine by its own means and give profile-tables the file"
                }
                Self::Disabled { enable, .. } => enable,
                Self::StartRefused { .. } => {
                    "a session may still be open: `curl -X POST URL/stop_profile`, then run the same command; the server's log says more"
                }
                Self::StopRefused { .. } => "the server's log says why; the traces may lie in the folder all the same",
                Self::FolderUnknown { .. } => {
                    "name it with --output-dir: the folder of the server's --profiler-config or VLLM_TORCH_PROFILER_DIR"
                }
                Self::PromptTooLong { .. } => {
                    "lower --input-len and --output-len, or start the server with a longer context"
                }
                Self::ProbeFailed { .. } => {
                    "the server's log says more; `serve-bench probe --url URL` names the models that it serves"
                }
                Self::NoTrace { .. } => {
                    "the server writes into its own file system: give a folder that both see with --output-dir, or copy the file here and run profile-tables on it; --wait-s waits longer"
                }
                Self::Signals(_) | Self::Runtime(_) => "raise the open-file limit: `ulimit -n 65536`",
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => error.exit(),
            Self::LengthMissing { .. }
            | Self::RolesUnclear { .. }
            | Self::KeyMissing(_)
            | Self::FolderUnknown { .. } => Exit::Usage,
            Self::PromptTooLong { .. } => Exit::BadInput,
            Self::Unsupported { .. }
            | Self::Disabled { .. }
            | Self::StartRefused { .. }
            | Self::StopRefused { .. }
            | Self::ProbeFailed { .. }
            | Self::NoTrace { .. }
            | Self::Signals(_)
            | Self::Runtime(_) => Exit::Unavailable,
        }
    }
}
