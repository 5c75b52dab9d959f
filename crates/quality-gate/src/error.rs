//! What can go wrong before there is a document. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QualityError {
    /// A suite does not read.
    #[error("take {path} as a suite: line {line}: {what}")]
    Suite {
        /// File.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        what: String,
    },
    /// There is nothing to ask.
    #[error("find a question in the suite")]
    NoItems,
    /// A workload does not read.
    #[error("take {path} as a workload: line {line}: {what}")]
    Workload {
        /// File.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        what: String,
    },
    /// A baseline without answers to prompts.
    #[error("hold answers against {0}: it has no answers to a workload's prompts")]
    NoPrompts(String),
    /// Records of another run.
    #[error("go on from {0}: it holds answers of another suite, model, settings or server")]
    OtherRecords(String),
    /// Records cannot be kept.
    #[error("keep answers in {path}: {source}")]
    Records {
        /// File.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Two results that cannot be compared.
    #[error("compare the two results: they differ in {}", .0.join(", "))]
    NotComparable(Vec<String>),
    /// The server is not the one that was benchmarked.
    #[error("bind to the benchmark: the server was launched otherwise than the one that was measured, in {}", .0.join(", "))]
    OtherLaunch(Vec<String>),
    /// One result for both sides.
    #[error("judge a result against itself: both files are the same result")]
    SameResult,
    /// A limit that means nothing.
    #[error("take --at-least {0}: it has to lie above 0 and at most at 1")]
    AtLeast(f64),
    /// Another one.
    #[error("take --min-agreement {0}: it has to lie above 0 and below 1")]
    MinAgreement(f64),
    /// The variable of the key is not set.
    #[error("read the API key: `{0}` is not set")]
    KeyMissing(String),
    /// No runtime.
    #[error("start the runtime: {0}")]
    Runtime(std::io::Error),
}

impl ToolError for QualityError {
    fn code(&self) -> &'static str {
        match self {
            Self::Suite { .. } => "suite-malformed",
            Self::NoItems => "suite-empty",
            Self::Workload { .. } => "prompts-malformed",
            Self::NoPrompts(_) => "baseline-without-prompts",
            Self::OtherRecords(_) => "answers-of-another-run",
            Self::Records { .. } => "answers-not-kept",
            Self::OtherLaunch(_) => "quality-other-launch",
            Self::SameResult => "quality-same-result",
            Self::NotComparable(_) => "quality-not-comparable",
            Self::AtLeast(_) => "quality-limit-out-of-range",
            Self::MinAgreement(_) => "agreement-limit-out-of-range",
            Self::KeyMissing(_) => "quality-key-missing",
            Self::Runtime(_) => "quality-no-runtime",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Suite { .. } | Self::NoItems => r#"one JSON object a line: {"question", "options", "answer": "B"} or {"question", "answer": "… #### 42"}"#.to_owned(),
            Self::Workload { .. } => "give a file that `serve-bench freeze` wrote; one that was changed has to be frozen again".to_owned(),
            Self::NoPrompts(_) => "run the baseline with the same --workload first, or give its URL".to_owned(),
            Self::OtherRecords(_) => "name another file with --records".to_owned(),
            Self::Records { .. } => "check the folder and its permissions, or name another file with --records".to_owned(),
            Self::OtherLaunch(_) => "launch what was measured, or name the side that this server is".to_owned(),
            Self::SameResult => "give the baseline's result first and the candidate's second, each of a run of its own".to_owned(),
            Self::NotComparable(_) => "run both sides with the same suite, workload, model, endpoint, seed and limits of tokens; --model-id declares one model under two names".to_owned(),
            Self::AtLeast(_) => "give for example --at-least 0.95".to_owned(),
            Self::MinAgreement(_) => "give for example --min-agreement 0.9; no sample shows that all answers are equal".to_owned(),
            Self::KeyMissing(name) => format!("export {name}"),
            Self::Runtime(_) => "the machine is short of threads or files: see `ulimit -a`".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Suite { .. }
            | Self::NoItems
            | Self::Workload { .. }
            | Self::NoPrompts(_)
            | Self::SameResult
            | Self::OtherLaunch(_)
            | Self::NotComparable(_) => Exit::BadInput,
            Self::OtherRecords(_) => Exit::Drift,
            Self::Records { .. } | Self::KeyMissing(_) | Self::Runtime(_) => Exit::Unavailable,
            Self::AtLeast(_) | Self::MinAgreement(_) => Exit::Usage,
        }
    }
}
