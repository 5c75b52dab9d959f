//! `loop-ledger.target-lock/1`: the contract of a campaign, written once by `init` and never again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::serve_bench::result::LengthRange;
use crate::serve_bench::workload::Purpose;
use crate::target::Target;
use crate::{FieldSet, Finite};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.target-lock/1";

/// `target.lock.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TargetLock {
    /// `loop-ledger.target-lock/1`.
    pub schema: String,
    /// When the campaign began, UTC.
    pub created_at: Timestamp,
    /// The target file, whole.
    pub target: Target,
    /// `sha256:<hex>` of the target file as it was read.
    pub target_sha256: String,
    /// The scenarios that every fixed benchmark covers.
    pub scenarios: Vec<LockedScenario>,
    /// The workload files, stored with the evidence.
    pub workloads: Vec<LockedWorkload>,
    /// What every document of the campaign must agree with, field by field.
    pub contract: FieldSet,
}

/// A scenario of the campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LockedScenario {
    /// Workload file it stands in.
    pub workload: String,
    /// Its name.
    pub scenario: String,
    /// Always `evidence`: a diagnostic scenario cannot be locked.
    pub purpose: Purpose,
    /// Requests.
    pub num_prompts: u64,
    /// Seed; null for a dataset that needs none.
    pub seed: Option<u64>,
    /// Prompt lengths; null when the dataset does not say.
    pub input_len: Option<LengthRange>,
    /// Output lengths; null when the dataset does not say.
    pub output_len: Option<LengthRange>,
    /// True when its prompts share prefixes on purpose, so that cached tokens are no trick.
    pub shares_prefixes: bool,
    /// Hash of its requests.
    pub request_stream_sha256: String,
}

/// A workload file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LockedWorkload {
    /// Its name, from the header.
    pub name: String,
    /// Path from the root, wherever a command is run; absolute where the two have no folder in common.
    pub path: String,
    /// `sha256:<hex>` of the file.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// What a campaign may cost; null is no limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Budget {
    /// Wall-clock time from `init`, seconds; the clock runs while nobody works.
    pub wall_s: Option<Finite>,
    /// GPU time: seconds times GPUs, charged at `begin`.
    pub gpu_s: Option<Finite>,
    /// Attempts, charged at `begin`.
    pub attempts: Option<u32>,
    /// Money in US dollars, charged at `begin`.
    pub spend_usd: Option<Finite>,
}
