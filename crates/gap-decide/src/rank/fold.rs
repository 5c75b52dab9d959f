//! Rows to orders: pure. Rows of one candidate are one candidate with its median, so that no lucky repeat leads.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use contracts::gap_decide::ranking::{
    BestCandidate, NotRanked, RankedCandidate, RankingData, ScenarioRanking, SloOutcome,
};
use contracts::{Finite, Warning};

use super::order;
use super::row::{Metrics, Row};
use crate::cli::RankBy;
use crate::error::RankError;

/// Orders and what could mislead in them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Folded {
    pub(crate) data: RankingData,
    pub(crate) warnings: Vec<Warning>,
}

/// Orders all rows.
///
/// # Errors
/// Rows of one scenario that measured different things.
pub(crate) fn rank(rows: &[Row], by: RankBy) -> Result<Folded, RankError> {
    let mut scenarios: BTreeMap<&str, BTreeMap<(&str, &str), Vec<&Row>>> = BTreeMap::new();
    let mut not_ranked = Vec::new();
    for row in rows {
        match &row.unusable {
            Some(reason) => not_ranked.push(NotRanked {
                line: row.line,
                scenario: row.scenario.clone(),
                framework: row.framework.clone(),
                candidate: row.candidate.clone(),
                reason: reason.clone(),
            }),
            None => scenarios
                .entry(&row.scenario)
                .or_default()
                .entry((&row.framework, &row.candidate))
                .or_default()
                .push(row),
        }
    }
    let mut warnings = Vec::new();
    let mut ranked = Vec::new();
    for (scenario, candidates) in &scenarios {
        let silent = one_measurement(scenario, candidates.values().flatten().copied())?;
        warnings.extend(silent);
        ranked.push(in_order(scenario, candidates, by));
    }
    warnings.extend(claims(&ranked));
    let data = RankingData {
        order: order(by),
        rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        best: best(&ranked),
        scenarios: ranked,
        not_ranked,
    };
    Ok(Folded { data, warnings })
}

/// Every field that two rows state is equal; fields that some rows leave out are warned of.
fn one_measurement<'r>(
    scenario: &str,
    rows: impl Iterator<Item = &'r Row>,
) -> Result<Option<Warning>, RankError> {
    let mut stated: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for row in rows {
        all += 1;
        for (path, value) in &row.same {
            let Some(value) = value else { continue };
            *counts.entry(path).or_default() += 1;
            let (known, line) = *stated.entry(path).or_insert((value, row.line));
            if known != value {
                return Err(RankError::OtherMeasurement {
                    scenario: scenario.to_owned(),
                    lines: [line, row.line],
                    field: path,
                    values: [known.to_owned(), value.clone()],
                });
            }
        }
    }
    let silent: Vec<&str> = counts
        .iter()
        .filter(|(_, count)| **count < all)
        .map(|(path, _)| *path)
        .collect();
    Ok((!silent.is_empty()).then(|| {
        Warning::new(
            "contract-unknown",
            format!(
                "some rows of {scenario} do not say {}: whether they measured the same is not known",
                silent.join(", ")
            ),
        )
    }))
}

fn in_order(scenario: &str, candidates: &BTreeMap<(&str, &str), Vec<&Row>>, by: RankBy) -> ScenarioRanking {
    let mut ranked: Vec<RankedCandidate> = candidates.values().map(|rows| candidate(rows)).collect();
    // Stable: equal candidates stay in the order of framework and id.
    ranked.sort_by(|a, b| compare(a, b, by));
    for at in 0..ranked.len() {
        let shared = at > 0 && compare(&ranked[at - 1], &ranked[at], by).is_eq();
        ranked[at].rank = if shared {
            ranked[at - 1].rank
        } else {
            u32::try_from(at + 1).unwrap_or(u32::MAX)
        };
    }
    let first = |one: &RankedCandidate| keys(one, by)[0].map(Finite::get);
    let lead_pct = match ranked.as_slice() {
        [one, two, ..] if one.slo == two.slo => match (first(one), first(two)) {
            (Some(one), Some(two)) => Finite::ratio(100.0 * (one - two), one),
            _ => None,
        },
        _ => None,
    };
    ScenarioRanking {
        scenario: scenario.to_owned(),
        candidates: ranked,
        lead_pct,
    }
}

/// The rows of one candidate as one: medians, and the worst SLO of them.
fn candidate(rows: &[&Row]) -> RankedCandidate {
    let median = |of: fn(&Metrics) -> Option<f64>| {
        let mut values: Vec<f64> = rows.iter().filter_map(|row| of(&row.metrics)).collect();
        values.sort_by(f64::total_cmp);
        stats::percentile::linear(&values, 50.0).and_then(Finite::new)
    };
    let first = rows[0];
    let claims = rows.iter().filter_map(|row| row.slo_claimed);
    RankedCandidate {
        rank: 0,
        framework: first.framework.clone(),
        candidate: first.candidate.clone(),
        slo: rows
            .iter()
            .map(|row| row.slo)
            .min()
            .unwrap_or(SloOutcome::Unknown),
        slo_claimed: claims.reduce(|a, b| a && b),
        repeats: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        request_rps: median(|metrics| metrics.request_rps),
        output_tps: median(|metrics| metrics.output_tps),
        ttft_ms: median(|metrics| metrics.ttft_ms),
        tpot_ms: median(|metrics| metrics.tpot_ms),
        latency_is_mean: rows
            .iter()
            .any(|row| row.metrics.ttft_is_mean || row.metrics.tpot_is_mean),
        gpu_count: rows.iter().find_map(|row| row.gpu_count),
        server_command: rows.iter().find_map(|row| row.server_command.clone()),
    }
}

/// Throughputs in the order asked for.
fn keys(one: &RankedCandidate, by: RankBy) -> [Option<Finite>; 2] {
    match by {
        RankBy::RequestThroughput => [one.request_rps, one.output_tps],
        RankBy::OutputTokenThroughput => [one.output_tps, one.request_rps],
    }
}

/// Better first; what is missing is worse than any number.
fn compare(a: &RankedCandidate, b: &RankedCandidate, by: RankBy) -> Ordering {
    let higher = |a: Option<Finite>, b: Option<Finite>| {
        let value = |one: Option<Finite>| one.map_or(f64::NEG_INFINITY, Finite::get);
        value(b).total_cmp(&value(a))
    };
    let lower = |a: Option<Finite>, b: Option<Finite>| {
        let value = |one: Option<Finite>| one.map_or(f64::INFINITY, Finite::get);
        value(a).total_cmp(&value(b))
    };
    let ([a_first, a_second], [b_first, b_second]) = (keys(a, by), keys(b, by));
    (b.slo.cmp(&a.slo))
        .then(higher(a_first, b_first))
        .then(higher(a_second, b_second))
        .then(lower(a.ttft_ms, b.ttft_ms))
        .then(lower(a.tpot_ms, b.tpot_ms))
        .then(
            a.gpu_count
                .unwrap_or(u32::MAX)
                .cmp(&b.gpu_count.unwrap_or(u32::MAX)),
        )
}

fn best(scenarios: &[ScenarioRanking]) -> Vec<BestCandidate> {
    let mut best: Vec<BestCandidate> = Vec::new();
    for ranking in scenarios {
        let mut known = BTreeSet::new();
        let eligible = ranking
            .candidates
            .iter()
            .filter(|one| one.slo >= SloOutcome::NoLimit);
        for one in eligible {
            if known.insert(one.framework.as_str()) {
                best.push(BestCandidate {
                    scenario: ranking.scenario.clone(),
                    framework: one.framework.clone(),
                    candidate: one.candidate.clone(),
                });
            }
        }
    }
    best
}

/// Rows whose own verdict is not what their numbers say.
fn claims(scenarios: &[ScenarioRanking]) -> Option<Warning> {
    let wrong: Vec<String> = scenarios
        .iter()
        .flat_map(|ranking| &ranking.candidates)
        .filter(|one| match (one.slo_claimed, one.slo) {
            (Some(claimed), SloOutcome::Pass) => !claimed,
            (Some(claimed), SloOutcome::Fail | SloOutcome::Unknown | SloOutcome::NoLimit) => claimed,
            (None, _) => false,
        })
        .map(|one| format!("{} {} ({})", one.framework, one.candidate, one.slo.name()))
        .collect();
    (!wrong.is_empty()).then(|| {
        let shown = wrong.len().min(5);
        Warning::new(
            "slo-recomputed",
            format!(
                "another SLO outcome is claimed than the row's own numbers give ({} candidates): {}",
                wrong.len(),
                wrong[..shown].join(", ")
            ),
        )
    })
}
