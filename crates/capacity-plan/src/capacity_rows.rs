//! Requests at once, by their length.

use capacity::{Limits, Requests};
use contracts::capacity_plan::report::{Capacity, Kv};

use crate::facts::Facts;
use crate::load::Load;

/// What limits one scheduler of a running engine.
pub(crate) fn limits(facts: &Facts, kv: &Kv) -> Limits {
    let slots = facts.ranks.values().filter_map(|of| Some(of.states?.slots)).min();
    Limits {
        kv_tokens: kv.tokens,
        window_pool_tokens: facts.window_pool_tokens.filter(|_| kv.window_tokens.is_some()),
        window_tokens: kv.window_tokens.unwrap_or(0),
        state_slots: slots,
        max_running_requests: facts.max_running_requests,
        context_length: facts.context,
        page: facts.page.unwrap_or(1),
    }
}

/// One row for each length, over all schedulers.
pub(crate) fn rows(limits: &Limits, load: &Load, schedulers: u64) -> Vec<Capacity> {
    let all = |fits: Requests| fits.requests.saturating_mul(schedulers.max(1));
    let name = |fits: Requests| fits.limit.name().to_owned();
    load.or_typical(limits.context_length)
        .into_iter()
        .map(|(length, of)| {
            let alone = limits.requests(length, 0);
            let shared = load.shared.and_then(|shared| limits.requests(length, shared));
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
