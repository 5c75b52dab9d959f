//! What a simulated engine really did, by its own clock: what a client's accuracy is measured against.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Distribution, Finite};

/// Answer of `GET /truth`. All `_ns` are offsets from one moment at the server, the same for all requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Truth {
    /// Always `engine-sim.truth/1`.
    pub schema: String,
    /// Always true.
    pub simulated: bool,
    /// Requests received since the start or the last reset.
    pub requests_total: u64,
    /// Requests whose record was dropped because there were too many; the totals still count them.
    pub requests_dropped: u64,
    /// Tokens written.
    pub tokens_total: u64,
    /// Connections accepted.
    pub connections_total: u64,
    /// Most requests in flight at one time.
    pub concurrency_max: u64,
    /// How late the chunks of all requests were written.
    pub lateness: Lateness,
    /// Time to first token as it really was, in milliseconds: first token written − request received.
    pub ttft_ms: Distribution,
    /// Time between writes of token chunks as it really was, in milliseconds, over all requests; its percentiles are
    /// within 0.1 %.
    pub write_gap_ms: Distribution,
    /// One entry per request that has ended or is in flight, in the order of their numbers.
    pub requests: Vec<RequestTruth>,
}

/// One request as the server saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RequestTruth {
    /// Number of the request, from 1.
    pub number: u64,
    /// When the last byte of the request was read.
    pub received_ns: u64,
    /// Requests in flight at that moment, this one included.
    pub concurrency: u64,
    /// True for an answer in events.
    pub stream: bool,
    /// Tokens of the prompt as reported in usage.
    pub prompt_tokens: u64,
    /// What the client is meant to make of it.
    pub meant: Meant,
    /// When the first token was due; null when there was none.
    pub first_token_due_ns: Option<u64>,
    /// When the write of the first token returned; null when there was none.
    pub first_token_ns: Option<u64>,
    /// When the write of the last token returned; null when there was none.
    pub last_token_ns: Option<u64>,
    /// When the last byte was written or the connection closed; null while in flight.
    pub end_ns: Option<u64>,
    /// Tokens written.
    pub tokens: u64,
    /// Events with tokens written.
    pub token_chunks: u64,
    /// (last token − first token) / (tokens − 1) as it really was, in milliseconds; null for fewer than two
    /// tokens and for an answer in one body.
    pub tpot_ms: Option<Finite>,
    /// How late the chunks of this request were written.
    pub lateness: Lateness,
    /// True when the client went away before the end.
    pub client_gone: bool,
}

/// Written − due, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lateness {
    /// Writes that carried tokens.
    pub count: u64,
    /// Arithmetic mean; null without writes.
    pub mean_ms: Option<Finite>,
    /// 99th percentile, within 0.1 %; null without writes.
    pub p99_ms: Option<Finite>,
    /// Largest; null without writes.
    pub max_ms: Option<Finite>,
}

/// What an honest client makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Meant {
    /// Everything that was asked for arrived.
    Ok,
    /// The answer ends too early: cut, reset, or without `finish_reason`.
    Truncated,
    /// An error object where tokens should be.
    InBandError,
    /// A status other than 200.
    HttpStatus,
    /// Fewer tokens than asked for although the end of the sequence was to be ignored.
    EarlyStop,
    /// The client has to give up by itself.
    Timeout,
}
