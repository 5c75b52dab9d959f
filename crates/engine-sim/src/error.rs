//! Everything that can keep a simulated engine from serving.

use std::io;
use std::net::SocketAddr;

use cli_kit::ToolError;
use contracts::Exit;

/// Why the engine does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The script file cannot be read.
    #[error("failed to read the script {path}")]
    ScriptUnreadable {
        /// As given.
        path: String,
        /// From the file system.
        #[source]
        source: io::Error,
    },
    /// The script is not JSON, or a field has a value of the wrong kind.
    #[error("the script is not an engine-sim.script/1")]
    ScriptMalformed(#[source] serde_json::Error),
    /// The script has a field that does not exist: a typing error would silently leave a defect out.
    #[error("the script has unknown fields: {}", fields.join(", "))]
    ScriptUnknownFields {
        /// JSON pointers of the fields.
        fields: Vec<String>,
    },
    /// The script is of another schema.
    #[error("the script has schema {found}, expected {expected}")]
    ScriptSchema {
        /// What the file says.
        found: String,
        /// What is understood.
        expected: &'static str,
    },
    /// The suite that a script answers cannot be read.
    #[error("failed to read the answers {path}")]
    AnswersUnreadable {
        /// As given.
        path: String,
        /// From the file system.
        #[source]
        source: io::Error,
    },
    /// The suite has a line that is no question.
    #[error("failed to take {path} as answers: line {line}: {what}")]
    AnswersMalformed {
        /// As given.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        what: String,
    },
    /// The host is not one that a simulated engine may listen on.
    #[error("{host} is not a loopback address")]
    NotLoopback {
        /// As given.
        host: String,
    },
    /// The listener cannot be bound.
    #[error("failed to listen on {address}")]
    Bind {
        /// As given.
        address: SocketAddr,
        /// From the system.
        #[source]
        source: io::Error,
    },
    /// A flag or a value that the simulated engine does not take, in that engine's words.
    #[error("{line}")]
    EngineUsage {
        /// The line as the engine prints it.
        line: String,
    },
    /// The configuration does not fit into the accelerator's memory, in the engine's words.
    #[error("{line}")]
    OutOfMemory {
        /// The line as the engine prints it.
        line: String,
    },
    /// A model or an accelerator that the simulation does not know.
    #[error("no {what} {name} in the simulation; known: {}", known.join(", "))]
    NotInTable {
        /// `model` or `hardware`.
        what: &'static str,
        /// As given.
        name: String,
        /// The table.
        known: Vec<&'static str>,
    },
    /// A percentage out of range.
    #[error("{flag} is {got}, expected {expected}")]
    OutOfRange {
        /// The flag.
        flag: &'static str,
        /// As given.
        got: f64,
        /// What is accepted.
        expected: &'static str,
    },
    /// The poll failed while serving.
    #[error("failed to serve")]
    Serve(#[source] io::Error),
}

impl ToolError for SimError {
    fn code(&self) -> &'static str {
        match self {
            SimError::ScriptUnreadable { .. } => "script-unreadable",
            SimError::ScriptMalformed(_) => "script-malformed",
            SimError::ScriptUnknownFields { .. } => "script-unknown-fields",
            SimError::ScriptSchema { .. } => "script-schema",
            SimError::AnswersUnreadable { .. } => "answers-unreadable",
            SimError::AnswersMalformed { .. } => "answers-malformed",
            SimError::NotLoopback { .. } => "not-loopback",
            SimError::Bind { .. } => "cannot-listen",
            SimError::EngineUsage { .. } => "engine-usage",
            SimError::OutOfMemory { .. } => "out-of-memory",
            SimError::NotInTable { .. } => "not-in-table",
            SimError::OutOfRange { .. } => "out-of-range",
            SimError::Serve(_) => "cannot-serve",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            SimError::ScriptUnreadable { .. } => {
                "`--script` takes a file, or the JSON itself when it begins with `{`".to_owned()
            }
            SimError::ScriptMalformed(_)
            | SimError::ScriptUnknownFields { .. }
            | SimError::ScriptSchema { .. } => {
                "`engine-sim --schema` prints the schema of a script".to_owned()
            }
            SimError::AnswersUnreadable { .. } => {
                "`answers.file` of the script is a path from the working folder".to_owned()
            }
            SimError::AnswersMalformed { .. } => {
                r#"one JSON object a line: {"question", "options", "answer": "B"} or {"question", "answer": "… #### 42"}"#
                    .to_owned()
            }
            SimError::NotLoopback { .. } => {
                "a simulated engine listens on loopback only: `--host 127.0.0.1` or `--host ::1`".to_owned()
            }
            SimError::Bind { .. } => "`--port 0` takes any free port and prints it".to_owned(),
            SimError::EngineUsage { .. } => {
                "`engine-sim --help` says which flags belong to which engine".to_owned()
            }
            SimError::OutOfMemory { .. } => {
                "use a smaller model, a shorter context or larger `--hardware`, or change the memory flag"
                    .to_owned()
            }
            SimError::NotInTable { what, known, .. } => {
                format!(
                    "name one of the table, for example `{}`",
                    known.first().unwrap_or(what)
                )
            }
            SimError::OutOfRange { flag, expected, .. } => format!("give {flag} {expected}"),
            SimError::Serve(_) => return None,
        };
        Some(hint)
    }

    fn exit(&self) -> Exit {
        match self {
            SimError::ScriptUnreadable { .. }
            | SimError::ScriptMalformed(_)
            | SimError::ScriptUnknownFields { .. }
            | SimError::ScriptSchema { .. }
            | SimError::AnswersUnreadable { .. }
            | SimError::AnswersMalformed { .. } => Exit::BadInput,
            SimError::NotLoopback { .. }
            | SimError::EngineUsage { .. }
            | SimError::NotInTable { .. }
            | SimError::OutOfRange { .. } => Exit::Usage,
            // What an engine that runs out of memory exits with; it is no verdict of ours.
            SimError::OutOfMemory { .. } => Exit::GateNotMet,
            SimError::Bind { .. } | SimError::Serve(_) => Exit::Unavailable,
        }
    }
}
