//! `serve-bench.record/1`: a JSONL file, one line per request written as it ends, so that a crash keeps what was
//! measured. A header line comes first; each run is opened and closed by a line of its own.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::result::{LoadInfo, TargetInfo, WorkloadInfo};
use super::run::ClientHealth;
use super::shard::Shard;
use super::workload::Turn;
use crate::{FieldSet, Finite, Tool};

/// One line of a records file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordLine {
    /// First line: what was measured.
    Header(Box<RecordHeader>),
    /// A run starts; request times count from here.
    RunStart(RunStart),
    /// A request has ended.
    Request(Box<RequestRecord>),
    /// A run has ended.
    RunEnd(Box<RunEnd>),
}

/// What a records file belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RecordHeader {
    /// `serve-bench.record/1`.
    pub schema: String,
    /// The tool that wrote it.
    pub tool: Tool,
    /// When, UTC.
    pub created_at: Timestamp,
    /// Contract of the measurement.
    pub contract: FieldSet,
    /// Environment of the measurement.
    pub environment: FieldSet,
    /// Subject of the measurement.
    pub subject: FieldSet,
    /// The server.
    pub target: TargetInfo,
    /// The workload.
    pub workload: WorkloadInfo,
    /// The load; of a shard its own part.
    pub load: LoadInfo,
    /// Which part of a load these are; null for a whole one.
    pub shard: Option<Shard>,
    /// SLO rules in force.
    pub slo: Vec<String>,
    /// Per-request goodput limits in force.
    pub goodput: Vec<String>,
}

/// The start of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RunStart {
    /// Number of the run, from 0: the repetition of a run, the point of a sweep, the block of a comparison.
    pub run: u32,
    /// The side of a comparison; null for a run and a sweep.
    pub side: Option<RunSide>,
    /// The wall-clock time from which `start_ms` and `scheduled_ms` count.
    pub epoch_at: Timestamp,
    /// The load of this run, which varies in a sweep; null in files from before this field: that of the header.
    pub load: Option<LoadInfo>,
}

/// Which side of a comparison a run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunSide {
    /// Ours, by convention.
    A,
    /// Theirs, by convention.
    B,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RunEnd {
    /// Number of the run, from 0.
    pub run: u32,
    /// Whether all requests of the run were made.
    pub complete: bool,
    /// What the client knows of itself.
    pub client: ClientHealth,
}

/// Whether a request counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Sent before the measured window; never counted.
    Warmup,
    /// Counted.
    Measured,
}

/// Where token numbers come from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// Usage on every chunk: totals and tokens per chunk are exact.
    PerChunkUsage,
    /// Usage at the end: totals are exact, tokens spread evenly over the chunks.
    Usage,
    /// Counted by the client's tokenizer.
    Tokenizer,
    /// One token per chunk assumed.
    Chunks,
    /// No token arrived.
    None,
}

/// What the server itself says about one request (llama.cpp `timings`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServerTimings {
    /// Prompt tokens evaluated.
    pub prompt_tokens: Option<u64>,
    /// Time in the prompt, milliseconds.
    pub prompt_ms: Option<Finite>,
    /// Tokens generated.
    pub predicted_tokens: Option<u64>,
    /// Time in generation, milliseconds.
    pub predicted_ms: Option<Finite>,
    /// Prompt tokens taken from the cache.
    pub cached_tokens: Option<u64>,
}

/// One request, from the client's side of the socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RequestRecord {
    /// Number of the run, from 0.
    pub run: u32,
    /// Number of the request in the workload, from 0.
    pub index: u64,
    /// Its place in a conversation; null for a request by itself.
    pub turn: Option<Turn>,
    /// Whether it counts.
    pub phase: Phase,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status; null when none arrived.
    pub http_status: Option<u16>,
    /// What went wrong, cleaned and capped; null for `ok`.
    pub error: Option<String>,
    /// `Retry-After` of the answer in seconds; null when absent or not a number.
    pub retry_after_s: Option<u64>,
    /// `finish_reason` of the first choice; null when none arrived.
    pub finish_reason: Option<String>,
    /// Scheduled send, milliseconds from the start of the run; null in a closed loop.
    pub scheduled_ms: Option<Finite>,
    /// Request start, milliseconds from the start of the run: just before the connection is taken or opened.
    pub start_ms: Finite,
    /// Request start minus scheduled send, milliseconds; null in a closed loop.
    pub send_delay_ms: Option<Finite>,
    /// The part of the send delay spent waiting for `--max-concurrency`, milliseconds; null without a cap.
    pub queue_ms: Option<Finite>,
    /// Opening the connection, milliseconds; null when one was open already.
    pub connect_ms: Option<Finite>,
    /// Last byte of the request written, milliseconds from request start; null when it was not.
    pub request_sent_ms: Option<Finite>,
    /// Arrival of the answer's head, milliseconds from request start; null when none arrived.
    pub headers_ms: Option<Finite>,
    /// Arrival of the first chunk with a non-empty token delta, milliseconds from request start; null when none did.
    pub ttft_ms: Option<Finite>,
    /// The same for the first delta that is answer text, not reasoning; null when none arrived.
    pub ttfo_ms: Option<Finite>,
    /// (last token chunk - first token chunk) / (output_tokens - 1), milliseconds; null when output_tokens < 2.
    pub tpot_ms: Option<Finite>,
    /// Arrival of the last token chunk, milliseconds from request start; null for failed requests.
    pub e2e_latency_ms: Option<Finite>,
    /// End of the request as the client saw it (outcome known), milliseconds from request start.
    pub ended_ms: Finite,
    /// Arrival of every token chunk, microseconds from request start.
    pub chunk_offsets_us: Vec<u32>,
    /// Tokens of every token chunk; null when they are not known chunk by chunk.
    pub chunk_tokens: Option<Vec<u32>>,
    /// Token chunks that arrived in the same socket read as the one before.
    pub same_read_chunks: u32,
    /// Stream events that could not be read and were skipped.
    pub skipped_events: u32,
    /// Prompt tokens; null when unknown.
    pub input_tokens: Option<u64>,
    /// Generated tokens; null when unknown.
    pub output_tokens: Option<u64>,
    /// Prompt tokens served from a prefix cache; null when unknown.
    pub cached_tokens: Option<u64>,
    /// Generated tokens that are reasoning; null when unknown.
    pub reasoning_tokens: Option<u64>,
    /// Where the token numbers come from.
    pub token_source: TokenSource,
    /// Tokens asked for; null when the workload does not say.
    pub requested_output_tokens: Option<u64>,
    /// What the server says about the request; null when it says nothing.
    pub server_timings: Option<ServerTimings>,
}

/// The value of `schema` in the header line.
pub const SCHEMA: &str = "serve-bench.record/1";
