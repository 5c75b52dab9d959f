//! The table. Names were read from SGLang 0.5.23, vLLM 0.33.0, TensorRT-LLM 050f80d, TokenSpeed f4d8ec6, llama.cpp b10519 and
//! the DCGM exporter 00d6d34; names of older releases stand behind them.

use contracts::telemetry_fetch::metric::{MetricKind, Semantics};

use super::{Across, Term};

const COUNTER: Term = Term {
    id: "",
    unit: "",
    scale: 1.0,
    kind: MetricKind::Counter,
    semantics: Semantics::Cumulative,
    across: Across::Sum,
    split: None,
    is_attribute: false,
    names: &[],
};

const GAUGE: Term = Term {
    kind: MetricKind::Gauge,
    semantics: Semantics::Instantaneous,
    ..COUNTER
};

/// The worst rank counts: the fullest cache is the one that limits.
const FULLEST: Term = Term {
    across: Across::Max,
    unit: "ratio",
    ..GAUGE
};

const ATTRIBUTE: Term = Term {
    across: Across::Min,
    is_attribute: true,
    ..GAUGE
};

const PER_REQUEST: Term = Term {
    unit: "ms",
    scale: 1e3,
    kind: MetricKind::Histogram,
    semantics: Semantics::PerRequest,
    ..COUNTER
};

const LENGTHS: Term = Term {
    unit: "tokens",
    scale: 1.0,
    ..PER_REQUEST
};

const GPU: Term = Term {
    split: Some("gpu"),
    across: Across::Max,
    ..GAUGE
};

/// What limits throughput stands first; documents keep this order.
pub(crate) const TERMS: &[Term] = &[
    Term {
        id: "running_requests",
        unit: "requests",
        names: &[
            "sglang_num_running_reqs",
            "vllm_num_requests_running",
            "trtllm_num_requests_running",
            "tokenspeed_num_requests_running",
            "llamacpp_requests_processing",
        ],
        ..GAUGE
    },
    Term {
        id: "waiting_requests",
        unit: "requests",
        names: &[
            "sglang_num_queue_reqs",
            "vllm_num_requests_waiting",
            "trtllm_num_requests_waiting",
            "tokenspeed_num_requests_waiting",
            "llamacpp_requests_deferred",
        ],
        ..GAUGE
    },
    Term {
        id: "kv_usage_ratio",
        names: &[
            "sglang_token_usage",
            "vllm_kv_cache_usage_perc",
            // Until vLLM 0.8; a ratio in spite of its name.
            "vllm_gpu_cache_usage_perc",
            "trtllm_kv_cache_utilization",
            "tokenspeed_kv_cache_usage_perc",
            "llamacpp_kv_cache_usage_ratio",
        ],
        ..FULLEST
    },
    Term {
        id: "swa_usage_ratio",
        names: &["sglang_swa_token_usage"],
        ..FULLEST
    },
    Term {
        id: "mamba_usage_ratio",
        names: &["sglang_mamba_usage"],
        ..FULLEST
    },
    Term {
        id: "preemptions",
        unit: "requests",
        names: &["sglang_num_retracted_requests", "vllm_num_preemptions"],
        ..COUNTER
    },
    Term {
        id: "prompt_tokens",
        unit: "tokens",
        names: &[
            "sglang_prompt_tokens",
            "vllm_prompt_tokens",
            "trtllm_prompt_tokens",
            "tokenspeed_prompt_tokens",
        ],
        ..COUNTER
    },
    // llama.cpp counts what it computed; the cached ones stand beside it.
    Term {
        id: "computed_prompt_tokens",
        unit: "tokens",
        names: &["llamacpp_prompt_tokens"],
        ..COUNTER
    },
    Term {
        id: "generation_tokens",
        unit: "tokens",
        names: &[
            "sglang_generation_tokens",
            "vllm_generation_tokens",
            "trtllm_generation_tokens",
            "tokenspeed_generation_tokens",
            "llamacpp_tokens_predicted",
        ],
        ..COUNTER
    },
    Term {
        id: "cached_tokens",
        unit: "tokens",
        names: &[
            "sglang_cached_tokens",
            "vllm_prompt_tokens_cached",
            "vllm_prefix_cache_hits",
            "trtllm_prompt_cached_tokens",
            "tokenspeed_prefix_cache_hits",
            "llamacpp_prompt_tokens_cached",
        ],
        ..COUNTER
    },
    Term {
        id: "requests",
        unit: "requests",
        names: &[
            "sglang_num_requests",
            "vllm_request_success",
            "trtllm_request_success",
            "tokenspeed_request_success",
            "tokenspeed_num_requests",
        ],
        ..COUNTER
    },
    Term {
        id: "aborted_requests",
        unit: "requests",
        names: &["sglang_num_aborted_requests"],
        ..COUNTER
    },
    Term {
        id: "spec_draft_tokens",
        unit: "tokens",
        names: &[
            "vllm_spec_decode_num_draft_tokens",
            "trtllm_spec_decode_num_draft_tokens",
            "tokenspeed_spec_decode_num_draft_tokens",
            "llamacpp_spec_decode_num_draft_tokens",
        ],
        ..COUNTER
    },
    Term {
        id: "spec_accepted_tokens",
        unit: "tokens",
        names: &[
            "vllm_spec_decode_num_accepted_tokens",
            "trtllm_spec_decode_num_accepted_tokens",
            "tokenspeed_spec_decode_num_accepted_tokens",
            "llamacpp_spec_decode_num_accepted_tokens",
        ],
        ..COUNTER
    },
    Term {
        id: "ttft_ms",
        names: &[
            "sglang_time_to_first_token_seconds",
            "vllm_time_to_first_token_seconds",
            "trtllm_time_to_first_token_seconds",
            "tokenspeed_time_to_first_token_seconds",
        ],
        ..PER_REQUEST
    },
    // SGLang divides the interval by its tokens and observes it once for each of them.
    Term {
        id: "itl_ms",
        semantics: Semantics::PerToken,
        names: &["sglang_inter_token_latency_seconds"],
        ..PER_REQUEST
    },
    // Until vLLM 0.11 the second name meant the same. TokenSpeed's semantics were not checked.
    Term {
        id: "itl_ms",
        semantics: Semantics::PerOutputEvent,
        names: &[
            "vllm_inter_token_latency_seconds",
            "vllm_time_per_output_token_seconds",
            "tokenspeed_inter_token_latency_seconds",
        ],
        ..PER_REQUEST
    },
    Term {
        id: "tpot_ms",
        names: &[
            "sglang_request_time_per_output_token_seconds",
            "vllm_request_time_per_output_token_seconds",
            "trtllm_time_per_output_token_seconds",
            "tokenspeed_request_time_per_output_token_seconds",
        ],
        ..PER_REQUEST
    },
    Term {
        id: "e2e_latency_ms",
        names: &[
            "sglang_e2e_request_latency_seconds",
            "vllm_e2e_request_latency_seconds",
            "trtllm_e2e_request_latency_seconds",
            "tokenspeed_e2e_request_latency_seconds",
        ],
        ..PER_REQUEST
    },
    Term {
        id: "queue_time_ms",
        names: &[
            "sglang_queue_time_seconds",
            "vllm_request_queue_time_seconds",
            "trtllm_request_queue_time_seconds",
        ],
        ..PER_REQUEST
    },
    Term {
        id: "prefill_time_ms",
        names: &[
            "vllm_request_prefill_time_seconds",
            "trtllm_request_prefill_time_seconds",
        ],
        ..PER_REQUEST
    },
    Term {
        id: "decode_time_ms",
        names: &[
            "vllm_request_decode_time_seconds",
            "trtllm_request_decode_time_seconds",
        ],
        ..PER_REQUEST
    },
    Term {
        id: "stage_time_ms",
        split: Some("stage"),
        names: &["sglang_per_stage_req_latency_seconds"],
        ..PER_REQUEST
    },
    Term {
        id: "step_tokens",
        semantics: Semantics::PerStep,
        names: &["vllm_iteration_tokens_total", "tokenspeed_iteration_tokens_total"],
        ..LENGTHS
    },
    Term {
        id: "prompt_length_tokens",
        names: &["sglang_prompt_tokens_histogram", "vllm_request_prompt_tokens"],
        ..LENGTHS
    },
    Term {
        id: "answer_length_tokens",
        names: &[
            "sglang_generation_tokens_histogram",
            "vllm_request_generation_tokens",
        ],
        ..LENGTHS
    },
    Term {
        id: "scheduler_stage_s",
        unit: "s",
        split: Some("category"),
        names: &["sglang_scheduler_stage_seconds"],
        ..COUNTER
    },
    Term {
        id: "forward_s",
        unit: "s",
        split: Some("category"),
        names: &["sglang_forward_execution_seconds"],
        ..COUNTER
    },
    Term {
        id: "graph_passes",
        unit: "passes",
        split: Some("mode"),
        names: &["sglang_cuda_graph_passes"],
        ..COUNTER
    },
    Term {
        id: "evicted_tokens",
        unit: "tokens",
        names: &["sglang_evicted_tokens"],
        ..COUNTER
    },
    Term {
        id: "prompt_s",
        unit: "s",
        names: &["llamacpp_prompt_seconds"],
        ..COUNTER
    },
    Term {
        id: "generation_s",
        unit: "s",
        names: &["llamacpp_tokens_predicted_seconds"],
        ..COUNTER
    },
    // Every prefill batch overwrites it (sglang#5625): shown, so that nobody takes it for the ratio of the window.
    Term {
        id: "last_batch_hit_ratio",
        unit: "ratio",
        semantics: Semantics::LastBatch,
        across: Across::Max,
        names: &["sglang_cache_hit_rate", "trtllm_kv_cache_hit_rate"],
        ..GAUGE
    },
    Term {
        id: "last_batch_output_tps",
        unit: "tokens/s",
        semantics: Semantics::LastBatch,
        names: &["sglang_gen_throughput"],
        ..GAUGE
    },
    Term {
        id: "last_batch_accept_length",
        unit: "tokens",
        semantics: Semantics::LastBatch,
        across: Across::Max,
        names: &["sglang_spec_accept_length"],
        ..GAUGE
    },
    Term {
        id: "gpu_utilization_pct",
        unit: "%",
        names: &["DCGM_FI_DEV_GPU_UTIL"],
        ..GPU
    },
    Term {
        id: "gpu_power_w",
        unit: "W",
        names: &["DCGM_FI_DEV_POWER_USAGE"],
        ..GPU
    },
    Term {
        id: "gpu_energy_j",
        unit: "J",
        scale: 1e-3,
        split: Some("gpu"),
        names: &["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"],
        ..COUNTER
    },
    Term {
        id: "gpu_sm_clock_mhz",
        unit: "MHz",
        names: &["DCGM_FI_DEV_SM_CLOCK"],
        ..GPU
    },
    Term {
        id: "gpu_temperature_c",
        unit: "degC",
        names: &["DCGM_FI_DEV_GPU_TEMP"],
        ..GPU
    },
    Term {
        id: "gpu_memory_used_mib",
        unit: "MiB",
        names: &["DCGM_FI_DEV_FB_USED"],
        ..GPU
    },
    Term {
        id: "gpu_sm_active_ratio",
        unit: "ratio",
        names: &["DCGM_FI_PROF_SM_ACTIVE"],
        ..GPU
    },
    Term {
        id: "gpu_tensor_active_ratio",
        unit: "ratio",
        names: &["DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"],
        ..GPU
    },
    Term {
        id: "gpu_dram_active_ratio",
        unit: "ratio",
        names: &["DCGM_FI_PROF_DRAM_ACTIVE"],
        ..GPU
    },
    Term {
        id: "kv_capacity_tokens",
        names: &["sglang_max_total_num_tokens"],
        ..ATTRIBUTE
    },
    Term {
        id: "kv_page_tokens",
        names: &["sglang_page_size", "trtllm_kv_cache_tokens_per_block"],
        ..ATTRIBUTE
    },
    Term {
        id: "kv_pages",
        names: &["sglang_num_pages", "trtllm_kv_cache_max_blocks"],
        ..ATTRIBUTE
    },
    Term {
        id: "context_tokens",
        names: &["sglang_context_len"],
        ..ATTRIBUTE
    },
    Term {
        id: "weights_gib",
        names: &["sglang_weight_memory_usage_gb"],
        ..ATTRIBUTE
    },
    Term {
        id: "kv_cache_gib",
        names: &["sglang_kv_cache_memory_usage_gb"],
        ..ATTRIBUTE
    },
];
