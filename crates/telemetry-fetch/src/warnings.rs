//! What could make a reader of a window draw a wrong conclusion.

use std::collections::BTreeMap;

use contracts::Warning;
use contracts::telemetry_fetch::incident::IncidentKind;
use contracts::telemetry_fetch::metric::{MetricKind, MetricRow};
use contracts::telemetry_fetch::source::SourceKind;
use contracts::telemetry_fetch::window::WindowData;

use crate::benchmark::Benchmark;
use crate::fold::gauge::{FEWEST, is_often};
use crate::fold::rows::Folded;
use crate::observed::{Observed, ObservedSource};
use crate::snapshot::no_gpu;

/// A clock that is off by more than this puts the window on the wrong requests.
const MOST_SKEW_MS: i64 = 1000;

/// Tokens of a warm-up beside the measured ones that change no conclusion, percent.
const UNCOUNTED_PCT: f64 = 2.0;

/// Spans of fewer of the requests may be of those that the engine chose to trace.
const LEAST_SPANS: f64 = 0.9;

/// Messages that invalidate the window and have a warning each.
const MOST_INVALIDATING: usize = 5;

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

/// Spans of a part of the requests: what they say is of that part.
fn partial_spans(data: &WindowData, benchmark: Option<&Benchmark>) -> Option<Warning> {
    let source = data
        .sources
        .iter()
        .find(|source| source.kind == SourceKind::Otlp)?;
    let all: u64 = benchmark?.runs.iter().map(|run| run.succeeded).sum();
    let is_part = source.readings > 0 && (source.readings as f64) < LEAST_SPANS * all as f64;
    is_part.then(|| {
        Warning::new(
            "spans-of-a-part",
            format!(
                "spans of {} requests came, of {all} that the benchmark measured: rows of kind `spans` are of those alone",
                source.readings
            ),
        )
    })
}

pub(crate) fn warnings(
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
    warnings.extend(partial_spans(data, benchmark));
    let mut invalidating = 0;
    for incident in &data.incidents {
        let code = match incident.kind {
            IncidentKind::Restart => "engine-restarted",
            IncidentKind::ScrapeFailed => "scrape-failed",
            IncidentKind::Stalled => "readings-stalled",
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
    let is_sparse = |row: &MetricRow| row.kind == MetricKind::Gauge && !is_often(row.count);
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
