//! What can be wrong with a workload: its plan, its data set, or its file.

use std::path::PathBuf;

use cli_kit::ToolError;
use contracts::Exit;

/// An error of the workload module.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// Two wishes that cannot both be granted, or a value out of range.
    #[error("the workload cannot be made: {reason}")]
    Plan {
        /// What and why.
        reason: String,
    },
    /// The plan makes more text than is held in memory.
    #[error("the workload is larger than {limit_bytes} bytes of prompts at request {index}")]
    TooLarge {
        /// The request that crossed the limit.
        index: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The tokenizer did not answer.
    #[error("cannot count tokens with {tokenizer}: {reason}")]
    Tokenizer {
        /// Which one.
        tokenizer: String,
        /// Why.
        reason: String,
    },
    /// No text of the asked length was found.
    #[error("cannot make a prompt of {asked} tokens with {tokenizer}: the nearest has {nearest}")]
    PromptLength {
        /// Which tokenizer.
        tokenizer: String,
        /// Tokens asked for.
        asked: u64,
        /// Tokens of the nearest text.
        nearest: u64,
    },
    /// The server counts other tokens than were asked for.
    #[error(
        "the server counted {served} prompt tokens where {asked} were asked for ({template} of the chat template \
         taken off): {error_pct:.2} % off, over 1 %"
    )]
    PromptMismatch {
        /// Tokens asked for.
        asked: u64,
        /// Tokens counted.
        served: u64,
        /// Of them the chat template's.
        template: u64,
        /// The difference.
        error_pct: f64,
    },
    /// A data set or workload file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row of a data set is not what its format says.
    #[error("{}, line {line}: {reason}", path.display())]
    DatasetRow {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// No row of a data set can be used.
    #[error("{} has no usable request: {reason}", path.display())]
    DatasetEmpty {
        /// The file.
        path: PathBuf,
        /// What was left out and why.
        reason: String,
    },
    /// The file is empty.
    #[error("workload file {} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{}, line 1: not a workload file: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Another version of the format.
    #[error("{}, line 1: `{found}` is {} than `{}`", path.display(), if *newer { "newer" } else { "older" },
        contracts::serve_bench::workload::SCHEMA)]
    Version {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
        /// Whether the file is newer than this tool.
        newer: bool,
    },
    /// A line does not read.
    #[error("{}, line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The file was cut.
    #[error("{} ends at line {line}: {reason}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The last line, from 1.
        line: u64,
        /// What is missing.
        reason: String,
    },
    /// The content is not what the header's hash says.
    #[error("{}, {place}: {reason}", path.display())]
    HashMismatch {
        /// The file.
        path: PathBuf,
        /// The scenario, or the line that should not be there.
        place: String,
        /// Both hashes, or what stands where something else should.
        reason: String,
    },
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Ctrl-C or SIGTERM; nothing is left behind.
    #[error("interrupted before the workload was complete")]
    Interrupted,
    /// Several scenarios, none chosen.
    #[error("the workload has several scenarios ({}); choose one", names.join(", "))]
    ScenarioNotChosen {
        /// Their names.
        names: Vec<String>,
    },
    /// No scenario of that name.
    #[error("the workload has no scenario `{asked}`; it has {}", names.join(", "))]
    ScenarioUnknown {
        /// The name asked for.
        asked: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// No preset of that name.
    #[error("unknown preset `{asked}`; there are {}", names.join(", "))]
    PresetUnknown {
        /// The name asked for.
        asked: String,
        /// The names there are.
        names: Vec<String>,
    },
}

impl ToolError for WorkloadError {
    fn code(&self) -> &'static str {
        match self {
            WorkloadError::Plan { .. } => "workload-plan",
            WorkloadError::TooLarge { .. } => "workload-too-large",
            WorkloadError::Tokenizer { .. } => "tokenizer-unavailable",
            WorkloadError::PromptLength { .. } => "prompt-length-unreachable",
            WorkloadError::PromptMismatch { .. } => "prompt-length-mismatch",
            WorkloadError::Unreadable { .. } => "workload-unreadable",
            WorkloadError::DatasetRow { .. } => "dataset-row",
            WorkloadError::DatasetEmpty { .. } => "dataset-empty",
            WorkloadError::Empty { .. } => "workload-empty",
            WorkloadError::Foreign { .. } => "workload-foreign",
            WorkloadError::Version { .. } => "workload-version",
            WorkloadError::Malformed { .. } => "workload-malformed",
            WorkloadError::Truncated { .. } => "workload-truncated",
            WorkloadError::HashMismatch { .. } => "workload-hash-mismatch",
            WorkloadError::NotWritten { .. } => "workload-not-written",
            WorkloadError::Interrupted => "interrupted",
            WorkloadError::ScenarioNotChosen { .. } => "scenario-not-chosen",
            WorkloadError::ScenarioUnknown { .. } => "scenario-unknown",
            WorkloadError::PresetUnknown { .. } => "preset-unknown",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            WorkloadError::Plan { .. } => {
                "change the flag that is named; `serve-bench freeze --help` has the ranges"
            }
            WorkloadError::TooLarge { .. } => "lower `--num-prompts` or `--input-len`",
            WorkloadError::Tokenizer { .. } => {
                "check the server's `/tokenize` or the tokenizer file, or size prompts with `--prompt-unit words`"
            }
            WorkloadError::PromptLength { .. } => "ask for a longer prompt, or use `--prompt-unit words`",
            WorkloadError::PromptMismatch { .. } => {
                "the server uses another tokenizer than the one that sized the prompts: freeze again with this \
                 server's `/tokenize`, or use `--prompt-unit words` to switch the check off"
            }
            WorkloadError::Unreadable { .. } => "check the path and its permissions",
            WorkloadError::DatasetRow { .. } => "mend or remove that row",
            WorkloadError::DatasetEmpty { .. } => {
                "give another file, or check that `--dataset` names its format"
            }
            WorkloadError::Empty { .. }
            | WorkloadError::Malformed { .. }
            | WorkloadError::Truncated { .. } => {
                "take the original file, or write it again with `serve-bench freeze`"
            }
            WorkloadError::Foreign { .. } => {
                "write a workload file with `serve-bench freeze`; prompts of your own go through `--dataset jsonl`"
            }
            WorkloadError::Version { newer: true, .. } => "the file is newer: update serve-bench",
            WorkloadError::Version { newer: false, .. } => {
                "the file is older: write it again with `serve-bench freeze`"
            }
            WorkloadError::HashMismatch { .. } => {
                "the file was changed after it was frozen: take the original, or freeze anew and measure both sides \
                 again"
            }
            WorkloadError::NotWritten { .. } => "free disk space, or give a path that can be written",
            WorkloadError::Interrupted => "run the same command again: no file was written",
            WorkloadError::ScenarioNotChosen { .. } | WorkloadError::ScenarioUnknown { .. } => {
                "add `--scenario NAME` with one of these names"
            }
            WorkloadError::PresetUnknown { .. } => "use one of these names",
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            WorkloadError::Plan { .. }
            | WorkloadError::TooLarge { .. }
            | WorkloadError::ScenarioNotChosen { .. }
            | WorkloadError::ScenarioUnknown { .. }
            | WorkloadError::PresetUnknown { .. } => Exit::Usage,
            WorkloadError::PromptLength { .. }
            | WorkloadError::PromptMismatch { .. }
            | WorkloadError::Unreadable { .. }
            | WorkloadError::DatasetRow { .. }
            | WorkloadError::DatasetEmpty { .. }
            | WorkloadError::Empty { .. }
            | WorkloadError::Foreign { .. }
            | WorkloadError::Version { .. }
            | WorkloadError::Malformed { .. }
            | WorkloadError::Truncated { .. } => Exit::BadInput,
            WorkloadError::Tokenizer { .. } | WorkloadError::NotWritten { .. } => Exit::Unavailable,
            WorkloadError::HashMismatch { .. } => Exit::Drift,
            WorkloadError::Interrupted => Exit::Interrupted,
        }
    }
}
