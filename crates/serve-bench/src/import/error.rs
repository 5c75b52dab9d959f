//! What can be wrong with a foreign result file.

use cli_kit::ToolError;
use contracts::Exit;

/// An error of `import`.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The file was cut.
    #[error("the file ends in the middle of a value (document {document})")]
    Truncated {
        /// Which of the documents in the file, from 1.
        document: usize,
    },
    /// Not JSON.
    #[error("document {document} of the file is not JSON: {reason}")]
    NotJson {
        /// Which of the documents in the file, from 1.
        document: usize,
        /// What the parser says.
        reason: String,
    },
    /// More documents than are read.
    #[error("the file has more than {most} results")]
    TooMany {
        /// Most documents of one file.
        most: usize,
    },
    /// A document of this project.
    #[error("the file is a `{schema}` document already")]
    OwnDocument {
        /// Its schema.
        schema: String,
    },
    /// No format that is known.
    #[error("document {document} of the file is a result of none of {}", super::Kind::NAMES.join(", "))]
    UnknownFormat {
        /// Which of the documents in the file, from 1.
        document: usize,
    },
    /// A number without which there is no result.
    #[error("document {document} of the file has no `{key}`")]
    Missing {
        /// Which of the documents in the file, from 1.
        document: usize,
        /// The key.
        key: &'static str,
    },
    /// Several results that are not repeats of one measurement.
    #[error("the file has {documents} results of different loads: `{key}` is {first} and {other}")]
    SeveralLoads {
        /// How many results.
        documents: usize,
        /// What differs.
        key: &'static str,
        /// In the first.
        first: String,
        /// In another one.
        other: String,
    },
}

impl ToolError for ImportError {
    fn code(&self) -> &'static str {
        match self {
            ImportError::Empty => "import-empty",
            ImportError::Truncated { .. } => "import-truncated",
            ImportError::NotJson { .. } => "import-not-json",
            ImportError::TooMany { .. } => "import-too-many",
            ImportError::OwnDocument { .. } => "import-own-document",
            ImportError::UnknownFormat { .. } => "import-unknown-format",
            ImportError::Missing { .. } => "import-missing-field",
            ImportError::SeveralLoads { .. } => "import-several-loads",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                ImportError::Empty | ImportError::Truncated { .. } => {
                    "take the original file, or measure again; `serve-bench run` keeps what it measured as it goes"
                }
                ImportError::NotJson { .. } | ImportError::UnknownFormat { .. } | ImportError::Missing { .. } => {
                    "give the JSON of `vllm bench serve --save-result`, the JSONL of `sglang.bench_serving \
                     --output-file`, or aiperf's `profile_export_aiperf.json`"
                }
                ImportError::TooMany { .. } => "split the file",
                ImportError::OwnDocument { .. } => "give it to `gap-decide` as it is",
                ImportError::SeveralLoads { .. } => {
                    "split the file, one load each; repeats of one load become the runs of one result"
                }
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            ImportError::Empty
            | ImportError::Truncated { .. }
            | ImportError::NotJson { .. }
            | ImportError::TooMany { .. }
            | ImportError::OwnDocument { .. }
            | ImportError::UnknownFormat { .. }
            | ImportError::Missing { .. }
            | ImportError::SeveralLoads { .. } => Exit::BadInput,
        }
    }
}
