//! `telemetry-fetch` around benchmarks of simulated engines: the engine's counters are what the client counted, and what is
//! not the benchmark's is found.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::documents::check;
use crate::process::{Ended, Running, Sim, binary, run};

/// A workload of some requests, frozen on an engine.
fn freeze(sim: &Sim, folder: &Path) -> String {
    let path = folder.join("chat.jsonl").display().to_string();
    let lengths = [
        "--dataset",
        "random",
        "--num-prompts",
        "24",
        "--input-len",
        "64",
        "--output-len",
        "40",
    ];
    let ended = run(
        "serve-bench",
        ["freeze", "--name", "chat", "--url", &sim.url, "--out", &path]
            .into_iter()
            .chain(lengths),
    );
    assert_eq!(ended.code(), 0, "{ended:?}");
    path
}

/// The command of a benchmark.
fn benchmark(sim: &Sim, workload: &str, result: &str) -> String {
    let tool = binary("serve-bench");
    format!(
        "{} run --url {} --workload {workload} --concurrency 8 --warmup 0 -o {result}",
        tool.display(),
        sim.url
    )
}

/// A window around a line of shell, bound to what it writes.
fn window(sim: &Sim, result: &str, line: &str, more: &[&str]) -> Ended {
    let mut arguments = vec![
        "window",
        "--url",
        &sim.url,
        "--interval",
        "100ms",
        "--for",
        result,
    ];
    arguments.extend(more);
    arguments.extend(["--", "sh", "-c", line]);
    run("telemetry-fetch", arguments)
}

fn passed<'a>(document: &'a Value, id: &str) -> &'a Value {
    let checks = document["data"]["audit"].as_array().unwrap();
    &checks.iter().find(|check| check["id"] == id).unwrap()["passed"]
}

fn value(document: &Value, id: &str) -> f64 {
    let rows = document["data"]["metrics"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap()["value"]
        .as_f64()
        .unwrap()
}

#[test]
fn the_engine_counts_what_the_client_counted() {
    for flavor in ["sglang", "vllm"] {
        let folder = tempfile::tempdir().unwrap();
        let sim = Sim::engine(&["--flavor", flavor, "--seed", "5"]);
        let workload = freeze(&sim, folder.path());
        let result = folder.path().join("result.json").display().to_string();
        // A busy machine makes the client slow, which is exit 5 of the benchmark and not what is tested.
        let ended = window(
            &sim,
            &result,
            &format!("{} || true", benchmark(&sim, &workload, &result)),
            &[],
        );
        assert_eq!(ended.code(), 0, "{flavor}: {ended:?}");
        assert!(
            ended.stderr.contains("serve-bench.result/1"),
            "the command's stdout is on stderr: {ended:?}"
        );
        let document = ended.document();
        check(flavor, &document);
        assert_eq!(document["simulated"], true);
        assert_eq!(document["data"]["engine"]["kind"], flavor);
        assert_eq!(document["data"]["command"]["exit_code"], 0);
        let client: Value = serde_json::from_slice(&std::fs::read(&result).unwrap()).unwrap();
        assert_eq!(document["contract"], client["contract"], "{flavor}");
        let run = &client["data"]["runs"][0];
        assert_eq!(
            value(&document, "generation_tokens"),
            run["tokens"]["output"].as_f64().unwrap(),
            "{flavor}"
        );
        assert_eq!(
            value(&document, "prompt_tokens"),
            run["tokens"]["input"].as_f64().unwrap(),
            "{flavor}"
        );
        assert_eq!(value(&document, "requests"), 24.0, "{flavor}");
        for id in ["window_match", "token_conservation", "foreign_traffic"] {
            assert_eq!(
                passed(&document, id),
                true,
                "{flavor}: {id}: {:#}",
                document["data"]["audit"]
            );
        }
        let semantics = document["data"]["metrics"].as_array().unwrap().iter();
        let itl = semantics
            .filter(|row| row["id"] == "itl_ms")
            .map(|row| row["semantics"].clone())
            .next();
        let expected = if flavor == "sglang" {
            "per_token"
        } else {
            "per_output_event"
        };
        assert_eq!(itl, Some(Value::from(expected)));
    }
}

#[test]
fn requests_of_others_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::engine(&["--flavor", "sglang", "--seed", "5"]);
    let workload = freeze(&sim, folder.path());
    let other = folder.path().join("other.json").display().to_string();
    let result = folder.path().join("result.json").display().to_string();
    // The other client is at work before, during and after the one that is explained.
    let line = format!(
        "{} --repeat 4 & {} ; wait",
        benchmark(&sim, &workload, &other),
        benchmark(&sim, &workload, &result)
    );
    let ended = window(&sim, &result, &line, &["--strict"]);
    assert_eq!(ended.code(), 5, "{ended:?}");
    let document = ended.document();
    check("strict", &document);
    assert_eq!(passed(&document, "foreign_traffic"), false);
    assert_eq!(passed(&document, "token_conservation"), false);
    let warnings = document["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning["code"] == "audit-foreign-traffic"),
        "{warnings:?}"
    );
}

#[test]
fn snapshots_explain_the_benchmark_between_them_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::engine(&["--flavor", "vllm", "--seed", "5"]);
    let workload = freeze(&sim, folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (early, before, after, result) = (path("early"), path("before"), path("after"), path("result"));
    for name in [&early, &before] {
        assert_eq!(
            run("telemetry-fetch", ["snapshot", "--url", &sim.url, "-o", name]).code(),
            0
        );
    }
    Running::start(Command::new("sh").args(["-c", &benchmark(&sim, &workload, &result)])).end();
    assert_eq!(
        run("telemetry-fetch", ["snapshot", "--url", &sim.url, "-o", &after]).code(),
        0
    );
    let ended = run(
        "telemetry-fetch",
        [
            "window", "--before", &before, "--after", &after, "--during", &result,
        ],
    );
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    check("during", &document);
    for format in ["markdown", "table"] {
        let ended = run(
            "telemetry-fetch",
            [
                "window", "--before", &before, "--after", &after, "--during", &result, "--format", format,
            ],
        );
        assert!(
            ended.stdout.len() < 8192,
            "{format} has {} bytes",
            ended.stdout.len()
        );
        let limits = ended.stdout.find("server_tpot_ms").expect("what limits is shown");
        assert!(
            Some(limits) < ended.stdout.find("ttft_ms"),
            "what limits stands before the metrics"
        );
    }
    assert_eq!(value(&document, "requests"), 24.0);
    assert_eq!(passed(&document, "token_conservation"), true);
    let ended = run(
        "telemetry-fetch",
        ["window", "--before", &early, "--after", &before, "--for", &result],
    );
    ended.fails(3, "window-not-of-benchmark", "inside the window");
    let ended = run(
        "telemetry-fetch",
        [
            "window",
            "--before",
            &before,
            "--after",
            &after,
            "--for",
            "/nonexistent.json",
        ],
    );
    assert_eq!(ended.code(), 3, "{ended:?}");
}

#[test]
fn ctrl_c_keeps_what_was_read() {
    let sim = Sim::engine(&["--flavor", "sglang"]);
    let running = Running::start(Command::new(binary("telemetry-fetch")).args([
        "window",
        "--url",
        &sim.url,
        "--interval",
        "100ms",
        "--",
        "sleep",
        "50",
    ]));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    let document = ended.document();
    check("interrupted", &document);
    assert_eq!(document["complete"], false);
    assert_eq!(document["data"]["command"]["exit_code"], Value::Null);
    assert!(document["data"]["sources"][0]["readings"].as_u64().unwrap() >= 2);
}
