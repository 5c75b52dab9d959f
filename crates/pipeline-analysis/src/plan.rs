//! What was typed to what it means.

use std::path::PathBuf;

use cli_kit::BindArgs;
use regex::{Regex, RegexBuilder};
use trace_document::RankChoice;

use crate::cli::Args;
use crate::error::PipelineError;

/// Memory that a pattern may take, compiled; what needs more is no name of a kernel.
const PATTERN_BYTES: usize = 1 << 20;

/// Which pass is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassChoice {
    /// A steady one.
    Steady,
    /// This one.
    Only(usize),
}

/// What to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) traces: Vec<PathBuf>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) pass: PassChoice,
    pub(crate) layer: Option<usize>,
    pub(crate) compare_layer: Option<usize>,
    pub(crate) anchor: Option<Regex>,
    pub(crate) shows_flow: bool,
    /// The rank that is shown; all: the slowest of them.
    pub(crate) rank: RankChoice,
    /// What the server wrote while it was traced.
    pub(crate) log: Option<PathBuf>,
    pub(crate) bind: BindArgs,
}

impl TryFrom<Args> for Plan {
    type Error = PipelineError;

    fn try_from(args: Args) -> Result<Self, PipelineError> {
        let pass = match args.pass.as_str() {
            "auto" => PassChoice::Steady,
            text => PassChoice::Only(text.parse().map_err(|_| PipelineError::Pass(text.to_owned()))?),
        };
        let anchor = args.anchor.map(|pattern| {
            RegexBuilder::new(&pattern)
                .size_limit(PATTERN_BYTES)
                .dfa_size_limit(PATTERN_BYTES)
                .build()
                .map_err(|source| PipelineError::Anchor { pattern, source })
        });
        Ok(Self {
            traces: args.traces,
            config: args.config,
            pass,
            layer: args.layer,
            compare_layer: args.compare_layer,
            anchor: anchor.transpose()?,
            log: args.log,
            rank: args.rank.as_deref().map_or(Ok(RankChoice::All), |text| {
                RankChoice::parse(text, "slowest", RankChoice::All)
            })?,
            shows_flow: args.flow || args.layer.is_some(),
            bind: args.bind,
        })
    }
}
