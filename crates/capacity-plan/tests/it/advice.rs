//! Advice has the right direction and the right arithmetic.

use serde_json::Value;

use crate::run::{codes, gib, of_log, warnings};

fn profiling(rest: &str) -> String {
    format!(
        "[2026-05-15 09:09:53 TP0] Memory profiling: available_gpu_memory=11.66 GB, total_gpu_memory=77.80 GB, mem_fraction_static=0.81, rest_memory={rest} GB\n"
    )
}

fn first(document: &Value) -> (&str, &Value) {
    let advice = &document["data"]["advice"];
    (codes(advice).first().copied().unwrap_or_default(), &advice[0])
}

#[test]
fn an_empty_pool_asks_for_a_higher_fraction() {
    let log = format!(
        "{}RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: 0.805\n",
        profiling("-3.51")
    );
    let document = of_log(&log, &[]);
    let (code, advice) = first(&document);
    // 3.51 of 77.80 are missing, 0.046; a twentieth for the pool: 0.10 more.
    assert_eq!(
        (code, &advice["flags"]),
        (
            "raise-memory-fraction",
            &serde_json::json!(["--mem-fraction-static", "0.91"])
        )
    );
    assert_eq!(gib(&advice["pool_bytes"]), 7.78);
    assert_eq!(document["data"]["failures"][0]["phase"], "pool");
}

#[test]
fn weights_that_leave_nothing_ask_for_more_ranks() {
    let log = format!(
        "{}Not enough memory. Please try to increase --mem-fraction-static.\n",
        profiling("-14.00")
    );
    let document = of_log(&log, &[]);
    let (code, advice) = first(&document);
    assert_eq!(
        (code, &advice["flags"]),
        ("weights-leave-no-pool", &serde_json::json!([]))
    );
}

#[test]
fn running_out_while_serving_asks_for_a_lower_one() {
    let log = "\
[2026-05-15 09:09:53 TP0] Memory profiling: available_gpu_memory=57.01 GB, total_gpu_memory=80.00 GB, mem_fraction_static=0.90, rest_memory=49.00 GB
[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 490000, K size: 24.50 GB, V size: 24.50 GB
[2026-05-15 09:10:30] The server is fired up and ready to roll!
[2026-05-15 09:20:30 TP0] Scheduler hit an exception: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.20 GiB. GPU 0 has a total capacity of 79.11 GiB
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.20 GiB.
";
    let document = of_log(log, &[]);
    let (code, advice) = first(&document);
    // 3.2 of 80 is 0.04.
    assert_eq!(
        (code, &advice["flags"]),
        (
            "lower-memory-fraction",
            &serde_json::json!(["--mem-fraction-static", "0.86"])
        )
    );
    assert_eq!(gib(&advice["pool_bytes"]), -3.2);
    // 49 GiB hold 490 000 tokens.
    assert_eq!(advice["pool_tokens"], -32_000);
    assert_eq!(document["data"]["failures"][0]["phase"], "runtime");
}

#[test]
fn when_memory_runs_out_decides_what_to_do() {
    let oom = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n";
    let loading = "[2026-05-15 09:09:36 TP0] Load weight begin. avail mem=78.50 GB\n";
    assert_eq!(
        first(&of_log(&format!("{loading}{oom}"), &[])).0,
        "weights-do-not-fit"
    );
    let capture = format!(
        "{}[2026-05-15 09:10:00 TP0] Capture cuda graph begin. avail mem=1.00 GB\n{oom}",
        profiling("5.00")
    );
    assert_eq!(first(&of_log(&capture, &[])).0, "lower-memory-fraction");
    let context = "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (12.10 GiB). Based on the available memory, the estimated maximum model length is 99168. Try increasing `gpu_memory_utilization`\n";
    let document = of_log(context, &[]);
    assert_eq!(
        first(&document).1["flags"],
        serde_json::json!(["--max-model-len", "99168"])
    );
    let foreign = "ValueError: Free memory on device (30.0/79.1 GiB) on startup is less than desired GPU memory utilization (0.9, 71.2 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.\n";
    assert_eq!(first(&of_log(foreign, &[])).0, "memory-is-taken");
    let empty = "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.\n";
    assert_eq!(first(&of_log(empty, &[])).0, "raise-memory-fraction");
}

#[test]
fn a_tenth_of_the_fraction_is_a_tenth_of_its_base() {
    // The fixture of the seed: 93.58 free before the weights, 36.31 after everything.
    let log = "\
[2026-05-15 09:09:22] server_args=ServerArgs(model_path='m', mem_fraction_static=0.60, tp_size=1)
[2026-05-15 09:09:53] Load weight begin. avail mem=93.58 GB
[2026-05-15 09:09:53] Memory profiling: available_gpu_memory=57.01 GB, total_gpu_memory=93.58 GB, mem_fraction_static=0.60, rest_memory=19.58 GB
[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 1317632, KV size: 19.58 GB
[2026-05-15 09:10:21] max_total_num_tokens=1317632, max_running_requests=4096, context_len=8192, available_gpu_mem=36.31 GB
";
    let document = of_log(log, &[]);
    let (code, advice) = first(&document);
    assert_eq!((code, &advice["flags"][1]), ("memory-is-unused", &"0.92".into()));
    // 0.32 × 93.58, and not a share of anything else.
    assert_eq!(gib(&advice["pool_bytes"]), 29.95);
    // The weights are what loading them took: 93.58 - 57.01.
    assert_eq!(gib(&document["data"]["memory"][0]["weights_bytes"]), 36.57);
}

#[test]
fn parts_that_exceed_the_total_are_said_and_not_hidden() {
    let log = "\
[2026-05-15 09:09:36 TP0] Load weight begin. avail mem=20.00 GB
[2026-05-15 09:09:53 TP0] Load weight end. avail mem=10.00 GB, mem usage=10.00 GB.
[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 1000, K size: 5.00 GB, V size: 5.00 GB
[2026-05-15 09:09:53 TP0] Memory pool end. avail mem=1.00 GB
";
    let document = of_log(log, &[]);
    assert_eq!(gib(&document["data"]["memory"][0]["other_bytes"]), -1.0);
    assert!(warnings(&document).contains(&"memory-contradicts"));
}

#[test]
fn a_tiny_pool_beside_free_memory_is_implausible() {
    let log = "\
[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 1741, K size: 0.05 GB, V size: 0.05 GB
[2026-05-15 09:10:21 TP0] max_total_num_tokens=1741, max_running_requests=48, context_len=8192, available_gpu_mem=46.90 GB
";
    assert!(warnings(&of_log(log, &[])).contains(&"pool-implausible"));
}

#[test]
fn ranks_that_differ_are_named() {
    let end = |rank: u32, free: f64| {
        format!(
            "[2026-05-15 09:10:21 TP{rank}] Capture cuda graph end. Time elapsed: 5.34 s. mem usage=1.00 GB. avail mem={free:.2} GB.\n"
        )
    };
    let document = of_log(&(end(0, 8.40) + &end(1, 7.63)), &[]);
    assert!(warnings(&document).contains(&"rank-skew"));
    assert_eq!(document["data"]["headroom"]["rank"], "TP1");
    assert!(!warnings(&of_log(&(end(0, 8.40) + &end(1, 8.39)), &[])).contains(&"rank-skew"));
}

#[test]
fn keys_on_several_ranks_ask_for_replicas_of_attention() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let config = crate::run::write(
        &folder,
        "config.json",
        r#"{"num_hidden_layers": 94, "hidden_size": 4096, "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128}"#,
    );
    let log = "[2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 1000000, K size: 22.41 GB, V size: 22.41 GB\n";
    let document = of_log(log, &["--config", &config, "--tp", "8"]);
    assert_eq!(document["data"]["kv"]["copies"], 2);
    assert!(codes(&document["data"]["advice"]).contains(&"keys-are-replicated"));
    assert!(!warnings(&document).contains(&"kv-bytes-disagree"));
    // The ranks that the engine did not have: twice the bytes, and both numbers are said.
    let wrong = of_log(log, &["--config", &config, "--tp", "2"]);
    assert!(warnings(&wrong).contains(&"kv-bytes-disagree"));
    let message = wrong["warnings"][0]["message"].as_str().expect("a text");
    assert!(
        message.contains("48125.") || message.contains("48124.") || message.contains("4812"),
        "{message}"
    );
    assert!(message.contains("96256.0"), "{message}");
}

/// A pool of so many tokens of a server that lets so many requests run, with this among its settings.
fn served(settings: &str, tokens: u64, running: u64) -> String {
    format!(
        "[2026-05-15 09:09:22] server_args=ServerArgs(model_path='m', mem_fraction_static=0.60, tp_size=1, {settings})
[2026-05-15 09:09:53] Load weight begin. avail mem=93.58 GB
[2026-05-15 09:09:53] Memory profiling: available_gpu_memory=57.01 GB, total_gpu_memory=93.58 GB, mem_fraction_static=0.60, rest_memory=19.58 GB
[2026-05-15 09:09:53] KV Cache is allocated. dtype: torch.bfloat16, #tokens: {tokens}, K size: 1.00 GB, V size: 1.00 GB
[2026-05-15 09:10:21] max_total_num_tokens={tokens}, max_running_requests={running}, context_len=8192, available_gpu_mem=36.31 GB
"
    )
}

#[test]
fn a_pool_that_a_setting_caps_is_asked_for_nothing_else_of_memory() {
    let capped = of_log(
        &served("max_total_tokens=4096", 4096, 256),
        &["--lengths", "1024"],
    );
    assert_eq!(capped["data"]["capacity"][0]["binding_limit"], "kv_tokens");
    assert_eq!(codes(&capped["data"]["advice"]), ["pool-is-capped"]);
    // A cap above what memory gives caps nothing.
    for settings in ["max_total_tokens=9000", "max_total_tokens=None"] {
        let seen = of_log(&served(settings, 4096, 256), &["--lengths", "1024"]);
        let advice = codes(&seen["data"]["advice"]);
        assert!(!advice.contains(&"pool-is-capped"), "{advice:?}");
        assert!(
            advice.contains(&"memory-is-unused") && advice.contains(&"smaller-keys"),
            "{advice:?}"
        );
    }
}

#[test]
fn the_limit_on_requests_is_raised_to_what_the_longest_allow() {
    let seen = of_log(&served("dp_size=1", 100_000, 10), &["--lengths", "1000,4000"]);
    let advice = seen["data"]["advice"].as_array().expect("a list");
    let raise = advice
        .iter()
        .find(|advice| advice["code"] == "raise-request-limit")
        .expect("advised");
    // 100 of the short ones, 25 of the long ones.
    assert_eq!(
        raise["flags"],
        serde_json::json!(["--max-running-requests", "25"])
    );
    // States of a hybrid model are slots, too.
    let states = "[2026-05-15 09:09:50] Mamba Cache is allocated. max_mamba_cache_size: 12, conv_state size: 0.13GB, ssm_state size: 7.29GB\n";
    let hybrid = served("dp_size=1", 100_000, 10).replacen(
        "[2026-05-15 09:10:21]",
        &format!("{states}[2026-05-15 09:10:21]"),
        1,
    );
    let seen = of_log(&hybrid, &["--lengths", "1000"]);
    let advice = seen["data"]["advice"].as_array().expect("a list");
    let raise = advice
        .iter()
        .find(|advice| advice["code"] == "raise-request-limit")
        .expect("advised");
    assert_eq!(raise["flags"][1], "12");
}

#[test]
fn ranks_that_the_engine_does_not_have_are_told() {
    let log = served("dp_size=1", 100_000, 10);
    assert!(warnings(&of_log(&log, &["--tp", "8"])).contains(&"ranks-disagree"));
    assert!(!warnings(&of_log(&log, &["--tp", "1"])).contains(&"ranks-disagree"));
}

/// A rotated log begins where requests are served.
#[test]
fn running_out_of_memory_below_the_start_is_no_matter_of_weights() {
    let oom = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 79.10 GiB\n";
    let sglang = "[2026-11-23 10:00:01 TP0] Prefill batch, #new-seq: 4, #new-token: 2020, #cached-token: 0, token usage: 0.78\n\
                  [2026-11-23 10:00:02 TP0] Decode batch, #running-req: 4, #token: 2172, token usage: 0.84, cuda graph: True\n";
    let vllm = "INFO 11-23 10:00:01 [loggers.py:127] Engine 000: Avg generation throughput: 900 tokens/s, Running: 30 reqs, GPU KV cache usage: 80.0%\n";
    for (before, phase, code) in [
        (sglang, "runtime", "lower-memory-fraction"),
        (vllm, "runtime", "lower-memory-fraction"),
        ("", "unknown", "start-is-missing"),
    ] {
        let document = of_log(&format!("{before}{oom}"), &[]);
        assert_eq!(document["data"]["failures"][0]["phase"], phase, "{before}");
        assert_eq!(first(&document).0, code);
    }
    // The pools were sized before, and that is not when memory ran out.
    let started = profiling("49.00");
    let document = of_log(&format!("{started}{sglang}{oom}"), &[]);
    assert_eq!(document["data"]["failures"][0]["phase"], "runtime");
}

#[test]
fn another_engine_s_lines_are_of_another_start() {
    let vllm = "INFO 11-06 10:51:48 [gpu_worker.py:298] Available KV cache memory: 40.00 GiB\n\
                INFO 11-06 10:51:49 [kv_cache_utils.py:1087] GPU KV cache size: 100,000 tokens\n";
    let sglang = "[2026-11-06 11:00:00 TP0] KV Cache is allocated. #tokens: 490000, K size: 24.50 GB, V size: 24.50 GB\n\
                  [2026-11-06 11:00:01 TP0] max_total_num_tokens=490000, context_len=8192\n";
    for (log, tokens) in [
        (format!("{vllm}{sglang}"), 490_000),
        (format!("{sglang}{vllm}"), 100_000),
    ] {
        let document = of_log(&log, &[]);
        assert!(warnings(&document).contains(&"several-starts"), "{tokens}");
        assert_eq!(document["data"]["kv"]["tokens"], tokens);
    }
}

#[test]
fn a_low_fraction_comes_first() {
    let log = "[2026-05-15 09:09:53 TP0] Memory profiling: available_gpu_memory=57.01 GB, total_gpu_memory=80.00 GB, mem_fraction_static=0.20, rest_memory=2.00 GB\n\
               [2026-05-15 09:09:53 TP0] KV Cache is allocated. #tokens: 20000, K size: 1.00 GB, V size: 1.00 GB\n";
    let document = of_log(log, &[]);
    let (code, advice) = first(&document);
    assert_eq!(
        (code, &advice["flags"]),
        (
            "fraction-is-low",
            &serde_json::json!(["--mem-fraction-static", "0.85"])
        )
    );
}
