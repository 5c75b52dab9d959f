//! What SGLang and TokenSpeed say, old and new.

use super::statement::Sglang;
use super::value::{after, count, number, setting, size};
use crate::facts::{Facts, Format, KvPool, PoolKind, Rank, StatePool};
use crate::size::Size;

/// Most pools of a rank that are kept: full layers, windows, drafts.
const MOST_POOLS: usize = 16;

/// Takes a statement over; false where its numbers are not there, and then it may be of another engine.
pub(super) fn state(facts: &mut Facts, rank: Rank, what: Sglang, text: &str) -> bool {
    let understood = take(facts, rank, what, text);
    if understood {
        facts.format.get_or_insert(Format::Sglang);
    }
    understood
}

fn take(facts: &mut Facts, rank: Rank, what: Sglang, text: &str) -> bool {
    let free = || size(text, "avail mem=");
    match what {
        Sglang::WeightsBegin => {
            let of = facts.rank(rank);
            // The draft is loaded second.
            of.free_before_weights = of.free_before_weights.or(free());
            free().is_some()
        }
        Sglang::WeightsEnd => {
            facts.dtype = setting(text, "dtype").or(facts.dtype.take());
            let of = facts.rank(rank);
            if let Some(weights) = size(text, "mem usage=").filter(|_| of.weights.len() < MOST_POOLS) {
                of.weights.push(weights);
            }
            of.free_after_weights = free().or(of.free_after_weights);
            of.free_before_pools = free().or(of.free_before_pools);
            free().is_some()
        }
        Sglang::Profiling => {
            facts.fraction = facts
                .fraction
                .or(number(text, "mem_fraction_static=").map(|found| found.0));
            let of = facts.rank(rank);
            of.fraction_of = size(text, "total_gpu_memory=").or(of.fraction_of);
            of.free_after_weights = size(text, "available_gpu_memory=").or(of.free_after_weights);
            of.for_pools = size(text, "rest_memory=").or(of.for_pools);
            of.for_pools.is_some() || of.fraction_of.is_some()
        }
        Sglang::Calculation => {
            let bytes = number(text, "bytes_per_full_token=").map(|found| found.0);
            facts.announced_token_bytes = bytes.or(facts.announced_token_bytes);
            facts.tokens = facts.tokens.or(count(text, " full_token="));
            let of = facts.rank(rank);
            of.for_pools = of.for_pools.or(size(text, "available_bytes="));
            bytes.is_some()
        }
        Sglang::States => {
            let slots = count(text, "max_mamba_cache_size: ");
            let all = Size::sum(&sizes_of_states(text));
            if let (Some(slots), Some(all)) = (slots, all) {
                facts.rank(rank).states = Some(StatePool { slots, all });
            }
            slots.is_some()
        }
        Sglang::Pool => pool(facts, rank, None, text),
        Sglang::SwaPool => pool(facts, rank, Some(PoolKind::Window), text),
        Sglang::IndexPool => pool(facts, rank, Some(PoolKind::Index), text),
        Sglang::ResizedDraftPool => pool(facts, rank, Some(PoolKind::Draft), text),
        Sglang::ResizedPool => {
            let of = facts.rank(rank);
            // It gets its memory after graphs were captured.
            of.free_after_capture = free().or(of.free_after_capture);
            pool(facts, rank, Some(PoolKind::Kv), text)
        }
        Sglang::MixedPool => {
            let all = size(text, "total_bytes=");
            facts.pool_is_mixed |= all.is_some();
            let pool = all.map(|all| KvPool {
                all: Some(all),
                ..KvPool::default()
            });
            let of = facts.rank(rank);
            of.pools.extend(pool.filter(|_| of.pools.len() < MOST_POOLS));
            all.is_some()
        }
        Sglang::PoolsEnd => {
            let of = facts.rank(rank);
            if let (Some(before), Some(now)) = (of.free_before_pools, free()) {
                let took = before.less(now);
                of.pools_took = Some(of.pools_took.map_or(took, |others| others.plus(took)));
            }
            of.free_before_pools = free().or(of.free_before_pools);
            of.free_after_pools = free().or(of.free_after_pools);
            free().is_some()
        }
        Sglang::WindowPools => {
            let (full, window) = (
                count(text, "full_layer_tokens="),
                count(text, "swa_layer_tokens="),
            );
            facts.full_layer_tokens = full.or(facts.full_layer_tokens);
            // None of them is a model without windows, whose pool was resized.
            let of_windows = window.filter(|tokens| *tokens > 0);
            facts.window_pool_tokens = of_windows.or(facts.window_pool_tokens);
            window.is_some()
        }
        Sglang::CaptureBegin => {
            let of = facts.rank(rank);
            of.capture_began = true;
            of.free_before_capture = of.free_before_capture.or(free());
            free().is_some()
        }
        Sglang::CaptureEnd => {
            let of = facts.rank(rank);
            if let Some(graphs) = size(text, "mem usage=").filter(|_| of.graphs.len() < MOST_POOLS) {
                of.graphs.push(graphs);
            }
            of.free_after_capture = free().or(of.free_after_capture);
            free().is_some()
        }
        Sglang::Total => total(facts, rank, text),
    }
}

/// Every state has a name that ends with `size: `: `conv_state size: 0.13GB, ssm_state size: 7.29GB`, and more of them
/// with speculation.
fn sizes_of_states(text: &str) -> Vec<Size> {
    let mut sizes = Vec::new();
    let mut rest = text;
    while let Some(tail) = after(rest, " size: ") {
        sizes.extend(super::value::size_at(tail));
        rest = tail;
    }
    sizes
}

fn pool(facts: &mut Facts, rank: Rank, kind: Option<PoolKind>, text: &str) -> bool {
    let tokens = count(text, "#tokens: ");
    let (keys, values) = (size(text, "K size: "), size(text, "V size: "));
    // `KV size` of latent attention, in which `V size` is found, too.
    let one = size(text, "KV size: ");
    let all = one.or_else(|| Some(keys?.plus(values?)));
    if all.is_none() && tokens.is_none() {
        return false;
    }
    if tokens.is_none() {
        // TokenSpeed prints sizes alone.
        facts.format = Some(Format::Tokenspeed);
    }
    let dtype = after(text, "dtype: ").and_then(|rest| rest.split([',', ' ']).next());
    let pool = KvPool {
        kind,
        tokens,
        keys: keys.filter(|_| one.is_none()),
        all,
        dtype: dtype.map(|dtype| contracts::text::clean(dtype, 40)),
    };
    let of = facts.rank(rank);
    if of.pools.len() < MOST_POOLS {
        of.pools.push(pool);
    }
    true
}

/// The line that ends a start-up: `max_total_num_tokens=…, …, context_len=…, available_gpu_mem=…`. Others name the tokens,
/// too, before it (a unified pool: mem_cache/unified_memory_pool.py of SGLang 0.5.23).
fn total(facts: &mut Facts, rank: Rank, text: &str) -> bool {
    let tokens = count(text, "max_total_num_tokens=").filter(|_| text.contains("context_len="));
    if tokens.is_none() {
        return false;
    }
    facts.tokens = tokens.or(facts.tokens);
    facts.max_running_requests = count(text, "max_running_requests=").or(facts.max_running_requests);
    facts.context = count(text, "context_len=").or(facts.context);
    let of = facts.rank(rank);
    of.is_through = true;
    of.free_after_capture = size(text, "available_gpu_mem=").or(of.free_after_capture);
    true
}
