//! `kernel-gate.verdict/1`: whether a candidate kernel takes the place of the baseline, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "kernel-gate.verdict/1";

/// `data` of `kernel-gate.verdict/1`. A speed-up is baseline time / candidate time: above 1 is faster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VerdictData {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, the deciding ones first.
    pub reasons: Vec<Reason>,
    /// The times that decide; null where no row has a pair of times.
    pub judged_on: Option<TimeKind>,
    /// Geometric mean of the speed-ups of all production rows, recomputed.
    pub geomean: ByKind,
    /// Sum of the baseline's times / sum of the candidate's, over all production rows, each time the row's calls where
    /// all rows name them.
    pub time_weighted: ByKind,
    /// Whether `time_weighted` weighs rows by their calls.
    pub weighted_by_calls: bool,
    /// Geometric mean that the measurement's own summary claims; null where it claims none.
    pub reported_geomean: Option<Finite>,
    /// How far from 1 the geometric mean can be by chance, percent: the largest of 1 %, the distance of the A/A geometric
    /// mean from 1, and sqrt(sum of squared row noises) / rows. Null without rows.
    pub noise_pct: Option<Finite>,
    /// The baseline against itself; null where it was not given.
    pub aa: Option<Aa>,
    /// Production rows with a speed-up below 0.97, the worst first.
    pub losses: Vec<Loss>,
    /// The dispatch that was given, recomputed; null without one.
    pub dispatch: Option<Dispatch>,
    /// What the kernel's share of the run allows; null without `--share`.
    pub amdahl: Option<Amdahl>,
    /// What to do next, the first first; the commands stand in the head of the document.
    pub next_actions: Vec<NextStep>,
    /// How many rows there are, by class.
    pub counts: Counts,
    /// All rows: production first, then by speed-up, the slowest first.
    pub rows: Vec<Row>,
}

/// The verdict, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The measurement is no evidence.
    Invalid,
    /// The candidate's outputs are wrong.
    RejectCorrectness,
    /// The candidate is slower.
    Reject,
    /// Neither is shown: more trials, or evidence that is missing.
    Inconclusive,
    /// Faster where the dispatch takes the candidate, and the baseline elsewhere.
    PromoteWithDispatch,
    /// Faster, and nowhere materially slower.
    Promote,
}

/// The clock that a time is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeKind {
    /// Events on the device's stream.
    Device,
    /// The host's clock, with a synchronisation.
    Wall,
}

/// What takes the baseline's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deployed {
    /// The candidate, for all rows: without a dispatch, and with one that is not needed (a gain, no material loss, no
    /// unstable row).
    Candidate,
    /// The dispatch that was given: rows that it routes have a speed-up of 1.
    Dispatch,
}

/// A ratio for each clock; they are never mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ByKind {
    /// Of device times; null unless every production row has them on both sides.
    pub device: Option<Finite>,
    /// Of wall times; null unless every production row has them on both sides.
    pub wall: Option<Finite>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reason {
    /// Stable kebab-case name.
    pub code: String,
    /// What it does to the verdict.
    pub effect: Effect,
    /// In words.
    pub message: String,
    /// Rows that it is about, 20 at most; empty where it is about the whole.
    pub rows: Vec<String>,
}

/// What a reason does to the verdict, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Makes it `invalid`.
    Invalid,
    /// Makes it `reject_correctness`.
    RejectCorrectness,
    /// Speaks for the verdict that the numbers give.
    Decides,
    /// Without what it asks for, no `promote` and no `promote_with_dispatch`.
    BlocksPromotion,
    /// Is said, and changes nothing.
    Note,
}

/// The baseline measured against itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Aa {
    /// Rows.
    pub rows: u64,
    /// Geometric mean of their ratios; 1 is no difference.
    pub geomean: Finite,
    /// Smallest ratio.
    pub min: Finite,
    /// Largest ratio.
    pub max: Finite,
    /// Median of |ratio − 1|, percent.
    pub median_pct: Finite,
    /// 90th percentile of |ratio − 1|, percent, between two rows linear: the noise that no row is below.
    pub p90_pct: Finite,
    /// Largest |ratio − 1|, percent.
    pub max_pct: Finite,
}

/// A production row that is materially slower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Loss {
    /// Its id.
    pub id: String,
    /// Baseline time / candidate time.
    pub speedup: Finite,
    /// What chance can do on this row, percent.
    pub noise_pct: Finite,
    /// Whether the dispatch takes the baseline there.
    pub routed: bool,
}

/// A dispatch, recomputed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Dispatch {
    /// Its buckets, in their order: the first whose condition holds takes the row.
    pub buckets: Vec<Bucket>,
    /// Geometric mean over all production rows with a speed-up of 1 where the baseline runs.
    pub geomean: Option<Finite>,
    /// Time-weighted ratio in the same way.
    pub time_weighted: Option<Finite>,
    /// Routed rows that were measured again through the dispatch.
    pub routed_measured_again: u64,
    /// Rows that no bucket takes.
    pub rows_in_no_bucket: Vec<String>,
}

/// One bucket of a dispatch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its condition in words.
    pub condition: String,
    /// `candidate` or `baseline`.
    pub entry: String,
    /// Production rows in it.
    pub rows: u64,
    /// Geometric mean of the candidate's speed-ups in it; null where it is empty.
    pub geomean: Option<Finite>,
    /// Smallest of them; null where it is empty.
    pub min: Option<Finite>,
}

/// What the end-to-end gain can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Amdahl {
    /// Share of the run that the kernel takes, percent, as given.
    pub share_pct: Finite,
    /// What would be deployed, and so what the speed-up is of.
    pub speedup_of: Deployed,
    /// Speed-up of the kernel that is put in: the time-weighted one of what would be deployed.
    pub kernel_speedup: Option<Finite>,
    /// End-to-end speed-up: 1 / (1 − share + share / kernel speed-up).
    pub end_to_end: Option<Finite>,
    /// The same in percent of time saved.
    pub time_saved_pct: Option<Finite>,
    /// End-to-end speed-up if the kernel took no time: 1 / (1 − share); null for a share of 100 %.
    pub limit: Option<Finite>,
    /// Claimed end-to-end speed-up; null where none was given.
    pub claim: Option<Finite>,
    /// Whether the claim is beyond what the law allows, by more than the noise; null without a claim.
    pub claim_contradicted: Option<bool>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NextStep {
    /// Stable kebab-case name: `measure-again`, `prove`, `dispatch`, …
    pub code: String,
    /// What it is good for.
    pub why: String,
    /// Rows that it is about; empty where it is about the whole.
    pub rows: Vec<String>,
}

/// Production rows by class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Counts {
    /// All production rows.
    pub production: u64,
    /// Faster than noise.
    pub win: u64,
    /// Within noise.
    pub parity: u64,
    /// Slower than noise, above 0.97.
    pub loss: u64,
    /// Below 0.97.
    pub material_loss: u64,
    /// Without a pair of times, or not passed.
    pub not_measured: u64,
    /// Other rows: regression and reject cases.
    pub other: u64,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Whether the headline counts it.
    pub production: bool,
    /// Median time of the baseline, microseconds, by the clock that decides; null where it was not measured.
    pub baseline_us: Option<Finite>,
    /// Median time of the candidate; null where it was not measured.
    pub candidate_us: Option<Finite>,
    /// Baseline / candidate; null where either was not measured.
    pub speedup: Option<Finite>,
    /// The same ratio of wall times where device times decide; null without them.
    pub wall_speedup: Option<Finite>,
    /// sqrt(cv² of the baseline + cv² of the candidate), percent; null where the spread is not known.
    pub cv_pct: Option<Finite>,
    /// max(2 %, 2 × `cv_pct`, 90th percentile of the A/A), percent.
    pub noise_pct: Finite,
    /// Samples of the side that has fewer; null where they are not known.
    pub trials: Option<u64>,
    /// Its class.
    pub class: Class,
    /// Whether a later measurement with more trials took the place of the first.
    pub measured_again: bool,
    /// Whether the dispatch takes the baseline there.
    pub routed: bool,
}

/// What a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Faster than noise.
    Win,
    /// Within noise.
    Parity,
    /// Slower than noise.
    Loss,
    /// Below 0.97.
    MaterialLoss,
    /// Outputs are wrong.
    Incorrect,
    /// No pair of times, or an error.
    NotMeasured,
}
