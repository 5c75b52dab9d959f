//! `config-search.candidate/1`: one line of `candidates.jsonl`, kept whatever became of the candidate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "config-search.candidate/1";

/// One candidate that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Candidate {
    /// `config-search.candidate/1`.
    pub schema: String,
    /// `FRAMEWORK-0007`: unique in its search, in the order of launching.
    pub id: String,
    /// The framework.
    pub framework: String,
    /// Hash of the plan that it belongs to.
    pub plan_sha256: String,
    /// When it was launched, UTC.
    pub started_at: Timestamp,
    /// Why it was tried.
    pub step: Step,
    /// Flags that it sets, with their values; empty for the baseline.
    pub params: BTreeMap<String, Value>,
    /// What became of it.
    pub status: Status,
    /// Stable name of why it has no result, for example `unknown-flag`; null when it has one.
    pub reason_code: Option<String>,
    /// In words, from its log; null when it has a result.
    pub reason: Option<String>,
    /// What to do about it; null when nothing is known.
    pub hint: Option<String>,
    /// The command, without secrets.
    pub argv: Vec<String>,
    /// Names of the environment variables that were set; never their values.
    pub env_names: Vec<String>,
    /// Engine and version, as the server reports them or the plan declares them.
    pub versions: BTreeMap<String, String>,
    /// Whether the server started with these flags; null when it did not come so far.
    pub flags_accepted: Option<bool>,
    /// Whether a simulated engine answered; null when none answered.
    pub simulated: Option<bool>,
    /// What was measured, one entry a scenario.
    pub results: Vec<ScenarioResult>,
    /// What it cost.
    pub effort: Effort,
    /// The server's log, beside this file.
    pub log_path: Option<String>,
}

/// Why a candidate was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nothing but the flags of the plan.
    Baseline,
    /// So that every mechanism family is tried.
    Coverage,
    /// Where the model expects an improvement.
    Refine,
    /// A screen that did well, measured in full.
    Promote,
    /// Small gains, each inside the noise, put together.
    Recombine,
    /// The best one again: how much of its lead was luck.
    Repeat,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Measured.
    Ok,
    /// It did not start, died, answered wrongly, or its measurement is invalid.
    Failed,
    /// Out of memory.
    Oom,
    /// Not ready, or not measured, in time.
    Timeout,
    /// Not launched, or interrupted: nothing is known about the configuration.
    Skipped,
}

/// One scenario of one candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScenarioResult {
    /// The scenario.
    pub scenario: String,
    /// The metric of the plan; null when the run has none.
    pub value: Option<Finite>,
    /// Whether every SLO rule passed; null when undecided or none was given.
    pub slo_passed: Option<bool>,
    /// Headline metrics of the run; what is undefined is left out.
    pub metrics: BTreeMap<String, Finite>,
    /// The `serve-bench.result/1` document, relative to `candidates.jsonl`.
    pub document: String,
    /// Its SHA-256.
    pub sha256: String,
}

/// What a candidate cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Effort {
    /// Wall time from launch to stop, seconds.
    pub wall_s: Finite,
    /// Wall time x GPUs, seconds.
    pub gpu_s: Finite,
    /// Share of the full measurement: 1 is full, less is a screen.
    pub fidelity_ratio: Finite,
}
