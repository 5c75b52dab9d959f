//! What was observed, as a document.

use std::collections::BTreeSet;

use cli_kit::{Cli as _, DocumentParts, OutputArgs, Report};
use contracts::telemetry_fetch::incident::{Incident, IncidentKind};
use contracts::telemetry_fetch::metric::MetricRow;
use contracts::telemetry_fetch::source::{SourceKind, SourceReport, SourceStatus};
use contracts::telemetry_fetch::window::{RoleDerived, SCHEMA, WindowData, WindowSpan};
use contracts::{Exit, Finite, Warning};

use crate::audit::{Known, Reach, audit};
use crate::benchmark::Benchmark;
use crate::cli::Args;
use crate::clock::Lead;
use crate::fold::derived::{ROLE, Rows, derived};
use crate::fold::rows::{Folded, fold};
use crate::observed::{Observed, ObservedSource};
use crate::plan::WindowPlan;
use crate::source::gpu::Made;
use crate::source::otlp::{self, Received};
use crate::window::Bound;
use crate::{render, summary, warnings};

pub(crate) fn report(plan: &WindowPlan, observed: &Observed, bound: Bound, output: &OutputArgs) -> Report {
    let folded: Vec<Folded> = observed
        .sources
        .iter()
        .map(|source| fold(&source.history))
        .collect();
    let data = data(observed, &folded, bound.benchmark.as_ref());
    let mut parts = DocumentParts::new(SCHEMA);
    parts.complete = !observed.interrupted;
    parts.simulated = observed.engine.simulated;
    parts.inputs.clone_from(&observed.inputs);
    parts.warnings = warnings::warnings(observed, &folded, &data, bound.benchmark.as_ref());
    // A command that failed may not have written its benchmark: then that is what has to be mended.
    let unbound = bound.refused.as_ref().filter(|_| !observed.is_broken_off());
    let unbound = unbound.map(|failure| failure.exit);
    let is_refused = bound.refused.is_some();
    if let Some(failure) = bound.refused {
        let hint = failure.document.hint.map(|hint| format!(": {hint}"));
        let message = format!("{}{}", failure.document.message, hint.unwrap_or_default());
        parts
            .warnings
            .insert(0, Warning::new("benchmark-not-bound", message));
    }
    if let Some(binding) = bound.binding {
        parts.bind(binding);
    }
    parts.summary = summary::summary(&data);
    parts.next_actions = summary::next_actions(&data, plan, observed);
    // What a gate must not let through, whatever else was measured.
    let failed = data.audit.iter().any(|check| check.passed == Some(false))
        || data.incidents.iter().any(|incident| incident.invalidates)
        || observed.is_broken_off()
        || is_refused;
    let exit = match (observed.interrupted, unbound, plan.strict && failed) {
        (true, ..) => Exit::Interrupted,
        (false, Some(exit), _) => exit,
        (false, None, true) => Exit::Undecided,
        (false, None, false) => Exit::Ok,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::window(&document, output.top);
    Report::new(&document, view, exit)
}

fn data(observed: &Observed, folded: &[Folded], benchmark: Option<&Benchmark>) -> WindowData {
    let mut metrics = rows(observed, folded);
    let primary = primary(observed);
    // Two sources that tell of the same requests are not added.
    let counted = counted(primary, &metrics);
    if let Some(spans) = &observed.spans {
        let of_spans = otlp::rows(&spans.ledger, spans.start_at, spans.end_at);
        metrics.extend(of_spans.into_iter().map(|row| (SourceKind::Otlp, row)));
    }
    let gpu = observed.gpu.as_ref().and_then(|gpu| gpu.as_ref().ok());
    let skews = observed
        .sources
        .iter()
        .filter_map(|source| Lead::skew_ms(source.history.leads.iter().copied()));
    let mut engine = observed.engine.facts.clone();
    // Engines are described by the first of them: two of one deployment have pools of their own.
    let began = folded.iter().find(|folded| !folded.attributes.is_empty());
    engine
        .startup_attributes
        .extend(began.into_iter().flat_map(|folded| folded.attributes.clone()));
    let incidents = incidents(observed, folded);
    let profiler = incidents
        .iter()
        .find(|incident| incident.kind == IncidentKind::Profiled);
    let known = Known {
        command: observed.command.as_ref(),
        profiler: profiler.and_then(|incident| incident.sample.as_deref()),
        engine: observed.engine.facts.kind,
        logs: &observed.logs,
        interval: observed.interval,
    };
    WindowData {
        window: WindowSpan {
            start_at: observed.start_at,
            end_at: observed.end_at,
            clock_skew_ms: skews.max_by_key(|skew| skew.unsigned_abs()),
        },
        engine,
        command: observed.command.clone(),
        sources: observed
            .sources
            .iter()
            .zip(folded)
            .map(|(source, folded)| source_report(observed, source, folded))
            .chain(observed.spans.iter().map(spans_report))
            .chain(observed.logs.iter().map(|log| log.source.clone()))
            .collect(),
        gpu: gpu.map(|gpu| gpu.report(&made(benchmark, &counted))),
        derived: derived(Rows(&counted)),
        roles: roles(&counted),
        log_series: observed
            .logs
            .iter()
            .flat_map(|log| log.series.iter().cloned())
            .collect(),
        audit: audit(Rows(&counted), benchmark, &reaches(observed, primary), &known),
        metrics: metrics.into_iter().map(|(_, row)| row).collect(),
        profiles: observed.profiles.clone(),
        contexts: observed.contexts.clone(),
        incidents,
    }
}

/// What the energy of the GPUs went into: of a benchmark what its client received while it measured, so that neither warm-up
/// nor idling is in it.
fn made(benchmark: Option<&Benchmark>, counted: &[MetricRow]) -> Made {
    match benchmark {
        Some(benchmark) => Made::Received {
            tokens: benchmark.runs.iter().map(|run| run.output_tokens as f64).sum(),
            runs: benchmark
                .runs
                .iter()
                .map(|run| (run.start_at, run.end_at))
                .collect(),
        },
        None => Made::Counted(Rows(counted).total("generation_tokens")),
    }
}

/// Kinds of sources that tell of an engine, the one that is closest to it first.
const OF_ENGINES: [SourceKind; 3] = [
    SourceKind::Metrics,
    SourceKind::Graphsignal,
    SourceKind::Prometheus,
];

/// The kind whose rows are counted: several kinds tell of the same requests.
fn primary(observed: &Observed) -> Option<SourceKind> {
    let has = |kind: &SourceKind| {
        let of_kind = |source: &ObservedSource| source.kind == *kind && source.history.len() > 0;
        observed.sources.iter().any(of_kind)
    };
    OF_ENGINES.into_iter().find(has)
}

/// When the sources of the kind that is counted were read, which may be less than the window; the window without one.
fn reaches(observed: &Observed, primary: Option<SourceKind>) -> Vec<Reach<'_>> {
    let of_engines = observed
        .sources
        .iter()
        .filter(|source| Some(source.kind) == primary);
    let reach = |source: &'_ ObservedSource| {
        let at = &source.history.at;
        at.first().copied().zip(at.last().copied())
    };
    let reaches: Vec<Reach<'_>> = of_engines
        .map(|source| Reach {
            source: &source.url,
            span: reach(source),
        })
        .collect();
    if !reaches.is_empty() {
        return reaches;
    }
    vec![Reach {
        source: "the window",
        span: Some((observed.start_at, observed.end_at)),
    }]
}

/// Rows of the kind that is counted.
fn counted(primary: Option<SourceKind>, rows: &[(SourceKind, MetricRow)]) -> Vec<MetricRow> {
    rows.iter()
        .filter(|(kind, _)| Some(*kind) == primary)
        .map(|(_, row)| row.clone())
        .collect()
}

/// Rows of all sources and their kinds; where several have the same metric, a label says whose row it is.
fn rows(observed: &Observed, folded: &[Folded]) -> Vec<(SourceKind, MetricRow)> {
    let alike = |of: &ObservedSource| {
        let is_alike = |source: &&ObservedSource| {
            source.role == of.role && OF_ENGINES.contains(&source.kind) && source.history.len() > 0
        };
        observed.sources.iter().filter(is_alike).count()
    };
    let mut rows = Vec::new();
    for (source, folded) in observed.sources.iter().zip(folded) {
        rows.extend(folded.rows.iter().cloned().map(|mut row| {
            if let Some(role) = &source.role {
                row.labels.insert(ROLE.to_owned(), role.clone());
            }
            if alike(source) > 1 && OF_ENGINES.contains(&source.kind) {
                row.labels.insert("source".to_owned(), source.url.clone());
            }
            (source.kind, row)
        }));
    }
    rows
}

/// What limits each role by itself, and the servers without one beside them; nothing where no server has a role.
fn roles(counted: &[MetricRow]) -> Vec<RoleDerived> {
    let roles: BTreeSet<Option<&String>> = counted.iter().map(|row| row.labels.get(ROLE)).collect();
    let of = |role: Option<&String>| {
        let rows: Vec<MetricRow> = counted
            .iter()
            .filter(|row| row.labels.get(ROLE) == role)
            .cloned()
            .collect();
        RoleDerived {
            role: role.cloned(),
            derived: derived(Rows(&rows)),
        }
    };
    if roles.iter().all(Option::is_none) {
        return Vec::new();
    }
    roles.into_iter().map(of).collect()
}

fn source_report(observed: &Observed, source: &ObservedSource, folded: &Folded) -> SourceReport {
    let whole = observed.end_at.duration_since(observed.start_at).as_secs_f64();
    let history = &source.history;
    let stalled: f64 = history.stalls().iter().map(|(_, seconds)| seconds).sum();
    let mut missing = Vec::new();
    if let Some((_, why)) = source.failures.first() {
        missing.push(format!(
            "{} readings failed, the first: {why}",
            source.failures.len()
        ));
    }
    if history.unreadable_lines > 0 {
        missing.push(format!("{} lines are no samples", history.unreadable_lines));
    }
    SourceReport {
        kind: source.kind,
        role: source.role.clone(),
        url: source.url.clone(),
        status: if missing.is_empty() {
            SourceStatus::Ok
        } else {
            SourceStatus::Partial
        },
        reason: (!missing.is_empty()).then(|| missing.join("; ")),
        readings: history.len() as u64,
        samples: history.samples.iter().sum(),
        coverage_pct: (whole > 0.0)
            .then(|| Finite::ratio((history.span_s() - stalled) * 100.0, whole))
            .flatten(),
        resets: folded.resets.len() as u64,
    }
}

/// Spans as a source: `readings` are requests that ended in the window.
fn spans_report(spans: &Received) -> SourceReport {
    let ledger = &spans.ledger;
    let requests = otlp::count(ledger, spans.start_at, spans.end_at);
    let mut missing = Vec::new();
    if ledger.spans == 0 {
        missing
            .push("no span came: the engine has to send them here, and to have been started so".to_owned());
    } else if requests == 0 {
        missing.push(
            "no span of a request that ended in the window came: wait longer, or compare the clocks"
                .to_owned(),
        );
    }
    if ledger.dropped > 0 {
        missing.push(format!("{} spans found no room", ledger.dropped));
    }
    if ledger.malformed > 0 {
        missing.push(format!(
            "{} messages were no trace requests in protobuf",
            ledger.malformed
        ));
    }
    SourceReport {
        kind: SourceKind::Otlp,
        role: None,
        url: format!("http://{}/v1/traces", spans.address),
        status: if missing.is_empty() {
            SourceStatus::Ok
        } else {
            SourceStatus::Partial
        },
        reason: (!missing.is_empty()).then(|| missing.join("; ")),
        readings: requests as u64,
        samples: ledger.spans,
        coverage_pct: None,
        resets: 0,
    }
}

fn incidents(observed: &Observed, folded: &[Folded]) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for (source, folded) in observed.sources.iter().zip(folded) {
        if let Some(first) = folded.resets.first() {
            let last = folded.resets.last();
            incidents.push(Incident {
                kind: IncidentKind::Restart,
                at: source.history.at[*first],
                last_at: last.map_or(source.history.at[*first], |last| source.history.at[*last]),
                count: folded.resets.len() as u64,
                invalidates: true,
                source: Some(source.url.clone()),
                sample: None,
                message: format!("{} began counting anew: what was behind it restarted", source.url),
            });
        }
        let stalls = source.history.stalls();
        if let (Some((first, _)), Some((last, _))) = (stalls.first(), stalls.last()) {
            let seconds: f64 = stalls.iter().map(|(_, seconds)| seconds).sum();
            incidents.push(Incident {
                kind: IncidentKind::Stalled,
                at: source.history.at[*first],
                last_at: source.history.at[*last + 1],
                invalidates: false,
                source: Some(source.url.clone()),
                sample: None,
                count: stalls.len() as u64,
                message: format!(
                    "{} gave no reading for {seconds:.1} s: it stood still, or took so long to answer; means of gauges are straight lines over that",
                    source.url
                ),
            });
        }
        if let Some((at, why)) = source.failures.first() {
            incidents.push(Incident {
                kind: IncidentKind::ScrapeFailed,
                at: *at,
                last_at: source.failures.last().map_or(*at, |last| last.0),
                invalidates: false,
                source: Some(source.url.clone()),
                sample: None,
                count: source.failures.len() as u64,
                message: why.clone(),
            });
        }
    }
    incidents.extend(observed.logs.iter().flat_map(|log| log.incidents.iter().cloned()));
    incidents.sort_by_key(|incident| (!incident.invalidates, incident.at));
    incidents
}
