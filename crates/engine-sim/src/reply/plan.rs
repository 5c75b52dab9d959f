//! One answer with every default filled in.

use contracts::engine_sim::{Ending, KeepAlive, LineEnd, Meant, ReasoningField, RoleChunk, Split, Usage};

/// An HTTP answer in place of tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    /// HTTP status.
    pub(crate) status: u16,
    /// `Retry-After` in seconds.
    pub(crate) retry_after_s: Option<u32>,
    /// Text of the error.
    pub(crate) message: String,
}

/// Everything that decides the bytes and the moments of one answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Request to first token.
    pub(crate) ttft_ns: u64,
    /// Token to token.
    pub(crate) itl_ns: u64,
    /// Tokens that are sent before the answer ends, however it ends.
    pub(crate) tokens: u32,
    /// Tokens in one event, at least 1.
    pub(crate) tokens_per_chunk: u32,
    /// Events in one write, at least 1.
    pub(crate) events_per_write: u32,
    pub(crate) role_chunk: RoleChunk,
    pub(crate) reasoning_tokens: u32,
    pub(crate) reasoning_field: ReasoningField,
    /// Index of the first token that is part of a tool call; `tokens` when there is none.
    pub(crate) tool_call_from: u32,
    pub(crate) finish_reason: String,
    pub(crate) usage: Usage,
    pub(crate) prompt_tokens: u64,
    pub(crate) cached_tokens: Option<u32>,
    pub(crate) ending: Ending,
    /// A pause before the token of this index, and its length.
    pub(crate) stall: Option<(u32, u64)>,
    /// What is sent in between, and how often.
    pub(crate) keep_alive: Option<(KeepAlive, u64)>,
    pub(crate) line_end: LineEnd,
    /// Where token writes are torn, and the time between the parts.
    pub(crate) split: Option<(Split, u64)>,
    pub(crate) meant: Meant,
}

impl Plan {
    /// When the write that begins with this token is due, in nanoseconds after the request.
    pub(crate) fn due_ns(&self, first_token: u32) -> u64 {
        let pause = match self.stall {
            Some((at, pause)) if first_token >= at => pause,
            _ => 0,
        };
        self.ttft_ns
            .saturating_add(self.itl_ns.saturating_mul(u64::from(first_token)))
            .saturating_add(pause)
    }
}
