//! `serve-bench.compare/1`: two sides, interleaved A B B A, paired by block.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::result::{LoadInfo, TargetInfo, WorkloadInfo};
use super::run::Run;
use crate::FieldSet;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.compare/1";

/// `data` of `serve-bench.compare/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CompareData {
    /// Side A: ours, by convention.
    pub a: Side,
    /// Side B: theirs, by convention.
    pub b: Side,
    /// The workload, the same bytes for both.
    pub workload: WorkloadInfo,
    /// The load, the same for both.
    pub load: LoadInfo,
    /// Everything that was asked for, after defaults.
    pub plan: Value,
    /// True when only one server was alive at a time and every block is one launch of each side.
    pub swap: bool,
    /// The blocks; each is one pair.
    pub blocks: Vec<Block>,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Side {
    /// Name given with `--a-name` / `--b-name`; else the engine.
    pub name: String,
    /// The server.
    pub target: TargetInfo,
    /// Contract of this side; compare refuses sides whose known fields differ.
    pub contract: FieldSet,
    /// Subject of this side.
    pub subject: FieldSet,
    /// Launch command of `--swap`; null for a URL.
    pub launch_argv: Option<Vec<String>>,
    /// What the environment of a `--swap` launch began with; null for a URL, and in documents from before this field.
    pub launch_env: Option<LaunchEnv>,
}

/// What the environment of a launched server began with. The variables that the subject declares come on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaunchEnv {
    /// `--clear-env`: `HOME`, `USER`, `LANG` and `TMPDIR` where set, and a standard `PATH`; nothing else.
    Cleared,
    /// Everything that serve-bench itself was started with.
    Inherited,
}

/// Which side of a block ran first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A, then B.
    Ab,
    /// B, then A.
    Ba,
}

/// One block: a run of each side, next to each other in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Block {
    /// Number, from 0.
    pub block: u32,
    /// Which side ran first.
    pub order: Order,
    /// The run of side A.
    pub a: Run,
    /// The run of side B.
    pub b: Run,
}
