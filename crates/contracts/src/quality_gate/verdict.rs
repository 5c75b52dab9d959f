//! `quality-gate.verdict/1`: whether a candidate answers as well as the baseline, from paired answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::result::{Check, Item, RatioInterval, ResultData};
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "quality-gate.verdict/1";

/// `data` of `quality-gate.verdict/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VerdictData {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<String>,
    /// Least share of the baseline's accuracy that passes.
    pub at_least_ratio: Finite,
    /// Candidate accuracy / baseline accuracy; null where the baseline has no right answer. The interval is Bonett and Price's of
    /// paired proportions (2006), each bound with one more item that speaks for it than was seen: it is wider than a score interval.
    pub ratio: Option<RatioInterval>,
    /// The pairs, counted anew from the items.
    pub pairs: Pairs,
    /// Items that would decide with a power of 80 %, at the ratio and the discordance that were seen; null when decided,
    /// invalid, or when no size up to 1,000,000 would.
    pub needed_items: Option<u64>,
    /// Answers to the workload's prompts, side against side; null where a result has none.
    pub agreement: Option<Agreement>,
    /// Least share of equal answers that passes; null where agreement was not asked to decide.
    pub min_agreement_ratio: Option<Finite>,
    /// Prompts that would decide the agreement with a power of 80 %, at the share that was seen; null when it is decided,
    /// not asked to decide, or when no size up to 1,000,000 would.
    pub needed_prompts: Option<u64>,
    /// Checks of the pair, then the failed ones of each side.
    pub checks: Vec<Check>,
}

/// The verdict, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A result is no evidence.
    Invalid,
    /// The whole interval lies below the limit.
    Fail,
    /// The interval spans the limit.
    Inconclusive,
    /// The whole interval lies above the limit.
    Pass,
}

/// Items by who answered them right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pairs {
    /// Right on both sides.
    pub both: u64,
    /// Right on the baseline only.
    pub only_baseline: u64,
    /// Right on the candidate only.
    pub only_candidate: u64,
    /// Right on neither.
    pub neither: u64,
}

impl Pairs {
    /// Items that both sides answered, paired by their id. An answer of the candidate that reached the limit of tokens is a wrong
    /// one; where the baseline's did, nobody knows what it would have been, and the item is left out.
    pub fn of(baseline: &ResultData, candidate: &ResultData) -> Pairs {
        let other: BTreeMap<&str, &Item> = candidate
            .items
            .iter()
            .map(|item| (item.id.as_str(), item))
            .collect();
        let mut pairs = Pairs::default();
        for item in baseline.items.iter().filter(|item| item.error.is_none()) {
            let Some(with) = other.get(item.id.as_str()) else {
                continue;
            };
            if with.error.is_some() && !with.is_cut() {
                continue;
            }
            let count = match (item.is_right(), with.is_right()) {
                (true, true) => &mut pairs.both,
                (true, false) => &mut pairs.only_baseline,
                (false, true) => &mut pairs.only_candidate,
                (false, false) => &mut pairs.neither,
            };
            *count += 1;
        }
        pairs
    }
}
