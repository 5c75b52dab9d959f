//! `serve-bench.sweep/1`: several load levels on one server, or the highest rate that meets the SLO.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::result::{LoadInfo, TargetInfo, WorkloadInfo};
use super::run::Run;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.sweep/1";

/// `data` of `serve-bench.sweep/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SweepData {
    /// The server.
    pub target: TargetInfo,
    /// The workload.
    pub workload: WorkloadInfo,
    /// Everything that was asked for, after defaults; a sweep resumes only under an equal plan.
    pub plan: Value,
    /// The points, in the order they were measured.
    pub points: Vec<SweepPoint>,
    /// Points still to be measured when the sweep was interrupted.
    pub remaining: u64,
    /// What `--find-max-rate` found; null for a list of points.
    pub max_rate: Option<MaxRate>,
}

/// One load level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SweepPoint {
    /// The load.
    pub load: LoadInfo,
    /// What was measured.
    pub run: Run,
}

/// The highest request rate that meets the SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MaxRate {
    /// Highest rate measured that met every rule; null when none did.
    pub request_rate_rps: Option<Finite>,
    /// Lowest rate measured that did not; null when all did.
    pub failing_rate_rps: Option<Finite>,
    /// Whether the two rates are within the asked resolution of each other.
    pub decided: bool,
}
