//! The view of `serve-bench.selftest/1`.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::serve_bench::selftest::SelftestData;

use super::number;

pub(crate) fn selftest(document: &Document<SelftestData>) -> View {
    let data = &document.data;
    let mut traps = Table::new(&[
        ("trap", Align::Left),
        ("", Align::Left),
        ("observed", Align::Left),
    ]);
    for trap in &data.traps {
        let observed = if trap.passed {
            trap.observed.clone()
        } else {
            format!("{} (expected {})", trap.observed, trap.expected)
        };
        traps.row(vec![trap.name.clone(), word(Some(trap.passed)), observed]);
    }
    let mut accuracy = Table::new(&[
        ("streams", Align::Right),
        ("attempts", Align::Right),
        ("TTFT error mean", Align::Right),
        ("p99, ms", Align::Right),
        ("ITL error mean", Align::Right),
        ("p99, %", Align::Right),
        ("heartbeat p99, ms", Align::Right),
        ("", Align::Left),
    ]);
    for level in &data.accuracy {
        let verdict = if level.machine_busy && level.passed.is_none() {
            "machine-busy".to_owned()
        } else {
            word(level.passed)
        };
        accuracy.row(vec![
            level.concurrency.to_string(),
            level.attempts.to_string(),
            number(level.ttft_error_mean_ms),
            number(level.ttft_error_p99_ms),
            number(level.itl_error_mean_pct),
            number(level.itl_error_p99_pct),
            number(level.heartbeat_p99_ms),
            verdict,
        ]);
    }
    let view = View::new()
        .heading("Selftest")
        .head(document)
        .table(traps)
        .table(accuracy);
    if data.bench.is_empty() {
        return view.next(document);
    }
    let mut bench = Table::new(&[
        ("figure", Align::Left),
        ("value", Align::Right),
        ("unit", Align::Left),
        ("bare loop", Align::Right),
        ("ratio", Align::Right),
        ("limit", Align::Left),
        ("", Align::Left),
    ]);
    for line in &data.bench {
        bench.row(vec![
            line.name.clone(),
            number(Some(line.value)),
            line.unit.clone(),
            number(line.baseline),
            number(line.ratio),
            line.limit.clone().unwrap_or_else(|| "-".to_owned()),
            line.passed.map_or("-".to_owned(), |passed| word(Some(passed))),
        ]);
    }
    view.table(bench).next(document)
}

fn word(passed: Option<bool>) -> String {
    match passed {
        Some(true) => "passed".to_owned(),
        Some(false) => "FAILED".to_owned(),
        None => "-".to_owned(),
    }
}
