//! What can go wrong before there is a document. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use model_config::ConfigError;
use trace_document::RunError;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    /// `--pass` is no number.
    #[error("read --pass `{0}`: it is a number or `auto`")]
    Pass(String),
    /// `--anchor` is no regular expression.
    #[error("read --anchor `{pattern}`: {}", clean(&source.to_string(), FOREIGN_TEXT_CAP))]
    Anchor {
        /// As typed.
        pattern: String,
        /// Why.
        source: regex::Error,
    },
    /// No run to look at.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The configuration cannot be used.
    #[error("use {path}: {source}")]
    Config {
        /// File.
        path: String,
        /// Why.
        source: ConfigError,
    },
    /// A trace without a kernel.
    #[error(
        "find a kernel in {path}: {events} events, of them {cpu_ops} CPU operators and {copies} copies or fills{damage}"
    )]
    NoKernels {
        /// File.
        path: String,
        /// Events that were read.
        events: u64,
        /// CPU operators that were read.
        cpu_ops: u64,
        /// Copies and fills that were read.
        copies: u64,
        /// What was wrong with the file; empty for a whole one.
        damage: String,
    },
    /// No kernel matches `--anchor`.
    #[error("start layers at `{pattern}`: none of the {kernels} kernels of stream {stream} matches")]
    AnchorMatchesNothing {
        /// As typed.
        pattern: String,
        /// Kernels of the stream.
        kernels: usize,
        /// Stream.
        stream: String,
    },
    /// The asked-for pass is not there.
    #[error("show pass {pass}: there are {passes}, from 0")]
    NoSuchPass {
        /// Asked for.
        pass: usize,
        /// How many there are.
        passes: usize,
    },
    /// The asked-for layer is not there.
    #[error("show layer {layer}: pass {pass} has {layers}, from 0")]
    NoSuchLayer {
        /// Asked for.
        layer: usize,
        /// The pass that is shown.
        pass: usize,
        /// How many it has.
        layers: usize,
    },
    /// The trace is of the fallback that runs another library's pipeline.
    #[error("take the traces as evidence: {path} shows that the diffusers backend ran: {sign}")]
    DiffusersBackend {
        /// The trace, or the log.
        path: String,
        /// The frame, or the line, that shows it.
        sign: String,
    },
}

impl ToolError for PipelineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass-unreadable",
            Self::Anchor { .. } => "anchor-unreadable",
            Self::Run(run) => run.code(),
            Self::Config { source, .. } => source.code(),
            Self::NoKernels { .. } => "trace-no-kernels",
            Self::AnchorMatchesNothing { .. } => "anchor-matches-nothing",
            Self::NoSuchPass { .. } => "pass-out-of-range",
            Self::NoSuchLayer { .. } => "layer-out-of-range",
            Self::DiffusersBackend { .. } => "trace-diffusers-backend",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Pass(_) => "write `--pass 0` or `--pass auto`".to_owned(),
            Self::Anchor { .. } => "quote it for the shell, and escape `(`, `[`, `*` and `+` of a kernel's name with `\\`".to_owned(),
            Self::Run(run) => return run.hint(),
            Self::Config { source, .. } => source.hint(),
            Self::NoKernels { .. } => {
                "record with activities CPU and CUDA, with at least one step inside the window; a file that was cut has to be copied again".to_owned()
            }
            Self::AnchorMatchesNothing { .. } => {
                "names are those of `data.flow[].kernel`; run without --anchor to see them".to_owned()
            }
            Self::NoSuchPass { .. } => "name one that is there, or `--pass auto`".to_owned(),
            Self::NoSuchLayer { .. } => "name one that is there, or leave --layer out for one layer of each kind".to_owned(),
            Self::DiffusersBackend { .. } => {
                "record the engine's own pipeline; without --for the trace can be looked at, and is no evidence".to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Pass(_) | Self::Anchor { .. } => Exit::Usage,
            Self::Run(run) => run.exit(),
            Self::Config { .. }
            | Self::NoKernels { .. }
            | Self::AnchorMatchesNothing { .. }
            | Self::NoSuchPass { .. }
            | Self::NoSuchLayer { .. }
            | Self::DiffusersBackend { .. } => Exit::BadInput,
        }
    }
}
