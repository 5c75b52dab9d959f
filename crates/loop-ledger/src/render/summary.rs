//! `benchmark/summary.md`: the fixed benchmark, the final one, and what else was measured.

use cli_kit::View;
use contracts::loop_ledger::phase::Phase;

use super::benchmark::{fixed_and_final, table};
use super::words::{downgraded, verdict};
use super::{Source, page};
use crate::state::Accepted;

/// The file.
pub(crate) fn summary(source: &Source<'_>) -> String {
    let state = source.state;
    let mut body = View::new()
        .text(verdict(state))
        .list(downgraded(state, Phase::Baseline));
    body = fixed_and_final(source, body);
    let singles: Vec<&Accepted<'_>> = state
        .benchmarks()
        .filter(|benchmark| benchmark.facts.sides.len() == 1)
        .collect();
    if !singles.is_empty() {
        body = body
            .heading("Other configurations")
            .table(table(source, &singles));
    }
    page(source, "Benchmarks", body)
}
