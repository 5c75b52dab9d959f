//! Gauges of SGLang and TokenSpeed.

use engine_client::metrics::{Exposition, Sample};

use super::{count, size};
use crate::facts::{Facts, KvPool, Rank};

fn rank_of(sample: &Sample<'_>) -> Rank {
    let number = |label: &str| sample.labels.get(label)?.parse().ok();
    Rank {
        dp: number("dp_rank"),
        pp: number("pp_rank"),
        tp: number("tp_rank"),
    }
}

/// Tokens, and sizes of each rank.
pub(super) fn read(facts: &mut Facts, metrics: &Exposition<'_>) {
    let engine = facts.format.map_or("sglang", |format| format.engine());
    let samples = |name: &str| -> Vec<(Rank, f64)> {
        let name = format!("{engine}:{name}");
        metrics
            .family(&name)
            .map(|sample| (rank_of(sample), sample.value))
            .collect()
    };
    // Each rank says the same of its scheduler: a sum would count it several times.
    let one = |name: &str| {
        samples(name)
            .into_iter()
            .find_map(|(_, value)| count(value))
            .filter(|value| *value > 0)
    };
    facts.tokens = one("max_total_num_tokens");
    facts.window_pool_tokens = one("max_total_num_tokens_swa");
    facts.page = one("page_size");
    facts.context = one("context_len").or(facts.context);
    for (rank, gib) in samples("weight_memory_usage_gb") {
        let of = facts.rank(rank);
        of.weights.extend(size(gib).filter(|_| of.weights.is_empty()));
    }
    let tokens = facts.tokens;
    for (rank, gib) in samples("kv_cache_memory_usage_gb") {
        let of = facts.rank(rank);
        if let Some(all) = size(gib).filter(|_| of.pools.is_empty()) {
            of.pools.push(KvPool {
                tokens,
                all: Some(all),
                ..KvPool::default()
            });
        }
    }
    for (rank, gib) in samples("startup_available_gpu_memory_gb") {
        let of = facts.rank(rank);
        of.free_after_capture = of.free_after_capture.or(size(gib));
    }
    // One sample a phase: prefill, decode.
    for (rank, gib) in samples("graph_memory_usage_gb") {
        let of = facts.rank(rank);
        of.graphs.extend(size(gib).filter(|_| of.graphs.len() < 16));
    }
}
