//! What was observed, as a document.

use std::collections::{BTreeMap, BTreeSet};

use cli_kit::{Cli as _, DocumentParts, OutputArgs, Report};
use contracts::telemetry_fetch::incident::{Incident, IncidentKind};
use contracts::telemetry_fetch::metric::{MetricKind, MetricRow};
use contracts::telemetry_fetch::source::{SourceKind, SourceReport, SourceStatus};
use contracts::telemetry_fetch::window::{RoleDerived, SCHEMA, WindowData, WindowSpan};
use contracts::{Exit, Finite, Warning};

use crate::audit::{Known, Reach, audit};
use crate::benchmark::Benchmark;
use crate::cli::Args;
use crate::clock::Lead;
use crate::fold::derived::{ROLE, Rows, derived};
use crate::fold::gauge::FEWEST;
use crate::fold::rows::{Folded, fold};
use crate::observed::{Observed, ObservedSource};
use crate::plan::WindowPlan;
use crate::snapshot::no_gpu;
use crate::source::gpu::Made;
use crate::source::otlp::{self, Received};
use crate::window::Bound;
use crate::{render, summary};

/// A clock that is off by more than this puts the window on the wrong requests.
const MOST_SKEW_MS: i64 = 1000;

/// Tokens of a warm-up beside the measured ones that change no conclusion, percent.
const UNCOUNTED_PCT: f64 = 2.0;

/// Messages that invalidate the window and have a warning each.
const MOST_INVALIDATING: usize = 5;

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
    parts.warnings = warnings(observed, &folded, &data, bound.benchmark.as_ref());
    let is_refused = bound.refused.is_some();
    if let Some(why) = bound.refused {
        parts.warnings.push(Warning::new("benchmark-not-bound", why));
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
    let exit = match (observed.interrupted, plan.strict && failed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Undecided,
        (false, false) => Exit::Ok,
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
            .then(|| Finite::ratio(history.span_s() * 100.0, whole))
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
        missing.push(format!("{} messages were no trace requests", ledger.malformed));
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

/// Servers without a role whose counts were added: right of replicas, and twice the truth where a request goes through both.
fn added_up(observed: &Observed) -> Option<Warning> {
    let is_one = |source: &&ObservedSource| source.kind == SourceKind::Metrics && source.role.is_none();
    let servers = observed.sources.iter().filter(is_one).count();
    (servers > 1).then(|| {
        Warning::new(
            "engines-added",
            format!(
                "the counts of {servers} servers are added, as those of replicas; where a request goes through several of them, name their roles: `--url prefill=http://… --url decode=http://…`"
            ),
        )
    })
}

/// Tokens that no document of the client has but pass as those of its warm-up: rates of the window are too high by them.
fn uncounted_tokens(data: &WindowData, benchmark: Option<&Benchmark>) -> Option<Warning> {
    let uncounted: u64 = benchmark?.runs.iter().map(|run| run.warmup + run.failed).sum();
    let what = match uncounted {
        0 => "as much as requests that ask for the length of a prompt explain".to_owned(),
        n => format!("as much as its {n} warm-up or failed requests explain"),
    };
    let check = data.audit.iter().find(|check| check.id == "token_conservation")?;
    let (expected, observed) = (check.expected?.get(), check.observed?.get());
    let above = 100.0 * (observed / expected - 1.0);
    (check.passed == Some(true) && above > UNCOUNTED_PCT).then(|| {
        Warning::new(
            "tokens-uncounted",
            format!(
                "the engine counted {above:.0} % more tokens than the measured requests received, {what}: output_tps of this \
                 window is too high by that; the benchmark has its own"
            ),
        )
    })
}

fn warnings(
    observed: &Observed,
    folded: &[Folded],
    data: &WindowData,
    benchmark: Option<&Benchmark>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let failed = data.audit.iter().filter(|check| check.passed == Some(false));
    warnings.extend(failed.map(|check| {
        Warning::new(
            format!("audit-{}", check.id.replace('_', "-")),
            check.message.clone(),
        )
    }));
    warnings.extend(uncounted_tokens(data, benchmark));
    warnings.extend(added_up(observed));
    let mut invalidating = 0;
    for incident in &data.incidents {
        let code = match incident.kind {
            IncidentKind::Restart => "engine-restarted",
            IncidentKind::ScrapeFailed => "scrape-failed",
            // One warning a message: the incidents have the others.
            _ if incident.invalidates => {
                invalidating += 1;
                if invalidating > MOST_INVALIDATING {
                    continue;
                }
                "window-invalidated"
            }
            _ => continue,
        };
        warnings.push(Warning::new(
            code,
            format!("{} time(s): {}", incident.count, incident.message),
        ));
    }
    if invalidating > MOST_INVALIDATING {
        let more = invalidating - MOST_INVALIDATING;
        warnings.push(Warning::new(
            "window-invalidated",
            format!("{more} more kinds of messages invalidate the window: `data.incidents` has them"),
        ));
    }
    warnings.extend(observed.logs.iter().flat_map(|log| log.warnings.iter().cloned()));
    if let Some(command) = &data.command
        && command.exit_code != Some(0)
    {
        let how = command
            .exit_code
            .map_or("was ended by a signal".to_owned(), |code| {
                format!("ended with {code}")
            });
        warnings.push(Warning::new(
            "command-failed",
            format!("the command {how}: what the engine did meanwhile may be no benchmark"),
        ));
    }
    if let Some(skew) = data.window.clock_skew_ms.filter(|skew| skew.abs() > MOST_SKEW_MS) {
        warnings.push(Warning::new(
            "clocks-differ",
            format!("a server's clock is {skew} ms ahead of ours; times here are ours"),
        ));
    }
    warnings.extend(observed.notes.iter().cloned());
    for (name, value) in folded.iter().flat_map(|folded| &folded.no_ratios) {
        warnings.push(Warning::new(
            "ratio-out-of-range",
            format!("{name} is {value}, and a ratio is 0 to 1: it is left out, as nobody knows which of the two is meant"),
        ));
    }
    let stale: BTreeMap<&str, f64> = data
        .metrics
        .iter()
        .filter(|row| row.stale == Some(true))
        .filter_map(|row| Some((row.id.as_str(), row.value?.get())))
        .collect();
    for (id, value) in stale {
        warnings.push(Warning::new(
            "gauge-stale",
            format!("{id} was {value} at every reading while requests ended: it may not be written any more"),
        ));
    }
    if let Some(Err(why)) = &observed.gpu {
        warnings.push(no_gpu(why));
    }
    if let Some(gpu) = &data.gpu
        && gpu.foreign_process == Some(true)
    {
        let all = gpu
            .devices
            .iter()
            .flat_map(|device| device.processes.iter().flatten());
        let foreign: Vec<String> = all
            .filter(|process| process.foreign == Some(true))
            .take(5)
            .map(|process| format!("{} ({})", process.pid, process.name.as_deref().unwrap_or("?")))
            .collect();
        warnings.push(Warning::new(
            "gpu-foreign-process",
            format!(
                "other processes were on the GPUs: {}; the benchmark is contaminated",
                foreign.join(", ")
            ),
        ));
    }
    let spans = data
        .sources
        .iter()
        .filter(|source| source.kind == SourceKind::Otlp);
    warnings.extend(spans.filter_map(|source| Some(Warning::new("spans-missing", source.reason.clone()?))));
    let is_sparse = |row: &MetricRow| {
        row.kind == MetricKind::Gauge && row.count.is_some_and(|readings| readings < FEWEST as u64)
    };
    if data.metrics.iter().any(is_sparse) {
        warnings.push(Warning::new(
            "gauges-few-readings",
            format!(
                "gauges were read fewer than {FEWEST} times, which makes no mean: run the benchmark as `-- COMMAND…` inside the window, with a shorter --interval where it is short"
            ),
        ));
    }
    if data.metrics.is_empty() && data.contexts.is_empty() && !observed.sources.is_empty() {
        warnings.push(Warning::new(
            "nothing-recognised",
            "no metric of the vocabulary is among the samples: the exporter is of no engine that is known here",
        ));
    }
    warnings
}
