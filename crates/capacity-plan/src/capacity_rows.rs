//! Requests at once, by their length.

use capacity::{Limit, Limits, Requests};
use contracts::capacity_plan::report::{BindingLimit, Capacity, Kv};

use crate::facts::Facts;
use crate::load::Load;

/// What limits one scheduler of a running engine; `longest` is the model's context, where the engine names none.
pub(crate) fn limits(facts: &Facts, kv: &Kv, longest: Option<u64>) -> Limits {
    let slots = facts.ranks.values().filter_map(|of| Some(of.states?.slots)).min();
    // A model whose layers all have a window: tokens of its pool are tokens of windows.
    let is_all_windows = kv.token_layers == Some(0) && facts.window_pool_tokens.is_some();
    Limits {
        kv_tokens: kv.tokens.filter(|_| !is_all_windows),
        window_pool_tokens: facts.window_pool_tokens.filter(|_| kv.window_tokens.is_some()),
        window_tokens: kv.window_tokens.unwrap_or(0),
        state_slots: slots,
        max_running_requests: facts.max_running_requests,
        context_length: facts.context.or(longest),
        page: facts.page.unwrap_or(1),
    }
}

/// Requests that vLLM lets run at least where nothing limits them (`DEFAULT_MAX_NUM_SEQS` of its vllm/config/scheduler.py).
const FEWEST_BY_DEFAULT: u64 = 128;

/// Whether a row says only how many requests the pool holds: nobody says how many may run, and these are more than engines let
/// run by themselves.
pub(crate) fn is_upper_bound(row: &Capacity, limits: &Limits, schedulers: u64) -> bool {
    let is_many = |requests: u64| requests / schedulers.max(1) >= FEWEST_BY_DEFAULT;
    row.binding_limit == Some(BindingLimit::KvTokens)
        && limits.max_running_requests.is_none()
        && row.requests.is_some_and(is_many)
}

/// As documents have it.
pub(crate) fn binding(limit: Limit) -> BindingLimit {
    match limit {
        Limit::KvTokens => BindingLimit::KvTokens,
        Limit::WindowTokens => BindingLimit::WindowTokens,
        Limit::StateSlots => BindingLimit::StateSlots,
        Limit::MaxRunningRequests => BindingLimit::MaxRunningRequests,
        Limit::ContextLength => BindingLimit::ContextLength,
    }
}

/// One row for each length, over all schedulers. Where the tokens of the pool hold for one length only, that one is among
/// them and the others have no number.
pub(crate) fn rows(limits: &Limits, holds_for: Option<u64>, load: &Load, schedulers: u64) -> Vec<Capacity> {
    let all = |fits: Requests| fits.requests.saturating_mul(schedulers.max(1));
    let name = |fits: Requests| binding(fits.limit);
    let mut lengths = load.or_typical(limits.context_length);
    lengths.extend(
        holds_for
            .filter(|holds| lengths.iter().all(|(length, _)| length != holds))
            .map(|holds| (holds, "context")),
    );
    lengths
        .into_iter()
        .map(|(length, of)| {
            // A longer request than the longest context fits nowhere, whatever the pool.
            let too_long = limits.context_length.is_some_and(|longest| length > longest);
            let known = too_long || holds_for.is_none_or(|holds| holds == length);
            let alone = limits.requests(length, 0).filter(|_| known);
            let shared = load
                .shared
                .filter(|shared| *shared < length)
                .and_then(|shared| limits.requests(length, shared))
                .filter(|_| known);
            Capacity {
                length_tokens: length,
                of: of.to_owned(),
                requests: alone.map(all),
                binding_limit: alone.map(name),
                shared_tokens: load.shared.filter(|_| shared.is_some()),
                requests_shared: shared.map(all),
                binding_limit_shared: shared.map(name),
            }
        })
        .collect()
}
