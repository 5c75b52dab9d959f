//! What people see of the documents. Nothing is computed here.

use std::collections::BTreeMap;

use cli_kit::{Align, Table, View};
use contracts::config_search::report::ReportData;
use contracts::config_search::validation::ValidationData;
use contracts::{Document, Finite};
use serde_json::Value;

/// Widest cell of flags.
const FLAGS_WIDTH: usize = 44;
/// Widest cell of a reason.
const REASON_WIDTH: usize = 40;
/// Most rows of the smaller tables.
const FEW: usize = 8;

fn number(value: Finite) -> String {
    let value = value.get();
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".to_owned())
}

fn flags(params: &BTreeMap<String, Value>) -> String {
    if params.is_empty() {
        return "(baseline)".to_owned();
    }
    let words: Vec<String> = params
        .iter()
        .map(|(flag, value)| match value {
            Value::Bool(true) => flag.clone(),
            Value::String(text) => format!("{flag} {text}"),
            value => format!("{flag} {value}"),
        })
        .collect();
    contracts::text::clean(&words.join(" "), FLAGS_WIDTH)
}

fn effort(data: &ReportData) -> Table {
    let mut table = Table::new(&[
        ("framework", Align::Left),
        ("trials", Align::Right),
        ("full", Align::Right),
        ("screens", Align::Right),
        ("failed", Align::Right),
        ("wall s", Align::Right),
        ("GPU s", Align::Right),
    ]);
    for effort in &data.effort {
        table.row(vec![
            effort.framework.clone(),
            effort.trials.to_string(),
            effort.measured_full.to_string(),
            effort.screens.to_string(),
            effort.failed.to_string(),
            number(effort.wall_s),
            number(effort.gpu_s),
        ]);
    }
    table
}

fn best(data: &ReportData, top: usize) -> Table {
    let metric = data.metric.as_str();
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("candidate", Align::Left),
        (metric, Align::Right),
        ("baseline", Align::Right),
        ("gain %", Align::Right),
        ("n", Align::Right),
        ("flags", Align::Left),
    ]);
    for best in &data.best {
        table.row(vec![
            best.scenario.clone(),
            best.candidate.clone(),
            number(best.value),
            or_dash(best.baseline.map(number)),
            or_dash(best.gain_pct.map(|gain| format!("{:+.1}", gain.get()))),
            best.repeats.to_string(),
            flags(&best.params),
        ]);
    }
    table.top(top)
}

/// Where a search stands.
pub(crate) fn status(document: &Document<ReportData>, top: usize) -> View {
    View::new()
        .heading("Search")
        .head(document)
        .table(effort(&document.data))
        .heading("Best so far, as searched")
        .table(best(&document.data, top.min(FEW)))
        .next(document)
}

/// What a search found.
pub(crate) fn report(document: &Document<ReportData>, top: usize) -> View {
    let data = &document.data;
    let few = top.min(FEW);
    let mut view = View::new()
        .heading("Search")
        .head(document)
        .table(effort(data))
        .heading("Best, as searched")
        .table(best(data, top.min(12)));
    let mut coverage = Table::new(&[
        ("framework", Align::Left),
        ("family", Align::Left),
        ("tried", Align::Right),
        ("measured", Align::Right),
    ]);
    for family in &data.coverage {
        coverage.row(vec![
            family.framework.clone(),
            family.family.clone(),
            family.tried.to_string(),
            family.measured.to_string(),
        ]);
    }
    view = view
        .heading("Mechanism families")
        .table(coverage.top(top.min(16)));
    if !data.pareto.is_empty() {
        let mut table = Table::new(&[
            ("scenario", Align::Left),
            ("candidate", Align::Left),
            ("output tok/s", Align::Right),
            ("p50 TTFT ms", Align::Right),
        ]);
        for point in &data.pareto {
            table.row(vec![
                point.scenario.clone(),
                point.candidate.clone(),
                number(point.output_tps),
                number(point.p50_ttft_ms),
            ]);
        }
        view = view.heading("Throughput against latency").table(table.top(few));
    }
    if !data.failed.is_empty() {
        let mut table = Table::new(&[
            ("candidate", Align::Left),
            ("code", Align::Left),
            ("reason", Align::Left),
        ]);
        for failed in &data.failed {
            table.row(vec![
                failed.candidate.clone(),
                failed.reason_code.clone(),
                contracts::text::clean(&failed.reason, REASON_WIDTH),
            ]);
        }
        view = view.heading("Without a result").table(table.top(few));
    }
    if !data.causes.is_empty() {
        let lines = data.causes.iter().take(few).map(|cause| {
            format!(
                "{}: {} explains {} failures (belief {:.2})",
                cause.framework,
                cause.condition,
                cause.failures,
                cause.belief_ratio.get()
            )
        });
        view = view.heading("Causes").list(lines.collect());
    }
    if let Some(confirmation) = &data.confirmation {
        view = view.heading("Confirmation").text(format!(
            "{} against its baseline, interleaved: {}",
            confirmation.candidate,
            confirmation.verdict.as_deref().unwrap_or("no verdict")
        ));
        let mut table = Table::new(&[
            ("scenario", Align::Left),
            ("verdict", Align::Left),
            ("effect [interval] %", Align::Right),
            ("pairs", Align::Right),
        ]);
        let judged = confirmation.comparisons.iter().filter(|of| of.verdict.is_some());
        for of in judged {
            let pct =
                |value: Option<Finite>| value.map_or("-".to_owned(), |value| format!("{:+.1}", value.get()));
            table.row(vec![
                of.scenario.clone(),
                of.verdict.clone().unwrap_or_default(),
                format!(
                    "{} [{}, {}]",
                    pct(of.effect_pct),
                    pct(of.ci_low_pct),
                    pct(of.ci_high_pct)
                ),
                of.pairs.map_or("-".to_owned(), |pairs| pairs.to_string()),
            ]);
        }
        if confirmation.comparisons.iter().any(|of| of.verdict.is_some()) {
            view = view.table(table.top(few));
        }
    }
    view.next(document)
}

/// Plans that were checked.
pub(crate) fn validation(document: &Document<ValidationData>, top: usize) -> View {
    let mut view = View::new().heading("Plans").head(document);
    for plan in document.data.plans.iter().take(FEW) {
        view = view.heading(contracts::text::clean(&plan.path, 90));
        let problems = plan.problems.iter().take(top.min(12)).map(|problem| {
            let of = problem
                .of
                .as_deref()
                .map(|of| format!("{of}: "))
                .unwrap_or_default();
            format!("{}: {of}{}; {}", problem.code, problem.message, problem.hint)
        });
        view = view.list(problems.collect());
        let mut table = Table::new(&[
            ("framework", Align::Left),
            ("configurations", Align::Right),
            ("families", Align::Right),
            ("help checked", Align::Left),
        ]);
        for framework in &plan.frameworks {
            table.row(vec![
                framework.framework.clone(),
                framework.configurations.to_string(),
                framework.families.len().to_string(),
                if framework.help_checked { "yes" } else { "no" }.to_owned(),
            ]);
        }
        view = view.table(table);
        for framework in plan.frameworks.iter().take(4) {
            if let Some(baseline) = framework.candidates.first() {
                view = view.list(vec![format!(
                    "{}: {}",
                    framework.framework,
                    contracts::text::clean(&cli_kit::shell_words(&baseline.argv), 600)
                )]);
            }
        }
    }
    view.next(document)
}
