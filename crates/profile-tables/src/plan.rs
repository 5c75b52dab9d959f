//! What was typed to what it means.

use std::path::PathBuf;

use cli_kit::BindArgs;
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use regex::{Regex, RegexBuilder};
use torch_trace::{StageChoice, StepKind, Want};
use trace_document::{RankChoice, RunError};

use crate::cli::{DiffArgs, RowsArgs, StageArg, TablesArg, TablesArgs};
use crate::error::TablesError;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) traces: Vec<PathBuf>,
    pub(crate) mapping: Option<PathBuf>,
    pub(crate) server_info: Option<PathBuf>,
    pub(crate) stage: StageChoice,
    pub(crate) min_share_pct: f64,
    pub(crate) rank: RankChoice,
    pub(crate) bind: BindArgs,
    pub(crate) want: Want,
}

impl TryFrom<TablesArgs> for Plan {
    type Error = TablesError;

    fn try_from(args: TablesArgs) -> Result<Self, TablesError> {
        if !(0.0..=100.0).contains(&args.min_share_pct) {
            return Err(TablesError::MinShare(args.min_share_pct));
        }
        Ok(Self {
            traces: args.traces,
            mapping: args.mapping,
            server_info: args.server_info,
            stage: stage_choice(args.stage),
            min_share_pct: args.min_share_pct,
            rank: rank_choice(args.rank.as_deref())?,
            bind: args.bind,
            want: match args.tables {
                TablesArg::All => Want {
                    locations: true,
                    shapes: false,
                },
                TablesArg::Kernel => Want::DEVICE,
            },
        })
    }
}

/// What `diff` is to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DiffPlan {
    pub(crate) ours: Vec<PathBuf>,
    pub(crate) theirs: Vec<PathBuf>,
    pub(crate) stage: StageChoice,
    pub(crate) rank: RankChoice,
    pub(crate) force_pair: bool,
    pub(crate) bind: BindArgs,
}

impl TryFrom<DiffArgs> for DiffPlan {
    type Error = TablesError;

    fn try_from(args: DiffArgs) -> Result<Self, TablesError> {
        Ok(Self {
            ours: args.ours,
            theirs: args.theirs,
            stage: stage_choice(args.stage),
            rank: rank_choice(args.rank.as_deref())?,
            force_pair: args.force_pair,
            bind: args.bind,
        })
    }
}

/// What `rows` is to do.
#[derive(Clone, Debug)]
pub(crate) struct RowsPlan {
    pub(crate) traces: Vec<PathBuf>,
    pub(crate) kernel: Regex,
    /// `None` for every one.
    pub(crate) stage: Option<StepKind>,
    pub(crate) rank: RankChoice,
    pub(crate) bind: BindArgs,
}

/// Memory that a pattern may take when it is compiled.
const PATTERN_BYTES: usize = 1 << 20;

impl TryFrom<RowsArgs> for RowsPlan {
    type Error = TablesError;

    fn try_from(args: RowsArgs) -> Result<Self, TablesError> {
        let kernel = RegexBuilder::new(&args.kernel)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| TablesError::Pattern(clean(&error.to_string(), FOREIGN_TEXT_CAP)))?;
        Ok(Self {
            traces: args.traces,
            kernel,
            stage: match stage_choice(args.stage) {
                StageChoice::Only(kind) => Some(kind),
                StageChoice::Auto | StageChoice::All => None,
            },
            rank: rank_choice(args.rank.as_deref())?,
            bind: args.bind,
        })
    }
}

fn stage_choice(stage: StageArg) -> StageChoice {
    match stage {
        StageArg::Auto => StageChoice::Auto,
        StageArg::All => StageChoice::All,
        StageArg::Prefill => StageChoice::Only(StepKind::Prefill),
        StageArg::Decode => StageChoice::Only(StepKind::Decode),
        StageArg::Mixed => StageChoice::Only(StepKind::Mixed),
    }
}

fn rank_choice(rank: Option<&str>) -> Result<RankChoice, RunError> {
    rank.map_or(Ok(RankChoice::Lowest), |text| {
        RankChoice::parse(text, "all", RankChoice::All)
    })
}
