//! The view of `serve-bench.sweep/1`.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::serve_bench::sweep::SweepData;

use super::{load_words, number};

pub(crate) fn sweep(document: &Document<SweepData>, top: usize) -> View {
    let mut table = Table::new(&[
        ("load", Align::Left),
        ("ok/sent", Align::Right),
        ("output tok/s", Align::Right),
        ("req/s", Align::Right),
        ("TTFT p50", Align::Right),
        ("TTFT p99", Align::Right),
        ("TPOT mean", Align::Right),
        ("SLO", Align::Left),
        ("valid", Align::Left),
    ]);
    for point in &document.data.points {
        let run = &point.run;
        let slo = match run.slo.as_ref().map(|slo| slo.passed) {
            None => "-",
            Some(None) => "undecided",
            Some(Some(true)) => "passed",
            Some(Some(false)) => "FAILED",
        };
        table.row(vec![
            load_words(&point.load),
            format!("{}/{}", run.requests.succeeded, run.requests.sent),
            number(run.throughput.output_tps),
            number(run.throughput.request_rps),
            number(run.latency.ttft_ms.p50),
            number(run.latency.ttft_ms.p99),
            number(run.latency.tpot_ms.mean),
            slo.to_owned(),
            if run.valid { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    View::new()
        .heading(format!("Sweep of {}", document.data.workload.scenario))
        .head(document)
        .table(table.top(top))
        .next(document)
}
