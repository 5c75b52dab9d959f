//! `config-search.report/1`: what a search found, what it tried, what it cost, and what did not work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::candidate::Status;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "config-search.report/1";

/// `data` of `config-search.report/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReportData {
    /// Metric that decides.
    pub metric: String,
    /// Why the search is where it is.
    pub state: State,
    /// Hash of the plan.
    pub plan_sha256: String,
    /// The best candidate of each framework and scenario, measured in full; a framework without one is absent.
    pub best: Vec<Best>,
    /// Which mechanism families were tried.
    pub coverage: Vec<Coverage>,
    /// What each framework was given.
    pub effort: Vec<FrameworkEffort>,
    /// Candidates that no other one beats in both throughput and latency, SLO met, measured in full.
    pub pareto: Vec<ParetoPoint>,
    /// Candidates without a result.
    pub failed: Vec<Failed>,
    /// Causes of start failures, as far as the candidates tell them apart.
    pub causes: Vec<Cause>,
    /// The winner against the baseline, interleaved; null before `config-search confirm`.
    pub confirmation: Option<Confirmation>,
}

/// Why the search is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Budget is left.
    Open,
    /// The budget is used as planned, or the space is.
    Done,
    /// No framework has a measured baseline, and nothing is left to get one with.
    NoBaseline,
}

/// The best of a framework on a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Best {
    /// Framework.
    pub framework: String,
    /// Scenario.
    pub scenario: String,
    /// Id of the candidate.
    pub candidate: String,
    /// Its flags.
    pub params: BTreeMap<String, Value>,
    /// Its command, without secrets.
    pub command: Vec<String>,
    /// Path of its result document.
    pub result: String,
    /// The metric, mean over its full measurements.
    pub value: Finite,
    /// The baseline's, mean over its full measurements.
    pub baseline: Option<Finite>,
    /// How much better than the baseline as measured, percent of it, positive is better. A search picks the luckiest of many:
    /// this is no result before `confirm`.
    pub gain_pct: Option<Finite>,
    /// Full measurements of it.
    pub repeats: u64,
    /// Whether every SLO rule passed in all of them; null when undecided or none was given.
    pub slo_passed: Option<bool>,
}

/// A mechanism family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Coverage {
    /// Framework.
    pub framework: String,
    /// Family: flags that do one thing.
    pub family: String,
    /// Its flags.
    pub flags: Vec<String>,
    /// Candidates that set any of them.
    pub tried: u64,
    /// Those of them with a result.
    pub measured: u64,
}

/// What a framework was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FrameworkEffort {
    /// Framework.
    pub framework: String,
    /// Candidates launched.
    pub trials: u64,
    /// Those measured in full.
    pub measured_full: u64,
    /// Those that were short screens.
    pub screens: u64,
    /// Those without a result.
    pub failed: u64,
    /// Wall time, seconds.
    pub wall_s: Finite,
    /// GPU time, seconds.
    pub gpu_s: Finite,
}

/// A point of the front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ParetoPoint {
    /// Framework.
    pub framework: String,
    /// Scenario.
    pub scenario: String,
    /// Candidate.
    pub candidate: String,
    /// Output tokens per second.
    pub output_tps: Finite,
    /// Median time to first token, milliseconds.
    pub p50_ttft_ms: Finite,
}

/// A candidate without a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Failed {
    /// Candidate.
    pub candidate: String,
    /// What became of it.
    pub status: Status,
    /// Stable name of why.
    pub reason_code: String,
    /// In words.
    pub reason: String,
    /// Its flags.
    pub params: BTreeMap<String, Value>,
}

/// What explains failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cause {
    /// Framework.
    pub framework: String,
    /// In words: one value, a range of one, or a pair.
    pub condition: String,
    /// Failures that it would explain.
    pub failures: u64,
    /// Belief that it is the cause, 0 to 1; candidates with a cause of at least 0.9 are not launched any more.
    pub belief_ratio: Finite,
}

/// The winner against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Confirmation {
    /// Framework.
    pub framework: String,
    /// Candidate.
    pub candidate: String,
    /// One comparison a scenario.
    pub comparisons: Vec<Comparison>,
    /// Verdict of `gap-decide` over all of them, ours is the candidate; null when it gave none.
    pub verdict: Option<String>,
    /// Path of the `gap-decide.decision/1` that it rests on: of the scenario with the gravest verdict; null when there is none.
    pub decision: Option<String>,
}

/// An interleaved comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Comparison {
    /// Scenario.
    pub scenario: String,
    /// Path of the `serve-bench.compare/1` document.
    pub document: String,
    /// Path of the `gap-decide.decision/1` document on it; null when there is none, and in documents from before this field.
    #[serde(default)]
    pub decision: Option<String>,
    /// Its verdict.
    #[serde(default)]
    pub verdict: Option<String>,
    /// Candidate against baseline, percent, positive when the candidate is better.
    #[serde(default)]
    pub effect_pct: Option<Finite>,
    /// Lower end of its interval.
    #[serde(default)]
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    #[serde(default)]
    pub ci_high_pct: Option<Finite>,
    /// Pairs of launches in the interval.
    #[serde(default)]
    pub pairs: Option<u32>,
}
