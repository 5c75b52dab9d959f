//! `kernel-gate.plan/1`: the order in which a harness measures, fixed before it starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "kernel-gate.plan/1";

/// `data` of `kernel-gate.plan/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PlanData {
    /// Hash of the row set, as `kernel-gate.rows/1` has it.
    pub workloads_sha256: String,
    /// What holds for all rows.
    pub settings: PlanSettings,
    /// The rows in the order in which they are measured, each in a process of its own.
    pub rows: Vec<PlanRow>,
}

/// What holds for all rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PlanSettings {
    /// Seed of the order of rows, and of the inputs.
    pub seed: u64,
    /// Calls of each side before the first sample.
    pub warmup_runs: u64,
    /// Samples of each side.
    pub num_trials: u64,
    /// Fewest calls within one sample.
    pub inner_iterations_min: u64,
    /// Most calls within one sample: the number is doubled until a sample lasts `target_sample_us`, or is this.
    pub inner_iterations_max: u64,
    /// Shortest sample, microseconds.
    pub target_sample_us: Finite,
    /// Most different inputs that the calls of one sample go through in turn.
    pub input_sets: u64,
    /// Longest time of one row, seconds.
    pub timeout_seconds: u64,
    /// Whether each row has a process of its own.
    pub isolated: bool,
}

/// One row of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PlanRow {
    /// Its id.
    pub id: String,
    /// Whether the headline counts it.
    pub production: bool,
    /// The sides in the order in which samples are taken, `A` the baseline and `B` the candidate: `ABBAABBA…`.
    pub order: String,
    /// Seed of the inputs of each trial.
    pub seeds: Vec<u64>,
}
