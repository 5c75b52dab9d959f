//! The view of `serve-bench.result/1`.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::serve_bench::result::ResultData;
use contracts::serve_bench::run::{Run, SloStatus};

use super::{latency_table, load_words, number};

pub(crate) fn result(document: &Document<ResultData>, top: usize) -> View {
    let data = &document.data;
    let title = format!(
        "{} on {} {} at {}",
        data.workload.scenario,
        data.target.engine.kind.name(),
        data.target.engine.version.as_deref().unwrap_or(""),
        load_words(&data.load)
    );
    let mut view = View::new().heading(title.replace("  ", " ")).head(document);
    view = view.table(runs_table(&data.runs).top(top));
    if data.runs.len() > 1 {
        view = view.table(aggregate_table(document));
    }
    if let Some(run) = data.runs.iter().rev().find(|run| run.valid).or(data.runs.last()) {
        view = view.table(latency_table(run));
        let errors = run
            .requests
            .errors
            .iter()
            .map(|error| format!("{} × {}", error.count, error.error))
            .collect();
        view = view.list(errors);
        if let Some(slo) = &run.slo {
            let mut table = Table::new(&[
                ("SLO", Align::Left),
                ("observed", Align::Right),
                ("status", Align::Left),
            ]);
            for rule in &slo.rules {
                let status = match (rule.status, rule.requests_needed) {
                    (SloStatus::Passed, _) => "passed".to_owned(),
                    (SloStatus::Failed, _) => "FAILED".to_owned(),
                    (SloStatus::Undecided, Some(needed)) => format!("undecided: needs {needed} requests"),
                    (SloStatus::Undecided, None) => "undecided".to_owned(),
                };
                table.row(vec![rule.rule.clone(), number(rule.observed), status]);
            }
            view = view.table(table);
        }
        view = view.text(client_line(run));
    }
    view.next(document)
}

/// One row a run.
fn runs_table(runs: &[Run]) -> Table {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("ok/sent", Align::Right),
        ("req/s", Align::Right),
        ("output tok/s", Align::Right),
        ("total tok/s", Align::Right),
        ("goodput req/s", Align::Right),
        ("valid", Align::Left),
    ]);
    for run in runs {
        table.row(vec![
            run.run.to_string(),
            format!("{}/{}", run.requests.succeeded, run.requests.sent),
            number(run.throughput.request_rps),
            number(run.throughput.output_tps),
            number(run.throughput.total_tps),
            number(run.throughput.goodput_rps),
            if run.valid {
                "yes".to_owned()
            } else {
                "NO".to_owned()
            },
        ]);
    }
    table
}

fn aggregate_table(document: &Document<ResultData>) -> Table {
    let mut table = Table::new(&[
        ("over runs", Align::Left),
        ("mean", Align::Right),
        ("95 % interval", Align::Left),
        ("cv %", Align::Right),
        ("n", Align::Right),
    ]);
    for (name, estimate) in &document.data.aggregate {
        table.row(vec![
            name.clone(),
            number(Some(estimate.mean)),
            format!("{} to {}", number(estimate.ci_low), number(estimate.ci_high)),
            number(estimate.cv_pct),
            estimate.n.to_string(),
        ]);
    }
    table
}

fn client_line(run: &Run) -> String {
    let client = &run.client;
    format!(
        "client: {}; dispatch lag p99 {} ms, poll delay p99 {} ms, CPU {} % of {} core(s), {} in flight, {} MB resident",
        if client.client_limited {
            "LIMITED"
        } else {
            "not the limit"
        },
        number(client.dispatch_lag_ms.p99),
        number(client.poll_delay_ms.p99),
        number(
            client
                .cpu_share_ratio
                .and_then(|share| contracts::Finite::new(100.0 * share.get()))
        ),
        client.cores.map_or("-".to_owned(), |cores| cores.to_string()),
        number(client.achieved_concurrency),
        client
            .peak_rss_bytes
            .map_or("-".to_owned(), |bytes| (bytes >> 20).to_string()),
    )
}
