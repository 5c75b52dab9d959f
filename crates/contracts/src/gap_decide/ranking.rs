//! `gap-decide.ranking/1`: candidates of a search in the order of a published rule, each row's SLO recomputed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "gap-decide.ranking/1";

/// `data` of `gap-decide.ranking/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RankingData {
    /// The rule, its first key first.
    pub order: Vec<String>,
    /// Rows that were read.
    pub rows: u32,
    /// Scenarios by name; candidates of different scenarios are never put in one order.
    pub scenarios: Vec<ScenarioRanking>,
    /// Best candidate of each framework in each scenario.
    pub best: Vec<BestCandidate>,
    /// Rows that are in no order, with the reason.
    pub not_ranked: Vec<NotRanked>,
}

/// The order of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScenarioRanking {
    /// Its name.
    pub scenario: String,
    /// Best first; equal candidates share a rank.
    pub candidates: Vec<RankedCandidate>,
    /// How much less the second candidate of the order has in its first metric than the first, percent; null with one
    /// candidate. Rows carry no noise, so no gap here is a verdict.
    pub lead_pct: Option<Finite>,
}

/// One candidate of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RankedCandidate {
    /// Place, from 1.
    pub rank: u32,
    /// Framework.
    pub framework: String,
    /// Id within the framework.
    pub candidate: String,
    /// The SLO, recomputed from the row's metrics and limits.
    pub slo: SloOutcome,
    /// What the row says of it; null where it says nothing.
    pub slo_claimed: Option<bool>,
    /// Rows of this candidate in this scenario; numbers are the medians over them.
    pub repeats: u32,
    /// Completed requests a second.
    pub request_rps: Option<Finite>,
    /// Output tokens a second.
    pub output_tps: Option<Finite>,
    /// Time to first token, milliseconds: the median, or the mean where the row has no median.
    pub ttft_ms: Option<Finite>,
    /// Time per output token, milliseconds, likewise.
    pub tpot_ms: Option<Finite>,
    /// True where a mean stands for a missing median.
    pub latency_is_mean: bool,
    /// GPUs.
    pub gpu_count: Option<u32>,
    /// The server's command as the row has it, with control characters removed.
    pub server_command: Option<String>,
}

/// An SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SloOutcome {
    /// A limit is missed.
    Fail,
    /// A limit has no metric to be held against.
    Unknown,
    /// The row states no limit.
    NoLimit,
    /// Every limit is met.
    Pass,
}

impl SloOutcome {
    /// As the document has it.
    pub fn name(self) -> &'static str {
        match self {
            SloOutcome::Fail => "fail",
            SloOutcome::Unknown => "unknown",
            SloOutcome::NoLimit => "no_limit",
            SloOutcome::Pass => "pass",
        }
    }
}

/// The best of one framework.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BestCandidate {
    /// Scenario.
    pub scenario: String,
    /// Framework.
    pub framework: String,
    /// Id of its best candidate that meets the SLO, or states none.
    pub candidate: String,
}

/// A row outside every order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NotRanked {
    /// Line of the file, from 1.
    pub line: u32,
    /// Scenario.
    pub scenario: String,
    /// Framework.
    pub framework: String,
    /// Id.
    pub candidate: String,
    /// Why, in words; for a failed candidate its status and the reason of its row.
    pub reason: String,
}
