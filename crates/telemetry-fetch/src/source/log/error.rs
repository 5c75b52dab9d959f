//! What can go wrong with a log. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// `--logs` names nothing that is known.
    #[error("read --logs `{text}`: {why}")]
    Target {
        /// As typed.
        text: String,
        /// What is wrong.
        why: &'static str,
    },
    /// `--log-zone` is no time zone.
    #[error(
        "read --log-zone `{0}`: it is neither `UTC`, nor a name like `Europe/Berlin`, nor an offset like `+02:00`"
    )]
    Zone(String),
    /// The file cannot be read.
    #[error("read the log {log}: {source}")]
    Unreadable {
        /// File.
        log: String,
        /// Why.
        source: std::io::Error,
    },
    /// No text.
    #[error("read the log {log}: it is {what}")]
    Binary {
        /// File.
        log: String,
        /// What it is.
        what: &'static str,
    },
    /// Nothing says when its lines were written.
    #[error("find the window in the log {log}: none of its lines has a time stamp")]
    NoStamps {
        /// File.
        log: String,
    },
    /// The program that has the log is not there.
    #[error("read the log {log}: `{program}` is not on PATH")]
    NoProgram {
        /// As on the command line.
        log: String,
        /// Program.
        program: &'static str,
    },
    /// The program that has the log failed.
    #[error("read the log {log}: `{program}` {how}")]
    Program {
        /// As on the command line.
        log: String,
        /// Program.
        program: &'static str,
        /// How it ended, and its last words.
        how: String,
    },
    /// dstack's configuration has no server.
    #[error("find dstack's server: {0}")]
    DstackConfig(String),
    /// dstack's server does not answer, or not with this run.
    #[error("read the log dstack:{run}: {reason}")]
    Dstack {
        /// Run.
        run: String,
        /// What it answers.
        reason: String,
        /// Whether the server knows no such run.
        is_unknown: bool,
    },
}

impl ToolError for LogError {
    fn code(&self) -> &'static str {
        match self {
            Self::Target { .. } => "log-target-unreadable",
            Self::Zone(_) => "log-zone-unreadable",
            Self::Unreadable { .. } => "log-unreadable",
            Self::Binary { .. } => "log-binary",
            Self::NoStamps { .. } => "log-without-time-stamps",
            Self::NoProgram { .. } => "log-program-missing",
            Self::Program { .. } => "log-program-failed",
            Self::DstackConfig(_) => "dstack-not-configured",
            Self::Dstack {
                is_unknown: false, ..
            } => "dstack-failed",
            Self::Dstack { is_unknown: true, .. } => "dstack-no-such-run",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Target { .. } => {
                    "write a FILE, journald:UNIT, docker:NAME, dstack:RUN or kubectl:POD; a file whose name has a colon as ./NAME"
                }
                Self::Zone(_) => "leave it out for the zone of this machine; containers mostly log in UTC",
                Self::Unreadable { .. } => "give the file that the engine's stdout and stderr go to",
                Self::Binary { .. } => "give a text; unpack a compressed log first",
                Self::NoStamps { .. } => {
                    "run the benchmark as `-- COMMAND…` inside the window: then what is appended meanwhile is read; or start the engine with `2>&1 | ts '%Y-%m-%dT%H:%M:%.S%z'`"
                }
                Self::NoProgram { program, .. } => match *program {
                    "journalctl" => "install systemd, or write the unit's log to a file and give that",
                    "docker" => "install the docker client, or write the container's log to a file and give that",
                    _ => "install kubectl, or write the pod's log to a file and give that",
                },
                Self::Program { .. } => "run the same program by hand: its own message says what is missing",
                Self::DstackConfig(_) => {
                    "run `dstack project add`, or set DSTACK_SERVER_URL, DSTACK_TOKEN and DSTACK_PROJECT"
                }
                Self::Dstack { is_unknown: false, .. } => "look whether the server runs, and whether the token is still good",
                Self::Dstack { is_unknown: true, .. } => "name a run that `dstack ps -a` shows; one of another project as dstack:PROJECT/RUN",
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Target { .. } | Self::Zone(_) => Exit::Usage,
            Self::Unreadable { .. } | Self::Binary { .. } | Self::NoStamps { .. } => Exit::BadInput,
            Self::NoProgram { .. } | Self::Program { .. } | Self::DstackConfig(_) | Self::Dstack { .. } => {
                Exit::Unavailable
            }
        }
    }
}
