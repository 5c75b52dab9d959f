//! Documents of serve-bench and profile-tables as the tools would have written them, without a server: consistent
//! tokens, windows and rates, measured after a campaign began. The tests of the repository use this file, too.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::serve_bench::workload::{StreamHash, WorkloadRequest};
use contracts::{Field, FieldSet};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The model of every test campaign.
pub(crate) const MODEL: &str = "Qwen/Qwen3-8B";
/// Requests of a scenario.
const PROMPTS: u64 = 8;
/// Output tokens of a request.
const OUTPUT_LEN: u64 = 100;
/// The scenarios of a workload and their prompt lengths.
pub(crate) const SCENARIOS: [(&str, u64); 2] = [("chat", 50), ("slow", 500)];

/// The target of every test campaign. A run takes 80 microseconds, so the physical limit is as fast as that.
pub(crate) fn target_yaml() -> String {
    format!(
        "schema: sota-loop.target/1
model: {{id: {MODEL}, revision: b968826, tokenizer: {MODEL}, precision: bf16, active_weight_bytes: 1000}}
hardware: {{class: H100-80GB-SXM, gpu_count: 1, memory_bandwidth_bytes_per_s: 2000000000}}
slo: []
threshold_ratio: 0.01
margin_ratio: 0.01
campaign:
  framework: sglang
  comparison: [vllm]
  minimum_candidates: 2
  budget: {{wall_s: 3600, attempts: 3}}
"
    )
}

/// History notes that say that there is no history.
pub(crate) const HISTORY_YAML: &str = "schema: loop-ledger.history/1
model: Qwen3-8B
baseline_commit: 3f4ea9f
checked_on: 2026-11-22
sources: [pull requests of sglang]
changes: []
none_found: the model is new
";

fn requests(scenario: &str, input_len: u64, seed: u64) -> Vec<WorkloadRequest> {
    (0..PROMPTS)
        .map(|index| WorkloadRequest {
            scenario: scenario.to_owned(),
            index,
            arrival_offset_ms: None,
            input_len: Some(input_len),
            output_len: Some(OUTPUT_LEN),
            prefix_group: None,
            turn: None,
            body: json!({"messages": [{"role": "user", "content": format!("{seed} {index} {input_len}")}], "max_tokens": OUTPUT_LEN}),
        })
        .collect()
}

/// The hash of a scenario's requests.
pub(crate) fn stream(scenario: &str, seed: u64) -> String {
    let input_len = SCENARIOS.iter().find(|(name, _)| *name == scenario).unwrap().1;
    let mut hash = StreamHash::default();
    for request in requests(scenario, input_len, seed) {
        hash.add(&request);
    }
    hash.finish()
}

/// A frozen workload.
pub(crate) fn workload_jsonl(seed: u64, purpose: &str) -> String {
    let scenarios: Vec<Value> = SCENARIOS
        .iter()
        .map(|(scenario, input_len)| {
            json!({"scenario": scenario, "purpose": purpose, "num_prompts": PROMPTS, "seed": seed, "dataset": "random",
                "prompt_unit": "tokens", "endpoint": "chat", "input_len": range(*input_len), "output_len": range(OUTPUT_LEN),
                "request_stream_sha256": stream(scenario, seed)})
        })
        .collect();
    let header = json!({"schema": "serve-bench.workload/1", "name": "standard", "model": MODEL, "tokenizer": null,
        "request_stream_sha256": "sha256:all", "scenarios": scenarios});
    let mut lines = vec![header.to_string()];
    for (scenario, input_len) in SCENARIOS {
        let lines_of = requests(scenario, input_len, seed);
        lines.extend(
            lines_of
                .iter()
                .map(|request| serde_json::to_string(request).unwrap()),
        );
    }
    lines.join("\n") + "\n"
}

fn range(length: u64) -> Value {
    json!({"min": length, "mean": length as f64, "max": length})
}

/// A launch: the engine and the settings that it reads back.
pub(crate) fn launch(engine: &str, settings: &[(&str, Value)]) -> FieldSet {
    let mut fields: BTreeMap<String, Field> = settings
        .iter()
        .map(|(name, value)| (format!("settings.{name}"), Field::observed(value.clone())))
        .collect();
    fields.insert("engine.kind".to_owned(), Field::observed(engine));
    FieldSet::new(fields)
}

/// Ours as it is at first.
pub(crate) fn ours() -> FieldSet {
    launch("sglang", &[("max_running_requests", json!(256))])
}

/// Theirs as it is compared.
pub(crate) fn theirs() -> FieldSet {
    launch("vllm", &[("max_num_seqs", json!(256))])
}

/// What both sides of a scenario have to agree on.
fn contract(scenario: &str, seed: u64) -> FieldSet {
    let fields = [
        ("model.id", Field::declared(MODEL)),
        ("model.revision", Field::declared("b968826")),
        ("tokenizer", Field::declared(MODEL)),
        ("precision", Field::declared("bf16")),
        ("request_stream_sha256", Field::observed(stream(scenario, seed))),
        ("load", Field::observed(load())),
        (
            "sampling",
            Field::observed(json!({"endpoint": "chat", "ignore_eos": true})),
        ),
        ("hardware.class", Field::declared("H100-80GB-SXM")),
        ("hardware.gpu_count", Field::declared(1)),
        ("simulated", Field::observed(false)),
        ("slo", Field::declared(json!([]))),
        ("threshold_ratio", Field::declared(0.01)),
        ("margin_ratio", Field::declared(0.01)),
    ];
    FieldSet::new(fields.map(|(name, field)| (name.to_owned(), field)).into())
}

fn load() -> Value {
    json!({"mode": "closed_loop", "concurrency": 8, "request_rate_rps": null, "arrival": null, "burstiness": null,
        "speedup": null, "max_concurrency": null, "warmup_requests": 8, "duration_s": null})
}

fn workload_info(scenario: &str, seed: u64) -> Value {
    let input_len = SCENARIOS.iter().find(|(name, _)| *name == scenario).unwrap().1;
    json!({"name": "standard", "scenario": scenario, "purpose": "evidence", "num_prompts": PROMPTS, "seed": seed,
        "request_stream_sha256": stream(scenario, seed), "dataset": "random", "prompt_unit": "tokens", "endpoint": "chat",
        "input_len": range(input_len), "output_len": range(OUTPUT_LEN), "prompt_check": null})
}

fn server(engine: &str) -> Value {
    json!({"url": "http://127.0.0.1:30000", "model": MODEL, "served_model": MODEL, "engine": {"kind": engine, "version": "1.0"}})
}

/// The clock of a document: runs follow one another, and the document is handed over when the last has ended.
struct Clock(Timestamp);

impl Clock {
    fn window(&mut self, seconds: f64) -> Value {
        let start_at = self.0;
        self.0 += SignedDuration::from_secs_f64(seconds);
        let end_at = self.0;
        self.0 += SignedDuration::from_micros(1);
        json!({"start_at": start_at, "end_at": end_at})
    }

    fn wait(&self) {
        while Timestamp::now() <= self.0 {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// A quiet, valid run with this throughput, in millions of tokens per second.
fn run(number: usize, mega_tps: f64, input_len: u64, clock: &mut Clock) -> Value {
    let tps = mega_tps * 1e6;
    let output = PROMPTS * OUTPUT_LEN;
    let of = |mean: f64| json!({"count": 8, "mean": mean, "stddev": 0.1, "min": mean, "p50": mean, "p90": mean, "p95": mean, "p99": mean, "max": mean});
    let empty = json!({"count": 0, "mean": null, "stddev": null, "min": null, "p50": null, "p90": null, "p95": null, "p99": null, "max": null});
    let lag = json!({"p50": 0.1, "p99": 0.2, "max": 0.4});
    let tpot_ms = 8e3 / tps;
    json!({
        "run": number, "valid": true, "invalid_reasons": [],
        "requests": {"sent": PROMPTS, "succeeded": PROMPTS, "failed": 0, "warmup": 8, "outcomes": {
            "ok": PROMPTS, "truncated": 0, "in_band_error": 0, "http_status": 0, "connect": 0, "timeout": 0,
            "cancelled": 0, "early_stop": 0, "protocol": 0}, "errors": []},
        "tokens": {"input": PROMPTS * input_len, "output": output, "cached": 0, "reasoning": null, "source": "usage"},
        "throughput": {"request_rps": tps / OUTPUT_LEN as f64, "output_tps": tps, "total_tps": 2.0 * tps, "goodput_rps": null},
        "prefill_tps": of(20_000.0), "decode_tps": of(tps / 8.0),
        "latency": {"ttft_ms": of(5e6 / tps), "tpot_ms": of(tpot_ms), "itl_ms": of(tpot_ms), "chunk_gap_ms": of(tpot_ms),
            "e2e_latency_ms": of(tpot_ms * 100.0), "send_delay_ms": empty.clone(), "ttft_from_schedule_ms": empty.clone(),
            "e2e_from_schedule_ms": empty},
        "windows": {"full": clock.window(output as f64 / tps), "steady": null},
        "drift": {},
        "client": {"dispatch_lag_ms": lag.clone(), "poll_delay_ms": lag, "cpu_share_ratio": 0.1, "cpu_s": 0.5, "cores": 2,
            "same_read_chunk_ratio": 0.0, "asked_concurrency": 8, "achieved_concurrency": 7.9, "peak_concurrency": 8,
            "connections_opened": 8, "peak_rss_bytes": 9_000_000, "client_limited": false, "reasons": []},
        "slo": null,
    })
}

fn head(schema: &str, contract: &FieldSet, subject: &FieldSet, data: Value) -> Value {
    let (tool, _) = schema.split_once('.').unwrap();
    json!({
        "schema": schema, "tool": {"name": tool, "version": "0.1.0"}, "created_at": Timestamp::now(), "complete": true,
        "simulated": false, "summary": "measured", "next_actions": [], "warnings": [], "contract": contract,
        "environment": {"fingerprint": null, "fields": {}}, "subject": subject, "inputs": [], "artifacts": [], "data": data,
    })
}

/// A comparison to be written.
pub(crate) struct Compare {
    pub(crate) scenario: &'static str,
    pub(crate) seed: u64,
    /// Throughputs of ours and theirs, in millions of tokens per second.
    pub(crate) pairs: Vec<(f64, f64)>,
    pub(crate) ours: FieldSet,
    pub(crate) theirs: FieldSet,
    /// Launched by `--swap --clear-env`.
    pub(crate) is_clean: bool,
}

impl Compare {
    /// Ours at `percent` of theirs, eighteen pairs with a little noise: eight cannot carry a verdict on two scenarios.
    pub(crate) fn at(scenario: &'static str, percent: f64) -> Compare {
        let pairs = (0..18)
            .map(|block| {
                let noise = 1.0 + 0.000_4 * f64::from(block % 4);
                (10.0 * percent / 100.0 * noise, 10.0)
            })
            .collect();
        Compare {
            scenario,
            seed: 1,
            pairs,
            ours: ours(),
            theirs: theirs(),
            is_clean: false,
        }
    }

    /// The document, measured now.
    pub(crate) fn document(&self) -> Value {
        let contract = contract(self.scenario, self.seed);
        let input_len = SCENARIOS
            .iter()
            .find(|(name, _)| *name == self.scenario)
            .unwrap()
            .1;
        let side = |subject: &FieldSet| {
            let engine = subject.known("engine.kind").unwrap().as_str().unwrap();
            let argv = self.is_clean.then(|| json!(["python3", "-m", engine]));
            json!({"name": engine, "target": server(engine), "contract": contract, "subject": subject, "launch_argv": argv,
                "launch_env": self.is_clean.then_some("cleared")})
        };
        let mut clock = Clock(Timestamp::now());
        let blocks: Vec<Value> = self
            .pairs
            .iter()
            .enumerate()
            .map(|(block, (a, b))| {
                json!({"block": block, "order": if block % 2 == 0 { "ab" } else { "ba" },
                    "a": run(2 * block, *a, input_len, &mut clock), "b": run(2 * block + 1, *b, input_len, &mut clock)})
            })
            .collect();
        clock.wait();
        let data = json!({"a": side(&self.ours), "b": side(&self.theirs), "workload": workload_info(self.scenario, self.seed),
            "load": load(), "plan": {}, "swap": self.is_clean, "blocks": blocks});
        head("serve-bench.compare/1", &contract, &self.ours, data)
    }
}

/// A result of one engine, measured now.
pub(crate) fn result(scenario: &str, seed: u64, subject: &FieldSet, mega_tps: f64) -> Value {
    let engine = subject.known("engine.kind").unwrap().as_str().unwrap();
    let input_len = SCENARIOS.iter().find(|(name, _)| *name == scenario).unwrap().1;
    let mut clock = Clock(Timestamp::now());
    let runs = [run(0, mega_tps, input_len, &mut clock)];
    clock.wait();
    let data = json!({"target": server(engine), "workload": workload_info(scenario, seed), "load": load(), "plan": {},
        "imported_from": null, "runs": runs, "aggregate": {}});
    head("serve-bench.result/1", &contract(scenario, seed), subject, data)
}

/// A verdict that says that ours is behind, on these stored comparisons: path and hash of each scenario's.
pub(crate) fn decision(compared: &[(String, String)]) -> Value {
    let of = |name: &str| json!({"name": name, "engine": name, "value": 9e6, "runs": 18});
    let other = json!({"name": "vllm", "effect_pct": -10.0, "ci_low_pct": -10.5, "ci_high_pct": -9.5, "pairs": 18, "verdict": "behind"});
    let scenarios: Vec<Value> = SCENARIOS
        .iter()
        .map(|(scenario, _)| {
            json!({"scenario": scenario, "ours": of("sglang"), "best_other": of("vllm"), "effect_pct": -10.0, "ci_low_pct": -10.5,
                "ci_high_pct": -9.5, "threshold_pct": 1.0, "margin_pct": 1.0, "noise_cv_ours_pct": 0.1, "noise_cv_other_pct": 0.1,
                "pairs": 18, "verdict": "behind", "provisional": false, "unknown_fields": [], "repeats_needed": null,
                "smallest_margin_pct": 0.5, "method": "signed_rank_pairs", "pairs_available": 18, "pairs_excluded": 0,
                "next_look_pairs": 26, "nominal_alpha_ratio": 0.01, "physical_limit_tps": null, "others": [other], "within_run": []})
        })
        .collect();
    let paths: Vec<&String> = compared.iter().map(|(path, _)| path).collect();
    let none = FieldSet::none();
    let mut document = head(
        "gap-decide.decision/1",
        &none,
        &none,
        json!({
        "decision": "profile", "reasons": [], "geomean": {"effect_pct": -10.0, "ci_low_pct": -10.5, "ci_high_pct": -9.5},
        "scenarios": scenarios, "metric": "output_tps", "confidence_ratio": 0.95, "max_pairs": 56,
        "plan": {"sources": {"compare": {"documents": paths, "ours_is_b": false}}, "chosen_by": []}}),
    );
    let inputs = compared
        .iter()
        .map(|(path, sha256)| json!({"path": path, "sha256": sha256, "bytes": 1}));
    document["inputs"] = inputs.collect();
    document
}

/// A profile as somebody could write it by hand, for a benchmark with this hash.
pub(crate) fn profile(scenario: &str, subject: &FieldSet, benchmark: &str) -> Value {
    let rows = json!([{"kernel": "flash_fwd", "family": "attention", "share_pct": 41.5}]);
    let mut document = head(
        "profile-tables.report/1",
        &contract(scenario, 1),
        subject,
        json!({"stages": [{"stage": "decode", "kernel_table": rows}]}),
    );
    document["inputs"] = json!([{"path": "round0.compare.json", "sha256": benchmark, "bytes": 1}]);
    document
}

/// A difference between two profiles; `forced` names what was overlooked.
pub(crate) fn difference(scenario: &str, subject: &FieldSet, benchmark: &str, forced: Option<&str>) -> Value {
    let mut document = profile(scenario, subject, benchmark);
    document["schema"] = json!("profile-tables.diff/1");
    document["data"] = json!({"forced": forced.is_some(), "waterfall": []});
    document["warnings"] = forced
        .map(|code| json!({"code": code, "message": "ours has 36 layers, theirs 48"}))
        .into_iter()
        .collect();
    document
}

/// Puts a value into a field set of a document and makes its fingerprint fit again.
pub(crate) fn refit(set: &mut Value, field: &str, value: Value) {
    let mut fields: FieldSet = serde_json::from_value(set.clone()).unwrap();
    fields.fields.insert(field.to_owned(), Field::declared(value));
    *set = serde_json::to_value(FieldSet::new(fields.fields)).unwrap();
}
