//! `cache_config_info` of vLLM.

use engine_client::metrics::Exposition;

use super::count;
use crate::facts::Facts;

/// The labels of `cache_config_info`; 0.33 has tokens and concurrency among them.
pub(super) fn read(facts: &mut Facts, metrics: &Exposition<'_>) {
    let Some(sample) = metrics.family("vllm:cache_config_info").next() else {
        return;
    };
    let number = |label: &str| sample.labels.get(label)?.parse::<f64>().ok();
    facts.blocks = number("num_gpu_blocks").and_then(count);
    facts.page = number("block_size").and_then(count);
    facts.cap_blocks = number("num_gpu_blocks_override").and_then(count);
    facts.fraction = number("gpu_memory_utilization").filter(|fraction| (0.0..=1.0).contains(fraction));
    facts.tokens = number("kv_cache_size_tokens")
        .and_then(count)
        .filter(|tokens| *tokens > 0);
    let dtype = sample.labels.get("cache_dtype");
    facts.kv_dtype = dtype.map(|dtype| contracts::text::clean(&dtype, 60));
    let times = number("kv_cache_max_concurrency").filter(|times| *times > 0.0);
    facts.concurrency = facts
        .context
        .zip(times)
        .map(|(context, times)| (context, times, 0.0));
    let engines = metrics
        .family("vllm:cache_config_info")
        .filter_map(|sample| sample.labels.get("engine"));
    let engines: std::collections::BTreeSet<_> = engines.collect();
    facts.dp = (engines.len() > 1).then_some(engines.len() as u64);
    // The front end adds up the blocks of all engines, and names tokens of one (0.32, read).
    facts.blocks = facts.blocks.map(|blocks| blocks / facts.dp.unwrap_or(1));
}
