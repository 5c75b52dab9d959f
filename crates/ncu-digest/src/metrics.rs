//! `ncu-digest metrics`: every metric whose name matches a pattern, with its parts.

use cli_kit::{Align, Cli as _, DocumentParts, Failure, OutputArgs, Report, Table, View};
use contracts::ncu_digest::metrics::{InstanceRow, KernelMetrics, MetricRow, MetricsData, SCHEMA};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use contracts::{Document, Exit, Finite, NextAction};
use ncu_report::{Kernel, Metric, Value};

use crate::cli::{Args, MetricsArgs};
use crate::error::DigestError;
use crate::{capture, glob, names, read, written};

pub(crate) fn run(args: &MetricsArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let pattern = read::pattern(args.kernel.as_deref())?;
    let (report, input) = read::report(&args.report, args.no_redact)?;
    let kernels = read::wanted(&report, pattern.as_ref(), &input.path)?;
    let kernels: Vec<KernelMetrics> = kernels.into_iter().map(|raw| rows(raw, &args.pattern)).collect();
    let count: usize = kernels.iter().map(|kernel| kernel.metrics.len()).sum();
    if count == 0 {
        return Err(DigestError::NoMetric {
            pattern: args.pattern.clone(),
            report: input.path,
        }
        .into());
    }
    let mut parts = DocumentParts::new(SCHEMA);
    parts.summary = format!(
        "{count} values match `{}` in {} kernels of {}.",
        clean(&args.pattern, 100),
        kernels.len(),
        input.path
    );
    parts.warnings = read::warnings(&report, &input.path);
    parts.next_actions = vec![NextAction::new(
        "what they say",
        &["ncu-digest", &input.path, "--format", "markdown"],
    )];
    parts.inputs.push(input);
    let data = MetricsData {
        report: capture::capture(&report, !args.no_redact),
        pattern: args.pattern.clone(),
        kernels,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = view(&document, output.top);
    Ok(Report::new(&document, view, Exit::Ok))
}

fn rows(raw: &Kernel, pattern: &str) -> KernelMetrics {
    let metrics = raw
        .metrics
        .iter()
        .filter(|(name, _)| glob::is_match(pattern, name));
    KernelMetrics {
        index: raw.index as u64,
        name: names::name(raw),
        metrics: metrics.map(|(name, metric)| row(name, metric)).collect(),
    }
}

fn row(name: &str, metric: &Metric) -> MetricRow {
    let (value, text) = said(metric.value.as_ref());
    MetricRow {
        name: clean(name, FOREIGN_TEXT_CAP),
        value,
        text,
        unit: unit(name, metric),
        instances: metric
            .instances
            .iter()
            .map(|instance| {
                let (value, text) = said(instance.value.as_ref());
                InstanceRow {
                    id: instance.id.as_ref().map(id),
                    value,
                    text,
                }
            })
            .collect(),
    }
}

/// What a CSV says, else what is known of the name: a report stores no units.
fn unit(name: &str, metric: &Metric) -> Option<String> {
    let said = metric.unit.as_deref().map(|unit| clean(unit, FOREIGN_TEXT_CAP));
    said.or_else(|| ncu_report::unit_of(name).map(str::to_owned))
}

fn said(value: Option<&Value>) -> (Option<Finite>, Option<String>) {
    match value {
        Some(Value::Text(text)) => (None, Some(clean(text, FOREIGN_TEXT_CAP))),
        Some(number) => (number.number().and_then(Finite::new), None),
        None => (None, None),
    }
}

/// An address is a whole number beyond what a float holds, so parts are named in text.
fn id(value: &Value) -> String {
    match value {
        Value::Text(text) => clean(text, FOREIGN_TEXT_CAP),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
    }
}

fn view(document: &Document<MetricsData>, top: usize) -> View {
    let mut view = View::new().heading("Metrics").head(document);
    // The longest view is as long as one table, whatever the number of kernels.
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("metric", Align::Left),
        ("value", Align::Right),
        ("unit", Align::Left),
        ("parts", Align::Right),
    ]);
    for kernel in &document.data.kernels {
        for metric in &kernel.metrics {
            let value = match (metric.value, &metric.text) {
                (Some(value), _) => written::plain(value.get()),
                (None, Some(text)) => clean(text, 24),
                (None, None) => "-".to_owned(),
            };
            table.row(vec![
                kernel.index.to_string(),
                clean(&metric.name, 110),
                value,
                metric.unit.clone().unwrap_or_default(),
                metric.instances.len().to_string(),
            ]);
        }
    }
    let kernels = document.data.kernels.iter().take(top.min(10));
    view = view.list(
        kernels
            .map(|kernel| format!("{}: {}", kernel.index, clean(&kernel.name, 90)))
            .collect(),
    );
    view.table(table.top(top.min(40))).next(document)
}
