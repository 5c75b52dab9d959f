//! Which benchmarks are the fixed one and the final one, and their tables.

use cli_kit::{Align, Table};
use contracts::loop_ledger::facts::DecisionFacts;
use contracts::loop_ledger::phase::Phase;

use super::source::Source;
use super::words::number;
use crate::state::{Accepted, State};
use crate::view;

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

/// The rows of a decision.
pub(crate) fn verdicts(decision: &DecisionFacts) -> Table {
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("against", Align::Left),
        ("effect, %", Align::Right),
        ("interval, %", Align::Right),
        ("pairs", Align::Right),
        ("verdict", Align::Left),
    ]);
    for row in &decision.rows {
        table.row(vec![
            row.scenario.clone(),
            row.other.clone(),
            view::signed(row.effect_pct),
            view::interval(row.ci_low_pct, row.ci_high_pct),
            row.pairs.to_string(),
            row.verdict.name().to_owned(),
        ]);
    }
    table
}
