//! vLLM's metric names (0.33.0).

use super::counts::{Counts, Gauges};
use super::exposition::{Exposition, escaped};
use crate::flavor::Launch;

pub(super) fn render(launch: &Launch, counts: &Counts, gauges: &Gauges) -> String {
    let labels = format!("engine=\"0\",model_name=\"{}\"", escaped(&launch.served_model));
    let mut out = Exposition::new(labels);
    let waiting = gauges.waiting as f64;
    let usage = gauges.kv_used as f64 / gauges.kv_tokens.max(1) as f64;
    out.gauge(
        "vllm:num_requests_running",
        "Requests that run.",
        gauges.running as f64,
    );
    out.gauge("vllm:num_requests_waiting", "Requests that wait.", waiting);
    out.gauges(
        "vllm:num_requests_waiting_by_reason",
        "Requests that wait, by reason.",
        &[("reason=\"capacity\"", waiting), ("reason=\"deferred\"", 0.0)],
    );
    out.gauge(
        "vllm:kv_cache_usage_perc",
        "Share of the KV cache in use, 1 is all of it.",
        usage,
    );
    let args = &launch.server_args;
    let config = format!(
        "block_size=\"{}\",cache_dtype={},enable_prefix_caching=\"{}\",gpu_memory_utilization=\"{}\",\
         num_gpu_blocks=\"{}\"",
        launch.settings.page,
        args["kv_cache_dtype"],
        if launch.settings.prefix_cache {
            "True"
        } else {
            "False"
        },
        args["gpu_memory_utilization"],
        launch.settings.pages,
    );
    out.gauges(
        "vllm:cache_config_info",
        "Settings of the KV cache.",
        &[(&config, 1.0)],
    );
    for (name, help, value) in [
        (
            "prefix_cache_queries_total",
            "Tokens looked up in the prefix cache.",
            counts.prompt_tokens,
        ),
        (
            "prefix_cache_hits_total",
            "Tokens found in the prefix cache.",
            counts.cached_tokens,
        ),
        ("num_preemptions_total", "Preemptions.", counts.preempted),
        ("prompt_tokens_total", "Prompt tokens.", counts.prompt_tokens),
        (
            "prompt_tokens_cached_total",
            "Prompt tokens from the prefix cache.",
            counts.cached_tokens,
        ),
        (
            "generation_tokens_total",
            "Generated tokens.",
            counts.generation_tokens,
        ),
    ] {
        out.counter(&format!("vllm:{name}"), help, value);
    }
    out.counters(
        "vllm:request_success_total",
        "Requests by how they ended.",
        &[
            ("finished_reason=\"stop\"", 0),
            ("finished_reason=\"length\"", counts.finished),
            ("finished_reason=\"abort\"", counts.aborted),
        ],
    );
    for (name, help, histogram) in [
        ("iteration_tokens_total", "Tokens of a step.", &counts.step_tokens),
        ("request_prompt_tokens", "Prompt lengths.", &counts.prompt_lengths),
        (
            "request_generation_tokens",
            "Answer lengths.",
            &counts.answer_lengths,
        ),
        (
            "time_to_first_token_seconds",
            "Request to first token.",
            &counts.ttft,
        ),
        (
            "inter_token_latency_seconds",
            "Output event to output event.",
            &counts.itl,
        ),
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
            "request_queue_time_seconds",
            "Request to admission.",
            &counts.queue,
        ),
        (
            "request_prefill_time_seconds",
            "Admission to first token.",
            &counts.prefill,
        ),
        (
            "request_decode_time_seconds",
            "First to last token.",
            &counts.decode,
        ),
    ] {
        out.histogram(&format!("vllm:{name}"), help, histogram);
    }
    out.finish()
}
