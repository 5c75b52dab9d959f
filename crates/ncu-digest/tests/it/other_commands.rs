//! `metrics` and `command`.

use ncu_report::{Instance, Kernel, Metric, Value as Stored};
use serde_json::json;
use tempfile::TempDir;

use crate::fixture::{quiet, report, write};
use crate::run::{document, refused};

fn with_parts() -> Kernel {
    let mut kernel = quiet("k");
    let parts = [(0x7f00_0000_0010_u64, 3.0), (0x7f00_0000_0020, 4.0)];
    kernel.metrics.insert(
        "inst_executed".to_owned(),
        Metric {
            value: Some(Stored::Integer(7)),
            instances: parts
                .map(|(address, count)| Instance {
                    id: Some(Stored::Integer(address)),
                    value: Some(Stored::Real(count)),
                })
                .to_vec(),
            unit: None,
        },
    );
    let name = Metric {
        value: Some(Stored::Text("evil\u{1b}[31m".to_owned())),
        ..Metric::default()
    };
    kernel.metrics.insert("launch__kernel_name".to_owned(), name);
    kernel
}

#[test]
fn metrics_by_a_pattern_with_their_parts() {
    let folder = TempDir::new().expect("a folder");
    let path = write(
        &folder,
        "test.ncu-rep",
        &report(vec![with_parts(), quiet("other")]),
    );
    let document = document(&["metrics", &path, "--match", "inst_exec*", "--kernel", "^k$"]);
    assert_eq!(document["schema"], "ncu-digest.metrics/1");
    let kernels = document["data"]["kernels"].as_array().expect("a list");
    assert_eq!(kernels.len(), 1);
    assert_eq!(
        kernels[0]["metrics"],
        json!([{"name": "inst_executed", "value": 7.0, "text": null, "unit": kernels[0]["metrics"][0]["unit"],
            "instances": [
                {"id": "139637976727568", "value": 3.0, "text": null},
                {"id": "139637976727584", "value": 4.0, "text": null}]}])
    );
    let document = crate::run::document(&["metrics", &path, "--match", "launch__kernel_name"]);
    let text = document["data"]["kernels"][0]["metrics"][0]["text"].as_str();
    assert!(
        text.is_some_and(|text| text.starts_with("evil") && !text.contains('\u{1b}')),
        "{text:?}"
    );
    assert_eq!(document["data"]["kernels"][1]["metrics"], json!([]));
    assert_eq!(
        refused(&["metrics", &path, "--match", "nothing"]),
        ("no-such-metric".to_owned(), 3)
    );
    assert_eq!(
        refused(&["metrics", &path, "--match", "*", "--kernel", "x"]).0,
        "kernel-not-found"
    );
}

#[test]
fn every_metric_is_listed_and_the_page_stays_small() {
    let folder = TempDir::new().expect("a folder");
    let kernels: Vec<Kernel> = (0..30).map(|at| quiet(&format!("kernel_{at}"))).collect();
    let path = write(&folder, "test.ncu-rep", &report(kernels));
    let document = document(&["metrics", &path, "--match", "*"]);
    let lines = include_str!("../fixtures/quiet.txt").lines().count();
    assert_eq!(
        document["data"]["kernels"][29]["metrics"]
            .as_array()
            .map(Vec::len),
        Some(lines)
    );
}

#[test]
fn commands_that_collect() {
    let document = document(&[
        "command",
        "--kernel",
        "qk(norm|rope)",
        "--",
        "python",
        "bench.py",
        "--sizes",
        "1 2",
    ]);
    let captures = document["data"]["captures"].as_array().expect("a list");
    assert_eq!(captures.len(), 2);
    let argv: Vec<&str> = captures[0]["argv"]
        .as_array()
        .expect("words")
        .iter()
        .filter_map(|word| word.as_str())
        .collect();
    assert_eq!(
        &argv[..5],
        ["ncu", "--set", "full", "--kernel-name", "regex:qk(norm|rope)"]
    );
    assert_eq!(&argv[argv.len() - 4..], ["python", "bench.py", "--sizes", "1 2"]);
    let notes = document["data"]["notes"].to_string();
    assert!(
        notes.contains("never ends") && notes.contains("--clock-control base"),
        "{notes}"
    );
    assert_eq!(
        refused(&["command", "--kernel", "nccl.*AllReduce", "--", "p"]),
        ("collective".to_owned(), 3)
    );
    assert_eq!(
        refused(&["command", "--kernel", "(", "--", "p"]),
        ("kernel-pattern-malformed".to_owned(), 2)
    );
}
