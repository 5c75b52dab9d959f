//! What an estimate leaves for requests, and how many of a length it holds.

use capacity::{KvCache, Limits, pages};
use contracts::capacity_plan::report::BindingLimit;

use crate::capacity_rows::binding;

/// What is left for requests, and what each takes.
pub(super) struct EstimatedPool {
    /// Bytes on one rank; less than nothing where the weights do not fit.
    pub(super) bytes: f64,
    pub(super) cache: KvCache,
    /// Bytes of a token in the pool of a draft.
    pub(super) drafted: f64,
    pub(super) page: u64,
    pub(super) max_running_requests: Option<u64>,
    pub(super) context: Option<u64>,
}

impl EstimatedPool {
    /// Bytes of a request on one rank.
    fn request_bytes(&self, length: u64) -> f64 {
        self.cache.request_bytes(length, self.page) + self.drafted * pages(length, self.page) as f64
    }

    /// Requests of a length whose first tokens are shared, with the limit.
    pub(super) fn requests(&self, length: u64, shared: u64) -> (u64, BindingLimit) {
        let limits = Limits {
            context_length: self.context,
            max_running_requests: self.max_running_requests,
            ..Limits::default()
        };
        if self.bytes <= 0.0 {
            return (0, BindingLimit::Weights);
        }
        let limit = limits.requests(length, 0);
        let shared = shared.min(length.saturating_sub(1)) / self.page * self.page;
        let once = shared as f64 * (self.cache.token_bytes() + self.drafted);
        let own = self.request_bytes(length) - once;
        let fit = ((self.bytes - once) / own.max(1.0)).floor().max(0.0) as u64;
        match limit {
            Some(limit) if limit.requests < fit => (limit.requests, binding(limit.limit)),
            _ => (fit, BindingLimit::Memory),
        }
    }

    /// The only length of requests that the tokens of the pool hold for: the longest context, where not all layers keep all
    /// tokens.
    pub(super) fn tokens_hold_for(&self) -> Option<u64> {
        (!self.cache.is_uniform()).then(|| self.context.unwrap_or(8192).max(1))
    }

    /// Tokens of the pool, in requests of that length.
    pub(super) fn tokens(&self) -> u64 {
        let each = match self.tokens_hold_for() {
            None => self.cache.token_bytes() + self.drafted,
            Some(length) => self.request_bytes(length) / length as f64,
        };
        let tokens = (self.bytes / each.max(1.0)).floor().max(0.0) as u64;
        tokens / self.page * self.page
    }
}
