//! Every way in which documents cannot be judged, each with its code, exit and hint.

use contracts::{Field, FieldSet};
use serde_json::{Value, json};

use crate::fixtures::{Desk, compare, contract, fails, pairs, result, scattered, subject, with};

fn good() -> Value {
    compare(&pairs(0.95, 0.005, 12))
}

fn code_of(document: &Value) -> (String, u8) {
    let desk = Desk::new();
    fails(&["--compare", &desk.put("c.json", document)])
}

fn error(code: &str, exit: u8) -> (String, u8) {
    (code.to_owned(), exit)
}

fn value(set: &FieldSet) -> Value {
    serde_json::to_value(set).unwrap()
}

#[test]
fn contracts_that_differ() {
    let other = contract(&[("hardware.class", Field::observed("A100"))]);
    let desk = Desk::new();
    let path = desk.put("c.json", &with(good(), "/data/b/contract", value(&other)));
    let failure = crate::fixtures::run(&["--compare", &path]).unwrap_err();
    assert_eq!(
        (failure.document.code.as_str(), failure.exit.code()),
        ("contract-differs", 3)
    );
    assert!(
        failure
            .document
            .message
            .contains("hardware.class: \"H100-80GB-SXM\" against \"A100\""),
        "{}",
        failure.document.message
    );
}

#[test]
fn a_target_that_contradicts_the_measurement() {
    let desk = Desk::new();
    let path = desk.put("c.json", &good());
    let target = desk.put_text("t.yaml", "schema: sota-loop.target/1\nmodel: {precision: fp8}\n");
    assert_eq!(
        fails(&["--compare", &path, "--target", &target]),
        error("contract-differs", 3)
    );
}

#[test]
fn a_flag_that_contradicts_the_target() {
    let desk = Desk::new();
    let path = desk.put("c.json", &good());
    let target = desk.put_text(
        "t.yaml",
        "schema: sota-loop.target/1\nthreshold_ratio: 0.01\nmargin_ratio: 0.01\n",
    );
    for flag in ["--threshold", "--margin"] {
        assert_eq!(
            fails(&["--compare", &path, "--target", &target, flag, "0.05"]),
            error("flag-contradicts-target", 3)
        );
    }
}

#[test]
fn simulated_never_meets_real() {
    let desk = Desk::new();
    let ours = desk.put("o.json", &result("sglang", &scattered(1000.0, 0.005, 12, 1)));
    let simulated = with(
        result("vllm", &scattered(1000.0, 0.005, 12, 2)),
        "/simulated",
        json!(true),
    );
    let theirs = desk.put("v.json", &simulated);
    assert_eq!(
        fails(&["--ours", &ours, "--theirs", &format!("vllm={theirs}")]),
        error("simulated-and-real", 3)
    );
    let field = contract(&[("simulated", Field::observed(true))]);
    assert_eq!(
        code_of(&with(good(), "/data/b/contract", value(&field))),
        error("contract-differs", 3)
    );
}

#[test]
fn diagnostic_workloads_are_no_evidence() {
    assert_eq!(
        code_of(&with(good(), "/data/workload/purpose", json!("diagnostic"))),
        error("diagnostic-workload", 3)
    );
}

#[test]
fn changed_documents() {
    let fields = with(good(), "/data/a/contract/fields/precision/value", json!("fp8"));
    assert_eq!(code_of(&fields), error("fingerprint-mismatch", 7));
    let hash = with(
        good(),
        "/data/workload/request_stream_sha256",
        json!("sha256:other"),
    );
    assert_eq!(code_of(&hash), error("workload-hash-mismatch", 7));
}

#[test]
fn the_same_evidence_twice() {
    let desk = Desk::new();
    let path = desk.put("c.json", &good());
    assert_eq!(
        fails(&["--compare", &path, &path]),
        error("duplicate-evidence", 3)
    );
}

#[test]
fn two_subjects_as_one_side() {
    let desk = Desk::new();
    let one = desk.put("1.json", &result("sglang", &scattered(1000.0, 0.005, 6, 1)));
    let changed = with(
        result("sglang", &scattered(1000.0, 0.005, 6, 5)),
        "/subject",
        value(&subject("vllm")),
    );
    let two = desk.put("2.json", &changed);
    let vllm = desk.put("v.json", &result("vllm", &scattered(1000.0, 0.005, 12, 2)));
    assert_eq!(
        fails(&["--ours", &one, &two, "--theirs", &format!("vllm={vllm}")]),
        error("subject-differs", 3)
    );
}

#[test]
fn a_scenario_on_one_side_only() {
    let desk = Desk::new();
    let ours = desk.put("o.json", &result("sglang", &scattered(1000.0, 0.005, 8, 1)));
    let other = with(
        result("vllm", &scattered(1000.0, 0.005, 8, 2)),
        "/data/workload/scenario",
        json!("summarization"),
    );
    let theirs = desk.put("v.json", &other);
    assert_eq!(
        fails(&["--ours", &ours, "--theirs", &format!("vllm={theirs}")]),
        error("scenario-missing", 3)
    );
}

#[test]
fn documents_without_a_run() {
    assert_eq!(code_of(&compare(&[])), error("no-runs", 3));
    let desk = Desk::new();
    let empty = desk.put("o.json", &result("sglang", &[]));
    let vllm = desk.put("v.json", &result("vllm", &scattered(1000.0, 0.005, 8, 2)));
    assert_eq!(
        fails(&["--ours", &empty, "--theirs", &format!("vllm={vllm}")]),
        error("no-runs", 3)
    );
}

#[test]
fn files_that_are_no_documents() {
    let desk = Desk::new();
    let whole = serde_json::to_string(&good()).unwrap();
    for (text, code) in [
        ("", "input-empty"),
        ("{}", "schema-foreign"),
        ("[1, 2]", "schema-foreign"),
        ("completed: 200", "input-not-json"),
        (&whole[..whole.len() / 2], "input-truncated"),
        (
            &whole.replace("serve-bench.compare/1", "serve-bench.compare/2"),
            "schema-version",
        ),
        ("{\"schema\": \"serve-bench.compare/1\"}", "input-malformed"),
    ] {
        assert_eq!(
            fails(&["--compare", &desk.put_text("c.json", text)]),
            error(code, 3),
            "{code}"
        );
    }
    assert_eq!(
        fails(&["--compare", "/nonexistent/c.json"]),
        error("input-unreadable", 3)
    );
    // A result where a comparison is expected, and the other way round.
    let result = desk.put("r.json", &result("sglang", &[1000.0]));
    assert_eq!(fails(&["--compare", &result]), error("schema-foreign", 3));
    let compare = desk.put("c.json", &good());
    assert_eq!(
        fails(&["--ours", &compare, "--theirs", &format!("vllm={compare}")]),
        error("schema-foreign", 3)
    );
}

#[test]
fn arguments_without_sense() {
    for (words, code) in [
        (&["--ours", "a.json"][..], "one-side-only"),
        (&[], "no-evidence"),
        (&["--compare", "a", "--metric", "speed"], "unknown-metric"),
        (
            &["--compare", "a", "--confidence", "2"],
            "confidence-out-of-range",
        ),
        (&["--compare", "a", "--margin", "0"], "ratio-out-of-range"),
    ] {
        assert_eq!(fails(words), error(code, 2));
    }
}
