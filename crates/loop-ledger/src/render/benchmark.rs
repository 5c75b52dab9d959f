//! Which benchmarks are the fixed one and the final one, and their tables.

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::facts::DecisionFacts;
use contracts::loop_ledger::phase::Phase;

use super::source::Source;
use super::words::{effect, number};
use crate::state::{Accepted, State};
use crate::view::verdicts;

/// The first decision outside attempts: the gap that the campaign began with.
pub(crate) fn fixed<'s, 'a>(state: &'s State<'a>) -> Option<(&'s Accepted<'a>, &'a DecisionFacts)> {
    state.decisions().find(|(accepted, _)| accepted.attempt.is_none())
}

/// The comparisons that a decision rests on.
pub(crate) fn compared<'s, 'a>(
    state: &'s State<'a>,
    decision: Option<(&'s Accepted<'a>, &'a DecisionFacts)>,
) -> Vec<&'s Accepted<'a>> {
    match decision {
        Some((accepted, _)) => state
            .benchmarks()
            .filter(|benchmark| accepted.facts.inputs.contains(&benchmark.facts.sha256))
            .collect(),
        None => state
            .benchmarks()
            .filter(|benchmark| benchmark.facts.phase == Phase::Baseline && benchmark.facts.sides.len() == 2)
            .collect(),
    }
}

/// The figures of benchmarks, one row an engine and scenario.
pub(crate) fn table(source: &Source<'_>, benchmarks: &[&Accepted<'_>]) -> Table {
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("scenario", Align::Left),
        ("engine", Align::Left),
        ("runs", Align::Right),
        ("TTFT p50, ms", Align::Right),
        ("TPOT p50, ms", Align::Right),
        ("TTLT p50, ms", Align::Right),
        ("prefill, tok/s", Align::Right),
        ("decode, tok/s", Align::Right),
        ("output, tok/s", Align::Right),
        ("errors", Align::Right),
    ]);
    for benchmark in benchmarks {
        for side in source.measured(benchmark) {
            table.row(vec![
                benchmark.seq.to_string(),
                side.scenario.clone(),
                engine(side),
                side.runs.to_string(),
                number(side.ttft_ms, 2),
                number(side.tpot_ms, 3),
                number(side.ttlt_ms, 1),
                number(side.prefill_tps, 0),
                number(side.decode_tps, 1),
                number(side.output_tps, 1),
                side.errors.to_string(),
            ]);
        }
    }
    table
}

/// Name, framework and version of a side, each once.
fn engine(side: &super::measured::Measured) -> String {
    let mut text = side.name.clone();
    if side.name != side.framework {
        text.push_str(&format!(" ({})", side.framework));
    }
    if let Some(version) = &side.version {
        text.push_str(&format!(" {version}"));
    }
    super::words::plain(&text)
}

/// The fixed benchmark with its verdict, and the latest one that counts where there is another.
pub(crate) fn fixed_and_final(source: &Source<'_>, mut body: View) -> View {
    let state = source.state;
    let first = fixed(state);
    let last = state.current_decision();
    body = body
        .heading("Fixed benchmark")
        .table(table(source, &compared(state, first)));
    if let Some((accepted, decision)) = first {
        body = body
            .text(format!("Entry {}: {}.", accepted.seq, effect(decision)))
            .table(verdicts(decision));
    }
    body = body.heading("Final benchmark");
    match (first, last) {
        (Some((first, _)), Some((last, decision))) if first.seq != last.seq => body
            .table(table(source, &compared(state, Some((last, decision)))))
            .text(format!("Entry {}: {}.", last.seq, effect(decision)))
            .table(verdicts(decision)),
        _ => body.text("Nothing was measured since that counts: the fixed benchmark stands."),
    }
}
