//! The view of a ranking. Computes nothing.

use cli_kit::{Align, Table, View};
use contracts::gap_decide::ranking::{RankedCandidate, RankingData};
use contracts::{Document, Finite};

/// One table a scenario, then what is in no order.
pub(crate) fn view(document: &Document<RankingData>, top: usize) -> View {
    let data = &document.data;
    let mut view = View::new().heading("ranking").head(document);
    for ranking in &data.scenarios {
        let mut table = Table::new(&[
            ("#", Align::Right),
            ("framework", Align::Left),
            ("candidate", Align::Left),
            ("SLO", Align::Left),
            ("req/s", Align::Right),
            ("out tok/s", Align::Right),
            ("TTFT ms", Align::Right),
            ("TPOT ms", Align::Right),
            ("GPUs", Align::Right),
            ("rows", Align::Right),
        ]);
        for one in &ranking.candidates {
            table.row(cells(one));
        }
        view = view
            .text(format!("scenario {}", ranking.scenario))
            .table(table.top(top));
    }
    if !data.not_ranked.is_empty() {
        let mut table = Table::new(&[
            ("line", Align::Right),
            ("framework", Align::Left),
            ("candidate", Align::Left),
            ("not ranked", Align::Left),
        ]);
        for row in &data.not_ranked {
            table.row(vec![
                row.line.to_string(),
                row.framework.clone(),
                row.candidate.clone(),
                row.reason.clone(),
            ]);
        }
        view = view.table(table.top(top));
    }
    view.next(document)
}

fn cells(one: &RankedCandidate) -> Vec<String> {
    let mean = if one.latency_is_mean { "~" } else { "" };
    vec![
        one.rank.to_string(),
        one.framework.clone(),
        one.candidate.clone(),
        one.slo.name().to_owned(),
        shown(one.request_rps),
        shown(one.output_tps),
        format!("{mean}{}", shown(one.ttft_ms)),
        format!("{mean}{}", shown(one.tpot_ms)),
        one.gpu_count
            .map_or_else(|| "-".to_owned(), |count| count.to_string()),
        one.repeats.to_string(),
    ]
}

fn shown(value: Option<Finite>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", value.get()))
}
