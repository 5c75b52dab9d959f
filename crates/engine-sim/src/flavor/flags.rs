//! The flags of both engines as they are typed. Values stay text here: each engine complains about them in its own
//! words.

use clap::{Args, ValueEnum};

/// The engine that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flavor {
    /// Flags, defaults, logs and metrics of SGLang.
    Sglang,
    /// Flags, defaults, logs and metrics of vLLM.
    Vllm,
}

/// Flags in the engines' own spelling.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Engine flags, as the engines spell them")]
pub struct EngineFlags {
    /// Model to simulate, by hub id
    #[arg(long, visible_alias = "model-path", value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Name under which the model is served
    #[arg(long, value_name = "NAME")]
    pub(crate) served_model_name: Option<String>,
    /// Data type of the KV cache: auto, bfloat16 or one of the fp8 types
    #[arg(long, value_name = "TYPE")]
    pub(crate) kv_cache_dtype: Option<String>,
    /// Ask for this key
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// SGLang: decode steps per scheduler round
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) num_continuous_decode_steps: Option<String>,
    /// SGLang: decode in the steps that prefill
    #[arg(long)]
    pub(crate) enable_mixed_chunk: bool,
    /// SGLang: order of waiting requests, lpm or fcfs
    #[arg(long, value_name = "POLICY")]
    pub(crate) schedule_policy: Option<String>,
    /// SGLang: share of the answers still to come that is kept free, 1 as a rule
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) schedule_conservativeness: Option<String>,
    /// SGLang: prompt tokens in a step; -1 switches chunking off
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) chunked_prefill_size: Option<String>,
    /// SGLang: prompt tokens in a step when prompts are not chunked
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_prefill_tokens: Option<String>,
    /// SGLang: requests that run at a time
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_running_requests: Option<String>,
    /// SGLang: tokens of KV cache, less than there is room for
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_total_tokens: Option<String>,
    /// SGLang: share of the memory for weights and KV cache
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) mem_fraction_static: Option<String>,
    /// SGLang: longest context
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) context_length: Option<String>,
    /// SGLang: tokens of a page of KV cache
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) page_size: Option<String>,
    /// SGLang: no prefix cache
    #[arg(long)]
    pub(crate) disable_radix_cache: bool,
    /// SGLang: launch kernels one by one
    #[arg(long)]
    pub(crate) disable_cuda_graph: bool,
    /// SGLang: serve /metrics (engine-sim always does)
    #[arg(long)]
    pub(crate) enable_metrics: bool,
    /// vLLM: sequences in a step
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_num_seqs: Option<String>,
    /// vLLM: tokens in a step
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_num_batched_tokens: Option<String>,
    /// vLLM: share of the memory that is used at all
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) gpu_memory_utilization: Option<String>,
    /// vLLM: longest context
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_model_len: Option<String>,
    /// vLLM: tokens of a block of KV cache
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) block_size: Option<String>,
    /// vLLM: prefix cache, the default
    #[arg(long)]
    pub(crate) enable_prefix_caching: bool,
    /// vLLM: no prefix cache
    #[arg(long)]
    pub(crate) no_enable_prefix_caching: bool,
    /// vLLM: cut long prompts, the default
    #[arg(long)]
    pub(crate) enable_chunked_prefill: bool,
    /// vLLM: do not cut long prompts
    #[arg(long)]
    pub(crate) no_enable_chunked_prefill: bool,
    /// vLLM: launch kernels one by one
    #[arg(long)]
    pub(crate) enforce_eager: bool,
}

/// Which engine has a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Sglang,
    Vllm,
    Both,
}

impl EngineFlags {
    /// Every flag that was given, and which engine has it.
    pub(crate) fn given(&self) -> Vec<(&'static str, Owner)> {
        use Owner::{Both, Sglang, Vllm};
        // Taken apart by name, so that a new flag cannot be forgotten here.
        let EngineFlags {
            model,
            served_model_name,
            kv_cache_dtype,
            api_key,
            num_continuous_decode_steps,
            enable_mixed_chunk,
            schedule_policy,
            schedule_conservativeness,
            chunked_prefill_size,
            max_prefill_tokens,
            max_running_requests,
            max_total_tokens,
            mem_fraction_static,
            context_length,
            page_size,
            disable_radix_cache,
            disable_cuda_graph,
            enable_metrics,
            max_num_seqs,
            max_num_batched_tokens,
            gpu_memory_utilization,
            max_model_len,
            block_size,
            enable_prefix_caching,
            no_enable_prefix_caching,
            enable_chunked_prefill,
            no_enable_chunked_prefill,
            enforce_eager,
        } = self;
        let all = [
            (model.is_some(), "--model", Both),
            (served_model_name.is_some(), "--served-model-name", Both),
            (kv_cache_dtype.is_some(), "--kv-cache-dtype", Both),
            (api_key.is_some(), "--api-key", Both),
            (
                num_continuous_decode_steps.is_some(),
                "--num-continuous-decode-steps",
                Sglang,
            ),
            (*enable_mixed_chunk, "--enable-mixed-chunk", Sglang),
            (schedule_policy.is_some(), "--schedule-policy", Sglang),
            (
                schedule_conservativeness.is_some(),
                "--schedule-conservativeness",
                Sglang,
            ),
            (chunked_prefill_size.is_some(), "--chunked-prefill-size", Sglang),
            (max_prefill_tokens.is_some(), "--max-prefill-tokens", Sglang),
            (max_running_requests.is_some(), "--max-running-requests", Sglang),
            (max_total_tokens.is_some(), "--max-total-tokens", Sglang),
            (mem_fraction_static.is_some(), "--mem-fraction-static", Sglang),
            (context_length.is_some(), "--context-length", Sglang),
            (page_size.is_some(), "--page-size", Sglang),
            (*disable_radix_cache, "--disable-radix-cache", Sglang),
            (*disable_cuda_graph, "--disable-cuda-graph", Sglang),
            (*enable_metrics, "--enable-metrics", Sglang),
            (max_num_seqs.is_some(), "--max-num-seqs", Vllm),
            (max_num_batched_tokens.is_some(), "--max-num-batched-tokens", Vllm),
            (gpu_memory_utilization.is_some(), "--gpu-memory-utilization", Vllm),
            (max_model_len.is_some(), "--max-model-len", Vllm),
            (block_size.is_some(), "--block-size", Vllm),
            (*enable_prefix_caching, "--enable-prefix-caching", Vllm),
            (*no_enable_prefix_caching, "--no-enable-prefix-caching", Vllm),
            (*enable_chunked_prefill, "--enable-chunked-prefill", Vllm),
            (*no_enable_chunked_prefill, "--no-enable-chunked-prefill", Vllm),
            (*enforce_eager, "--enforce-eager", Vllm),
        ];
        all.into_iter()
            .filter(|(given, ..)| *given)
            .map(|(_, flag, owner)| (flag, owner))
            .collect()
    }
}
