"""The landscapes that run.sh computes: model, GPU, engine, workload, metric, and the flags that are searched.

Defaults are those of the engine where it has one. The workloads are InferenceBench's shapes (input and output lengths
uniform in [0.8 L, L]) and three that stress what those leave alone: a shared prompt prefix, an open arrival rate, memory.
"""

from __future__ import annotations


def parameter(name: str, family: str, kind: str, values: list, log: bool = False, when: dict | None = None) -> dict:
    return {"name": name, "family": family, "kind": kind, "values": values, "log": log, "when": when}


def tp(*values: int) -> dict:
    return parameter("tensor_parallel_size", "parallelism", "int", list(values), log=True)


def quantization(*values: str) -> dict:
    return parameter("quantization", "quantization", "choice", list(values))


def seqs(*values: int) -> dict:
    return parameter("max_num_seqs", "batching", "int", list(values), log=True)


def tokens(*values: int) -> dict:
    return parameter("max_num_batched_tokens", "batching", "int", list(values), log=True)


def memory(*values: float) -> dict:
    return parameter("gpu_memory_utilization", "kv-cache", "float", list(values))


def interval(*values: int) -> dict:
    return parameter("prefill_schedule_interval", "scheduling", "int", list(values), when={"enable_chunked_prefill": [True]})


KV_DTYPE = parameter("kv_cache_dtype", "quantization", "choice", ["auto", "fp8"])
CHUNKED = parameter("enable_chunked_prefill", "scheduling", "flag", [True, False])
PREFIX = parameter("enable_prefix_caching", "prefix-cache", "flag", [True, False])
EXPERTS = parameter("enable_expert_parallel", "parallelism", "flag", [False, True], when={"tensor_parallel_size": [2, 4, 8]})


def workload(requests: int, input_tokens: int, output_tokens: int, *, concurrency: int | None = None,
             rate: float | None = None, shared_prefix: int = 0) -> dict:
    """A closed loop of `concurrency` clients, or Poisson arrivals at `rate` requests a second."""
    return {"requests": requests, "input_tokens": input_tokens, "output_tokens": output_tokens,
            "concurrency": concurrency, "rate": rate, "shared_prefix": shared_prefix, "seed": 7}


LANDSCAPES = [
    {"name": "llama-3.1-8b-h100-vllm-burst", "model": "meta-llama/Meta-Llama-3.1-8B", "system": "h100_sxm", "backend": "vllm",
     "metric": "output_tokens_per_s_per_gpu", "workload": workload(192, 1024, 1024, concurrency=64),
     "baseline": {"quantization": "none", "kv_cache_dtype": "auto", "max_num_seqs": 32, "max_num_batched_tokens": 8192,
                  "enable_chunked_prefill": True, "prefill_schedule_interval": 1},
     "space": [quantization("none", "fp8"), KV_DTYPE, seqs(8, 16, 32, 64, 256), tokens(512, 2048, 8192, 16384), CHUNKED,
               interval(1, 2, 4)]},
    {"name": "qwen3-32b-h200-sglang-long", "model": "Qwen/Qwen3-32B", "system": "h200_sxm", "backend": "sglang",
     "metric": "geomean_ttft_tpot_rate", "workload": workload(24, 4096, 2048, concurrency=4),
     "baseline": {"tensor_parallel_size": 1, "quantization": "none", "kv_cache_dtype": "auto", "chunked_prefill_size": 8192,
                  "prefill_decode_interval": 0, "max_running_requests": 256},
     "space": [tp(1, 2, 4), quantization("none", "fp8"), KV_DTYPE,
               parameter("chunked_prefill_size", "scheduling", "int", [512, 1024, 2048, 8192], log=True),
               parameter("prefill_decode_interval", "scheduling", "int", [0, 2, 8]),
               parameter("max_running_requests", "batching", "int", [2, 4, 256], log=True)]},
    {"name": "qwen3-30b-a3b-h100-vllm-load", "model": "Qwen/Qwen3-30B-A3B", "system": "h100_sxm", "backend": "vllm",
     "metric": "output_tokens_per_s_per_gpu", "workload": workload(512, 2048, 256, concurrency=256),
     "baseline": {"tensor_parallel_size": 1, "quantization": "none", "gpu_memory_utilization": 0.9, "max_num_seqs": 256,
                  "max_num_batched_tokens": 8192},
     "space": [tp(1, 2, 4), EXPERTS, quantization("none", "fp8"), memory(0.7, 0.8, 0.9, 0.95), seqs(32, 128, 256, 512),
               tokens(2048, 8192, 16384)]},
    {"name": "llama-3.1-70b-h100-sglang-prefix", "model": "meta-llama/Meta-Llama-3.1-70B", "system": "h100_sxm",
     "backend": "sglang", "metric": "output_tokens_per_s_per_gpu",
     "workload": workload(192, 4096, 512, concurrency=96, shared_prefix=2048),
     "baseline": {"tensor_parallel_size": 4, "quantization": "none", "kv_cache_dtype": "auto", "mem_fraction_static": 0.8,
                  "max_running_requests": 128, "enable_radix_cache": True, "schedule_policy": "fcfs"},
     "space": [tp(1, 2, 4, 8), quantization("none", "fp8"), KV_DTYPE,
               parameter("mem_fraction_static", "kv-cache", "float", [0.7, 0.8, 0.9]),
               parameter("max_running_requests", "batching", "int", [16, 32, 128], log=True),
               parameter("enable_radix_cache", "prefix-cache", "flag", [True, False]),
               parameter("schedule_policy", "scheduling", "choice", ["fcfs", "lpm"], when={"enable_radix_cache": [True]})]},
    {"name": "qwen3-32b-b200-vllm-reasoning", "model": "Qwen/Qwen3-32B", "system": "b200_sxm", "backend": "vllm",
     "metric": "output_tokens_per_s_per_gpu", "workload": workload(256, 1024, 2048, concurrency=256),
     "baseline": {"quantization": "none", "kv_cache_dtype": "auto", "gpu_memory_utilization": 0.9, "max_num_seqs": 256,
                  "max_num_batched_tokens": 8192},
     "space": [quantization("none", "fp8", "nvfp4"), KV_DTYPE, memory(0.4, 0.6, 0.8, 0.9), seqs(16, 64, 128, 256),
               tokens(128, 512, 2048, 8192)]},
    {"name": "qwen3-8b-a100-vllm-chat", "model": "Qwen/Qwen3-8B", "system": "a100_sxm", "backend": "vllm",
     "metric": "inverse_mean_latency", "workload": workload(256, 2048, 256, rate=7.0, shared_prefix=1024),
     "baseline": {"tensor_parallel_size": 1, "max_num_seqs": 256, "max_num_batched_tokens": 2048, "block_size": 16,
                  "enable_prefix_caching": False, "enable_chunked_prefill": True, "prefill_schedule_interval": 1},
     "space": [tp(1, 2), seqs(16, 64, 256), tokens(512, 1024, 2048, 8192), PREFIX, CHUNKED, interval(1, 2, 4, 8),
               parameter("block_size", "kv-cache", "int", [16, 64], log=True)]},
    {"name": "qwen3-32b-l40s-vllm-memory", "model": "Qwen/Qwen3-32B", "system": "l40s", "backend": "vllm",
     "metric": "output_tokens_per_s_per_gpu", "workload": workload(128, 2048, 1024, concurrency=64),
     "baseline": {"tensor_parallel_size": 4, "quantization": "none", "kv_cache_dtype": "auto", "gpu_memory_utilization": 0.9,
                  "max_num_seqs": 256, "max_num_batched_tokens": 2048},
     "space": [tp(1, 2, 4, 8), quantization("none", "fp8"), KV_DTYPE, memory(0.8, 0.9, 0.95), seqs(16, 64, 256),
               tokens(512, 2048, 8192)]},
    {"name": "gpt-oss-120b-b200-sglang-prefill", "model": "openai/gpt-oss-120b", "system": "b200_sxm", "backend": "sglang",
     "metric": "geomean_ttft_tpot_rate", "workload": workload(128, 8192, 512, concurrency=32),
     "baseline": {"tensor_parallel_size": 1, "chunked_prefill_size": 8192, "max_running_requests": 256,
                  "prefill_decode_interval": 0},
     "space": [tp(1, 2, 4, 8), EXPERTS,
               parameter("chunked_prefill_size", "scheduling", "int", [1024, 2048, 4096, 8192, 16384], log=True),
               parameter("max_running_requests", "batching", "int", [4, 8, 16, 256], log=True),
               parameter("prefill_decode_interval", "scheduling", "int", [0, 1, 4])]},
]
