//! Lines of releases that the real excerpts do not have, after the sources of the engines.

use serde_json::Value;

use crate::run::{codes, gib, of_log, warnings};

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

/// SGLang 0.5.23: a space in ranks, another end of a capture, the type of the pool.
#[test]
fn current_sglang() {
    let log = "\
[2026-05-15 09:09:22] server_args=ServerArgs(model_path='/models/m', tp_size=2, pp_size=1, dp_size=2, enable_dp_attention=True, mem_fraction_static=0.6, kv_cache_dtype='fp8_e4m3', page_size=64, context_length=None)
[2026-05-15 09:09:36 DP0 TP0 EP0] Load weight begin. avail mem=93.58 GB
[2026-05-15 09:09:36 DP1 TP1 EP1] Load weight begin. avail mem=93.56 GB
[2026-05-15 09:09:53 DP0 TP0 EP0] Load weight end. elapsed=16.2 s, type=X, quant=fp8, avail mem=57.01 GB, mem usage=36.57 GB.
[2026-05-15 09:09:53 DP0 TP0 EP0] Memory profiling: available_gpu_memory=57.01 GB, total_gpu_memory=93.58 GB, mem_fraction_static=0.60, rest_memory=19.58 GB
[2026-05-15 09:09:53 DP0 TP0 EP0] KV Cache is allocated. dtype: torch.float8_e4m3fn, #tokens: 1000000, KV size: 19.58 GB
[2026-05-15 09:09:53 DP0 TP0 EP0] Memory pool end. avail mem=37.40 GB
Capturing batches (bs=1 avail_mem=0.86 GB): 100%|##########| 4/4 [00:18<00:00,  4.51s/it][2026-05-15 09:10:20 DP0 TP0 EP0] Capture target CUDA graph end. bs=[1, 2], elapsed=12.5 s, mem usage=1.40 GB, avail mem=35.90 GB.
[2026-05-15 09:10:21 DP0 TP0 EP0] max_total_num_tokens=1000000, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=512, context_len=131072, available_gpu_mem=35.90 GB
[2026-05-15 09:10:30] The server is fired up and ready to roll!
";
    let document = of_log(log, &["--lengths", "4096,1000"]);
    let data = &document["data"];
    assert_eq!(data["engine"]["dp"], 2);
    assert_eq!(data["engine"]["kv_dtype"], "fp8");
    assert_eq!(data["memory"][0]["rank"], "DP0 TP0");
    assert_eq!(parts(&data["memory"][0]), [93.58, 36.57, 19.58, 1.4, 0.13, 35.9]);
    // 244 of 4096 in each of two schedulers; a page holds 64 tokens, so 1000 take 1024: 976, and 512 may run.
    assert_eq!(data["capacity"][0]["requests"], 488);
    assert_eq!(
        (
            &data["capacity"][1]["requests"],
            &data["capacity"][1]["binding_limit"]
        ),
        (&1024.into(), &"max_running_requests".into())
    );
    assert_eq!(data["pools"][0]["k_bytes"], Value::Null);
    assert_eq!(gib(&data["pools"][0]["bytes"]), 19.58);
}

/// SGLang of 2025 without ranks, from a public log.
#[test]
fn one_device_has_no_rank() {
    let log = "\
[2025-07-14 05:48:43] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=7.37 GB, mem usage=15.02 GB.
[2025-07-14 05:48:43] KV Cache is allocated. #tokens: 38141, K size: 2.33 GB, V size: 2.33 GB
[2025-07-14 05:48:43] Memory pool end. avail mem=1.46 GB
[2025-07-14 05:48:44] Capture cuda graph begin. This can take up to several minutes. avail mem=0.93 GB
[2025-07-14 05:49:02] Capture cuda graph end. Time elapsed: 18.15 s. mem usage=0.18 GB. avail mem=0.75 GB.
";
    let document = of_log(log, &[]);
    assert_eq!(document["data"]["memory"][0]["rank"], Value::Null);
    assert_eq!(
        parts(&document["data"]["memory"][0]),
        [22.39, 15.02, 4.66, 0.18, 1.78, 0.75]
    );
    assert_eq!(document["data"]["headroom"]["when"], "after_capture");
}

#[test]
fn windows_and_drafts_have_pools_of_their_own() {
    let log = "\
[2026-05-15 09:09:53 TP0] Use sliding window memory pool. full_layer_tokens=1000, swa_layer_tokens=800
[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 800, K size: 0.80 GB, V size: 0.80 GB
[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 1000, K size: 2.00 GB, V size: 2.00 GB
[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 1000, K size: 0.50 GB, V size: 0.50 GB
";
    let document = of_log(log, &[]);
    let kinds: Vec<&str> = document["data"]["pools"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|pool| pool["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["window", "kv", "draft"]);
    assert_eq!(gib(&document["data"]["memory"][0]["kv_bytes"]), 6.6);
}

#[test]
fn deepseek_v4_names_its_own_bytes() {
    for line in [
        "DSv4 memory calculation: bytes_per_full_token=15955.85, available_bytes=19.58 GB, full_token=1317632",
        "DSV4 memory calculation: unified=True, bytes_per_full_token=15955.85, available_bytes=19.58 GB, c128_state_fixed=0.10 GB, full_token=1317632",
        "SW KV memory calculation: bytes_per_full_token=15955.85, available_bytes=19.58 GB, full_token=1317632",
    ] {
        let document = of_log(&format!("[2026-05-15 09:09:53 TP0] {line}\n"), &[]);
        let kv = &document["data"]["kv"];
        assert_eq!(kv["bytes_per_token_log"].as_f64(), Some(15_955.85), "{line}");
        assert_eq!(kv["tokens"], 1_317_632, "{line}");
    }
}

#[test]
fn tokenspeed_prints_sizes_alone() {
    let log = "\
[2026-05-15 09:09:36 TP0] Load weight begin. avail mem=78.50 GB
[2026-05-15 09:09:53 TP0] Load weight end. type=X, dtype=torch.bfloat16, avail mem=62.50 GB
[2026-05-15 09:09:53 TP0] KV Cache is allocated. K size: 25.00 GB, V size: 25.00 GB
[2026-05-15 09:09:53 TP0] Memory pool end. avail mem=12.00 GB
";
    let document = of_log(log, &[]);
    assert_eq!(document["data"]["engine"]["kind"], "tokenspeed");
    // Weights by difference; nothing names tokens, so no number of requests is made up.
    assert_eq!(gib(&document["data"]["memory"][0]["weights_bytes"]), 16.0);
    assert_eq!(document["data"]["kv"]["tokens"], Value::Null);
    assert_eq!(document["data"]["capacity"][0]["requests"], Value::Null);
}

/// vLLM 0.33 prints tokens and concurrency in one line, and graphs are part of its share.
#[test]
fn current_vllm() {
    let log = "\
(APIServer pid=1) INFO 05-03 17:50:01 [utils.py:233] non-default args: {'model': 'Qwen/Qwen3-8B', 'tensor_parallel_size': 2, 'max_num_seqs': 64, 'gpu_memory_utilization': 0.5}
(EngineCore pid=125) INFO 05-03 17:50:20 [core.py:99] Initializing a V1 LLM engine (v0.33.0) with config: model='Qwen/Qwen3-8B', max_seq_len=40960, tensor_parallel_size=2, kv_cache_dtype=auto, dtype=torch.bfloat16
(Worker_TP0 pid=200) INFO 05-03 17:51:00 [gpu_model_runner.py:4820] Model loading took 7.63 GiB memory and 12.3 seconds
(Worker_TP0 pid=200) INFO 05-03 17:52:00 [gpu_worker.py:500] Estimated CUDA graph memory: 0.38 GiB total
(Worker_TP0 pid=200) INFO 05-03 17:52:10 [gpu_worker.py:563] Available KV cache memory: 28.12 GiB
(EngineCore pid=125) INFO 05-03 17:52:12 [kv_cache_utils.py:1150] GPU KV cache size: 409,536 tokens, Maximum concurrency for 40,960 tokens per request: 10.00x
(Worker_TP0 pid=200) INFO 05-03 17:52:52 [gpu_model_runner.py:6133] Graph capturing finished in 8 secs, took 0.47 GiB
(Worker_TP0 pid=200) INFO 05-03 17:52:52 [gpu_worker.py:599] CUDA graph pool memory: 0.47 GiB (actual), 0.38 GiB (estimated), difference: 0.09 GiB (23.0%).
(Worker_TP0 pid=200) INFO 05-03 17:52:52 [gpu_worker.py:650] Free memory on device (78.5/79.25 GiB) on startup. Desired GPU memory utilization is (0.5, 39.62 GiB). Actual usage is 7.93 GiB for consumed memory (weights + non-torch), 2.1 GiB for peak activation, and 0.47 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with `--kv-cache-memory=31123456789` (28.99 GiB) to fit into requested memory. Current kv cache memory in use is 28.12 GiB.
(APIServer pid=1) INFO 05-03 17:53:00 Application startup complete.
";
    let document = of_log(log, &["--lengths", "4096"]);
    let data = &document["data"];
    assert_eq!(data["engine"]["version"], "0.33.0");
    assert_eq!(
        (&data["engine"]["tp"], &data["engine"]["max_running_requests"]),
        (&2.into(), &64.into())
    );
    assert_eq!(data["kv"]["tokens"], 409_536);
    // Free is what vLLM leaves: 78.50 less its share of 39.62; graphs are in the share, and their estimate in the peak.
    assert_eq!(parts(&data["memory"][0]), [79.25, 7.63, 28.12, 0.47, 2.43, 38.88]);
    assert_eq!(
        (
            &data["capacity"][0]["requests"],
            &data["capacity"][0]["binding_limit"]
        ),
        (&64.into(), &"max_running_requests".into())
    );
    assert!(warnings(&document).contains(&"offered-kv-memory"));
    // 38.88 free, 4.95 kept: 0.42 more of the device, and each advice says what that is in bytes.
    assert_eq!(codes(&data["advice"])[0], "memory-is-unused");
    assert_eq!(data["advice"][0]["flags"][1], "0.92");
    assert_eq!(gib(&data["advice"][0]["pool_bytes"]), 33.29);
}

/// vLLM before 0.21 captured graphs outside of its share.
#[test]
fn graphs_outside_of_the_share_are_taken_from_what_is_free() {
    let log = "\
INFO 09-04 11:00:00 [gpu_model_runner.py:1] Model loading took 14.36 GiB and 5.1 seconds
INFO 09-04 11:00:10 [gpu_worker.py:2] Available KV cache memory: 20.56 GiB
INFO 09-04 11:00:12 [kv_cache_utils.py:3] GPU KV cache size: 149,712 tokens
INFO 09-04 11:00:12 [kv_cache_utils.py:4] Maximum concurrency for 40,960 tokens per request: 3.66x
INFO 09-04 11:00:30 [gpu_worker.py:5] Free memory on device (39.00/39.49 GiB) on startup. Desired GPU memory utilization is (0.9, 35.54 GiB). Actual usage is 14.36 GiB for weight, 0.54 GiB for peak activation, 0.08 GiB for non-torch memory, and 0.5 GiB for CUDAGraph memory.
";
    let document = of_log(log, &[]);
    assert_eq!(
        parts(&document["data"]["memory"][0]),
        [39.49, 14.36, 20.56, 0.5, 0.57, 2.96]
    );
}

#[test]
fn the_last_start_counts() {
    let start = |tokens: u64| {
        format!(
            "[2026-05-15 09:09:22] server_args=ServerArgs(model_path='m', tp_size=1)\n[2026-05-15 09:09:53] KV Cache is allocated. #tokens: {tokens}, K size: 1.00 GB, V size: 1.00 GB\n[2026-05-15 09:10:30] The server is fired up and ready to roll!\n"
        )
    };
    let document = of_log(&format!("{}{}", start(1000), start(2000)), &[]);
    assert_eq!(document["data"]["kv"]["tokens"], 2000);
    assert_eq!(document["data"]["log"]["starts"], 2);
    assert_eq!(document["data"]["pools"].as_array().map(Vec::len), Some(1));
}

/// Two logs in one file: the second one's first line says that it is simulated, and no line between them ends the first.
#[test]
fn a_second_start_is_told_apart_and_keeps_its_first_line() {
    let start = |tokens: u64, first: &str| {
        format!(
            "{first}[2026-05-15 09:09:22] server_args=ServerArgs(model_path='m', tp_size=1)\n[2026-05-15 09:09:53] KV Cache is allocated. #tokens: {tokens}, K size: 1.00 GB, V size: 1.00 GB\n"
        )
    };
    let simulated = "[2026-05-15 09:09:21] engine-sim 0.1.0: a simulated engine, nothing here is measured\n";
    for first in ["", simulated] {
        let seen = of_log(&format!("{}{}", start(1000, first), start(2000, simulated)), &[]);
        assert_eq!(
            (&seen["simulated"], &seen["data"]["kv"]["tokens"]),
            (&true.into(), &2000.into())
        );
        let line = if first.is_empty() { 3 } else { 4 };
        assert_eq!(
            (
                &seen["data"]["log"]["starts"],
                &seen["data"]["log"]["last_start_line"]
            ),
            (&2.into(), &line.into())
        );
        assert_eq!(warnings(&seen), ["several-starts"]);
    }
    let one = of_log(&start(1000, simulated), &[]);
    assert_eq!(
        (&one["simulated"], &one["data"]["log"]["starts"]),
        (&true.into(), &1.into())
    );
    assert_eq!(one["data"]["log"]["last_start_line"], Value::Null);
    assert_eq!(warnings(&one), Vec::<&str>::new());
    // The last one is real: nothing of the first is left.
    let real = of_log(&format!("{}{}", start(1000, simulated), start(2000, "")), &[]);
    assert_eq!(real["simulated"], false);
    // vLLM names its version first.
    let vllm = "INFO 05-03 17:52:00 [api_server.py:1] vLLM API server version 0.14.0\nINFO 05-03 17:52:01 [utils.py:1] non-default args: {'model': 'm'}\nINFO 05-03 17:52:12 [kv_cache_utils.py:3] GPU KV cache size: 1,000 tokens\n";
    let twice = of_log(&format!("{vllm}{vllm}"), &[]);
    assert_eq!(
        (
            &twice["data"]["engine"]["version"],
            &twice["data"]["log"]["starts"]
        ),
        (&"0.14.0".into(), &2.into())
    );
}

/// Cut below their settings, two starts are told apart by the weights that a rank loads again; a draft is no second start.
#[test]
fn starts_without_settings_are_told_apart() {
    let sglang = |tokens: u64| {
        format!(
            "[2025-07-14 05:48:43 TP0] Load weight end. type=L, dtype=torch.bfloat16, avail mem=7.37 GB, mem usage=15.02 GB.\n\
             [2025-07-14 05:48:43 TP0] KV Cache is allocated. #tokens: {tokens}, K size: 2.33 GB, V size: 2.33 GB\n\
             [2025-07-14 05:48:44 TP0] Load weight end. type=Draft, dtype=torch.bfloat16, avail mem=2.37 GB, mem usage=0.50 GB.\n\
             [2025-07-14 05:48:45 TP0] max_total_num_tokens={tokens}, max_running_requests=48, context_len=8192, available_gpu_mem=0.90 GB\n"
        )
    };
    let vllm = |blocks: u64| {
        format!(
            "INFO 01-30 03:18:12 gpu_model_runner.py:848] Loading model weights took 67.7229 GB\n\
             INFO 01-30 03:19:14 kv_cache_utils.py:395] # GPU blocks: {blocks}\n"
        )
    };
    for (one, two, tokens) in [(sglang(1000), sglang(2000), 2000), (vllm(100), vllm(200), 3200)] {
        assert_eq!(of_log(&one, &[])["data"]["log"]["starts"], 1);
        let seen = of_log(&format!("{one}{two}"), &[]);
        assert_eq!(
            (&seen["data"]["log"]["starts"], &seen["data"]["kv"]["tokens"]),
            (&2.into(), &tokens.into())
        );
        assert!(warnings(&seen).contains(&"several-starts"));
    }
}

/// Layers of several kinds share the pool: its tokens are concurrency times length, and hold for that length.
#[test]
fn tokens_that_hold_for_one_length_say_nothing_of_another() {
    let log = "\
INFO 09-04 11:00:10 [gpu_worker.py:2] Available KV cache memory: 20.56 GiB
INFO 09-04 11:00:11 [kv_cache_utils.py:1] Add 1 padding layers, may waste at most 4% KV cache memory
INFO 09-04 11:00:12 [kv_cache_utils.py:3] GPU KV cache size: 75,840 tokens
INFO 09-04 11:00:12 [kv_cache_utils.py:4] Maximum concurrency for 120,000 tokens per request: 2.48x
";
    for words in [&[][..], &["--lengths", "1024"]] {
        let seen = of_log(log, words);
        assert_eq!(seen["data"]["kv"]["tokens_hold_for"], 120_000);
        let rows = seen["data"]["capacity"].as_array().expect("a list");
        let (last, others) = rows.split_last().expect("rows");
        assert_eq!(
            (&last["length_tokens"], &last["requests"]),
            (&120_000.into(), &2.into())
        );
        assert!(
            others
                .iter()
                .all(|row| row["requests"].is_null() && row["binding_limit"].is_null())
        );
        let summary = seen["summary"].as_str().expect("a summary");
        assert!(
            summary.starts_with("2 requests of 120 000 tokens fit"),
            "{summary}"
        );
    }
}

/// A type of keys that no formula is for is said, and no other one is taken for it.
#[test]
fn a_type_of_keys_that_is_not_known_has_no_formula() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let config = crate::run::write(
        &folder,
        "config.json",
        r#"{"num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32}"#,
    );
    let log = |dtype: &str| {
        format!(
            "INFO 09-04 11:00:00 [core.py:99] Initializing a V1 LLM engine (v0.33.0) with config: model='m', kv_cache_dtype={dtype}, dtype=torch.bfloat16\n\
             INFO 09-04 11:00:10 [gpu_worker.py:2] Available KV cache memory: 50.00 GiB\n\
             INFO 09-04 11:00:12 [kv_cache_utils.py:3] GPU KV cache size: 102,400 tokens\n"
        )
    };
    let seen = of_log(&log("int4_per_token_head"), &["--config", &config]);
    assert_eq!(seen["data"]["kv"]["bytes_per_token_formula"], Value::Null);
    assert_eq!(seen["data"]["engine"]["kv_dtype"], Value::Null);
    assert!(warnings(&seen).contains(&"kv-dtype-not-known"));
    // `auto` is the model's own type, and a typed one is what was asked for.
    let auto = of_log(&log("auto"), &["--config", &config]);
    assert_eq!(
        auto["data"]["kv"]["bytes_per_token_formula"].as_f64(),
        Some(524_288.0)
    );
    let typed = of_log(
        &log("int4_per_token_head"),
        &["--config", &config, "--kv-dtype", "fp8"],
    );
    assert_eq!(
        typed["data"]["kv"]["bytes_per_token_formula"].as_f64(),
        Some(262_144.0)
    );
    assert!(!warnings(&typed).contains(&"kv-dtype-not-known"));
}

/// The pool, the engine's setting, its type of the model and the configuration are asked in this order, and the first that
/// names a type decides: one that is not known has no formula, wherever it stands.
#[test]
fn a_type_that_nobody_knows_has_no_formula_wherever_it_is_named() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let config = |dtype: &str| {
        let text = format!(
            r#"{{"num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "torch_dtype": "{dtype}"}}"#
        );
        crate::run::write(&folder, &format!("{dtype}.json"), &text)
    };
    let pool = |dtype: &str| {
        format!(
            "[2026-05-15 09:09:22] server_args=ServerArgs(model_path='m', kv_cache_dtype='auto')\n\
             [2026-05-15 09:09:53] KV Cache is allocated. dtype: {dtype}, #tokens: 102400, K size: 25.00 GB, V size: 25.00 GB\n"
        )
    };
    let vllm = "INFO 09-04 11:00:00 [core.py:99] Initializing a V1 LLM engine (v0.33.0) with config: model='m', kv_cache_dtype=auto, dtype=torch.float6\n\
                INFO 09-04 11:00:12 [kv_cache_utils.py:3] GPU KV cache size: 102,400 tokens\n";
    let bare = pool("x").replace("dtype: x, ", "");
    for (log, config, name) in [
        (pool("torch.int3"), config("bfloat16"), "torch.int3"),
        (vllm.to_owned(), config("bfloat16"), "torch.float6"),
        (bare, config("float6"), "float6"),
    ] {
        let seen = of_log(&log, &["--config", &config]);
        assert_eq!(seen["data"]["engine"]["kv_dtype"], Value::Null, "{name}");
        assert_eq!(
            seen["data"]["kv"]["bytes_per_token_formula"],
            Value::Null,
            "{name}"
        );
        let warning = &seen["warnings"][0];
        assert_eq!(warning["code"], "kv-dtype-not-known", "{seen}");
        assert!(
            warning["message"]
                .as_str()
                .is_some_and(|text| text.contains(&format!("`{name}`")))
        );
    }
    let known = of_log(&pool("torch.bfloat16"), &["--config", &config("float6")]);
    assert_eq!(known["data"]["engine"]["kv_dtype"], "bf16");
}
