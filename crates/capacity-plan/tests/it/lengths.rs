//! Lengths and shared prefixes.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::{document, of_log, write};

const POOL: &str =
    "[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 100000, K size: 1.00 GB, V size: 1.00 GB\n";

#[test]
fn a_shared_prefix_is_the_other_end_of_a_range() {
    let document = of_log(POOL, &["--lengths", "2000", "--shared-prefix", "1000"]);
    let row = &document["data"]["capacity"][0];
    assert_eq!(
        (&row["requests"], &row["requests_shared"]),
        (&50.into(), &99.into())
    );
    assert!(
        document["summary"]
            .as_str()
            .is_some_and(|text| text.starts_with("50 to 99 requests")),
        "{document}"
    );
}

#[test]
fn the_longest_context_is_a_limit() {
    let log = format!(
        "{POOL}[2026-05-15 09:10:21] max_total_num_tokens=100000, max_running_requests=48, context_len=8192, available_gpu_mem=6.90 GB\n"
    );
    let document = of_log(&log, &["--lengths", "9000,8192,1000"]);
    let limits: Vec<&Value> = (0..3)
        .map(|row| &document["data"]["capacity"][row]["binding_limit"])
        .collect();
    assert_eq!(limits, ["context_length", "kv_tokens", "max_running_requests"]);
    assert_eq!(document["data"]["capacity"][0]["requests"], 0);
}

/// A result of serve-bench of ten requests in words: 1000 tokens each, of which 400 were cached, 500 in flight.
fn result() -> String {
    let none = json!({"count": 0, "mean": null, "stddev": null, "min": null, "p50": null, "p90": null, "p95": null, "p99": null, "max": null});
    let latencies = [
        "ttft_ms",
        "tpot_ms",
        "itl_ms",
        "chunk_gap_ms",
        "e2e_latency_ms",
        "send_delay_ms",
        "ttft_from_schedule_ms",
        "e2e_from_schedule_ms",
    ];
    let latency: serde_json::Map<String, Value> = latencies
        .iter()
        .map(|name| ((*name).to_owned(), none.clone()))
        .collect();
    let lag = json!({"p50": 0.1, "p99": 0.2, "max": 0.4});
    let fields = json!({"fingerprint": null, "fields": {}});
    let run = json!({
        "run": 0, "valid": true, "invalid_reasons": [],
        "requests": {"sent": 10, "succeeded": 10, "failed": 0, "warmup": 0, "errors": [], "outcomes": {
            "ok": 10, "truncated": 0, "in_band_error": 0, "http_status": 0, "connect": 0, "timeout": 0,
            "cancelled": 0, "early_stop": 0, "protocol": 0}},
        "tokens": {"input": 8000, "output": 2000, "cached": 4000, "reasoning": null, "source": "usage"},
        "throughput": {"request_rps": null, "output_tps": null, "total_tps": null, "goodput_rps": null},
        "prefill_tps": none, "decode_tps": none, "latency": latency, "windows": {"full": null, "steady": null}, "drift": {},
        "client": {"dispatch_lag_ms": lag, "poll_delay_ms": lag, "cpu_share_ratio": null, "cpu_s": null, "cores": null,
            "same_read_chunk_ratio": null, "asked_concurrency": 500, "achieved_concurrency": null, "peak_concurrency": 500,
            "connections_opened": null, "peak_rss_bytes": null, "client_limited": false, "reasons": []},
        "slo": null,
    });
    let length = json!({"min": 10, "mean": 10.0, "max": 10});
    json!({
        "schema": "serve-bench.result/1", "tool": {"name": "serve-bench", "version": "0.1.0"},
        "created_at": "2026-11-22T01:00:00Z", "complete": true, "simulated": false, "summary": "measured",
        "next_actions": [], "warnings": [], "contract": fields, "environment": fields, "subject": {"fingerprint": null, "fields": {"engine.kind": {"value": "sglang", "source": "observed"}}}, "inputs": [],
        "artifacts": [], "data": {
            "target": {"url": "http://127.0.0.1:1", "model": null, "served_model": null, "engine": {"kind": "sglang", "version": null}},
            "workload": {"name": "w", "scenario": "chat", "purpose": "evidence", "num_prompts": 10, "seed": 1,
                "request_stream_sha256": "sha256:0", "dataset": "random", "prompt_unit": "words", "endpoint": "chat",
                "input_len": length, "output_len": length, "prompt_check": null},
            "load": {"mode": "closed_loop", "concurrency": 500, "request_rate_rps": null, "arrival": null, "burstiness": null,
                "speedup": null, "max_concurrency": null, "warmup_requests": 0, "duration_s": null},
            "plan": {}, "imported_from": null, "runs": [run], "aggregate": {},
        },
    })
    .to_string()
}

#[test]
fn a_result_gives_lengths_hits_and_load() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "run.json", &result());
    let log = write(&folder, "server.log", POOL);
    let seen = document(&["log", &log, "--lengths", &path]);
    let row = &seen["data"]["capacity"][0];
    assert_eq!(
        (&row["length_tokens"], &row["of"]),
        (&1000.into(), &"mean".into())
    );
    // 400 of the 1000 tokens are shared: (100 000 - 400) / 600.
    assert_eq!(
        (&row["requests"], &row["requests_shared"]),
        (&100.into(), &166.into())
    );
    assert!(crate::run::warnings(&seen).contains(&"load-above-capacity"));
    assert_eq!(seen["inputs"][1]["path"], path);
    assert!(!crate::run::warnings(&seen).contains(&"lengths-of-another-benchmark"));
    let other = write(
        &folder,
        "vllm.log",
        "INFO 01-30 03:19:14 kv_cache_utils.py:395] # GPU blocks: 1381\n",
    );
    let other = document(&["log", &other, "--lengths", &path]);
    assert!(crate::run::warnings(&other).contains(&"lengths-of-another-benchmark"));
    assert_eq!(other["data"]["capacity"][0]["length_tokens"], 1000);
}

#[test]
fn a_bound_benchmark_gives_lengths_where_they_are_tokens() {
    let folder = TempDir::new().expect("a folder");
    let log = write(&folder, "server.log", POOL);
    let path = write(&folder, "run.json", &result().replace("\"words\"", "\"tokens\""));
    let seen = document(&["log", &log, "--for", &path]);
    let row = &seen["data"]["capacity"][0];
    assert_eq!(
        (&row["length_tokens"], &row["of"]),
        (&20.into(), &"smallest".into())
    );
    assert_eq!(seen["inputs"][1]["path"], path);
    // The engine is another one than was measured.
    let other = write(
        &folder,
        "vllm.log",
        "INFO 01-30 03:19:14 kv_cache_utils.py:395] # GPU blocks: 1381\n",
    );
    let failure = crate::run::run(&["log", &other, "--for", &path]).expect_err("it is of sglang");
    assert_eq!(failure.document.code, "evidence-other-engine");
}

#[test]
fn a_prefix_leaves_each_request_something_of_its_own() {
    let folder = TempDir::new().expect("a folder");
    let log = write(&folder, "server.log", POOL);
    let failure = crate::run::run(&["log", &log, "--lengths", "4096,1000", "--shared-prefix", "1000"]);
    let failure = failure.expect_err("it shares all of the short ones");
    assert_eq!(
        (failure.document.code.as_str(), failure.exit),
        ("shared-prefix-too-long", contracts::Exit::Usage)
    );
}

#[test]
fn a_log_without_a_context_has_the_model_s() {
    let folder = TempDir::new().expect("a folder");
    let config = write(&folder, "config.json", crate::estimate::QWEN3_8B);
    let document = of_log(POOL, &["--lengths", "40961", "--config", &config]);
    assert_eq!(document["data"]["capacity"][0]["binding_limit"], "context_length");
    assert_eq!(
        document["data"]["engine"]["context_tokens"],
        Value::Null,
        "the engine did not say it"
    );
}

#[test]
fn a_pool_of_an_unknown_limit_is_an_upper_bound() {
    let many = of_log(POOL, &["--lengths", "100"]);
    assert!(crate::run::warnings(&many).contains(&"request-limit-unknown"));
    assert!(!crate::run::codes(&many["data"]["advice"]).contains(&"smaller-keys"));
    assert!(!crate::run::warnings(&of_log(POOL, &["--lengths", "10000"])).contains(&"request-limit-unknown"));
}
