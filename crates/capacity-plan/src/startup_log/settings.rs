//! How the engine was started.

use super::value::{after, setting};
use crate::facts::{Facts, Format};

/// SGLang's `server_args=ServerArgs(…)`, or a dictionary of them.
pub(super) fn sglang(facts: &mut Facts, text: &str) -> bool {
    let number = |name: &str| setting(text, name).and_then(|word| word.parse::<u64>().ok());
    facts.format.get_or_insert(Format::Sglang);
    facts.model = setting(text, "model_path").or(facts.model.take());
    facts.tp = number("tp_size").or(facts.tp);
    facts.pp = number("pp_size").or(facts.pp);
    facts.dp = number("dp_size").or(facts.dp);
    facts.ep = number("ep_size").or(facts.ep);
    facts.has_dp_attention |= setting(text, "enable_dp_attention").as_deref() == Some("True");
    facts.kv_dtype = setting(text, "kv_cache_dtype").or(facts.kv_dtype.take());
    facts.page = number("page_size").or(facts.page);
    facts.context = number("context_length").or(facts.context);
    facts.cap_tokens = number("max_total_tokens").or(facts.cap_tokens);
    facts.fraction = fraction(text, "mem_fraction_static").or(facts.fraction);
    true
}

/// vLLM's line before it builds the engine, and the settings that differ from its defaults.
pub(super) fn vllm(facts: &mut Facts, text: &str) -> bool {
    let number = |name: &str| setting(text, name).and_then(|word| word.parse::<u64>().ok());
    facts.model = setting(text, "model").or(facts.model.take());
    facts.tp = number("tensor_parallel_size").or(facts.tp);
    facts.pp = number("pipeline_parallel_size").or(facts.pp);
    facts.dp = number("data_parallel_size").or(facts.dp);
    facts.kv_dtype = setting(text, "kv_cache_dtype").or(facts.kv_dtype.take());
    facts.dtype = setting(text, "dtype").or(facts.dtype.take());
    facts.page = number("block_size").or(facts.page);
    facts.context = number("max_model_len")
        .or_else(|| number("max_seq_len"))
        .or(facts.context);
    facts.max_running_requests = number("max_num_seqs").or(facts.max_running_requests);
    facts.cap_blocks = number("num_gpu_blocks_override").or(facts.cap_blocks);
    facts.fraction = fraction(text, "gpu_memory_utilization").or(facts.fraction);
    facts.version = after(text, "LLM engine (v")
        .and_then(|rest| rest.split(')').next())
        .map(|version| contracts::text::clean(version, 60))
        .or(facts.version.take());
    true
}

fn fraction(text: &str, name: &str) -> Option<f64> {
    let fraction: f64 = setting(text, name)?.parse().ok()?;
    (0.0..=1.0).contains(&fraction).then_some(fraction)
}
