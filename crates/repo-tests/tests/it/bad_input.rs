//! Bad input and bad surroundings end as documented: exit code, `error[code]`, a hint that names the next step, and
//! nothing lost that was measured.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::documents::{check, check_lines};
use crate::process::{Running, Sim, binary, closed_port, run, run_counted, run_limited};

/// A folder with a frozen workload of eight short requests.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        let out = bench.path("w.jsonl");
        let ended = run(
            "serve-bench",
            [
                "freeze",
                "--dataset",
                "random",
                "--num-prompts",
                "8",
                "--input-len",
                "8",
                "--output-len",
                "8",
                "--out",
                &out,
            ],
        );
        assert_eq!(ended.code(), 0, "{ended:?}");
        bench
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().expect("paths are text").to_owned()
    }

    /// A result of two requests at a time, measured on a server.
    fn result(&self, sim: &Sim, name: &str, concurrency: &str) -> String {
        let output = self.path(name);
        let ended = run(
            "serve-bench",
            [
                "run",
                "--url",
                &sim.url,
                "--workload",
                &self.path("w.jsonl"),
                "--concurrency",
                concurrency,
                "-o",
                &output,
            ],
        );
        assert!([0, 5].contains(&ended.code()), "{ended:?}");
        output
    }
}

#[test]
fn nothing_listens_at_the_port() {
    let ended = run(
        "serve-bench",
        ["run", "--url", &format!("http://127.0.0.1:{}", closed_port())],
    );
    ended.fails(4, "connection-refused", "serve-bench doctor");
}

#[test]
fn the_address_has_no_route() {
    // The broadcast address: the system refuses it without sending a packet.
    let ended = run("serve-bench", ["probe", "--url", "http://255.255.255.255:9"]);
    ended.fails(4, "unreachable", "serve-bench probe");
}

#[test]
fn the_url_is_none() {
    let ended = run("serve-bench", ["probe", "--url", "127.0.0.1 8000"]);
    ended.fails(2, "bad-url", "http://");
}

#[test]
fn tls_on_a_plain_port() {
    let sim = Sim::quick();
    let ended = run(
        "serve-bench",
        ["run", "--url", &format!("https://127.0.0.1:{}", sim.port())],
    );
    ended.fails(4, "no-tls", &format!("http://127.0.0.1:{}", sim.port()));
}

#[test]
fn a_key_is_asked_for() {
    let sim = Sim::script(r#"{"api_key": "right", "defaults": {"ttft_ms": 5, "itl_ms": 1}}"#);
    run("serve-bench", ["run", "--url", &sim.url]).fails(4, "unauthorized", "--api-key-env");
    let mut wrong = Command::new(binary("serve-bench"));
    wrong
        .args(["run", "--url", &sim.url, "--api-key-env", "BENCH_KEY"])
        .env("BENCH_KEY", "wr0ng-s3cret");
    let ended = Running::start(&mut wrong).end();
    ended.fails(4, "unauthorized", "check the value");
    assert!(
        !format!("{ended:?}").contains("wr0ng-s3cret"),
        "the key leaks: {ended:?}"
    );
}

#[test]
fn the_model_is_not_served() {
    let sim = Sim::script(r#"{"model": "org/served", "defaults": {"ttft_ms": 5}}"#);
    let ended = run("serve-bench", ["run", "--url", &sim.url, "--model", "org/other"]);
    ended.fails(4, "model-not-served", "org/served");
}

#[test]
fn the_prompt_is_longer_than_the_context() {
    let sim = Sim::script(r#"{"context_tokens": 100, "defaults": {"ttft_ms": 5, "itl_ms": 1}}"#);
    let ended = run(
        "serve-bench",
        [
            "run",
            "--url",
            &sim.url,
            "--dataset",
            "random",
            "--num-prompts",
            "2",
            "--input-len",
            "200",
            "--output-len",
            "8",
        ],
    );
    assert_eq!(ended.code(), 3, "{ended:?}");
    assert!(
        ended.stderr.contains("context") && ended.stderr.contains("100"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("hint: "), "{ended:?}");
}

#[test]
fn a_workload_was_changed() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let text = std::fs::read_to_string(bench.path("w.jsonl")).unwrap();
    let changed = bench.path("changed.jsonl");
    std::fs::write(
        &changed,
        text.replacen("\"temperature\":0", "\"temperature\":1", 1),
    )
    .unwrap();
    let ended = run("serve-bench", ["run", "--url", &sim.url, "--workload", &changed]);
    ended.fails(7, "workload-hash-mismatch", "freeze");
}

#[test]
fn results_of_different_contracts() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let one = bench.result(&sim, "one.json", "1");
    let two = bench.result(&sim, "two.json", "2");
    let ended = run(
        "gap-decide",
        ["--ours", &one, "--theirs", &format!("other={two}")],
    );
    ended.fails(3, "contract-differs", "measure both sides");
    assert!(
        ended.stderr.contains("concurrency"),
        "the field is named: {}",
        ended.stderr
    );
}

#[test]
fn empty_and_foreign_files() {
    let bench = Bench::new();
    let write = |name: &str, text: &str| {
        std::fs::write(bench.path(name), text).unwrap();
        bench.path(name)
    };
    run("gap-decide", ["--compare", &write("e.json", "")]).fails(3, "input-empty", "again");
    run("gap-decide", ["--compare", &write("f.json", "{\"a\": 1}")]).fails(
        3,
        "schema-foreign",
        "serve-bench import",
    );
    run("gap-decide", ["--compare", &write("t.json", "no JSON")]).fails(
        3,
        "input-not-json",
        "serve-bench.compare/1",
    );
    run("gap-decide", ["--compare", &bench.path("absent.json")]).fails(3, "input-unreadable", "path");
}

#[test]
fn a_results_file_is_cut_in_half() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let whole = bench.result(&sim, "r.json", "2");
    let bytes = std::fs::read(&whole).unwrap();
    let cut = bench.path("cut.json");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let ended = run(
        "gap-decide",
        ["--ours", &cut, "--theirs", &format!("other={whole}")],
    );
    ended.fails(3, "input-truncated", "serve-bench summarize");
}

#[test]
fn a_records_file_is_cut_in_half() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let records = bench.path("r.records.jsonl");
    let ended = run(
        "serve-bench",
        [
            "run",
            "--url",
            &sim.url,
            "--workload",
            &bench.path("w.jsonl"),
            "--records",
            &records,
        ],
    );
    assert!([0, 5].contains(&ended.code()), "{ended:?}");
    let text = std::fs::read_to_string(&records).unwrap();
    // In the middle of the record before the last one.
    let cut = text.trim_end().rfind('\n').unwrap() - 40;
    std::fs::write(&records, &text[..cut]).unwrap();
    let folded = run("serve-bench", ["summarize", &records]);
    let document = folded.document();
    check("summarize", &document);
    assert_eq!(document["complete"], false, "{document}");
    let kept = document["data"]["runs"][0]["requests"]["succeeded"]
        .as_u64()
        .unwrap();
    assert!(kept >= 6, "{kept} of 8 requests are left");
}

#[test]
fn the_disk_is_full_for_the_document() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let ended = run(
        "serve-bench",
        [
            "run",
            "--url",
            &sim.url,
            "--workload",
            &bench.path("w.jsonl"),
            "-o",
            "/dev/full",
            "--format",
            "markdown",
        ],
    );
    assert_eq!(ended.code(), 4, "{ended:?}");
    assert!(ended.stderr.contains("error[output-not-written]"), "{ended:?}");
    let document = ended.document();
    check("what was measured", &document);
    assert_eq!(document["data"]["runs"][0]["requests"]["succeeded"], 8);
}

#[test]
fn the_disk_is_full_for_the_records() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let (ended, cpu_s) = run_counted(
        "serve-bench",
        &[
            "run",
            "--url",
            &sim.url,
            "--workload",
            &bench.path("w.jsonl"),
            "--records",
            "/dev/full",
        ],
    );
    // It also reads as endless zeros: a tool that reads it back takes all the memory there is.
    assert!(cpu_s < 0.7, "{cpu_s} CPU seconds for eight requests");
    assert_eq!(ended.code(), 4, "{ended:?}");
    let document = ended.document();
    check("what was measured", &document);
    let warned = document["warnings"].as_array().unwrap();
    assert!(
        warned
            .iter()
            .any(|warning| warning["code"] == "records-not-written"),
        "{warned:?}"
    );
    assert_eq!(document["data"]["runs"][0]["requests"]["succeeded"], 8);
}

#[test]
fn interrupted_in_the_middle() {
    let sim = Sim::script(r#"{"defaults": {"ttft_ms": 10, "itl_ms": 10}}"#);
    let bench = Bench::new();
    let (records, output) = (bench.path("r.records.jsonl"), bench.path("r.json"));
    let mut command = Command::new(binary("serve-bench"));
    command.args([
        "run",
        "--url",
        &sim.url,
        "--workload",
        &bench.path("w.jsonl"),
        "--concurrency",
        "1",
    ]);
    command.args(["--repeat", "100", "--records", &records, "-o", &output]);
    let running = Running::start(&mut command);
    wait_for_requests(Path::new(&records), 3);
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&output).unwrap()).unwrap();
    check("the partial document", &document);
    assert_eq!(document["complete"], false);
    let measured: u64 = document["data"]["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["requests"]["succeeded"].as_u64().unwrap())
        .sum();
    let written = std::fs::read_to_string(&records).unwrap();
    check_lines("records", &written);
    assert!(measured >= 3, "{measured} requests are in the document");
    assert_eq!(written.matches("\"outcome\":\"ok\"").count() as u64, measured);
}

/// Waits until a records file holds so many ended requests.
fn wait_for_requests(records: &Path, count: usize) {
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(records).unwrap_or_default();
        if text.matches("\"kind\":\"request\"").count() >= count {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no records: {text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn too_few_files_may_be_open() {
    let (bench, sim) = (Bench::new(), Sim::quick());
    let ended = run_limited(
        "ulimit -n 32",
        "serve-bench",
        &[
            "run",
            "--url",
            &sim.url,
            "--workload",
            &bench.path("w.jsonl"),
            "--concurrency",
            "64",
        ],
    );
    ended.fails(4, "open-file-limit", "ulimit -n");
}

#[test]
fn the_sandbox_has_no_network() {
    let url = format!("http://127.0.0.1:{}", closed_port());
    let ended = run_limited(
        "export CODEX_SANDBOX_NETWORK_DISABLED=1",
        "serve-bench",
        &["run", "--url", &url],
    );
    ended.fails(4, "sandboxed-network", "network_access=true");
}

#[test]
fn a_diagnostic_workload_is_no_evidence() {
    let sim = Sim::quick();
    let bench = Bench::new();
    let output = bench.path("d.json");
    let ended = run(
        "serve-bench",
        [
            "run",
            "--url",
            &sim.url,
            "--preset",
            "decode",
            "--num-prompts",
            "2",
            "--duration",
            "0.2",
            "-o",
            &output,
        ],
    );
    assert!(Path::new(&output).is_file(), "{ended:?}");
    let decided = run(
        "gap-decide",
        ["--ours", &output, "--theirs", &format!("other={output}")],
    );
    assert_eq!(decided.code(), 3, "{decided:?}");
    assert!(decided.stderr.contains("error[diagnostic"), "{decided:?}");
}
