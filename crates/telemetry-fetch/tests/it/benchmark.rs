//! Windows that are bound to a benchmark, and benchmarks that they cannot be bound to.

use contracts::Exit;
use serde_json::{Value, json};

use crate::logs::file;
use crate::server::{metrics, serve};
use crate::{document, run, warnings};

/// A result of one run with ten requests of twenty tokens; null without a window.
fn result(window: &Value) -> String {
    let distribution = json!({"count": 0, "mean": null, "stddev": null, "min": null, "p50": null, "p90": null, "p95": null,
        "p99": null, "max": null});
    let latency: Value = [
        "ttft_ms",
        "tpot_ms",
        "itl_ms",
        "chunk_gap_ms",
        "e2e_latency_ms",
        "send_delay_ms",
        "ttft_from_schedule_ms",
        "e2e_from_schedule_ms",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), distribution.clone()))
    .collect::<serde_json::Map<String, Value>>()
    .into();
    let lag = json!({"p50": null, "p99": null, "max": null});
    let fields = json!({"fingerprint": null, "fields": {}});
    let length = json!({"min": 10, "mean": 10.0, "max": 10});
    let run = json!({
        "run": 0, "valid": true, "invalid_reasons": [],
        "requests": {"sent": 10, "succeeded": 10, "failed": 0, "warmup": 0, "errors": [], "outcomes": {
            "ok": 10, "truncated": 0, "in_band_error": 0, "http_status": 0, "connect": 0, "timeout": 0,
            "cancelled": 0, "early_stop": 0, "protocol": 0}},
        "tokens": {"input": 8000, "output": 200, "cached": null, "reasoning": null, "source": "usage"},
        "throughput": {"request_rps": null, "output_tps": null, "total_tps": null, "goodput_rps": null},
        "prefill_tps": distribution, "decode_tps": distribution, "latency": latency,
        "windows": {"full": window, "steady": null}, "drift": {},
        "client": {"dispatch_lag_ms": lag, "poll_delay_ms": lag, "cpu_share_ratio": null, "cpu_s": null, "cores": null,
            "same_read_chunk_ratio": null, "asked_concurrency": 5, "achieved_concurrency": null, "peak_concurrency": 5,
            "connections_opened": null, "peak_rss_bytes": null, "client_limited": false, "reasons": []},
        "slo": null,
    });
    json!({
        "schema": "serve-bench.result/1", "tool": {"name": "serve-bench", "version": "0.1.0"},
        "created_at": "2026-11-22T01:00:00Z", "complete": true, "simulated": false, "summary": "measured",
        "next_actions": [], "warnings": [], "contract": fields, "environment": fields, "subject": fields, "inputs": [],
        "artifacts": [], "data": {
            "target": {"url": "http://127.0.0.1:1", "model": null, "served_model": null,
                "engine": {"kind": "vllm", "version": null}},
            "workload": {"name": "w", "scenario": "chat", "purpose": "evidence", "num_prompts": 10, "seed": 1,
                "request_stream_sha256": "sha256:0", "dataset": "random", "prompt_unit": "words", "endpoint": "chat",
                "input_len": length, "output_len": length, "prompt_check": null},
            "load": {"mode": "closed_loop", "concurrency": 5, "request_rate_rps": null, "arrival": null, "burstiness": null,
                "speedup": null, "max_concurrency": null, "warmup_requests": 0, "duration_s": null},
            "plan": {}, "imported_from": null, "runs": [run], "aggregate": {},
        },
    })
    .to_string()
}

fn tokens(count: u32) -> String {
    format!("# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total {count}\n")
}

/// A command that writes a result of its own time.
fn benchmark(folder: &tempfile::TempDir) -> (String, String) {
    let template = file(
        folder,
        "template.json",
        result(&json!({"start_at": "START", "end_at": "END"})),
    );
    let path = folder.path().join("result.json").display().to_string();
    let script = format!(
        "now() {{ date -u +%Y-%m-%dT%H:%M:%S.%NZ; }}\nstart=$(now)\nsleep 0.05\nsed \"s/START/$start/; s/END/$(now)/\" {} > {path}\n",
        template.display()
    );
    (file(folder, "bench.sh", script).display().to_string(), path)
}

#[test]
fn a_server_that_goes_away_in_its_benchmark_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = benchmark(&folder);
    let ok = ("200 OK", tokens(7));
    let answers = vec![
        ok.clone(),
        ok.clone(),
        ok,
        ("503 Service Unavailable", String::new()),
    ];
    let explained = |more: &str| {
        let url = serve("/metrics", answers.clone());
        run(&format!(
            "window --url {url} --interval 10s {more} --for {path} -- sh {script}"
        ))
        .unwrap()
    };
    let report = explained("");
    let window = document(&report);
    assert_eq!(report.exit(), Exit::Ok);
    let told = warnings(&window);
    // Its last reading failed after the benchmark's end, and no later one answered.
    assert!(
        told.contains(&"scrape-failed") && told.contains(&"audit-window-match"),
        "{told:?}"
    );
    assert_eq!(window["data"]["sources"][0]["status"], "partial");
    assert_eq!(window["data"]["incidents"][0]["kind"], "scrape_failed");
    assert_eq!(explained("--strict").exit(), Exit::Undecided);
}

#[test]
fn every_engine_has_to_match_its_benchmark() {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = benchmark(&folder);
    for roles in [["", ""], ["prefill=", "decode="]] {
        let first = metrics(&[&tokens(100)]);
        let ok = ("200 OK", tokens(7));
        let gone = serve(
            "/metrics",
            vec![
                ok.clone(),
                ok.clone(),
                ok,
                ("503 Service Unavailable", String::new()),
            ],
        );
        let urls = format!("--url {}{first} --url {}{gone}", roles[0], roles[1]);
        let line = format!("window {urls} --interval 10s --for {path} -- sh {script}");
        let window = document(&run(&line).unwrap());
        let audit = window["data"]["audit"].as_array().unwrap();
        let check = audit.iter().find(|check| check["id"] == "window_match").unwrap();
        assert_eq!(check["passed"], false);
        let message = check["message"].as_str().unwrap();
        assert!(message.contains(&gone) && !message.contains(&first), "{message}");
        assert!(warnings(&window).contains(&"audit-window-match"));
    }
}

#[test]
fn tokens_of_the_benchmark_are_the_engine_s() {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = benchmark(&folder);
    let passed = |after: u32| {
        let (before, after) = (tokens(100), tokens(after));
        let url = metrics(&[&before, &before, &before, &after]);
        let line = format!("window --url {url} --interval 10s --for {path} -- sh {script}");
        let window = document(&run(&line).unwrap());
        let audit = window["data"]["audit"].as_array().unwrap();
        let check = audit
            .iter()
            .find(|check| check["id"] == "token_conservation")
            .unwrap();
        let warned = warnings(&window).contains(&"tokens-uncounted");
        (check["passed"].as_bool().unwrap(), warned)
    };
    assert_eq!(passed(300), (true, false));
    // Within what warm-up and probes may have made, and more than the measured requests received.
    assert_eq!(passed(310), (true, true));
    assert_eq!(passed(400), (false, false));
    assert_eq!(passed(200), (false, false));
}

#[test]
fn a_profiler_that_a_log_tells_of_contaminates() {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = benchmark(&folder);
    let log = file(&folder, "engine.log", "");
    let url = metrics(&[&tokens(100)]);
    let passed = |said: &str| {
        let script = format!("echo '{said}' >> {}; sh {script}", log.display());
        let script = file(&folder, "profiled.sh", script);
        let line = format!(
            "window --url {url} --logs {} --interval 10s --for {path} -- sh {}",
            log.display(),
            script.display()
        );
        let window = document(&run(&line).unwrap());
        let audit = window["data"]["audit"].as_array().unwrap();
        let check = audit.iter().find(|check| check["id"] == "profiled").unwrap();
        check["passed"].clone()
    };
    assert_eq!(passed("going on"), Value::Null);
    assert_eq!(passed("Profiling starts. Traces will be saved to: /tmp"), false);
    // It runs until somebody says that it ended.
    assert_eq!(passed("going on"), false);
    assert_eq!(passed("Profiling done. Traces are saved to: /tmp"), false);
    assert_eq!(passed("going on"), Value::Null);
}

#[test]
fn a_command_that_writes_no_benchmark_is_kept_unbound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.json").display().to_string();
    let url = metrics(&[&tokens(1)]);
    let report = run(&format!(
        "window --url {url} --interval 10s --for {path} -- false"
    ))
    .unwrap();
    let window = document(&report);
    assert_eq!(report.exit(), Exit::Ok);
    assert!(
        window["contract"].is_null() || window["contract"]["fingerprint"].is_null(),
        "{}",
        window["contract"]
    );
    let told = warnings(&window);
    assert!(
        told.contains(&"benchmark-not-bound") && told.contains(&"command-failed"),
        "{told:?}"
    );
}

#[test]
fn benchmarks_that_explain_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = metrics(&[&tokens(1)]);
    let refused = |name: &str, window: &Value| {
        let path = file(&folder, name, result(window)).display().to_string();
        // What was read while the command ran cannot be read again.
        let report = run(&format!("window --url {url} --interval 10s --for {path} -- true")).unwrap();
        let document = document(&report);
        assert_eq!(report.exit(), Exit::BadInput);
        assert_eq!(document["data"]["metrics"].as_array().unwrap().len(), 1);
        assert!(document["contract"]["fingerprint"].is_null());
        let warning = document["warnings"][0].clone();
        assert_eq!(warning["code"], "benchmark-not-bound");
        warning["message"].as_str().unwrap().to_owned()
    };
    let why = refused("nothing.json", &Value::Null);
    assert!(
        why.contains("none of its runs") && why.contains("at least one request"),
        "{why}"
    );
    let old = json!({"start_at": "2020-01-01T00:00:00Z", "end_at": "2020-01-01T00:01:00Z"});
    let why = refused("old.json", &old);
    assert!(
        why.contains("it was measured from") && why.contains("ran inside the window"),
        "{why}"
    );
}

#[test]
fn a_gate_lets_nothing_through_that_is_no_measurement() {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = benchmark(&folder);
    let log = file(&folder, "engine.log", "");
    let exit = |said: &str, end: &str| {
        let (before, after) = (tokens(100), tokens(300));
        let url = metrics(&[&before, &before, &before, &after]);
        let lines = format!("sh {script}\necho '{said}' >> {}\n{end}\n", log.display());
        let script = file(&folder, "gate.sh", lines);
        let line = format!(
            "window --url {url} --logs {} --interval 10s --strict --for {path} -- sh {}",
            log.display(),
            script.display()
        );
        let report = run(&line).unwrap();
        (report.exit(), document(&report))
    };
    assert_eq!(exit("going on", "true").0, Exit::Ok);
    assert_eq!(
        exit("going on", "exit 3").0,
        Exit::Undecided,
        "the command failed"
    );
    let (exited, window) = exit(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "true",
    );
    assert_eq!(exited, Exit::Undecided);
    assert!(warnings(&window).contains(&"window-invalidated"));
    // What ran out before this window did not run out in it.
    assert_eq!(exit("going on", "true").0, Exit::Ok);
    let line = "Decode batch, #running-req: 2, #token: 5632, token usage: 0.12, gen throughput (token/s): 95.33, #queue-req: 1";
    let (exited, window) = exit(line, "true");
    assert_eq!(exited, Exit::Undecided, "a log of SGLang beside metrics of vLLM");
    assert!(warnings(&window).contains(&"audit-log-engine"));
    let unbound = run("window --url http://127.0.0.1:1 --strict -- true").unwrap_err();
    assert_eq!(
        (unbound.document.code.as_str(), unbound.exit),
        ("strict-unbound", Exit::Usage)
    );
}

#[test]
fn a_benchmark_that_was_cut_explains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (script, path) = benchmark(&folder);
    let passed = |edit: &str| {
        let (before, after) = (tokens(100), tokens(300));
        let url = metrics(&[&before, &before, &before, &after]);
        let lines = format!("sh {script}\nsed -i 's/{edit}/' {path}\n");
        let script = file(&folder, "edit.sh", lines);
        let line = format!(
            "window --url {url} --interval 10s --strict --for {path} -- sh {}",
            script.display()
        );
        let report = run(&line).unwrap();
        let window = document(&report);
        let audit = window["data"]["audit"].as_array().unwrap();
        let check = audit
            .iter()
            .find(|check| check["id"] == "benchmark_sound")
            .unwrap();
        (check["passed"].as_bool().unwrap(), report.exit())
    };
    assert_eq!(passed("nothing/nothing"), (true, Exit::Ok));
    assert_eq!(
        passed("\"complete\":true/\"complete\":false"),
        (false, Exit::Undecided)
    );
    assert_eq!(passed("\"valid\":true/\"valid\":false"), (false, Exit::Undecided));
}
