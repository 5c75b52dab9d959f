//! `telemetry-fetch snapshot`, and reading two of them back.

use std::path::Path;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::telemetry_fetch::snapshot::{SCHEMA, SnapshotData, SnapshotSource};
use contracts::telemetry_fetch::source::{SourceKind, SourceStatus};
use contracts::{Exit, Warning};
use engine_client::{Endpoint, Headers};
use jiff::Timestamp;

use crate::beside::{self, Graphsignal};
use crate::cli::{Args, SnapshotArgs};
use crate::clock::Lead;
use crate::engine::{self, Known, Server};
use crate::error::TelemetryError;
use crate::fold::rows::fold;
use crate::history::History;
use crate::observed::{Observed, ObservedSource};
use crate::render;
use crate::source::gpu::{GpuFold, Owners, read_once};
use crate::source::graphsignal::GraphsignalError;
use crate::source::graphsignal::local::{Local, Payload};
use crate::source::graphsignal::signals::{self, Answered};
use crate::source::metrics::{self, MetricsSource, reading, without_controls};

pub(crate) fn run(args: &SnapshotArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let local = match args.graphsignal.as_deref().map(Graphsignal::of).transpose()? {
        Some(Graphsignal::Api(_)) => return Err(TelemetryError::SnapshotOfApi.into()),
        Some(Graphsignal::Local(local)) => Some(local),
        None => None,
    };
    let (servers, headers) = if args.servers.url.is_empty() && local.is_some() {
        (Vec::new(), Headers::new())
    } else {
        engine::servers(&args.servers)?
    };
    let (known, sources) = engine::runtime()?.block_on(read(&servers, &headers, local.as_ref()))?;
    let endpoints: Vec<Endpoint> = servers.iter().map(|server| server.endpoint.clone()).collect();
    let gpu = args.gpu.then(|| read_once(Owners::find(&endpoints).0));
    let samples: u64 = sources.iter().map(|source| source.samples).sum();
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = known.simulated;
    parts.summary = format!(
        "{samples} samples of {}; the next snapshot of the same URLs ends the window.",
        sources
            .iter()
            .map(|source| source.url.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    let data = SnapshotData {
        engine: known.facts,
        sources,
        gpu: gpu.and_then(|gpu| gpu.map_err(|why| parts.warnings.push(no_gpu(&why))).ok()),
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::snapshot(&document, output.top);
    Ok(Report::new(&document, view, Exit::Ok))
}

async fn read(
    servers: &[Server],
    headers: &Headers,
    local: Option<&Local>,
) -> Result<(Known, Vec<SnapshotSource>), TelemetryError> {
    let mut known = engine::nobody(None);
    let mut sources = Vec::new();
    for Server { endpoint, role } in servers {
        let (source, payload) = MetricsSource::open(endpoint, headers).await?;
        if source.kind == SourceKind::Metrics {
            known.join(engine::ask(endpoint, headers, &source).await);
        }
        let text = without_controls(&payload.text);
        let payload = metrics::Payload { text, ..payload };
        let read = reading(&payload);
        sources.push(SnapshotSource {
            kind: source.kind,
            role: role.clone(),
            url: source.url(),
            status: if read.unreadable_lines == 0 {
                SourceStatus::Ok
            } else {
                SourceStatus::Partial
            },
            samples: read.samples,
            unreadable_lines: read.unreadable_lines,
            read_at: payload.at,
            clock_lead_min_ms: payload.lead.map(|lead| lead.min_ms),
            clock_lead_max_ms: payload.lead.map(|lead| lead.max_ms),
            exposition: payload.text,
        });
    }
    if let Some(local) = local {
        let Payload { text, answered } = local.read().await?;
        known.facts.kind = known.facts.kind.or_else(|| signals::engine(&answered.signals));
        sources.push(SnapshotSource {
            kind: SourceKind::Graphsignal,
            role: None,
            url: local.url(),
            status: SourceStatus::Ok,
            samples: answered.samples,
            unreadable_lines: 0,
            read_at: answered.at,
            clock_lead_min_ms: answered.lead.map(|lead| lead.min_ms),
            clock_lead_max_ms: answered.lead.map(|lead| lead.max_ms),
            exposition: without_controls(&text),
        });
    }
    let mut history = History::default();
    if let Some(first) = sources.iter().find(|source| source.kind == SourceKind::Metrics) {
        history.push(reading(&payload_of(first)));
    }
    known.facts.startup_attributes = fold(&history).attributes;
    Ok((known, sources))
}

/// The GPUs of two snapshots; none when neither has them.
fn both_gpus(first: &SnapshotData, second: &SnapshotData) -> Option<Result<GpuFold, String>> {
    match (&first.gpu, &second.gpu) {
        (Some(first), Some(second)) => {
            let mut fold = GpuFold::default();
            fold.add(first);
            fold.add(second);
            Some(Ok(fold))
        }
        (None, None) => None,
        _ => Some(Err("only one of the two snapshots has them".to_owned())),
    }
}

/// What is said when the GPUs cannot be read, which the rest does not suffer from.
pub(crate) fn no_gpu(why: &str) -> Warning {
    Warning::new("gpu-unavailable", format!("no GPU is read: {why}"))
}

fn payload_of(source: &SnapshotSource) -> metrics::Payload {
    metrics::Payload {
        text: source.exposition.clone(),
        at: source.read_at,
        lead: lead_of(source),
    }
}

fn lead_of(source: &SnapshotSource) -> Option<Lead> {
    let lead = source.clock_lead_min_ms.zip(source.clock_lead_max_ms);
    lead.map(|(min_ms, max_ms)| Lead { min_ms, max_ms })
}

/// The window between two snapshots.
///
/// # Errors
/// Exit 3: no snapshots, or two that are no pair.
pub(crate) fn pair(before: &Path, after: &Path) -> Result<Observed, Failure> {
    let before = cli_kit::load_document::<SnapshotData>(before, SCHEMA)?;
    let after = cli_kit::load_document::<SnapshotData>(after, SCHEMA)?;
    let (first, second) = (&before.document.data, &after.document.data);
    let urls = |data: &SnapshotData| {
        data.sources
            .iter()
            .map(|source| source.url.clone())
            .collect::<Vec<_>>()
    };
    if urls(first) != urls(second) || first.sources.is_empty() {
        let said = |data| contracts::text::clean(&urls(data).join(", "), 300);
        return Err(TelemetryError::SnapshotsDiffer {
            before: said(first),
            after: said(second),
        }
        .into());
    }
    let moments = |data: &SnapshotData| {
        data.sources
            .iter()
            .map(|source| source.read_at)
            .collect::<Vec<Timestamp>>()
    };
    let start_at = moments(first).into_iter().min().expect("a snapshot has a source");
    let end_at = moments(second)
        .into_iter()
        .max()
        .expect("a snapshot has a source");
    let engine = Known {
        facts: second.engine.clone(),
        simulated: before.document.simulated || after.document.simulated,
    };
    let mut observed = Observed {
        gpu: both_gpus(first, second),
        inputs: vec![before.input, after.input],
        ..Observed::of(engine, start_at, end_at)
    };
    for (one, two) in first.sources.iter().zip(&second.sources) {
        if one.read_at >= two.read_at {
            return Err(TelemetryError::SnapshotsReversed {
                before: one.read_at,
                after: two.read_at,
            }
            .into());
        }
        if one.kind == SourceKind::Graphsignal {
            let answers = [signals_of(one)?, signals_of(two)?];
            beside::add_local(one.url.clone(), &answers, Vec::new(), &mut observed);
            continue;
        }
        let mut history = History::default();
        history.push(reading(&payload_of(one)));
        history.push(reading(&payload_of(two)));
        observed.sources.push(ObservedSource {
            kind: one.kind,
            role: one.role.clone(),
            url: one.url.clone(),
            history,
            failures: Vec::new(),
        });
    }
    Ok(observed)
}

fn signals_of(source: &SnapshotSource) -> Result<Answered, TelemetryError> {
    let signals = signals::parse(&source.exposition).ok_or_else(|| GraphsignalError::NoSignals {
        url: source.url.clone(),
        reason: "the payload of the snapshot is no signals".to_owned(),
    })?;
    Ok(Answered::of(signals, source.read_at, lead_of(source)))
}
