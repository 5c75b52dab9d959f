//! Where telemetry came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// What kind of source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Metrics text of an engine.
    Metrics,
    /// Metrics text of NVIDIA's DCGM exporter.
    Dcgm,
    /// A log of an engine, wherever it is kept; its `readings` are lines, its `samples` lines with numbers.
    Log,
    /// A store with the Prometheus API; each of its targets is a source.
    Prometheus,
    /// Graphsignal: the profiler beside the engine, or the hosted API.
    Graphsignal,
    /// Spans that the engine sent.
    Otlp,
}

/// How a source was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// Every time it was asked.
    Ok,
    /// Not every time, or not whole; `reason` says what is missing.
    Partial,
}

/// One source of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SourceReport {
    /// Kind.
    pub kind: SourceKind,
    /// What it does in a deployment of several engines, as `--url ROLE=URL` says; null when nobody said.
    pub role: Option<String>,
    /// URL that was read, without credentials.
    pub url: String,
    /// How it was read.
    pub status: SourceStatus,
    /// What is missing; null when nothing is.
    pub reason: Option<String>,
    /// How often it was read; of spans, requests that ended in the window.
    pub readings: u64,
    /// Sample lines over all readings, whether the vocabulary knows them or not; of spans, how many came.
    pub samples: u64,
    /// (last reading - first reading) / (end - start of the window), percent; null for a window without length, and for spans.
    pub coverage_pct: Option<Finite>,
    /// Restarts of what is behind it, seen as counters that fell or a process that began anew.
    pub resets: u64,
}
