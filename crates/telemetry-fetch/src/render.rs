//! Views of the documents. They show, and compute nothing.

use cli_kit::{Align, Table, View};
use contracts::telemetry_fetch::context::ForeignContext;
use contracts::telemetry_fetch::gpu::{GpuReport, GpuSeries};
use contracts::telemetry_fetch::metric::{MetricKind, MetricRow};
use contracts::telemetry_fetch::profile::ProfileRow;
use contracts::telemetry_fetch::snapshot::SnapshotData;
use contracts::telemetry_fetch::window::{Derived, WindowData};
use contracts::text::clean;
use contracts::{Document, Finite};
use serde_json::Value;

/// Longest message of a row.
const MESSAGE_CAP: usize = 100;
/// Longest name of a function of a row.
const FUNCTION_CAP: usize = 80;
/// Longest beginning of a context.
const CONTEXT_CAP: usize = 300;
/// A bucket is wide whose upper bound is more than this many times the lower one.
const WIDE: f64 = 1.25;
/// Longest label text of a row.
const LABELS_CAP: usize = 40;

pub(crate) fn snapshot(document: &Document<SnapshotData>, top: usize) -> View {
    let mut sources = Table::new(&[
        ("source", Align::Left),
        ("samples", Align::Right),
        ("read at", Align::Left),
    ]);
    for source in &document.data.sources {
        sources.row(vec![
            source.url.clone(),
            source.samples.to_string(),
            source.read_at.to_string(),
        ]);
    }
    View::new().head(document).table(sources.top(top)).next(document)
}

/// Most bytes of a view, whatever was found: rows are given up first.
const BUDGET: usize = 8 * 1024;
/// Rows that are never given up.
const FEWEST_ROWS: usize = 3;

pub(crate) fn window(document: &Document<WindowData>, top: usize) -> View {
    let fits = |rows: usize| {
        let view = window_of_rows(document, rows);
        usize::max(view.to_markdown().len(), view.to_terminal().len()) < BUDGET
    };
    // As many as fit: a row has a byte at least, so that more than the budget never do.
    let (mut least, mut most) = (FEWEST_ROWS, top.min(BUDGET));
    while least < most {
        let rows = most - (most - least) / 2;
        if fits(rows) {
            least = rows;
        } else {
            most = rows - 1;
        }
    }
    window_of_rows(document, least.min(top))
}

fn window_of_rows(document: &Document<WindowData>, top: usize) -> View {
    let data = &document.data;
    let mut view = View::new()
        .head(document)
        .heading("What limits")
        .table(limits(data));
    if !data.audit.is_empty() {
        view = view
            .heading("Checks")
            .table(checks(data).top(top))
            .list(undecided(data));
    }
    if !data.incidents.is_empty() {
        view = view.heading("Incidents").table(incidents(data).top(top));
    }
    if let Some(gpu) = &data.gpu {
        view = view
            .heading("GPU")
            .table(gpu_verdicts(gpu))
            .table(gpus(gpu).top(top));
    }
    if !data.metrics.is_empty() {
        view = view
            .heading("Metrics of the window")
            .table(metrics(&data.metrics).top(top));
    }
    if !data.log_series.is_empty() {
        view = view.heading("Numbers of the logs").table(series(data).top(top));
    }
    if !data.profiles.is_empty() {
        view = view
            .heading("Functions of the window")
            .table(profiles(&data.profiles).top(top));
    }
    if !data.contexts.is_empty() {
        view = view
            .heading("What sources say in their own form")
            .table(contexts(&data.contexts).top(top));
    }
    view.heading("Sources")
        .table(sources(data).top(top))
        .next(document)
}

/// Name of the servers without a role, which no role can have.
pub(crate) const NO_ROLE: &str = "(no role)";

/// One column of values, or one of each role.
fn limits(data: &WindowData) -> Table {
    let columns: Vec<(&str, &Derived)> = if data.roles.is_empty() {
        vec![("value", &data.derived)]
    } else {
        data.roles
            .iter()
            .map(|role| (role.role.as_deref().unwrap_or(NO_ROLE), &role.derived))
            .collect()
    };
    let heads = columns.iter().map(|(name, _)| (*name, Align::Right));
    let heads: Vec<(&str, Align)> = [("what", Align::Left)].into_iter().chain(heads).collect();
    let mut table = Table::new(&heads);
    let values: Vec<_> = columns.iter().map(|(_, derived)| named(derived)).collect();
    for (index, (what, _)) in named(&data.derived).into_iter().enumerate() {
        let cells: Vec<Option<Finite>> = values.iter().map(|values| values[index].1).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(number);
            table.row([what.to_owned()].into_iter().chain(cells).collect());
        }
    }
    table
}

/// What limits, the most telling first.
fn named(derived: &Derived) -> [(&'static str, Option<Finite>); 14] {
    [
        ("preemptions", derived.preemptions),
        ("kv_usage_max", derived.kv_usage_max),
        ("mean_waiting", derived.mean_waiting),
        ("mean_running", derived.mean_running),
        ("running_max", derived.running_max),
        ("queue_share_ratio", derived.queue_share_ratio),
        ("scheduler_share_ratio", derived.scheduler_share_ratio),
        ("scheduler_idle_ratio", derived.scheduler_idle_ratio),
        ("prefix_hit_ratio", derived.prefix_hit_ratio),
        ("spec_accept_ratio", derived.spec_accept_ratio),
        ("server_tpot_ms", derived.server_tpot_ms),
        ("output_tps", derived.output_tps),
        ("input_tps", derived.input_tps),
        ("request_rps", derived.request_rps),
    ]
}

fn gpu_verdicts(gpu: &GpuReport) -> Table {
    let mut table = Table::new(&[("what", Align::Left), ("value", Align::Right)]);
    let foreign = match gpu.foreign_process {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    table.row(vec!["foreign_process".to_owned(), foreign.to_owned()]);
    for (what, value) in [
        ("clock_drop_pct", gpu.clock_drop_pct),
        ("power_capped_ratio", gpu.power_capped_ratio),
        ("energy_per_output_token_j", gpu.energy_per_output_token_j),
    ] {
        table.row(vec![what.to_owned(), number(value)]);
    }
    table
}

fn gpus(gpu: &GpuReport) -> Table {
    let mut table = Table::new(&[
        ("GPU", Align::Left),
        ("busy %", Align::Right),
        ("power W", Align::Right),
        ("limit W", Align::Right),
        ("SM MHz", Align::Right),
        ("max °C", Align::Right),
        ("least free MiB", Align::Right),
    ]);
    let mean = |series: Option<GpuSeries>| number(series.map(|series| series.mean));
    for device in &gpu.devices {
        let name = device.name.as_deref().unwrap_or("?");
        table.row(vec![
            format!("{} {}", device.index, contracts::text::clean(name, LABELS_CAP)),
            mean(device.utilization_pct),
            number(device.energy_power_w.or(device.power_w.map(|power| power.mean))),
            number(device.power_limit_w),
            mean(device.sm_clock_mhz),
            number(device.temperature_c.map(|degrees| degrees.max)),
            device
                .mem_headroom_min_bytes
                .map_or("-".to_owned(), |bytes| (bytes >> 20).to_string()),
        ]);
    }
    table
}

fn checks(data: &WindowData) -> Table {
    let mut table = Table::new(&[
        ("check", Align::Left),
        ("passed", Align::Left),
        ("expected", Align::Right),
        ("observed", Align::Right),
        ("unit", Align::Left),
    ]);
    for check in &data.audit {
        let passed = match check.passed {
            Some(true) => "yes",
            Some(false) => "no",
            None => "undecided",
        };
        table.row(vec![
            check.id.clone(),
            passed.to_owned(),
            number(check.expected),
            number(check.observed),
            check.unit.clone(),
        ]);
    }
    table
}

/// Why checks are undecided; of those that failed the warnings tell.
fn undecided(data: &WindowData) -> Vec<String> {
    let open = data.audit.iter().filter(|check| check.passed.is_none());
    open.map(|check| {
        format!(
            "{}: {}",
            check.id,
            contracts::text::clean(&check.message, 2 * MESSAGE_CAP)
        )
    })
    .collect()
}

fn incidents(data: &WindowData) -> Table {
    let mut table = Table::new(&[
        ("incident", Align::Left),
        ("count", Align::Right),
        ("first", Align::Left),
        ("invalidates", Align::Left),
        ("message", Align::Left),
    ]);
    for incident in &data.incidents {
        let kind = serde_json::to_value(incident.kind).ok();
        table.row(vec![
            kind.as_ref()
                .and_then(|kind| kind.as_str())
                .unwrap_or_default()
                .to_owned(),
            incident.count.to_string(),
            incident.at.strftime("%H:%M:%SZ").to_string(),
            if incident.invalidates { "yes" } else { "no" }.to_owned(),
            contracts::text::clean(&incident.message, MESSAGE_CAP),
        ]);
    }
    table
}

fn series(data: &WindowData) -> Table {
    let mut table = Table::new(&[
        ("number", Align::Left),
        ("mean", Align::Right),
        ("min", Align::Right),
        ("max", Align::Right),
        ("lines", Align::Right),
        ("unit", Align::Left),
    ]);
    for series in &data.log_series {
        let name = match &series.rank {
            Some(rank) => format!("{} {rank}", series.id),
            None => series.id.clone(),
        };
        table.row(vec![
            name,
            short(series.mean),
            short(series.min),
            short(series.max),
            series.lines.to_string(),
            series.unit.clone(),
        ]);
    }
    table
}

fn metrics(rows: &[MetricRow]) -> Table {
    let mut table = Table::new(&[
        ("metric", Align::Left),
        ("value", Align::Right),
        ("p50", Align::Right),
        ("p95", Align::Right),
        ("n", Align::Right),
        ("unit", Align::Left),
    ]);
    for row in rows {
        table.row(vec![
            name(row),
            number(row.value),
            quantile(row, 0.5),
            quantile(row, 0.95),
            row.count.map_or("-".to_owned(), |count| count.to_string()),
            row.unit.clone(),
        ]);
    }
    table
}

fn name(row: &MetricRow) -> String {
    if row.kind == MetricKind::Spans {
        // The engine's own counters have a row of the same id.
        return format!("{} (spans)", row.id);
    }
    if row.labels.is_empty() {
        return row.id.clone();
    }
    let labels: Vec<String> = row
        .labels
        .iter()
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    format!(
        "{} {}",
        row.id,
        contracts::text::clean(&labels.join(","), LABELS_CAP)
    )
}

/// A quantile of a histogram with the bucket that it lies in; of a wide bucket nothing but its bounds, since where in it
/// the quantile lies is a guess.
fn quantile(row: &MetricRow, q: f64) -> String {
    let Some(found) = row.quantiles.iter().find(|quantile| quantile.q.get() == q) else {
        return "-".to_owned();
    };
    match (row.kind, found.hi) {
        (MetricKind::Histogram, Some(hi)) if hi.get() > WIDE * found.lo.get() => {
            format!("{}..{}", short(found.lo), short(hi))
        }
        (MetricKind::Histogram, Some(hi)) => {
            format!("{} [{}, {}]", short(found.value), short(found.lo), short(hi))
        }
        (MetricKind::Histogram, None) => format!(">= {}", short(found.lo)),
        _ => short(found.value),
    }
}

fn profiles(rows: &[ProfileRow]) -> Table {
    let mut table = Table::new(&[
        ("function", Align::Left),
        ("calls", Align::Right),
        ("total ms", Align::Right),
        ("mean us", Align::Right),
        ("share", Align::Right),
    ]);
    for row in rows {
        table.row(vec![
            clean(&row.function, FUNCTION_CAP),
            row.calls.map_or("-".to_owned(), |calls| calls.to_string()),
            format!("{:.2}", row.total_ns as f64 / 1e6),
            row.mean_ns
                .map_or("-".to_owned(), |mean| format!("{:.1}", mean.get() / 1e3)),
            number(row.share),
        ]);
    }
    table
}

/// Only its beginning: the document has the whole.
fn contexts(all: &[ForeignContext]) -> Table {
    let mut table = Table::new(&[("part", Align::Left), ("begins with", Align::Left)]);
    for context in all {
        let text = match &context.content {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        table.row(vec![context.part.clone(), clean(&text, CONTEXT_CAP)]);
    }
    table
}

fn sources(data: &WindowData) -> Table {
    let mut table = Table::new(&[
        ("source", Align::Left),
        ("readings", Align::Right),
        ("samples", Align::Right),
        ("coverage %", Align::Right),
        ("resets", Align::Right),
    ]);
    for source in &data.sources {
        table.row(vec![
            source.url.clone(),
            source.readings.to_string(),
            source.samples.to_string(),
            number(source.coverage_pct),
            source.resets.to_string(),
        ]);
    }
    table
}

fn number(value: Option<Finite>) -> String {
    value.map_or("-".to_owned(), short)
}

/// Four digits are more than any of these numbers deserves.
fn short(value: Finite) -> String {
    let value = value.get();
    match value.abs() {
        size if size == 0.0 || size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
