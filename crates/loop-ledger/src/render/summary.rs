//! `benchmark/summary.md`: the fixed benchmark, the final one, and what else was measured.

use cli_kit::View;
use contracts::loop_ledger::phase::Phase;

use super::benchmark::{compared, fixed, table, verdicts};
use super::words::{downgraded, effect, verdict};
use super::{Source, page};
use crate::state::Accepted;

/// The file.
pub(crate) fn summary(source: &Source<'_>) -> String {
    let state = source.state;
    let first = fixed(state);
    let last = state.current_decision();
    let mut body = View::new()
        .text(verdict(state))
        .list(downgraded(state, Phase::Baseline))
        .heading("Fixed benchmark")
        .table(table(source, &compared(state, first)));
    if let Some((accepted, decision)) = first {
        body = body
            .text(format!("Entry {}: {}.", accepted.seq, effect(decision)))
            .table(verdicts(decision));
    }
    body = body.heading("Final benchmark");
    body = match (first, last) {
        (Some((first, _)), Some((last, decision))) if first.seq != last.seq => body
            .table(table(source, &compared(state, Some((last, decision)))))
            .text(format!("Entry {}: {}.", last.seq, effect(decision)))
            .table(verdicts(decision)),
        _ => body.text("Nothing was measured since that counts: the fixed benchmark stands."),
    };
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
