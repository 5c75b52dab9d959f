//! Which runs count, and whether what is left can be believed.

use contracts::metric::Metric;
use contracts::serve_bench::run::Run;

use crate::evidence::{Matchup, Pairing, SideEvidence};
use crate::physical_limit;

/// Share of successful requests below which a throughput says nothing about the engine.
const MIN_SUCCESS_RATIO: f64 = 0.99;

/// Share of invalid runs above which leaving them out would itself be a selection.
const MAX_INVALID_RATIO: f64 = 0.1;

/// What is left of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usable {
    /// Metric values of ours, in time order; pair i is `ours[i]`, `other[i]` when interleaved.
    pub(crate) ours: Vec<f64>,
    /// Metric values of the other.
    pub(crate) other: Vec<f64>,
    /// Pairs (apart: runs) left out because a run was invalid.
    pub(crate) dropped: u32,
    /// Why the comparison is invalid; empty when it is not.
    pub(crate) invalid: Vec<String>,
}

/// Judges the runs of a comparison.
pub(crate) fn judge(matchup: &Matchup, metric: &Metric, limit_tps: Option<f64>) -> Usable {
    let mut invalid = Vec::new();
    for side in matchup.sides() {
        invalid.extend(failing(side));
        invalid.extend(limit_tps.and_then(|limit| physical_limit::violation(side, limit)));
        invalid.extend(unbelievable(side, metric));
    }
    let value = |run: &Run| usable_value(run, metric);
    let (ours, other, dropped) = match matchup.pairing {
        Pairing::Interleaved { .. } => {
            let pairs: Vec<(f64, f64)> = matchup
                .ours
                .runs
                .iter()
                .zip(&matchup.other.runs)
                .filter_map(|(a, b)| Some((value(a)?, value(b)?)))
                .collect();
            let dropped = matchup.ours.runs.len() - pairs.len();
            let (ours, other) = pairs.into_iter().unzip();
            (ours, other, dropped)
        }
        Pairing::Apart => {
            let [ours, other] = matchup
                .sides()
                .map(|side| side.runs.iter().filter_map(value).collect::<Vec<f64>>());
            let dropped = matchup.ours.runs.len() - ours.len() + matchup.other.runs.len() - other.len();
            (ours, other, dropped)
        }
    };
    if ours.is_empty() || other.is_empty() {
        invalid.push(format!(
            "no usable run with a value of {} above 0 is left",
            metric.name()
        ));
    }
    let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
    Usable {
        ours,
        other,
        dropped,
        invalid,
    }
}

/// The value of a run that counts: valid, and with a positive metric.
pub(crate) fn usable_value(run: &Run, metric: &Metric) -> Option<f64> {
    let believed = run.valid && !run.client.client_limited;
    metric
        .value(run)
        .map(contracts::Finite::get)
        .filter(|value| believed && *value > 0.0)
}

/// Too many requests of a side failed.
fn failing(side: &SideEvidence) -> Option<String> {
    let sent = side.total(|run| run.requests.sent);
    let succeeded = side.total(|run| run.requests.succeeded);
    if sent == 0 {
        return None;
    }
    let ratio = succeeded as f64 / sent as f64;
    (ratio < MIN_SUCCESS_RATIO).then(|| {
        format!(
            "{}: {succeeded} of {sent} requests succeeded ({:.1} %), at least 99 % must",
            side.name,
            100.0 * ratio
        )
    })
}

/// Too many runs of a side are invalid.
fn unbelievable(side: &SideEvidence, metric: &Metric) -> Option<String> {
    let bad: Vec<&Run> = side
        .runs
        .iter()
        .filter(|run| usable_value(run, metric).is_none())
        .collect();
    if bad.len() as f64 <= MAX_INVALID_RATIO * side.runs.len() as f64 {
        return None;
    }
    let why = bad
        .iter()
        .flat_map(|run| run.invalid_reasons.iter().chain(&run.client.reasons))
        .next()
        .map(|reason| contracts::text::clean(reason, 200))
        .unwrap_or_else(|| {
            let zero = bad.iter().any(|run| metric.value(run).is_some());
            let what = if zero {
                "is 0, and a ratio cannot be formed"
            } else {
                "has no value"
            };
            format!("{} {what}", metric.name())
        });
    Some(format!(
        "{}: {} of {} runs cannot be used: {why}",
        side.name,
        bad.len(),
        side.runs.len()
    ))
}
