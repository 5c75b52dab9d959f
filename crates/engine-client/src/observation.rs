//! What was seen of one request, in nanoseconds from its start.

use std::time::Instant;

use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::{ServerTimings, TokenSource};

/// One request as seen at the socket. Times are nanoseconds from `start`.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Just before the connection was taken or opened.
    pub start: Instant,
    /// How long opening the connection took; `None` when one was open already, or none could be opened.
    pub connect_ns: Option<u64>,
    /// The last byte of the request was handed to the system.
    pub request_sent_ns: Option<u64>,
    /// The head of the answer arrived.
    pub headers_ns: Option<u64>,
    /// The first token chunk arrived.
    pub first_token_ns: Option<u64>,
    /// The first token chunk with answer text (not reasoning) arrived.
    pub first_answer_ns: Option<u64>,
    /// The last token chunk arrived.
    pub last_token_ns: Option<u64>,
    /// The outcome was known.
    pub ended_ns: u64,
    /// Arrival of every token chunk, microseconds.
    pub chunk_offsets_us: Vec<u32>,
    /// Tokens of every token chunk; `None` when they are not known chunk by chunk.
    pub chunk_tokens: Option<Vec<u32>>,
    /// Token chunks that came with the same socket read as the one before.
    pub same_read_chunks: u32,
    /// Events that could not be read.
    pub skipped_events: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status.
    pub http_status: Option<u16>,
    /// What went wrong, cleaned, capped and without secrets; `None` for `ok`.
    pub error: Option<String>,
    /// `Retry-After` in seconds.
    pub retry_after_s: Option<u64>,
    /// `finish_reason` of the first choice.
    pub finish_reason: Option<String>,
    /// Prompt tokens.
    pub input_tokens: Option<u64>,
    /// Generated tokens.
    pub output_tokens: Option<u64>,
    /// Prompt tokens from a prefix cache.
    pub cached_tokens: Option<u64>,
    /// Generated tokens that are reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Where `chunk_tokens`, and for want of usage `output_tokens`, come from.
    pub token_source: TokenSource,
    /// What the server says of the request.
    pub server_timings: Option<ServerTimings>,
    /// Whether a connection was opened for it.
    pub opened_connection: bool,
}

impl Observation {
    /// An observation of nothing yet.
    pub(crate) fn new(start: Instant) -> Observation {
        Observation {
            start,
            connect_ns: None,
            request_sent_ns: None,
            headers_ns: None,
            first_token_ns: None,
            first_answer_ns: None,
            last_token_ns: None,
            ended_ns: 0,
            chunk_offsets_us: Vec::new(),
            chunk_tokens: None,
            same_read_chunks: 0,
            skipped_events: 0,
            outcome: Outcome::Cancelled,
            http_status: None,
            error: None,
            retry_after_s: None,
            finish_reason: None,
            input_tokens: None,
            output_tokens: None,
            cached_tokens: None,
            reasoning_tokens: None,
            token_source: TokenSource::None,
            server_timings: None,
            opened_connection: false,
        }
    }
}
