//! `analysis/fairness-diagnostics.md`: whether both sides got the same chance. Computed from what was stored, not declared.

use std::collections::BTreeSet;

use cli_kit::{Align, Table, View};

use super::benchmark::compared;
use super::words::{plain, verdict};
use super::{Source, page};
use crate::ledger::short;

/// The file.
pub(crate) fn diagnostics(source: &Source<'_>) -> String {
    let state = source.state;
    let current = state.current_decision();
    let mut body = View::new()
        .text(verdict(state))
        .heading("Search effort")
        .table(effort(source));
    let excluded: Vec<String> = state
        .campaign
        .excluded
        .iter()
        .map(|left_out| {
            format!(
                "left out: {}: {}",
                plain(&left_out.framework),
                plain(&left_out.why)
            )
        })
        .collect();
    body = body
        .list(excluded)
        .heading("Same contract, same time")
        .table(pairs(source));
    let contracts: BTreeSet<&str> = compared(state, current)
        .iter()
        .filter_map(|benchmark| benchmark.facts.contract.as_deref())
        .collect();
    body = body.text(format!(
        "Every document agrees with the locked contract field by field; {} contract fingerprints in the comparisons that count (one a scenario): {}.",
        contracts.len(),
        contracts.iter().map(|hash| short(hash)).collect::<Vec<_>>().join(", ")
    ));
    let environments: BTreeSet<&str> = state
        .benchmarks()
        .filter_map(|benchmark| benchmark.facts.environment.as_deref())
        .collect();
    if environments.len() > 1 {
        body = body.text(format!(
            "The environment changed during the campaign: {} fingerprints. What was measured before and after compares with care.",
            environments.len()
        ));
    }
    if let Some((_, decision)) = current {
        body = body.heading("Verdicts").table(crate::view::verdicts(decision));
    }
    page(source, "Fairness diagnostics", body)
}

/// Configurations a framework.
fn effort(source: &Source<'_>) -> Table {
    let state = source.state;
    let found = state.candidates();
    let mut table = Table::new(&[
        ("framework", Align::Left),
        ("configurations measured", Align::Right),
        ("needed", Align::Right),
        ("enough", Align::Left),
    ]);
    let mut frameworks = vec![&state.campaign.framework];
    frameworks.extend(
        state
            .campaign
            .comparison
            .iter()
            .filter(|other| **other != state.campaign.framework),
    );
    for framework in frameworks {
        let count = found.get(framework).copied().unwrap_or(0);
        let needed = if state.campaign.comparison.contains(framework) {
            state.candidates_needed()
        } else {
            0
        };
        table.row(vec![
            plain(framework),
            count.to_string(),
            match needed {
                0 => "–".to_owned(),
                needed => needed.to_string(),
            },
            if count >= needed { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

/// The comparisons that count, with what both sides were.
fn pairs(source: &Source<'_>) -> Table {
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("scenario", Align::Left),
        ("side", Align::Left),
        ("subject", Align::Left),
        ("runs", Align::Right),
        ("relaunched from a cleared environment", Align::Left),
    ]);
    for benchmark in compared(source.state, source.state.current_decision()) {
        for side in &benchmark.facts.sides {
            table.row(vec![
                benchmark.seq.to_string(),
                plain(benchmark.facts.scenario.as_deref().unwrap_or("–")),
                plain(&side.framework),
                side.subject.as_deref().map_or("unknown", short).to_owned(),
                side.runs.to_string(),
                if side.relaunched_clean { "yes" } else { "no" }.to_owned(),
            ]);
        }
    }
    table
}
