//! Why there is no run to look at. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use torch_trace::FilesError;

/// Why there is no run to look at.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// `--rank` is no number.
    #[error("read --rank `{text}`: it is a number or `{word}`")]
    Rank {
        /// As typed.
        text: String,
        /// The word that the tool knows beside numbers.
        word: &'static str,
    },
    /// No trace to read.
    #[error("{0}")]
    Files(#[from] FilesError),
    /// The asked-for rank is not there.
    #[error("find rank {rank} among the traces: there are {found}")]
    NoSuchRank {
        /// Asked for.
        rank: u32,
        /// What is there.
        found: String,
    },
    /// Files that do not belong together.
    #[error("take the traces as ranks of one run: {0}")]
    DifferentRuns(String),
}

impl ToolError for RunError {
    fn code(&self) -> &'static str {
        match self {
            Self::Rank { .. } => "rank-unreadable",
            Self::Files(files) => files.code(),
            Self::NoSuchRank { .. } => "trace-no-such-rank",
            Self::DifferentRuns(_) => "trace-different-runs",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Rank { word, .. } => format!("write `--rank 0` or `--rank {word}`"),
            Self::Files(files) => files.hint().to_owned(),
            Self::NoSuchRank { .. } => "name one that is there, or leave --rank out".to_owned(),
            Self::DifferentRuns(_) => {
                "give the traces of one run only; two engines are compared by `profile-tables diff`"
                    .to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Rank { .. } => Exit::Usage,
            Self::Files(_) | Self::NoSuchRank { .. } | Self::DifferentRuns(_) => Exit::BadInput,
        }
    }
}
