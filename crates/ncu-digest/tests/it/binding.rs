//! `--for`: a digest explains a benchmark of its own kind, and takes over what was held fixed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{quiet, report, write};
use crate::run::{document, refused, warnings};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn stored(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a stored document");
    serde_json::from_str(&text).expect("a document is JSON")
}

#[test]
fn a_bound_digest_carries_contract_environment_and_subject() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.ncu-rep", &report(vec![quiet("k")]));
    let compare = examples().join("real-engine/output/round0.compare.json");
    let measured = stored(&compare);
    let compare = compare.display().to_string();
    let bound = document(&[&path, "--for", &compare, "--side", "ours"]);
    assert_eq!(bound["contract"], measured["data"]["a"]["contract"]);
    assert_eq!(bound["subject"], measured["data"]["a"]["subject"]);
    assert_eq!(bound["environment"], measured["environment"]);
    assert_eq!(bound["inputs"][1]["path"].as_str(), Some(compare.as_str()));
    assert!(bound["contract"]["fingerprint"].is_string());
    // It ran on a CPU: nobody knows of another GPU.
    assert!(warnings(&bound).is_empty());
    // Beside a candidate it is bound as well.
    let pair = document(&[&path, "--candidate", &path, "--for", &compare, "--side", "b"]);
    assert_eq!(pair["contract"], measured["data"]["b"]["contract"]);
    assert_eq!(pair["inputs"].as_array().map(Vec::len), Some(3));
    // Without it there is none, and the ledger refuses the page.
    assert_eq!(document(&[&path])["contract"]["fingerprint"], Value::Null);
    // Two sides of one engine: which one is not guessed.
    assert_eq!(refused(&[&path, "--for", &compare]).0, "evidence-side-unclear");
    // Made-up counters explain no real benchmark.
    let simulated = examples()
        .join("sota-loop-offline/decode.ncu-rep")
        .display()
        .to_string();
    assert_eq!(
        refused(&[&simulated, "--for", &compare, "--side", "a"]),
        ("evidence-other-engine".to_owned(), 3)
    );
}

#[test]
fn the_gpu_of_a_benchmark_is_compared_where_it_is_known() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.ncu-rep", &report(vec![quiet("k")]));
    let mut measured = stored(&examples().join("real-engine/output/round0.compare.json"));
    for (gpu, expected) in [("Other GPU", 1), ("Test GPU", 0)] {
        measured["environment"]["fields"]["gpu"] = serde_json::json!({"value": [gpu], "source": "observed"});
        let compare = folder.path().join("compare.json");
        std::fs::write(&compare, measured.to_string()).expect("the folder is writable");
        let compare = compare.display().to_string();
        let bound = document(&[&path, "--for", &compare, "--side", "a"]);
        let seen = warnings(&bound);
        assert_eq!(seen, vec!["gpu-differs-from-benchmark"; expected], "{gpu}");
    }
}
