//! Documents of `serve-bench` as the tool would have written them, with the numbers that a test asks for.

use contracts::{Field, FieldSet};
use serde_json::{Value, json};

/// Contract fields of a scenario.
fn contract(scenario: &str) -> FieldSet {
    FieldSet::new(
        [
            ("model.id".to_owned(), Field::declared("Qwen/Qwen3-8B")),
            (
                "request_stream_sha256".to_owned(),
                Field::observed(format!("sha256:{scenario}")),
            ),
            ("simulated".to_owned(), Field::observed(true)),
        ]
        .into(),
    )
}

fn subject(engine: &str, launch: &str) -> FieldSet {
    FieldSet::new(
        [
            ("engine.kind".to_owned(), Field::observed(engine)),
            (
                "launch.argv".to_owned(),
                Field::declared(json!(launch.split(' ').collect::<Vec<_>>())),
            ),
        ]
        .into(),
    )
}

/// Fingerprint of a launch, as documents carry it.
pub(crate) fn fingerprint(engine: &str, launch: &str) -> String {
    subject(engine, launch).fingerprint.unwrap()
}

/// A run with this throughput; everything else is a quiet, valid run whose latencies follow from it.
fn run(number: usize, output_tps: f64) -> Value {
    let tpot = 8_000.0 / output_tps;
    let of = |mean: f64| json!({"count": 80, "mean": mean, "stddev": 0.1, "min": mean, "p50": mean, "p90": mean, "p95": mean, "p99": mean, "max": mean});
    let empty = json!({"count": 0, "mean": null, "stddev": null, "min": null, "p50": null, "p90": null, "p95": null, "p99": null, "max": null});
    let lag = json!({"p50": 0.1, "p99": 0.2, "max": 0.4});
    json!({
        "run": number, "valid": true, "invalid_reasons": [],
        "requests": {"sent": 80, "succeeded": 80, "failed": 0, "warmup": 8, "outcomes": {
            "ok": 80, "truncated": 0, "in_band_error": 0, "http_status": 0, "connect": 0, "timeout": 0,
            "cancelled": 0, "early_stop": 0, "protocol": 0}, "errors": []},
        "tokens": {"input": 80_000, "output": 80_000, "cached": 0, "reasoning": null, "source": "usage"},
        "throughput": {"request_rps": output_tps / 1000.0, "output_tps": output_tps, "total_tps": 2.0 * output_tps, "goodput_rps": null},
        "prefill_tps": of(20_000.0), "decode_tps": of(output_tps / 8.0),
        "latency": {"ttft_ms": of(50.0 * 1000.0 / output_tps), "tpot_ms": of(tpot), "itl_ms": of(tpot), "chunk_gap_ms": of(tpot),
            "e2e_latency_ms": of(tpot * 1000.0), "send_delay_ms": empty.clone(), "ttft_from_schedule_ms": empty.clone(), "e2e_from_schedule_ms": empty},
        "windows": {"full": {"start_at": "2026-11-22T01:00:00Z", "end_at": "2026-11-22T01:00:09Z"}, "steady": null},
        "drift": {},
        "client": {"dispatch_lag_ms": lag.clone(), "poll_delay_ms": lag, "cpu_share_ratio": 0.1, "cpu_s": 0.5, "cores": 2,
            "same_read_chunk_ratio": 0.0, "asked_concurrency": 8, "achieved_concurrency": 7.9, "peak_concurrency": 8,
            "connections_opened": 8, "peak_rss_bytes": 9_000_000, "client_limited": false, "reasons": []},
        "slo": null,
    })
}

fn head(schema: &str, scenario: &str, subject: &FieldSet, data: Value) -> Value {
    json!({
        "schema": schema, "tool": {"name": "serve-bench", "version": "0.1.0"},
        "created_at": "2026-11-22T01:00:00Z", "complete": true, "simulated": true,
        "summary": "measured", "next_actions": [], "warnings": [],
        "contract": contract(scenario), "environment": {"fingerprint": null, "fields": {}}, "subject": subject,
        "inputs": [], "artifacts": [], "data": data,
    })
}

fn workload(scenario: &str) -> Value {
    json!({
        "name": "standard", "scenario": scenario, "purpose": "evidence", "num_prompts": 80, "seed": 1,
        "request_stream_sha256": format!("sha256:{scenario}"), "dataset": "random", "prompt_unit": "tokens", "endpoint": "chat",
        "input_len": {"min": 1000, "mean": 1000.0, "max": 1000}, "output_len": {"min": 1000, "mean": 1000.0, "max": 1000},
        "prompt_check": null,
    })
}

pub(super) fn load() -> Value {
    json!({"mode": "closed_loop", "concurrency": 8, "request_rate_rps": null, "arrival": null, "burstiness": null,
        "speedup": null, "max_concurrency": null, "warmup_requests": 8, "duration_s": null})
}

fn target(engine: &str, version: &str) -> Value {
    json!({"url": "http://127.0.0.1:30000", "model": "Qwen/Qwen3-8B", "served_model": "Qwen/Qwen3-8B",
        "engine": {"kind": engine, "version": version}})
}

/// A comparison of ours (`sglang`, launched so) with `vllm` over eight blocks.
pub(crate) fn compare(scenario: &str, launch: &str, ours: f64, theirs: f64) -> Value {
    let side = |name: &str, engine: &str, version: &str, launch: &str| {
        json!({"name": name, "target": target(engine, version), "contract": contract(scenario),
            "subject": subject(engine, launch), "launch_argv": launch.split(' ').collect::<Vec<_>>(), "launch_env": "cleared"})
    };
    let blocks: Vec<Value> = (0..8)
        .map(|block| {
            json!({"block": block, "order": if block % 2 == 0 { "ab" } else { "ba" },
                "a": run(2 * block, ours), "b": run(2 * block + 1, theirs)})
        })
        .collect();
    let data = json!({
        "a": side("ours", "sglang", "0.5.4", launch), "b": side("vllm", "vllm", "0.11.0", "vllm serve"),
        "workload": workload(scenario), "load": load(), "plan": {}, "swap": true, "blocks": blocks,
    });
    head(
        "serve-bench.compare/1",
        scenario,
        &subject("sglang", launch),
        data,
    )
}

/// A result of `vllm` in another configuration.
pub(crate) fn result(scenario: &str, launch: &str, tps: f64) -> Value {
    let data = json!({
        "target": target("vllm", "0.11.0"), "workload": workload(scenario), "load": load(), "plan": {},
        "imported_from": null, "runs": [run(0, tps)], "aggregate": {},
    });
    head("serve-bench.result/1", scenario, &subject("vllm", launch), data)
}
