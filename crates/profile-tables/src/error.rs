//! What can go wrong before there are tables. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use contracts::profile_tables::diff::{DIFFERENT_MODEL, DIFFERENT_STAGE};
use trace_document::RunError;

/// Why there are no tables.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TablesError {
    /// `--min-share-pct` out of range.
    #[error("use --min-share-pct {0}: it lies between 0 and 100")]
    MinShare(f64),
    /// `--kernel` is no pattern.
    #[error("read --kernel: {0}")]
    Pattern(String),
    /// No run to look at.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A trace without device work.
    #[error("find device work in {path}: {events} events, of them {cpu_ops} CPU operators{damage}")]
    NoGpuEvents {
        /// File.
        path: String,
        /// Events that were read.
        events: u64,
        /// CPU operators that were read.
        cpu_ops: u64,
        /// What was wrong with the file; empty for a whole one.
        damage: String,
    },
    /// The asked-for stage is not there.
    #[error("find a {stage} step in the traces: there are {found}")]
    NoSuchStage {
        /// Asked for.
        stage: &'static str,
        /// What is there.
        found: String,
    },
    /// The mapping trace is of something else.
    #[error("map the kernels of graphs with {path}: {aligned} of {graph_kernels} have a counterpart in it")]
    MappingMismatch {
        /// File.
        path: String,
        /// Kernels with a counterpart.
        aligned: u64,
        /// Kernels of graph launches.
        graph_kernels: u64,
    },
    /// What a server said of itself does not read.
    #[error("read {path} as the answer of a server's /server_info: {why}")]
    ServerInfo {
        /// File.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// No kernel has a name that was asked for.
    #[error("find a kernel that matches `{pattern}`: the longest of {kernels} are {longest}")]
    NoSuchKernel {
        /// Asked for.
        pattern: String,
        /// Kernels that are there.
        kernels: usize,
        /// Short names of some.
        longest: String,
    },
    /// The two sides of a difference have several stages in common.
    #[error("choose the stage to compare: both sides have {0}")]
    StageAmbiguous(String),
    /// The two sides of a difference have no stage in common.
    #[error("compare the same stage: ours has {ours}, theirs {theirs}")]
    DifferentStage {
        /// Stages of ours.
        ours: String,
        /// Stages of theirs.
        theirs: String,
    },
    /// The two sides of a difference are of two models.
    #[error("compare the same model: {0}")]
    DifferentModel(String),
}

impl ToolError for TablesError {
    fn code(&self) -> &'static str {
        match self {
            Self::MinShare(_) => "min-share-out-of-range",
            Self::Pattern(_) => "kernel-pattern-unreadable",
            Self::Run(run) => run.code(),
            Self::NoGpuEvents { .. } => "trace-no-gpu-events",
            Self::NoSuchStage { .. } => "trace-no-such-stage",
            Self::MappingMismatch { .. } => "trace-mapping-mismatch",
            Self::ServerInfo { .. } => "server-info-unreadable",
            Self::NoSuchKernel { .. } => "trace-no-such-kernel",
            Self::StageAmbiguous(_) => "diff-stage-ambiguous",
            Self::DifferentStage { .. } => DIFFERENT_STAGE,
            Self::DifferentModel(_) => DIFFERENT_MODEL,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::MinShare(_) => "1.0 is the default; 0 shows every row",
                Self::Pattern(_) => "quote brackets and signs of a name with a backslash, or give a word of it",
                Self::Run(run) => return run.hint(),
                Self::NoGpuEvents { .. } => {
                    "record with activities CPU and CUDA, with at least one step inside the window; a file that was cut has to be copied again"
                }
                Self::NoSuchStage { .. } => "name one that is there, or `--stage all`",
                Self::MappingMismatch { .. } => {
                    "record the mapping trace from the capture of the same graph: same model, same batch size, same build"
                }
                Self::ServerInfo { .. } => {
                    "save it with `curl URL/get_server_info` (SGLang) or `curl 'URL/server_info?config_format=json'` (vLLM with VLLM_SERVER_DEV_MODE=1); without --server-info the trace alone is used"
                }
                Self::NoSuchKernel { .. } => "give a word of a name that `profile-tables TRACE` prints",
                Self::StageAmbiguous(_) => "name one: `--stage prefill`, `--stage decode` or `--stage mixed`",
                Self::DifferentStage { .. } => {
                    "record the same stage on both sides with `profile-tables capture`; `--force-pair` compares all the same, and its document is no evidence"
                }
                Self::DifferentModel(_) => {
                    "record both sides with the same model; `--force-pair` compares all the same, and its document is no evidence"
                }
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Run(run) => run.exit(),
            Self::MinShare(_) | Self::Pattern(_) => Exit::Usage,
            Self::NoGpuEvents { .. }
            | Self::NoSuchStage { .. }
            | Self::MappingMismatch { .. }
            | Self::ServerInfo { .. }
            | Self::NoSuchKernel { .. }
            | Self::StageAmbiguous(_)
            | Self::DifferentStage { .. }
            | Self::DifferentModel(_) => Exit::BadInput,
        }
    }
}
