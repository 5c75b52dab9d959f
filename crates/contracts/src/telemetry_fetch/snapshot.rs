//! `telemetry-fetch.snapshot/1`: what the sources said at one moment.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::engine::EngineFacts;
use super::gpu::GpuReading;
use super::source::{SourceKind, SourceStatus};

/// The value of `schema`.
pub const SCHEMA: &str = "telemetry-fetch.snapshot/1";

/// `data` of `telemetry-fetch.snapshot/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SnapshotData {
    /// The engine.
    pub engine: EngineFacts,
    /// The sources, in the order of the command line.
    pub sources: Vec<SnapshotSource>,
    /// The GPUs of this machine; null unless they were asked for and can be read.
    pub gpu: Option<GpuReading>,
}

/// One source at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SnapshotSource {
    /// Kind.
    pub kind: SourceKind,
    /// What it does, as `--url ROLE=URL` says; null when nobody said.
    pub role: Option<String>,
    /// URL that was read, without credentials.
    pub url: String,
    /// How it was read.
    pub status: SourceStatus,
    /// Sample lines of the payload, whether the vocabulary knows them or not.
    pub samples: u64,
    /// Lines that are neither comments nor samples.
    pub unreadable_lines: u64,
    /// When it was read, by our clock.
    pub read_at: Timestamp,
    /// Earliest lead of the server's clock over ours that its `Date` header allows, milliseconds; null without the header.
    pub clock_lead_min_ms: Option<i64>,
    /// Latest such lead, milliseconds: the header has whole seconds only.
    pub clock_lead_max_ms: Option<i64>,
    /// The payload, without control characters.
    pub exposition: String,
}
