//! The records files of commands that measure more than one thing: whole lines, nothing lost on resume, and no result
//! that mixes what it should not.

use std::path::Path;

use serde_json::Value;

use crate::chain::freeze;
use crate::documents::check_lines;
use crate::process::{Ended, Sim, run};

/// A folder with a frozen workload, and what is measured on it.
struct Measurement {
    folder: tempfile::TempDir,
    workload: String,
}

impl Measurement {
    fn new() -> Measurement {
        let folder = tempfile::tempdir().unwrap();
        let (workload, _) = freeze(folder.path(), "2", "4");
        Measurement { folder, workload }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, words: &[&str]) -> Ended {
        let ended = run(
            "serve-bench",
            words
                .iter()
                .chain(&["--workload", &self.workload, "-o", &self.path("o.json")]),
        );
        // 5 where this machine disturbed a run.
        assert!(matches!(ended.code(), 0 | 4 | 5), "{ended:?}");
        ended
    }

    fn document(&self) -> Value {
        load(self.path("o.json"))
    }
}

fn load(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The lines of a records file, by kind.
fn lines(path: &str, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    check_lines("records", &text);
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

fn sha256_of(path: &str) -> String {
    contracts::fields::sha256_hex(&std::fs::read(path).unwrap())
}

#[test]
fn a_resumed_comparison_keeps_its_records_and_tells_the_sides_apart() {
    let (a, b) = (Sim::quick(), Sim::quick());
    let measurement = Measurement::new();
    let records = measurement.path("r.jsonl");
    let compare = |blocks: &str| {
        let words = [
            "compare",
            "--a",
            &a.url,
            "--b",
            &b.url,
            "--concurrency",
            "1",
            "--resume",
        ];
        measurement.run(&[&words[..], &["--blocks", blocks, "--records", &records]].concat())
    };
    compare("1");
    let first = lines(&records, "run_end").len();
    compare("2");
    assert_eq!(lines(&records, "header").len(), 1);
    assert!(
        lines(&records, "run_end").len() >= first + 2,
        "the first block is still there"
    );
    let starts = lines(&records, "run_start");
    for block in [0, 1] {
        for side in ["a", "b"] {
            let of_it = |start: &&Value| start["run"] == block && start["side"] == side;
            assert!(
                starts.iter().any(|start| of_it(&start)),
                "block {block} {side}: {starts:?}"
            );
        }
    }
    assert_eq!(
        measurement.document()["artifacts"][0]["sha256"],
        sha256_of(&records)
    );
    run("serve-bench", ["summarize", &records]).fails(3, "records-two-sides", "gap-decide");

    // Somebody else's file is not added to.
    let other = measurement.path("other.jsonl");
    let words = ["--url", &a.url, "--concurrency", "1", "--records", &other];
    measurement.run(&[&["sweep"], &words[..]].concat());
    let kept = sha256_of(&other);
    std::fs::remove_file(measurement.path("o.json")).unwrap();
    compare("1");
    let ended = run(
        "serve-bench",
        [
            "compare",
            "--a",
            &a.url,
            "--b",
            &b.url,
            "--concurrency",
            "1",
            "--blocks",
            "2",
            "--resume",
            "--records",
            &other,
            "--workload",
            &measurement.workload,
            "-o",
            &measurement.path("o.json"),
        ],
    );
    ended.fails(7, "records-of-another", "--records");
    assert_eq!(sha256_of(&other), kept);
}

#[test]
fn the_records_of_a_sweep_begin_with_a_header_and_name_every_load() {
    let sim = Sim::quick();
    let measurement = Measurement::new();
    let records = measurement.path("r.jsonl");
    let sweep = |levels: &str, records: &str| {
        measurement.run(&[
            "sweep",
            "--url",
            &sim.url,
            "--concurrency",
            levels,
            "--records",
            records,
        ])
    };
    sweep("1,2", &records);
    assert_eq!(lines(&records, "header").len(), 1);
    let loads: Vec<_> = lines(&records, "run_start")
        .iter()
        .map(|start| start["load"]["concurrency"].as_u64())
        .collect();
    assert_eq!(loads, [Some(1), Some(2)]);
    run("serve-bench", ["summarize", &records]).fails(3, "records-two-loads", "sweep");

    // Another level: another plan, so the file is begun again.
    sweep("2", &records);
    let folded = run("serve-bench", ["summarize", &records]).document();
    let point = &measurement.document()["data"]["points"][0];
    assert_eq!(
        folded["data"]["runs"][0]["throughput"],
        point["run"]["throughput"]
    );
    assert_eq!(folded["data"]["load"], point["load"]);

    let ended = sweep("1", "/dev/full");
    assert_eq!(ended.code(), 4, "{ended:?}");
    let warnings = measurement.document()["warnings"].to_string();
    assert!(warnings.contains("records-not-written"), "{warnings}");
}

#[test]
fn a_sweep_goes_on_with_its_own_server_only() {
    let (one, other) = (Sim::quick(), Sim::quick());
    let measurement = Measurement::new();
    let records = measurement.path("r.jsonl");
    let is_resumed = |sim: &Sim| {
        measurement.run(&[
            "sweep",
            "--url",
            &sim.url,
            "--concurrency",
            "1,2",
            "--records",
            &records,
        ]);
        measurement.document()["warnings"].to_string().contains("resumed")
    };
    // As if Ctrl-C had come after the first point.
    let cut = || {
        let mut document = measurement.document();
        document["complete"] = false.into();
        document["data"]["points"].as_array_mut().unwrap().truncate(1);
        std::fs::write(measurement.path("o.json"), document.to_string()).unwrap();
    };
    assert!(!is_resumed(&one));
    cut();
    assert!(is_resumed(&one));
    assert_eq!(
        lines(&records, "run_start").len(),
        3,
        "the second point is added to the file"
    );
    cut();
    assert!(!is_resumed(&other), "points of one server are none of another");
    assert_eq!(lines(&records, "run_start").len(), 2);
}
