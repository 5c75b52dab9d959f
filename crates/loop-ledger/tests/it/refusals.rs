//! Refusals that no trick is behind: each names its code, ends as the table says, and says what to do.

use std::path::PathBuf;

use contracts::FieldSet;
use serde_json::{Value, json};

use super::campaign::{Campaign, Ended};
use super::documents::{self, Compare};

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger"))
}

fn begun() -> Campaign {
    let campaign = Campaign::begun(binary());
    campaign.history();
    campaign
}

/// A decision on the stored comparison of one scenario, changed.
fn decided(change: impl Fn(&mut Value)) -> Ended {
    let campaign = begun();
    campaign
        .append("c.json", &Compare::at("chat", 90.0).document())
        .ok();
    let mut document = documents::decision(&[("c.json".to_owned(), campaign.sha256("c.json"))]);
    change(&mut document);
    campaign.append("d.json", &document)
}

#[test]
fn documents_that_do_not_read() {
    let campaign = begun();
    campaign
        .append("a.json", &json!({"a": 1}))
        .refused(3, "input-no-schema");
    campaign
        .append("b.json", &json!({"schema": "serve-bench.compare/1"}))
        .refused(3, "input-malformed");
}

#[test]
fn contract_that_says_too_little() {
    let mut document = Compare::at("chat", 90.0).document();
    for set in ["/contract", "/data/a/contract", "/data/b/contract"] {
        let set = document.pointer_mut(set).unwrap();
        set["fields"].as_object_mut().unwrap().remove("precision");
        documents::refit(set, "tokenizer", json!(documents::MODEL));
    }
    begun().append("c.json", &document).refused(3, "contract-unknown");
}

#[test]
fn profile_without_a_benchmark() {
    let campaign = begun();
    let mut document = documents::profile("chat", &documents::ours(), "sha256:0");
    document["contract"] = serde_json::to_value(FieldSet::none()).unwrap();
    campaign.append("p.json", &document).refused(3, "not-bound");
}

#[test]
fn decisions_of_another_kind() {
    decided(|document| document["data"]["plan"]["sources"] = json!({"results": {}}))
        .refused(5, "not-interleaved");
    decided(|document| document["data"]["plan"]["sources"]["compare"]["ours_is_b"] = json!(true))
        .refused(3, "ours-is-b");
}

#[test]
fn notes_that_say_nothing() {
    let campaign = begun();
    let history = documents::HISTORY_YAML.replace("none_found: the model is new\n", "");
    let path = campaign.write("h.yaml", &history);
    campaign.run(&["append", &path]).refused(3, "history-incomplete");
    let cause = |scenario: &str, claims: Value| json!({"schema": "loop-ledger.root-cause/1", "scenario": scenario, "cause": "attention", "claims": claims, "targets": []});
    campaign
        .append("r.json", &cause("chat", json!([])))
        .refused(3, "root-cause-incomplete");
    let claim = json!({"claim": "c", "document": "00112233", "pointer": "/data", "value": 1});
    campaign
        .append("r.json", &cause("other", json!([claim])))
        .refused(7, "scenario-unknown");
}

#[test]
fn beginnings_that_contradict_themselves() {
    let campaign = Campaign::bare(binary());
    let (target, workload) = (campaign.path("target.yaml"), campaign.path("w.jsonl"));
    let words = ["init", "--target", &target, "--workload", &workload, &workload];
    campaign.run(&words).refused(3, "scenario-twice");
    let metric = documents::target_yaml().replace("  budget:", "  metric: speed\n  budget:");
    campaign.write("target.yaml", &metric);
    campaign.init("w.jsonl").refused(3, "target-metric");
}

#[test]
fn secrets_are_named_and_never_said() {
    let campaign = begun();
    let subject = |env: &str| {
        let text = format!("schema: sota-loop.subject/1\nenv: {{{env}}}\n");
        let path = campaign.write("subject.yaml", &text);
        let words = [
            "begin",
            "--kind",
            "flags",
            "--change",
            "x",
            "--hypothesis",
            "y",
            "--subject",
            &path,
        ];
        campaign.run(&words)
    };
    let refused = subject("HF_TOKEN: hf_abc");
    refused.refused(3, "secret-in-subject");
    assert!(!refused.stdout.contains("hf_abc"), "{refused:?}");
    // What is named with an empty value, as the hint says, meets the next gate.
    subject("HF_TOKEN: \"\"").refused(1, "baseline-missing");
}

#[test]
fn patches_without_a_change_or_a_licence() {
    let campaign = begun();
    let empty = campaign.write("empty.diff", "");
    campaign
        .run(&["patch", "--diff", &empty])
        .refused(3, "diff-empty");
    let diff = campaign.write("x.diff", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n");
    campaign
        .run(&["patch", "--diff", &diff, "--provenance", "vllm"])
        .refused(2, "provenance");
}

#[test]
fn words_that_say_nothing() {
    let campaign = begun();
    let blocker = |words: &[&str]| {
        let words = [&["blocker", "--phase", "profile"], words].concat();
        let output = campaign.command(&words).args(["--", "nsys"]).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(blocker(&["--what", " "]).contains("error[text-empty]: --what says nothing"));
    for words in [
        &["idea", "--idea", ""][..],
        &["idea", "--idea", "x", "--source", "", "--license", "MIT"],
        &["idea", "--idea", "x", "--source", "y", "--license", "\t"],
        &["done", "--state", "blocked", "--why", ""],
    ] {
        campaign.run(words).refused(2, "text-empty");
    }
}

#[test]
fn the_end_is_no_phase_that_an_instrument_is_missing_for() {
    let campaign = begun();
    let words = ["blocker", "--phase", "done", "--what", "no time"];
    let output = campaign.command(&words).args(["--", "true"]).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), said["code"].as_str()),
        (Some(1), Some("not-blockable"))
    );
}
