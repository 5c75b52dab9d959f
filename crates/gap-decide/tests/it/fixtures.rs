//! Documents of `serve-bench` as the tool would have written them, with the numbers that a test asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use cli_kit::{Failure, Report};
use contracts::gap_decide::decision::DecisionData;
use contracts::{Document, Field, FieldSet};
use gap_decide::cli::Args;
use serde_json::{Value, json};

/// A folder that goes when the test ends.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a document and gives its path as a word of a command line.
    pub(crate) fn put(&self, name: &str, document: &Value) -> String {
        self.put_text(name, &serde_json::to_string_pretty(document).unwrap())
    }

    pub(crate) fn put_text(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }
}

/// Runs the tool without a process.
pub(crate) fn run(words: &[&str]) -> Result<Report, Failure> {
    gap_decide::run(Args::try_parse_from([&["gap-decide"], words].concat()).unwrap())
}

/// Runs the tool, checks the document against the published schema and reads it.
pub(crate) fn decide(words: &[&str]) -> (Document<DecisionData>, Report) {
    let report = run(words).unwrap_or_else(|failure| panic!("{failure:?}"));
    validate(report.json(), "gap-decide.decision/1");
    (serde_json::from_str(report.json()).unwrap(), report)
}

/// The error code of a call that must fail, with its exit code; its hint must be there.
pub(crate) fn fails(words: &[&str]) -> (String, u8) {
    let failure = run(words).expect_err("the call fails");
    assert!(
        failure.document.hint.as_ref().is_some_and(|hint| hint.len() > 10),
        "{failure:?}"
    );
    (failure.document.code, failure.exit.code())
}

pub(crate) fn validate(json: &str, id: &str) {
    let schema: Value = serde_json::from_str(contracts::schema::find(id).unwrap().text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let instance: Value = serde_json::from_str(json).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&instance)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Contract fields of a fully known measurement.
pub(crate) fn contract(changes: &[(&str, Field)]) -> FieldSet {
    let mut fields: BTreeMap<String, Field> = [
        ("model.id", Field::declared("Qwen/Qwen3-8B")),
        ("model.revision", Field::declared("b968826")),
        ("tokenizer", Field::declared("Qwen/Qwen3-8B")),
        ("precision", Field::declared("bf16")),
        ("request_stream_sha256", Field::observed("sha256:chat")),
        (
            "load",
            Field::observed(json!({"mode": "closed_loop", "concurrency": 8})),
        ),
        (
            "sampling",
            Field::observed(json!({"endpoint": "chat", "ignore_eos": true})),
        ),
        ("hardware.class", Field::declared("H100-80GB-SXM")),
        ("hardware.gpu_count", Field::declared(1)),
        ("simulated", Field::observed(false)),
    ]
    .map(|(name, field)| (name.to_owned(), field))
    .into();
    fields.extend(
        changes
            .iter()
            .map(|(name, field)| ((*name).to_owned(), field.clone())),
    );
    FieldSet::new(fields)
}

pub(crate) fn subject(engine: &str) -> FieldSet {
    FieldSet::new([("engine.kind".to_owned(), Field::observed(engine))].into())
}

/// A run with this throughput; everything else is a quiet, valid run whose latencies follow from it.
pub(crate) fn run_json(number: usize, output_tps: f64) -> Value {
    let tpot = 8_000.0 / output_tps;
    let of = |mean: f64| json!({"count": 80, "mean": mean, "stddev": 0.1, "min": mean, "p50": mean, "p90": mean, "p95": mean, "p99": mean, "max": mean});
    let empty = json!({"count": 0, "mean": null, "stddev": null, "min": null, "p50": null, "p90": null, "p95": null, "p99": null, "max": null});
    let lag = json!({"p50": 0.1, "p99": 0.2, "max": 0.4});
    let start = format!("2026-11-22T01:{:02}:{:02}Z", number / 60, number % 60);
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
        "windows": {"full": {"start_at": start, "end_at": start}, "steady": null},
        "drift": {},
        "client": {"dispatch_lag_ms": lag.clone(), "poll_delay_ms": lag, "cpu_share_ratio": 0.1, "cpu_s": 0.5, "cores": 2,
            "same_read_chunk_ratio": 0.0, "asked_concurrency": 8, "achieved_concurrency": 7.9, "peak_concurrency": 8,
            "connections_opened": 8, "peak_rss_bytes": 9_000_000, "client_limited": false, "reasons": []},
        "slo": null,
    })
}

fn head(schema: &str, contract: &FieldSet, subject: &FieldSet, data: Value) -> Value {
    json!({
        "schema": schema, "tool": {"name": "serve-bench", "version": "0.1.0"},
        "created_at": "2026-11-22T01:00:00Z", "complete": true, "simulated": false,
        "summary": "measured", "next_actions": [], "warnings": [],
        "contract": contract, "environment": {"fingerprint": null, "fields": {}}, "subject": subject,
        "inputs": [], "artifacts": [], "data": data,
    })
}

fn workload(scenario: &str, hash: &str) -> Value {
    json!({
        "name": "standard", "scenario": scenario, "purpose": "evidence", "num_prompts": 80, "seed": 1,
        "request_stream_sha256": hash, "dataset": "random", "prompt_unit": "tokens", "endpoint": "chat",
        "input_len": {"min": 1000, "mean": 1000.0, "max": 1000}, "output_len": {"min": 1000, "mean": 1000.0, "max": 1000},
        "prompt_check": null,
    })
}

fn load() -> Value {
    json!({"mode": "closed_loop", "concurrency": 8, "request_rate_rps": null, "arrival": null, "burstiness": null,
        "speedup": null, "max_concurrency": null, "warmup_requests": 8, "duration_s": null})
}

fn target(url: &str, kind: &str, version: &str) -> Value {
    json!({"url": url, "model": "Qwen/Qwen3-8B", "served_model": "Qwen/Qwen3-8B", "engine": {"kind": kind, "version": version}})
}

/// A comparison of `sglang` (side a) with `vllm` (side b) over these pairs of throughputs.
pub(crate) fn compare(pairs: &[(f64, f64)]) -> Value {
    compare_of("chat", "sha256:chat", pairs)
}

pub(crate) fn compare_of(scenario: &str, hash: &str, pairs: &[(f64, f64)]) -> Value {
    let contract = contract(&[("request_stream_sha256", Field::observed(hash))]);
    let side = |name: &str, port: u16, version: &str| {
        json!({"name": name, "target": target(&format!("http://127.0.0.1:{port}"), name, version), "contract": contract,
            "subject": subject(name), "launch_argv": null})
    };
    let blocks: Vec<Value> = pairs
        .iter()
        .enumerate()
        .map(|(i, (a, b))| {
            json!({"block": i, "order": if i % 2 == 0 { "ab" } else { "ba" }, "a": run_json(2 * i, *a), "b": run_json(2 * i + 1, *b)})
        })
        .collect();
    let data = json!({
        "a": side("sglang", 30000, "0.5.4"), "b": side("vllm", 30001, "0.11.0"),
        "workload": workload(scenario, hash), "load": load(), "plan": {"workload": "standard.workload.jsonl", "load": load(), "command": [
            "/usr/bin/serve-bench", "compare", "--a", "http://127.0.0.1:30000", "--b", "http://127.0.0.1:30001", "--workload",
            "standard.workload.jsonl", "--concurrency", "8", "--target", "target.yaml", "--blocks", "8", "--resume", "-o", "old.json"]}, "swap": false, "blocks": blocks,
    });
    head("serve-bench.compare/1", &contract, &subject("sglang"), data)
}

/// A result of one engine over these throughputs.
pub(crate) fn result(engine: &str, values: &[f64]) -> Value {
    result_of("chat", "sha256:chat", engine, values)
}

pub(crate) fn result_of(scenario: &str, hash: &str, engine: &str, values: &[f64]) -> Value {
    let contract = contract(&[("request_stream_sha256", Field::observed(hash))]);
    let runs: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(i, value)| run_json(i, *value))
        .collect();
    let data = json!({
        "target": target("http://127.0.0.1:30000", engine, "1.0"), "workload": workload(scenario, hash), "load": load(),
        "plan": {}, "imported_from": null, "runs": runs, "aggregate": {},
    });
    head("serve-bench.result/1", &contract, &subject(engine), data)
}

/// The square root of each is the step of a Weyl sequence: even, no two values alike, no two sequences in step.
const PRIMES: [u32; 26] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
];

/// Throughputs around `centre` with a fixed scatter of `cv` (ratio), the same for every call with the same `salt`.
pub(crate) fn scattered(centre: f64, cv: f64, count: usize, salt: usize) -> Vec<f64> {
    (0..count)
        .map(|i| {
            let uniform = ((i + 1) as f64 * f64::from(PRIMES[salt]).sqrt()).fract();
            centre * (1.0 + cv * 3.4 * (uniform - 0.5))
        })
        .collect()
}

/// Pairs with a true ratio and scatter.
pub(crate) fn pairs(ratio: f64, cv: f64, count: usize) -> Vec<(f64, f64)> {
    scattered(1000.0 * ratio, cv, count, 1)
        .into_iter()
        .zip(scattered(1000.0, cv, count, 2))
        .collect()
}

/// Changes a document at a JSON pointer.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    *document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer} is there")) = value;
    document
}

/// Changes all runs of a side of a comparison.
pub(crate) fn with_runs(mut document: Value, side: &str, change: impl Fn(usize, &mut Value)) -> Value {
    let blocks = document
        .pointer_mut("/data/blocks")
        .unwrap()
        .as_array_mut()
        .unwrap();
    for (i, block) in blocks.iter_mut().enumerate() {
        change(i, &mut block[side]);
    }
    document
}

pub(crate) fn contains(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
