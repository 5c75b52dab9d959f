//! `telemetry-fetch.window/1`: what the sources say of one window of time.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::AuditCheck;
use super::context::ForeignContext;
use super::engine::EngineFacts;
use super::gpu::GpuReport;
use super::incident::Incident;
use super::log::LogSeries;
use super::metric::MetricRow;
use super::profile::ProfileRow;
use super::source::SourceReport;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "telemetry-fetch.window/1";

/// `data` of `telemetry-fetch.window/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WindowData {
    /// When.
    pub window: WindowSpan,
    /// The engine.
    pub engine: EngineFacts,
    /// The command that ran meanwhile; null without one.
    pub command: Option<CommandRun>,
    /// The sources.
    pub sources: Vec<SourceReport>,
    /// Ratios and means that say what limits throughput. Of several roles only what one of them tells: a request goes through
    /// all of them, so their sums count it twice.
    pub derived: Derived,
    /// The same of each role, in the order of their names, behind that of the servers without one; empty without roles.
    pub roles: Vec<RoleDerived>,
    /// Metrics of the vocabulary that the sources have, in the vocabulary's order.
    pub metrics: Vec<MetricRow>,
    /// Where the time went, by function: profiles that count while the engine runs; the most first. Empty without such a source.
    pub profiles: Vec<ProfileRow>,
    /// What sources say in a form of their own. Empty without such a source.
    pub contexts: Vec<ForeignContext>,
    /// The GPUs of this machine; null unless they were asked for and can be read.
    pub gpu: Option<GpuReport>,
    /// What happened in the window; what invalidates its numbers first.
    pub incidents: Vec<Incident>,
    /// Numbers that logs repeat. Empty without a log.
    pub log_series: Vec<LogSeries>,
    /// Checks against the benchmark; those that need none stand here without one too.
    pub audit: Vec<AuditCheck>,
}

/// From when to when, by our clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WindowSpan {
    /// First moment.
    pub start_at: Timestamp,
    /// Last moment.
    pub end_at: Timestamp,
    /// Lead of the server's clock over ours, by its `Date` headers, milliseconds; 0 when they agree as far as headers of
    /// whole seconds tell, null without headers. Of several servers that of the clock that is furthest off.
    pub clock_skew_ms: Option<i64>,
}

/// A command that ran inside the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CommandRun {
    /// What was run, without secrets.
    pub argv: Vec<String>,
    /// How it ended; null when a signal ended it.
    pub exit_code: Option<i32>,
}

/// What limits one role of a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RoleDerived {
    /// As `--url ROLE=URL` says it; null for the servers that were given none.
    pub role: Option<String>,
    /// Of its servers.
    pub derived: Derived,
}

/// What follows from counters, never from gauges that a batch overwrites; null where a source is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Derived {
    /// Prompt tokens from the prefix cache / prompt tokens, of the window.
    pub prefix_hit_ratio: Option<Finite>,
    /// Accepted draft tokens / draft tokens, of the window.
    pub spec_accept_ratio: Option<Finite>,
    /// Time-weighted mean of running requests; null where gauges were read fewer than five times.
    pub mean_running: Option<Finite>,
    /// Most running requests of one scheduler at a reading; null like `mean_running`.
    pub running_max: Option<Finite>,
    /// Time-weighted mean of waiting requests; null like `mean_running`.
    pub mean_waiting: Option<Finite>,
    /// Largest reading of the KV cache's use, 0 to 1; null like `mean_running`.
    pub kv_usage_max: Option<Finite>,
    /// Requests that lost their cache (SGLang: retracted), of the window.
    pub preemptions: Option<Finite>,
    /// Seconds of the scheduler outside of the forward pass and of idling / all its seconds.
    pub scheduler_share_ratio: Option<Finite>,
    /// Seconds that the scheduler idled / all its seconds.
    pub scheduler_idle_ratio: Option<Finite>,
    /// Generated tokens per second.
    pub output_tps: Option<Finite>,
    /// Prompt tokens per second, cached ones included.
    pub input_tps: Option<Finite>,
    /// Requests that ended, per second.
    pub request_rps: Option<Finite>,
    /// Time in decoding / (generated tokens - requests), milliseconds a token; null when the engine does not count its
    /// requests (llama.cpp: its log has `tpot_ms`).
    pub server_tpot_ms: Option<Finite>,
    /// Mean of (queue time) / mean of (end-to-end time), of the window.
    pub queue_share_ratio: Option<Finite>,
}
