//! One run at one load level: what was sent, what came back, how fast, and whether the client can be believed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::OutcomeCounts;
use crate::{Distribution, Finite};

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Run {
    /// Number of the run, from 0.
    pub run: u32,
    /// False when the run cannot be used as evidence; `invalid_reasons` says why.
    pub valid: bool,
    /// Why the run is not valid, and what to change; empty when it is.
    pub invalid_reasons: Vec<String>,
    /// Requests of the measured phase.
    pub requests: Requests,
    /// Tokens of successful requests.
    pub tokens: Tokens,
    /// Completed work over the measured window.
    pub throughput: Throughput,
    /// input_tokens / TTFT of each successful request, tokens per second.
    pub prefill_tps: Distribution,
    /// (output_tokens - 1) / (last - first token chunk) of each successful request, tokens per second.
    pub decode_tps: Distribution,
    /// Latencies of successful requests, milliseconds.
    pub latency: Latency,
    /// First turns of conversations against later ones; null where requests are no turns.
    pub turns: Option<Turns>,
    /// What the numbers cover.
    pub windows: Windows,
    /// Last quarter of the window against its first quarter, percent, of `output_tps`, `mean_ttft_ms` and
    /// `mean_chunk_gap_ms`; a metric is absent when a quarter has no value.
    pub drift: BTreeMap<String, Finite>,
    /// What the client knows of itself.
    pub client: ClientHealth,
    /// Service-level objectives; null when none was asked for.
    pub slo: Option<Slo>,
}

/// Turns of conversations. A later turn holds all turns before it: what the server kept of them it need not compute again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Turns {
    /// Conversations with a measured request.
    pub conversations: u64,
    /// Time to first token of first turns, milliseconds.
    pub first_ttft_ms: Distribution,
    /// Time to first token of later turns, milliseconds.
    pub later_ttft_ms: Distribution,
    /// Cached / prompt tokens of later turns; null where the server does not say.
    pub later_cached_ratio: Option<Finite>,
}

/// Requests by how they ended. Warm-up requests are not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Requests {
    /// Started in the measured phase.
    pub sent: u64,
    /// Ended as `ok`.
    pub succeeded: u64,
    /// Ended as anything else.
    pub failed: u64,
    /// Started in the warm-up phase.
    pub warmup: u64,
    /// By outcome.
    pub outcomes: OutcomeCounts,
    /// Distinct error texts with their number, most frequent first, ten at most.
    pub errors: Vec<ErrorCount>,
}

/// How often one error text was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ErrorCount {
    /// The text, cleaned and capped.
    pub error: String,
    /// Requests that ended with it.
    pub count: u64,
}

/// Tokens of successful requests, and where the numbers come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tokens {
    /// Prompt tokens; null when no request knows them.
    pub input: Option<u64>,
    /// Generated tokens.
    pub output: u64,
    /// Prompt tokens from a prefix cache; null when no request knows them.
    pub cached: Option<u64>,
    /// Reasoning tokens; null when no request knows them.
    pub reasoning: Option<u64>,
    /// `per_chunk_usage`, `usage`, `tokenizer`, `chunks`, `none`, `mixed` when requests differ, or `unknown` for an imported file.
    pub source: String,
}

/// Completed work over the measured window: from the first send to the last token of the measured requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Throughput {
    /// Successful requests per second; null without a window.
    pub request_rps: Option<Finite>,
    /// Generated tokens of successful requests per second; null without a window.
    pub output_tps: Option<Finite>,
    /// Prompt and generated tokens of successful requests per second; null without a window or prompt lengths.
    pub total_tps: Option<Finite>,
    /// Requests per second that meet every `--goodput` limit; null when no limit was given, or one counts from a schedule
    /// that a closed loop does not have.
    pub goodput_rps: Option<Finite>,
}

/// Latencies of successful requests, milliseconds; definitions stand with the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Latency {
    /// Arrival of the first chunk with a non-empty token delta - request start.
    pub ttft_ms: Distribution,
    /// (last token chunk - first token chunk) / (output_tokens - 1), one value per request.
    pub tpot_ms: Distribution,
    /// Gap between token chunks divided evenly over the tokens of the later chunk, each token one value, pooled.
    pub itl_ms: Distribution,
    /// Undivided gap between token chunks, pooled.
    pub chunk_gap_ms: Distribution,
    /// Final token chunk - request start.
    pub e2e_latency_ms: Distribution,
    /// Actual send - scheduled send; empty in a closed loop.
    pub send_delay_ms: Distribution,
    /// TTFT counted from the scheduled send; empty in a closed loop.
    pub ttft_from_schedule_ms: Distribution,
    /// E2E latency counted from the scheduled send; empty in a closed loop.
    pub e2e_from_schedule_ms: Distribution,
}

/// The windows that the numbers cover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Windows {
    /// First send to last token of the measured requests; null when nothing was measured.
    pub full: Option<Window>,
    /// Longest contiguous time with at least 95 % of the asked (open loop: of the peak) concurrency; null when there
    /// is none.
    pub steady: Option<Window>,
}

/// From when to when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Window {
    /// Start, UTC.
    pub start_at: Timestamp,
    /// End, UTC.
    pub end_at: Timestamp,
}

/// Whether the client was the bottleneck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClientHealth {
    /// Delay from the moment a request was due (scheduled, or its slot was free) to its start.
    pub dispatch_lag_ms: Lag,
    /// How late a heartbeat task, due every 4 ms, was polled by the client's runtime.
    pub poll_delay_ms: Lag,
    /// CPU time of this process over the window x cores it may use; null when it cannot be read.
    pub cpu_share_ratio: Option<Finite>,
    /// CPU time of this process during the run, seconds; null when it cannot be read.
    pub cpu_s: Option<Finite>,
    /// Cores this process may use; null for an imported file.
    pub cores: Option<u32>,
    /// Share of token chunks that arrived in the same socket read as the one before; null without chunks.
    pub same_read_chunk_ratio: Option<Finite>,
    /// Concurrency asked for; null in an open loop without a cap.
    pub asked_concurrency: Option<u32>,
    /// Mean requests in flight over the steady part of the run; null when nothing ran.
    pub achieved_concurrency: Option<Finite>,
    /// Most requests in flight; null for an imported file.
    pub peak_concurrency: Option<u32>,
    /// Connections opened; null for an imported file.
    pub connections_opened: Option<u64>,
    /// Peak resident memory of this process, bytes; null when it cannot be read.
    pub peak_rss_bytes: Option<u64>,
    /// True when the client, not the server, may have set the numbers.
    pub client_limited: bool,
    /// Why, and what to change.
    pub reasons: Vec<String>,
}

/// A delay of the client's own, milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lag {
    /// Median; null without samples.
    pub p50: Option<Finite>,
    /// 99th percentile; null without samples.
    pub p99: Option<Finite>,
    /// Largest; null without samples.
    pub max: Option<Finite>,
}

/// Service-level objectives of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Slo {
    /// True when every rule passed; null when none failed but at least one is undecided.
    pub passed: Option<bool>,
    /// The rules.
    pub rules: Vec<SloRule>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SloStatus {
    /// Met, with the binomial bound for a percentile.
    Passed,
    /// Not met.
    Failed,
    /// The number of requests cannot decide it.
    Undecided,
}

/// One rule, for example `p50_ttft_ms<=2000`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SloRule {
    /// As asked for.
    pub rule: String,
    /// What was measured; null when there is no value.
    pub observed: Option<Finite>,
    /// What became of it.
    pub status: SloStatus,
    /// Fewest requests that could decide a percentile rule; null for other rules.
    pub requests_needed: Option<u64>,
}
