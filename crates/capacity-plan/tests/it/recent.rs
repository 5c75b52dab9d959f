//! Lines of the releases of autumn 2026, written after the sources of SGLang 0.5.23 and vLLM 0.33.0 (their wheels); the
//! comments name the files there. The numbers are made up, and add up.

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{codes, gib, of_log, warnings, write};

fn parts(memory: &Value) -> [f64; 6] {
    [
        "total_bytes",
        "weights_bytes",
        "kv_bytes",
        "graph_bytes",
        "other_bytes",
        "free_bytes",
    ]
    .map(|part| gib(&memory[part]))
}

fn kinds(document: &Value) -> Vec<&str> {
    let pools = document["data"]["pools"].as_array().expect("a list").iter();
    pools.filter_map(|pool| pool["kind"].as_str()).collect()
}

/// SGLang: the draft is loaded before the pools, which have names (mem_cache/memory_pool.py, mem_cache/swa_memory_pool.py),
/// and there is a capture for each phase (model_executor/model_runner_components/cuda_graph_setup.py,
/// speculative/eagle_worker_v2.py, speculative/multi_layer_eagle_draft_extend_cuda_graph_runner.py).
#[test]
fn pools_with_names_and_a_capture_for_each_phase() {
    let log = "\
[2026-11-02 10:00:00] server_args=ServerArgs(model_path='/models/m', tp_size=1, mem_fraction_static=0.85, page_size=64)
[2026-11-02 10:00:10 TP0] Load weight begin. avail mem=78.00 GB
[2026-11-02 10:00:26 TP0] Load weight end. elapsed=16.20 s, type=X, avail mem=62.00 GB, mem usage=16.00 GB.
[2026-11-02 10:00:26 TP0] Load weight begin. avail mem=62.00 GB
[2026-11-02 10:00:30 TP0] Load weight end. elapsed=4.10 s, type=XDraft, quant=fp8, avail mem=60.50 GB, mem usage=1.50 GB.
[2026-11-02 10:00:31 TP0] Use sliding window memory pool. full_layer_tokens=400000, swa_layer_tokens=400000
[2026-11-02 10:00:31 TP0] SWA KV Cache is allocated. dtype: torch.bfloat16, #tokens: 400000, K size: 12.00 GB, V size: 12.00 GB
[2026-11-02 10:00:31 TP0] Full KV Cache is allocated. dtype: torch.bfloat16, #tokens: 400000, K size: 10.00 GB, V size: 10.00 GB
[2026-11-02 10:00:31 TP0] MiniMax m index KV Cache is allocated. dtype: torch.uint8, #tokens: 400000, KV size: 0.50 GB
[2026-11-02 10:00:31 TP0] Memory pool end. avail mem=15.90 GB
[2026-11-02 10:00:32 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 400000, K size: 0.25 GB, V size: 0.25 GB
[2026-11-02 10:00:32 TP0] Memory pool end. avail mem=15.40 GB
[2026-11-02 10:00:33 TP0] Capture target verify CUDA graph begin. backend=full, num_tokens_per_req=4, avail mem=15.00 GB
[2026-11-02 10:00:46 TP0] Capture target verify CUDA graph end. bs=[1, 2, 4], elapsed=13.48 s, mem usage=0.58 GB, avail mem=14.42 GB.
[2026-11-02 10:00:47 TP0] Capture draft extend CUDA graph begin. step=0, avail mem=14.42 GB
[2026-11-02 10:00:48 TP0] Capture draft extend CUDA graph end. step=0, elapsed=1.00 s, mem usage=0.20 GB, avail mem=14.22 GB.
[2026-11-02 10:00:48 TP0] Capture single-CG draft extend begin. This can take several minutes. avail mem=14.22 GB
[2026-11-02 10:00:50 TP0] Capture single-CG draft extend end. elapsed=2.00 s, mem usage=0.12 GB, avail mem=14.10 GB.
[2026-11-02 10:00:51 TP0] max_total_num_tokens=400000, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=48, context_len=65536, available_gpu_mem=14.10 GB
";
    let seen = of_log(log, &[]);
    assert_eq!(seen["data"]["log"]["starts"], 1);
    assert_eq!(kinds(&seen), ["window", "kv", "index", "draft"]);
    assert_eq!(
        parts(&seen["data"]["memory"][0]),
        [78.0, 17.5, 45.0, 0.9, 0.5, 14.1]
    );
    // Of the layers that keep all tokens: 20 GiB.
    let bytes = seen["data"]["kv"]["bytes_per_token_log"]
        .as_f64()
        .expect("a number");
    assert!(
        (bytes - 20.0 * crate::run::GIB / 400_000.0).abs() < 1.0,
        "{bytes}"
    );
}

/// SGLang: pools get their memory after graphs were captured (model_executor/model_runner_components/kv_pool_runtime.py);
/// before that they are an upper bound of addresses.
#[test]
fn pools_that_are_sized_after_the_capture() {
    let rank = |rank: u32, free: f64| {
        format!(
            "\
[2026-11-02 10:00:10 TP{rank}] Load weight begin. avail mem=78.00 GB
[2026-11-02 10:00:26 TP{rank}] Load weight end. elapsed=16.20 s, type=X, avail mem=62.00 GB, mem usage=16.00 GB.
[2026-11-02 10:00:31 TP{rank}] KV Cache VA upper bound. dtype: torch.bfloat16, #tokens: 900000, K size: 40.00 GB, V size: 40.00 GB
[2026-11-02 10:00:31 TP{rank}] Memory pool end. avail mem=61.90 GB
[2026-11-02 10:00:33 TP{rank}] Capture target decode CUDA graph begin. backend=full, num_tokens_per_req=1, avail mem=61.80 GB
[2026-11-02 10:00:46 TP{rank}] Capture target decode CUDA graph end. bs=[1, 2, 4], elapsed=13.48 s, mem usage=1.50 GB, avail mem=60.30 GB.
[2026-11-02 10:00:47 TP{rank}] Post-capture KV sizing: full_layer_tokens=600000, swa_layer_tokens=0
[2026-11-02 10:00:47 TP{rank}] Post-capture KV sizing: KV cache allocated. dtype: torch.bfloat16, #tokens: 600000, KV size: 48.00 GB, avail mem={free:.2} GB
[2026-11-02 10:00:47 TP{rank}] Post-capture KV sizing: draft KV cache allocated. dtype: torch.bfloat16, #tokens: 600000, KV size: 2.00 GB
"
        )
    };
    let end = "[2026-11-02 10:00:51 TP0] max_total_num_tokens=600000, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=48, context_len=65536, available_gpu_mem=9.80 GB\n";
    let folder = TempDir::new().expect("a folder");
    let config = write(
        &folder,
        "config.json",
        r#"{"model_type": "mistral", "num_hidden_layers": 4, "hidden_size": 4096, "num_attention_heads": 32,
            "num_key_value_heads": 8, "head_dim": 128, "sliding_window": 4096}"#,
    );
    let log = rank(0, 9.9) + &rank(1, 9.7) + end;
    let seen = of_log(&log, &["--config", &config, "--lengths", "8192"]);
    let data = &seen["data"];
    assert_eq!(kinds(&seen), ["kv", "draft", "kv", "draft"]);
    assert_eq!(parts(&data["memory"][0]), [78.0, 16.0, 50.0, 1.5, 0.7, 9.8]);
    assert_eq!(parts(&data["memory"][1]), [78.0, 16.0, 50.0, 1.5, 0.8, 9.7]);
    assert_eq!(
        (&data["headroom"]["rank"], &data["headroom"]["when"]),
        (&"TP1".into(), &"after_capture".into())
    );
    // No pool of windows is no pool of no tokens.
    assert_eq!(
        (
            &data["capacity"][0]["requests"],
            &data["capacity"][0]["binding_limit"]
        ),
        (&48.into(), &"max_running_requests".into())
    );
}

/// SGLang: DeepSeek-V4 prints no pool. What its pools took is what is free before them less what is free after them; what was
/// planned for them is no size where the tokens are capped (the shape of a public log of September 2026).
#[test]
fn pools_without_a_size_are_what_they_took() {
    let log = |planned: &str| {
        format!(
            "\
[2026-09-11 23:34:13 TP0 EP0] Load weight begin. avail mem=110.00 GB
[2026-09-11 23:43:15 TP0 EP0] Load weight end. elapsed=541.76 s, type=X, quant=fp8, avail mem=17.00 GB, mem usage=93.00 GB.
[2026-09-11 23:44:38 TP0 EP0] Load weight begin. avail mem=17.00 GB
[2026-09-11 23:45:53 TP0 EP0] Load weight end. elapsed=74.58 s, type=XDraft, quant=fp8, avail mem=14.00 GB, mem usage=3.00 GB.
{planned}[2026-09-11 23:46:13 TP0 EP0] Memory pool end. avail mem=9.50 GB
[2026-09-11 23:46:14 TP0 EP0] Memory pool end. avail mem=9.00 GB
[2026-09-11 23:46:44 TP0 EP0] Capture target verify CUDA graph end. elapsed=13.48 s, mem usage=0.58 GB, avail mem=7.62 GB.
[2026-09-11 23:46:49 TP0 EP0] Capture draft verify CUDA graph end. elapsed=4.26 s, mem usage=-0.01 GB, avail mem=7.63 GB.
[2026-09-11 23:46:49 TP0 EP0] max_total_num_tokens=2999808, chunked_prefill_size=1024, max_prefill_tokens=16384, max_running_requests=4, context_len=1048576, available_gpu_mem=7.63 GB
"
        )
    };
    let capped = "[2026-09-11 23:46:00 TP0 EP0] DSV4 memory calculation: unified=False, bytes_per_full_token=1600.00, available_bytes=8.50 GB, full_token=5000000\n";
    for planned in ["", capped] {
        let seen = of_log(&log(planned), &[]);
        assert_eq!(
            parts(&seen["data"]["memory"][0]),
            [110.0, 96.0, 5.0, 0.57, 0.8, 7.63],
            "{planned}"
        );
        assert_eq!(warnings(&seen), Vec::<&str>::new());
    }
}

/// SGLang: one pool for keys, windows and states (mem_cache/unified_memory_pool.py). Its line names the tokens as the one that
/// ends a start does, and is none.
#[test]
fn a_unified_pool_has_no_bytes_of_a_token() {
    let log = "\
[2026-11-02 10:00:10 TP0] Load weight begin. avail mem=78.00 GB
[2026-11-02 10:00:26 TP0] Load weight end. elapsed=16.20 s, type=X, avail mem=62.00 GB, mem usage=16.00 GB.
[2026-11-02 10:00:31 TP0] [unified-memory-pool] UnifiedKVPool allocated: total_bytes=30.00 GB (=32212254720 B), 2 sub-pool(s)
[2026-11-02 10:00:31 TP0] [unified-memory-pool]   total_bytes=32212254720, max_total_num_tokens=500000, max_mamba_cache_size=82, max_num_reqs=48, speculative_num_draft_tokens=None
[2026-11-02 10:00:31 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 500000, K size: 0.50 GB, V size: 0.50 GB
[2026-11-02 10:00:31 TP0] Memory pool end. avail mem=31.00 GB
[2026-11-02 10:00:51 TP0] max_total_num_tokens=500000, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=48, context_len=65536, available_gpu_mem=30.80 GB
";
    let seen = of_log(log, &[]);
    assert_eq!(seen["data"]["log"]["starts"], 1);
    assert_eq!(gib(&seen["data"]["memory"][0]["kv_bytes"]), 31.0);
    assert_eq!(seen["data"]["kv"]["tokens"], 500_000);
    assert_eq!(seen["data"]["kv"]["bytes_per_token_log"], Value::Null);
    let reserved = log.replace("UnifiedKVPool allocated", "UnifiedKVPool reserved VA upper bound");
    assert_eq!(gib(&of_log(&reserved, &[])["data"]["memory"][0]["kv_bytes"]), 1.0);
}

/// SGLang: a model whose layers all have a window (model_executor/pool_configurator.py), on a device that is no NVIDIA's
/// (cuda_graph_setup.py).
#[test]
fn tokens_of_a_pool_of_windows_alone_are_those_of_windows() {
    let folder = TempDir::new().expect("a folder");
    let config = write(
        &folder,
        "config.json",
        r#"{"num_hidden_layers": 2, "layer_types": ["sliding_attention", "sliding_attention"], "sliding_window": 1024,
            "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}"#,
    );
    let log = "\
[2026-11-02 10:00:31 TP0] Use sliding window memory pool (all SWA). swa_layer_tokens=102400
[2026-11-02 10:00:31 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 102400, K size: 0.39 GB, V size: 0.39 GB
[2026-11-02 10:00:33 TP0] Capture target decode NPU graph begin. backend=full, num_tokens_per_req=1, avail mem=9.50 GB
[2026-11-02 10:00:46 TP0] Capture target decode NPU graph end. bs=[1, 2], elapsed=3.48 s, mem usage=0.50 GB, avail mem=9.00 GB.
[2026-11-02 10:00:51 TP0] max_total_num_tokens=102400, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=4096, context_len=65536, available_gpu_mem=9.00 GB
";
    let seen = of_log(log, &["--config", &config, "--lengths", "65536"]);
    let row = &seen["data"]["capacity"][0];
    // 102 400 / 1024, and not 102 400 / 65 536.
    assert_eq!(
        (&row["requests"], &row["binding_limit"]),
        (&100.into(), &"window_tokens".into())
    );
    assert_eq!(gib(&seen["data"]["memory"][0]["graph_bytes"]), 0.5);
}

/// SGLang: pools that would have been empty (mem_cache/kv_cache_configurator.py, model_executor/pool_configurator.py).
#[test]
fn a_start_that_leaves_no_pool_says_so_in_several_words() {
    let advice = |text: &str| {
        let seen = of_log(&format!("RuntimeError: {text}\n"), &[]);
        assert_eq!(seen["data"]["failures"][0]["phase"], "pool", "{text}");
        seen["data"]["advice"][0].clone()
    };
    let named = advice(
        "Loaded weights leave no GPU memory for the KV cache under --mem-fraction-static=0.8. Raise --mem-fraction-static above 0.862 (minimum viable = 1 - available/pre = 0.8617). If using speculative decoding, draft weights are now counted.",
    );
    // What is named, and a twentieth for the pool.
    assert_eq!(named["code"], "raise-memory-fraction");
    assert_eq!(
        named["flags"],
        serde_json::json!(["--mem-fraction-static", "0.92"])
    );
    for text in [
        "Not enough GPU memory for hybrid (mamba/linear-attention) state cache. Computed max_mamba_cache_size=0 (total_rest_memory=0.10 GB, mamba_cache_per_req=74.00 MB). Try: (1) reduce --max-running-requests, (2) increase --mem-fraction-static",
        "Hybrid (mamba/linear-attention) state cache is too small to serve any requests. max_mamba_cache_size=1, mamba_ratio=3, resulting max_num_reqs=0. Try: (1) reduce --max-running-requests, (2) increase --mem-fraction-static, or (3) use GPUs with more memory.",
        "The DSV4 SWA pool cap (4096 tokens, 2.00 GB) leaves no room for the full KV pool within the available 1.50 GB. Reduce --max-running-requests or increase --mem-fraction-static.",
    ] {
        assert_eq!(advice(text)["code"], "raise-memory-fraction", "{text}");
    }
}

const VLLM: &str = "\
(EngineCore pid=125) INFO 11-02 17:50:20 [core.py:140] Initializing a V1 LLM engine (v0.33.0) with config: model='m', max_seq_len=131072, tensor_parallel_size=1, kv_cache_dtype=auto, dtype=torch.bfloat16
(EngineCore pid=125) INFO 11-02 17:51:00 [gpu_model_runner.py:5088] Model loading took 15.3 GiB memory and 12.312345 seconds
(EngineCore pid=125) INFO 11-02 17:52:00 [gpu_model_runner.py:6409] Estimated CUDA graph memory: 0.50 GiB total
(EngineCore pid=125) INFO 11-02 17:52:10 [gpu_worker.py:772] Available KV cache memory: 52.9 GiB
(EngineCore pid=125) INFO 11-02 17:52:10 [gpu_worker.py:787] CUDA graph memory profiling is enabled (default since v0.21.0). The current --gpu-memory-utilization=0.9000 is equivalent to --gpu-memory-utilization=0.8938 without CUDA graph memory profiling.
(EngineCore pid=125) INFO 11-02 17:52:11 [kv_cache_planning.py:1400] Auto-fit max_model_len: reduced from 131072 to 65536 to fit in available KV cache memory (52.9 GiB GPU)
(EngineCore pid=125) INFO 11-02 17:52:12 [kv_cache_utils.py:1147] GPU KV cache size: 385,206 tokens, Maximum concurrency for 65,536 tokens per request: 5.88x
(EngineCore pid=125) INFO 11-02 17:52:52 [gpu_model_runner.py:6516] Graph capturing finished in 8 secs, took 0.60 GiB
(EngineCore pid=125) INFO 11-02 17:52:52 [gpu_worker.py:1003] CUDA graph pool memory: 0.6 GiB (actual), 0.5 GiB (estimated), difference: 0.1 GiB (16.7%).
(EngineCore pid=125) INFO 11-02 17:52:52 [gpu_worker.py:1066] Free memory on device (79.0/80.0 GiB) on startup. Desired GPU memory utilization is (0.9, 72.0 GiB). Actual usage is 16.1 GiB for consumed memory (weights + non-torch), 3.0 GiB for peak activation, and 0.6 GiB for CUDAGraph memory.
";

/// vLLM (v1/worker/gpu_worker.py): the peak of activations has the estimate of the graphs in it, where graphs are part of the
/// share; the longest context may have been made to fit (v1/core/kv_cache_planning.py).
#[test]
fn graphs_are_counted_once() {
    let seen = of_log(VLLM, &[]);
    let memory = &seen["data"]["memory"][0];
    // Other: 1.0 taken before the start, 0.8 not of PyTorch, and graphs 0.1 larger than their estimate.
    assert_eq!(parts(memory), [80.0, 15.3, 52.9, 0.6, 1.7, 7.0]);
    assert_eq!(gib(&memory["activation_bytes"]), 2.5);
    assert_eq!(seen["data"]["engine"]["context_tokens"], 65_536);
}

/// vLLM 0.17 to 0.20 estimated graphs and did not count them; since, one can ask for that.
#[test]
fn an_estimate_of_graphs_is_no_part_of_the_share() {
    for line in [
        "CUDA graph memory profiling is disabled (VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS=0). Without it, CUDA graph memory is not accounted for",
        "In v0.19, CUDA graph memory profiling will be enabled by default (VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS=1)",
    ] {
        let log = VLLM.replace(
            "CUDA graph memory profiling is enabled (default since v0.21.0).",
            line,
        );
        let memory = &of_log(&log, &[])["data"]["memory"][0];
        assert_eq!(
            (gib(&memory["free_bytes"]), gib(&memory["activation_bytes"])),
            (6.4, 3.0),
            "{line}"
        );
    }
}

/// Less than nothing is left: that is said, and not rounded up to nothing.
#[test]
fn a_share_that_is_more_than_was_free_is_said() {
    let line = "CUDA graph memory profiling is disabled (VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS=0).";
    let log = VLLM
        .replace(
            "CUDA graph memory profiling is enabled (default since v0.21.0).",
            line,
        )
        .replace("(79.0/80.0 GiB)", "(72.2/80.0 GiB)");
    let seen = of_log(&log, &[]);
    assert_eq!(seen["data"]["memory"][0]["free_bytes"], Value::Null);
    assert_eq!(seen["data"]["headroom"]["min_free_bytes"], 0);
    let mut warnings = seen["warnings"].as_array().expect("a list").iter();
    let warning = warnings.find(|warning| warning["code"] == "share-overdrawn");
    let message = warning.and_then(|warning| warning["message"].as_str());
    assert!(
        message.is_some_and(|text| text.contains("0.40 GiB more")),
        "{message:?}"
    );
}

/// vLLM: the bytes of the pool are given, and nothing is measured (v1/worker/gpu_worker.py).
#[test]
fn a_pool_whose_bytes_are_given() {
    let log = "\
(EngineCore pid=125) INFO 11-02 17:51:00 [gpu_model_runner.py:5088] Model loading took 15.3 GiB memory and 12.312345 seconds
(EngineCore pid=125) INFO 11-02 17:52:10 [gpu_worker.py:678] Initial free memory 79.0 GiB, reserved 40.0 GiB memory for KV Cache as specified by kv_cache_memory_bytes config and skipped memory profiling. This does not respect the gpu_memory_utilization config.
(EngineCore pid=125) INFO 11-02 17:52:12 [kv_cache_utils.py:1147] GPU KV cache size: 327,680 tokens, Maximum concurrency for 32,768 tokens per request: 10.00x
(EngineCore pid=125) INFO 11-02 17:52:52 [mm_encoder_model_runner.py:95] Encoder graph capturing finished in 2 secs, took 0.25 GiB (4 graphs)
";
    let seen = of_log(log, &[]);
    let data = &seen["data"];
    assert_eq!(gib(&data["memory"][0]["kv_bytes"]), 40.0);
    assert_eq!(gib(&data["memory"][0]["graph_bytes"]), 0.25);
    // The device is not named, so nothing is left over.
    assert_eq!(data["memory"][0]["other_bytes"], Value::Null);
    assert_eq!(data["kv"]["bytes_per_token_log"].as_f64(), Some(131_072.0));
    assert_eq!(codes(&data["advice"]), Vec::<&str>::new());
    // Nothing names how many requests may run, and the pool holds 320 of the shortest typical ones.
    assert_eq!(warnings(&seen), ["request-limit-unknown"]);
}

/// Words of one engine in the log of the other are passed over, and do not decide which it is.
#[test]
fn a_phrase_without_its_numbers_names_no_engine() {
    let log = "\
(EngineCore pid=125) INFO 11-02 17:51:00 [x.py:1] subgraph ends here, and another graph begins
(EngineCore pid=125) INFO 11-02 17:51:00 [gpu_model_runner.py:5088] Model loading took 15.3 GiB memory and 12.312345 seconds
";
    let seen = of_log(log, &[]);
    assert_eq!(seen["data"]["engine"]["format"], "vllm-v1");
    assert_eq!(seen["data"]["memory"].as_array().map(Vec::len), Some(1));
}

/// SGLang's images for AMD print the time without a date; what a terminal shows is coloured (vLLM: logging_utils/formatter.py).
/// Ranks that are not told apart would be one rank with twice the weights.
#[test]
fn ranks_are_told_apart_without_a_date_and_in_colours() {
    let rank = |rank: u32| {
        format!(
            "\
[01:41:30 TP{rank}] Load weight begin. avail mem=78.00 GB
[01:41:36 TP{rank}] Load weight end. elapsed=6.33 s, type=X, avail mem=62.00 GB, mem usage=16.00 GB.
Capturing batches (bs=1 avail_mem=9.86 GB): 100%|####| 4/4 [10:00:18<00:00,  4.51s/it][01:41:37 TP{rank}] KV Cache is allocated. #tokens: 1000, K size: 20.00 GB, V size: 20.00 GB
"
        )
    };
    let seen = of_log(&(rank(0) + &rank(1)), &[]);
    let memory = &seen["data"]["memory"];
    assert_eq!(
        (&memory[0]["rank"], &memory[1]["rank"]),
        (&"TP0".into(), &"TP1".into())
    );
    assert_eq!(gib(&memory[1]["weights_bytes"]), 16.0);
    assert_eq!(gib(&memory[1]["kv_bytes"]), 40.0);
    let coloured = "\
\u{1b}[0;36m(Worker_TP1 pid=200)\u{1b}[0;0m INFO \u{1b}[90m11-02 17:51:00\u{1b}[0m [gpu_model_runner.py:5088] Model loading took \u{1b}[1m7.63\u{1b}[0m GiB memory and 12.3 seconds
";
    let seen = of_log(coloured, &[]);
    assert_eq!(seen["data"]["memory"][0]["rank"], "TP1");
    assert_eq!(gib(&seen["data"]["memory"][0]["weights_bytes"]), 7.63);
}
