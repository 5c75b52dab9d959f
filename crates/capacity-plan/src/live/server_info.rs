//! `/server_info` of SGLang and TokenSpeed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::size;
use crate::facts::{Facts, KvPool, Rank};
use crate::size::Size;

/// Settings, and the memory of each scheduler.
pub(super) fn read(facts: &mut Facts, info: &Value) {
    let number = |name: &str| info.get(name).and_then(Value::as_u64);
    facts.tp = number("tp_size");
    facts.pp = number("pp_size");
    facts.dp = number("dp_size");
    facts.has_dp_attention = info.get("enable_dp_attention") == Some(&Value::Bool(true));
    facts.page = number("page_size").or(facts.page);
    facts.context = number("context_length").or(facts.context);
    facts.max_running_requests = number("max_running_requests");
    facts.cap_tokens = number("max_total_tokens");
    let dtype = info.get("kv_cache_dtype").and_then(Value::as_str);
    facts.kv_dtype = dtype.map(|dtype| contracts::text::clean(dtype, 60));
    let fraction = info.get("mem_fraction_static").and_then(Value::as_f64);
    facts.fraction = fraction.filter(|fraction| (0.0..=1.0).contains(fraction));
    let states = info.get("internal_states").and_then(Value::as_array);
    let states = states.map_or(&[][..], Vec::as_slice);
    for (index, state) in states.iter().enumerate().take(1024) {
        let Some(memory) = state.get("memory_usage") else {
            continue;
        };
        let part = |name: &str| memory.get(name).and_then(Value::as_f64).and_then(size);
        let tokens = memory.get("token_capacity").and_then(Value::as_u64);
        facts.tokens = facts.tokens.or(tokens);
        let of_windows = memory.get("token_capacity_swa").and_then(Value::as_u64);
        facts.window_pool_tokens = facts.window_pool_tokens.or(of_windows);
        let most = state
            .get("effective_max_running_requests_per_dp")
            .and_then(Value::as_u64);
        facts.max_running_requests = most.or(facts.max_running_requests);
        // One state a scheduler, said by its first rank.
        let dp = (states.len() > 1).then_some(index as u32);
        // Gauges say the same with the names of ranks, and may leave out a part.
        let named = facts.ranks.keys().find(|rank| rank.dp == dp).copied();
        let of = facts.rank(named.unwrap_or(Rank {
            dp,
            ..Rank::default()
        }));
        if of.weights.is_empty() {
            of.weights.extend(part("weight"));
        }
        if of.graphs.is_empty() {
            of.graphs.extend(graphs(memory));
        }
        // SGLang 0.5.23 (managers/scheduler.py): free when the scheduler had started, graphs and all.
        of.free_after_capture = of.free_after_capture.or(part("startup_available"));
        if let (true, Some(all)) = (of.pools.is_empty(), part("kvcache")) {
            of.pools.push(KvPool {
                tokens,
                all: Some(all),
                ..KvPool::default()
            });
        }
    }
}

/// What vLLM answers of its configuration in developer mode: by groups, or flat.
pub(super) fn of_vllm(facts: &mut Facts, settings: &BTreeMap<String, Value>) {
    let number = |group: &str, name: &str| {
        let found = settings.get(&format!("{group}.{name}")).or(settings.get(name));
        found.and_then(Value::as_u64)
    };
    facts.max_running_requests = number("scheduler_config", "max_num_seqs");
    facts.cap_blocks = number("cache_config", "num_gpu_blocks_override").or(facts.cap_blocks);
    facts.tp = number("parallel_config", "tensor_parallel_size");
    facts.pp = number("parallel_config", "pipeline_parallel_size");
}

/// Graphs: one number, or since 0.5.23 one of each phase. A difference that came out below nothing is none.
fn graphs(memory: &Value) -> Vec<Size> {
    let numbers: Vec<f64> = match memory.get("graph") {
        Some(Value::Object(phases)) => phases.values().take(16).filter_map(Value::as_f64).collect(),
        Some(one) => one.as_f64().into_iter().collect(),
        None => Vec::new(),
    };
    numbers.into_iter().filter_map(size).collect()
}
