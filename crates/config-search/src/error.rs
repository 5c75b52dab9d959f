//! What ends a command without a document. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// The plan cannot run.
    #[error("take {path} as a plan: {message}")]
    Plan {
        /// File.
        path: String,
        /// First problem.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The folder belongs to another plan.
    #[error("go on in {folder}: the plan is not the one it began with")]
    PlanChanged {
        /// Folder of the search.
        folder: String,
    },
    /// The folder has candidates already.
    #[error("begin in {folder}: it has candidates of a search already")]
    NotEmpty {
        /// Folder of the search.
        folder: String,
    },
    /// There is no search.
    #[error("find a search in {folder}: {why}")]
    NoSearch {
        /// Folder of the search.
        folder: String,
        /// What is missing.
        why: String,
    },
    /// A row does not read.
    #[error("read {path}: line {line} is no candidate: {why}")]
    Row {
        /// File.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// Somebody else searches in the folder.
    #[error("begin in {folder}: another search is running there")]
    Busy {
        /// Folder of the search.
        folder: String,
    },
    /// A file of the search cannot be written.
    #[error("write {path}: {source}")]
    Write {
        /// File.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A duration that is none.
    #[error("take --budget {0}: a number with s, m or h is needed")]
    Duration(String),
    /// Nothing can be confirmed.
    #[error("confirm a candidate: {0}")]
    NothingToConfirm(String),
    /// A companion ended without a document.
    #[error("run {program}: {why}")]
    Companion {
        /// Program.
        program: String,
        /// What it said.
        why: String,
        /// How it ended.
        exit: Exit,
    },
}

impl ToolError for SearchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "plan-refused",
            Self::PlanChanged { .. } => "plan-changed",
            Self::NotEmpty { .. } => "search-exists",
            Self::NoSearch { .. } => "search-missing",
            Self::Row { .. } => "candidate-malformed",
            Self::Busy { .. } => "search-busy",
            Self::Write { .. } => "search-not-written",
            Self::Duration(_) => "budget-malformed",
            Self::NothingToConfirm(_) => "nothing-to-confirm",
            Self::Companion { .. } => "search-companion",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Plan { hint, .. } => hint.clone(),
            Self::PlanChanged { .. } => {
                "another plan is another search: name a new folder with --dir, or put the plan back"
                    .to_owned()
            }
            Self::NotEmpty { .. } => "go on with --resume, or name a new folder with --dir".to_owned(),
            Self::NoSearch { .. } => "run `config-search run PLAN --dir FOLDER` first".to_owned(),
            Self::Row { .. } => {
                "rows are appended by the tool alone: put the line back, or begin anew in another folder"
                    .to_owned()
            }
            Self::Busy { .. } => "wait for it, or name another folder with --dir".to_owned(),
            Self::Write { .. } => {
                "choose a folder that can be written and has room; rows that were written stay".to_owned()
            }
            Self::Duration(_) => "for example 90s, 30m or 2h".to_owned(),
            Self::NothingToConfirm(_) => {
                "search on with --resume and a larger budget of trials in a new plan".to_owned()
            }
            Self::Companion { .. } => "run its command by hand: it stands in the message".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Plan { .. } | Self::Row { .. } | Self::NoSearch { .. } | Self::NothingToConfirm(_) => {
                Exit::BadInput
            }
            Self::PlanChanged { .. } => Exit::Drift,
            Self::NotEmpty { .. } | Self::Duration(_) => Exit::Usage,
            Self::Busy { .. } | Self::Write { .. } => Exit::Unavailable,
            Self::Companion { exit, .. } => *exit,
        }
    }
}
