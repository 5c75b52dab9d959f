//! The view of a decision. Computes nothing.

use cli_kit::{Align, Table, View};
use contracts::gap_decide::decision::{DecisionData, ScenarioVerdict};
use contracts::{Document, Finite};

/// Decision and summary, one row a scenario, reasons, warnings, next commands: what decides comes first.
pub(crate) fn view(document: &Document<DecisionData>, top: usize) -> View {
    let data = &document.data;
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("against", Align::Left),
        ("verdict", Align::Left),
        ("effect [interval] %", Align::Right),
        ("pairs", Align::Right),
        ("needs", Align::Right),
        ("cv %", Align::Right),
    ]);
    for row in &data.scenarios {
        table.row(cells(row));
    }
    let mut view = View::new()
        .heading(format!("{}: {}", data.decision.name(), data.metric))
        .text(document.summary.clone());
    if document.simulated {
        view = view.text("SIMULATED: a simulated engine answered; never compare with a real one.");
    }
    view = view.table(table.top(top));
    if data.scenarios.len() > 1 {
        let geomean = &data.geomean;
        view = view.text(format!(
            "geometric mean over {} scenarios: {} % {}",
            data.scenarios.len(),
            signed(geomean.effect_pct),
            interval(geomean.ci_low_pct, geomean.ci_high_pct)
        ));
    }
    // A single reason stands in the summary already.
    let reasons = if data.reasons.len() > 1 {
        &data.reasons[..data.reasons.len().min(top.max(1))]
    } else {
        &[]
    };
    view.list(reasons.to_vec())
        .list(
            document
                .warnings
                .iter()
                .map(|warning| format!("warning[{}]: {}", warning.code, warning.message))
                .collect(),
        )
        .next(document)
}

fn cells(row: &ScenarioVerdict) -> Vec<String> {
    let provisional = if row.provisional { " (provisional)" } else { "" };
    vec![
        row.scenario.clone(),
        row.best_other.name.clone(),
        format!("{}{provisional}", row.verdict.name()),
        format!(
            "{} {}",
            signed(row.effect_pct),
            interval(row.ci_low_pct, row.ci_high_pct)
        ),
        row.pairs.to_string(),
        row.repeats_needed
            .map_or_else(|| "-".to_owned(), |pairs| pairs.to_string()),
        format!(
            "{}/{}",
            plain(row.noise_cv_ours_pct),
            plain(row.noise_cv_other_pct)
        ),
    ]
}

fn signed(value: Option<Finite>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:+.2}", value.get()))
}

fn plain(value: Option<Finite>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", value.get()))
}

fn interval(low: Option<Finite>, high: Option<Finite>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("[{:+.2}, {:+.2}]", low.get(), high.get()),
        _ => "-".to_owned(),
    }
}
