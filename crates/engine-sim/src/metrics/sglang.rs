//! SGLang's metric names (0.5.23).

use super::counts::{Counts, Gauges};
use super::exposition::{Exposition, escaped};
use crate::engine::Graphs;
use crate::flavor::Launch;

pub(super) fn render(launch: &Launch, counts: &Counts, gauges: &Gauges) -> String {
    let model = escaped(&launch.served_model);
    let labels = format!(
        "engine_type=\"unified\",model_name=\"{model}\",moe_ep_rank=\"0\",pp_rank=\"0\",tp_rank=\"0\""
    );
    let mut out = Exposition::new(labels);
    let gib = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
    let usage = gauges.kv_used as f64 / gauges.kv_tokens.max(1) as f64;
    let free = gauges.kv_tokens.saturating_sub(gauges.kv_used) as f64;
    for (name, help, value) in [
        ("num_running_reqs", "Requests that run.", gauges.running as f64),
        ("num_queue_reqs", "Requests that wait.", gauges.waiting as f64),
        (
            "gen_throughput",
            "Generated tokens per second.",
            gauges.throughput,
        ),
        (
            "cache_hit_rate",
            "Share of cached tokens in the last prefill.",
            gauges.hit_rate,
        ),
        ("token_usage", "Share of the KV cache in use.", usage),
        (
            "full_token_usage",
            "Share of the full-attention KV cache in use.",
            usage,
        ),
        (
            "num_used_tokens",
            "Tokens in the KV cache.",
            gauges.kv_used as f64,
        ),
        (
            "kv_available_tokens",
            "Tokens of KV cache that are free or evictable.",
            free,
        ),
        (
            "max_total_num_tokens",
            "Tokens of KV cache.",
            gauges.kv_tokens as f64,
        ),
        (
            "weight_memory_usage_gb",
            "Memory of the weights.",
            gib(launch.memory.weights),
        ),
        (
            "kv_cache_memory_usage_gb",
            "Memory of the KV cache.",
            gib(launch.memory.kv),
        ),
        ("page_size", "Tokens of a page.", launch.settings.page as f64),
        ("num_pages", "Pages of KV cache.", launch.settings.pages as f64),
        ("context_len", "Longest context.", launch.context as f64),
        (
            "is_cuda_graph",
            "Decoding launches graphs.",
            f64::from(u8::from(launch.cost.graphs != Graphs::Off)),
        ),
    ] {
        out.gauge(&format!("sglang:{name}"), help, value);
    }
    out.counter(
        "sglang:num_retracted_requests_total",
        "Requests that lost their cache.",
        counts.preempted,
    );
    let mut requests = Exposition::new(format!("engine_type=\"unified\",model_name=\"{model}\""));
    requests.counter(
        "sglang:prompt_tokens_total",
        "Prompt tokens.",
        counts.prompt_tokens,
    );
    requests.counter(
        "sglang:generation_tokens_total",
        "Generated tokens.",
        counts.generation_tokens,
    );
    requests.counters(
        "sglang:cached_tokens_total",
        "Prompt tokens from the prefix cache.",
        &[("cache_source=\"device\"", counts.cached_tokens)],
    );
    requests.counter("sglang:num_requests_total", "Requests.", counts.requests);
    requests.counter(
        "sglang:num_aborted_requests_total",
        "Requests that were aborted.",
        counts.aborted,
    );
    for (name, help, histogram) in [
        (
            "time_to_first_token_seconds",
            "Request to first token.",
            &counts.ttft,
        ),
        ("inter_token_latency_seconds", "Token to token.", &counts.itl),
        (
            "request_time_per_output_token_seconds",
            "Mean token to token of a request.",
            &counts.per_token,
        ),
        (
            "e2e_request_latency_seconds",
            "Request to last token.",
            &counts.e2e,
        ),
        (
            "prompt_tokens_histogram",
            "Prompt lengths.",
            &counts.prompt_lengths,
        ),
        (
            "generation_tokens_histogram",
            "Answer lengths.",
            &counts.answer_lengths,
        ),
    ] {
        requests.histogram(&format!("sglang:{name}"), help, histogram);
    }
    out.histogram(
        "sglang:queue_time_seconds",
        "Request to admission.",
        &counts.queue,
    );
    out.finish() + &requests.finish()
}
