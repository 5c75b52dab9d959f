//! Views of the documents, and the words they share. Nothing is computed here.

mod compare;
mod result;
mod selftest;
mod small;
mod sweep;

use cli_kit::{Align, Table};
use contracts::serve_bench::result::{LoadInfo, LoadMode};
use contracts::serve_bench::run::Run;
use contracts::{Distribution, Finite};

pub(crate) use compare::compare;
pub(crate) use result::result;
pub(crate) use selftest::selftest;
pub(crate) use small::{doctor, freeze, probe};
pub(crate) use sweep::sweep;

/// A number with as many digits as can be meant; `-` for null.
pub(crate) fn number(value: Option<Finite>) -> String {
    let Some(value) = value.map(Finite::get) else {
        return "-".to_owned();
    };
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A load in words.
pub(crate) fn load_words(load: &LoadInfo) -> String {
    let mut words = match (load.mode, load.concurrency, load.request_rate_rps) {
        (LoadMode::ClosedLoop, Some(concurrency), _) => format!("concurrency {concurrency}"),
        (LoadMode::Conversations, Some(conversations), _) => format!("{conversations} conversations at once"),
        (LoadMode::OpenLoop, _, Some(rate)) => format!("{} req/s", number(Some(rate))),
        _ => "trace arrivals".to_owned(),
    };
    if let Some(cap) = load.max_concurrency {
        words.push_str(&format!(", at most {cap} in flight"));
    }
    words
}

/// One row a latency.
pub(crate) fn latency_table(run: &Run) -> Table {
    let mut table = Table::new(&[
        ("latency, ms", Align::Left),
        ("mean", Align::Right),
        ("p50", Align::Right),
        ("p90", Align::Right),
        ("p99", Align::Right),
        ("max", Align::Right),
        ("n", Align::Right),
    ]);
    let latency = &run.latency;
    let rows: [(&str, &Distribution); 8] = [
        ("TTFT", &latency.ttft_ms),
        ("TPOT", &latency.tpot_ms),
        ("ITL (per token)", &latency.itl_ms),
        ("chunk gap", &latency.chunk_gap_ms),
        ("E2E", &latency.e2e_latency_ms),
        ("send delay", &latency.send_delay_ms),
        ("TTFT from schedule", &latency.ttft_from_schedule_ms),
        ("E2E from schedule", &latency.e2e_from_schedule_ms),
    ];
    let turns = run.turns.iter().flat_map(|turns| {
        [
            ("TTFT, first turns", &turns.first_ttft_ms),
            ("TTFT, later turns", &turns.later_ttft_ms),
        ]
    });
    let rows: Vec<(&str, &Distribution)> = rows[..1]
        .iter()
        .copied()
        .chain(turns)
        .chain(rows[1..].iter().copied())
        .collect();
    for (name, distribution) in rows.iter().filter(|(_, distribution)| distribution.count > 0) {
        table.row(vec![
            (*name).to_owned(),
            number(distribution.mean),
            number(distribution.p50),
            number(distribution.p90),
            number(distribution.p99),
            number(distribution.max),
            distribution.count.to_string(),
        ]);
    }
    table
}
