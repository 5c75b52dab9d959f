//! `gap-decide.decision/1`: is ours ahead, behind or tied, how sure is that, and what to do next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "gap-decide.decision/1";

/// `data` of `gap-decide.decision/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DecisionData {
    /// What to do next, from all scenarios together.
    pub decision: Decision,
    /// Why, in words, most important first.
    pub reasons: Vec<String>,
    /// Geometric mean of the effects over the scenarios.
    pub geomean: Geomean,
    /// One verdict a scenario, in the order of the scenario names.
    pub scenarios: Vec<ScenarioVerdict>,
    /// Metric that was compared, for example `output_tps` or `p50_ttft_ms`.
    pub metric: String,
    /// Confidence of all verdicts together, over all looks and scenarios.
    pub confidence_ratio: Finite,
    /// Number of pairs that `smallest_margin_pct` is stated for.
    pub max_pairs: u32,
    /// Everything that was asked for, after defaults.
    pub plan: Value,
}

/// What to do next; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A measurement is invalid, or a verdict is provisional: measure anew, with what is unknown declared.
    Rebaseline,
    /// Ours misses a service-level objective: that comes before speed.
    FixSlo,
    /// Ours is behind somewhere: find out where the time goes.
    Profile,
    /// The data cannot tell yet: measure more pairs.
    Repeat,
    /// Ours is ahead or tied everywhere.
    StopReached,
}

impl Decision {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Decision::Rebaseline => "rebaseline",
            Decision::FixSlo => "fix_slo",
            Decision::Profile => "profile",
            Decision::Repeat => "repeat",
            Decision::StopReached => "stop_reached",
        }
    }
}

/// Verdict on one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A measurement cannot be used.
    Invalid,
    /// Ours misses a service-level objective.
    OursFailsSlo,
    /// The interval lies beyond the threshold on the side where ours is worse.
    Behind,
    /// None of the others.
    Inconclusive,
    /// The interval lies inside the margin.
    Tied,
    /// The interval lies beyond the threshold on the side where ours is better.
    Ahead,
    /// The other engine misses a service-level objective; counts as ahead.
    TheirsFailsSlo,
}

impl Verdict {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Invalid => "invalid",
            Verdict::OursFailsSlo => "ours_fails_slo",
            Verdict::Behind => "behind",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Tied => "tied",
            Verdict::Ahead => "ahead",
            Verdict::TheirsFailsSlo => "theirs_fails_slo",
        }
    }
}

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Signed rank (Hodges-Lehmann) on the log ratios of interleaved pairs.
    SignedRankPairs,
    /// Welch on the logs of runs that were not interleaved: weaker, because whatever changed between the two sides
    /// counts as a gap.
    WelchUnpaired,
}

/// Geometric mean over scenarios; all null when a scenario has no effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Geomean {
    /// exp(mean of the log effects) - 1, percent; positive when ours is better.
    pub effect_pct: Option<Finite>,
    /// Lower end of its interval; null while a scenario has no interval.
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    pub ci_high_pct: Option<Finite>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScenarioVerdict {
    /// Name of the scenario in the workload.
    pub scenario: String,
    /// Ours.
    pub ours: SideSummary,
    /// The engine that ours is judged against: of several, the one with the worst verdict for ours, then the one with
    /// the lowest effect.
    pub best_other: SideSummary,
    /// Ours against the other, percent: ours / other - 1 where more is better, other / ours - 1 for latencies. Positive
    /// when ours is better; null without usable runs.
    pub effect_pct: Option<Finite>,
    /// Lower end of the interval; null below 8 pairs, or where so few pairs cannot carry the confidence.
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    pub ci_high_pct: Option<Finite>,
    /// Smallest gap that counts, percent; from the target, or the flag where the target declares none.
    pub threshold_pct: Finite,
    /// Half-width within which two engines are called tied, percent.
    pub margin_pct: Finite,
    /// Coefficient of variation of our runs, percent; null for fewer than two.
    pub noise_cv_ours_pct: Option<Finite>,
    /// Coefficient of variation of the other's runs, percent; null for fewer than two.
    pub noise_cv_other_pct: Option<Finite>,
    /// Pairs in the interval: the largest look (8, 12, 18, 26, 38, 56, 84, 120) that was reached, or below 8 all there
    /// are. For `welch_unpaired`, runs a side.
    pub pairs: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// True while a contract field is unknown or a result was imported: the verdict may compare unlike things.
    pub provisional: bool,
    /// The contract fields that are unknown on a side.
    pub unknown_fields: Vec<String>,
    /// Pairs, those measured included, after which a verdict is expected (4 of 5 campaigns) if effect and noise are what
    /// they seem now; null when decided, when there are fewer than 3 pairs, or when no number of pairs would do.
    pub repeats_needed: Option<u32>,
    /// Smallest margin, percent, within which `max_pairs` pairs could show a tie under this noise; null below 3 pairs.
    pub smallest_margin_pct: Option<Finite>,
    /// How the interval was made.
    pub method: Method,
    /// Usable pairs, those that wait for the next look included.
    pub pairs_available: u32,
    /// Pairs left out: invalid runs, and pairs that chose the candidate.
    pub pairs_excluded: u32,
    /// Pairs of the next look; null after the last.
    pub next_look_pairs: Option<u32>,
    /// Two-sided error that the interval of this look was given; null without an interval.
    pub nominal_alpha_ratio: Option<Finite>,
    /// Decode rate a single request can reach at most: memory bandwidth / active weight bytes, tokens per second; null
    /// when the target does not declare both.
    pub physical_limit_tps: Option<Finite>,
    /// Every other engine with its own interval, in the order given.
    pub others: Vec<OtherVerdict>,
    /// For a percentile of a latency whose records are at hand: how well each run knows its own. The verdict rests on
    /// the scatter between runs and never on this.
    pub within_run: Vec<RunPercentile>,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SideSummary {
    /// Name of the side.
    pub name: String,
    /// Engine and version as detected, for example `vllm 0.11.0`.
    pub engine: String,
    /// Geometric mean of the metric over the runs that count; null without any.
    pub value: Option<Finite>,
    /// Runs that count.
    pub runs: u32,
}

/// The percentile of one run, bounded by a bootstrap over blocks of its requests in time: requests of one run share
/// batches and are not independent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RunPercentile {
    /// Name of the side.
    pub side: String,
    /// Number of the run in its document.
    pub run: u32,
    /// Requests.
    pub requests: u64,
    /// The percentile.
    pub value: Finite,
    /// Lower end of its 95 % interval within the run.
    pub ci_low: Finite,
    /// Upper end.
    pub ci_high: Finite,
}

/// Ours against one other engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OtherVerdict {
    /// Name of the other engine.
    pub name: String,
    /// Effect, percent; positive when ours is better.
    pub effect_pct: Option<Finite>,
    /// Lower end of the interval.
    pub ci_low_pct: Option<Finite>,
    /// Upper end.
    pub ci_high_pct: Option<Finite>,
    /// Pairs in the interval.
    pub pairs: u32,
    /// Verdict against this one.
    pub verdict: Verdict,
}
