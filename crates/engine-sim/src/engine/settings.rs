//! What the flags of either engine mean to the scheduler.

/// In which order waiting requests are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// As they came.
    FirstComeFirstServed,
    /// Those with the longest cached prefix first.
    LongestPrefixMatch,
}

/// How steps are formed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Tokens of prompts that one step computes at most, chunking longer ones; with `running_first` the tokens of
    /// decoding sequences count as well.
    pub(crate) step_tokens: u64,
    /// A prompt longer than what is left of a step is cut; else it waits for a step of its own.
    pub(crate) chunked: bool,
    /// Steps with prompts go on decoding as well.
    pub(crate) mixed: bool,
    /// vLLM's order: what runs is served first, prompts get the rest of the budget.
    pub(crate) running_first: bool,
    /// Sequences that run at a time.
    pub(crate) max_running: usize,
    /// Decode steps in a round, in which no prompt is admitted.
    pub(crate) decode_steps: u32,
    pub(crate) policy: Policy,
    /// Share of the tokens still to come that is kept free when a request is admitted.
    pub(crate) reserve_ratio: f64,
    /// Tokens of one page of the KV cache.
    pub(crate) page: u64,
    /// Pages of the KV cache.
    pub(crate) pages: u64,
    /// Prefixes are kept and shared.
    pub(crate) prefix_cache: bool,
}
