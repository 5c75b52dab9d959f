//! What a refusal says to somebody who meets it for the first time.

use std::path::PathBuf;

use serde_json::json;

use super::campaign::{Campaign, Ended};
use super::documents::{self, Compare};

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger"))
}

/// Message and hint of a refusal with this exit and code.
#[track_caller]
fn said(ended: &Ended, exit: i32, code: &str) -> (String, String) {
    ended.refused(exit, code);
    let document = ended.document();
    let text = |field: &str| document[field].as_str().unwrap().to_owned();
    (text("message"), text("hint"))
}

#[test]
fn a_folder_without_a_campaign() {
    let campaign = Campaign::bare(binary());
    let (message, _) = said(&campaign.run(&["status"]), 4, "no-campaign");
    assert_eq!(message, format!("no campaign in {}", campaign.path("root")));
}

#[test]
fn a_file_in_place_of_the_root() {
    let campaign = Campaign::bare(binary());
    campaign.write("root", "a file");
    for words in [
        &["status"][..],
        &["append", "x.json"],
        &["begin", "--kind", "flags", "--change", "x", "--hypothesis", "y"],
    ] {
        let (message, hint) = said(&campaign.run(words), 3, "root-is-file");
        assert!(
            message.contains("is a file") && hint.contains("--root"),
            "{message}: {hint}"
        );
    }
}

#[test]
fn files_that_are_no_evidence_say_where_they_belong() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    campaign.write("subject.yaml", "schema: sota-loop.subject/1\nengine: sglang\n");
    campaign.write(
        "r.jsonl",
        "{\"schema\": \"serve-bench.record/1\"}\n{\"outcome\": 1}\n",
    );
    for (file, part) in [
        ("target.yaml", "loop-ledger init --target"),
        ("w.jsonl", "loop-ledger init --workload"),
        ("subject.yaml", "loop-ledger begin --subject"),
        ("r.jsonl", "serve-bench summarize"),
    ] {
        let ended = campaign.run(&["append", &campaign.path(file)]);
        let (message, hint) = said(&ended, 3, "input-schema");
        assert!(message.contains("is no evidence"), "{message}");
        assert!(hint.contains(part), "{file}: {hint}");
    }
}

#[test]
fn a_comparison_is_no_workload_and_leaves_no_folder() {
    let campaign = Campaign::bare(binary());
    let document = Compare::at("chat", 90.0).document();
    campaign.write(
        "c.compare.json",
        &serde_json::to_string_pretty(&document).unwrap(),
    );
    let (message, hint) = said(&campaign.init("c.compare.json"), 3, "input-schema");
    assert!(message.contains("`serve-bench.compare/1`"), "{message}");
    assert!(hint.contains("serve-bench freeze"), "{hint}");
    campaign.write("d.jsonl", &documents::workload_jsonl(1, "diagnostic"));
    campaign.init("d.jsonl").refused(3, "workload-diagnostic");
    assert!(
        !PathBuf::from(campaign.path("root")).exists(),
        "a failed init leaves nothing"
    );
    campaign.init("w.jsonl").ok();
}

#[test]
fn a_summary_ends_once() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    let mut document = Compare::at("chat", 90.0).document();
    document["summary"] = json!("8 blocks, 1.00 % apart.");
    let path = campaign.write("c.json", &document.to_string());
    for _ in 0..2 {
        let summary = campaign.run(&["append", &path]).ok()["summary"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(summary.ends_with("1.00 % apart."), "{summary}");
    }
}

#[test]
fn no_secret_of_a_launch_is_recorded() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    let begin = |subject: &str| {
        campaign.write("s.yaml", &format!("schema: sota-loop.subject/1\n{subject}\n"));
        let words = [
            "begin",
            "--kind",
            "flags",
            "--change",
            "x",
            "--hypothesis",
            "y",
            "--subject",
        ];
        campaign.run(&[&words[..], &[&campaign.path("s.yaml")]].concat())
    };
    for subject in [
        "launch_argv: [serve, m, --api-key, sk-verysecret]",
        "launch_argv: [serve, --api-key=sk-verysecret]",
        "env: {HF_TOKEN: sk-verysecret}",
        "settings: {admin_api_key: sk-verysecret}",
    ] {
        let (message, hint) = said(&begin(subject), 3, "secret-in-subject");
        assert!(!message.contains("verysecret"), "{message}");
        assert!(hint.contains("empty value"), "{hint}");
    }
    // What the hint says is no secret; what is missing then is a phase.
    let named = begin("env: {HF_TOKEN: ''}").document();
    assert_ne!(named["code"], "secret-in-subject", "{named}");

    let mut command = campaign.command(&["blocker", "--phase", "baseline", "--what", "no GPU is free"]);
    let output = command
        .args(["--", "serve", "--api-key", "sk-verysecret"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let ledger = std::fs::read_to_string(campaign.path("root/ledger.jsonl")).unwrap();
    assert!(
        ledger.contains("--api-key\",\"<secret>") && !ledger.contains("verysecret"),
        "{ledger}"
    );
}

#[test]
fn a_campaign_without_servers_ends_as_blocked() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    let blocked = ["done", "--state", "blocked", "--why", "no GPU"];
    campaign.run(&blocked).lacks(1, "evidence-missing");
    let mut command = campaign.command(&["blocker", "--phase", "baseline", "--what", "no GPU is free"]);
    let output = command.args(["--", "serve-bench", "compare"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let status = campaign.run(&["status"]).ok();
    assert_eq!(status["data"]["phase"], "baseline", "a blocker measures nothing");
    let baseline = &status["data"]["phases"][1];
    assert_eq!(
        (&baseline["downgraded"], &baseline["satisfied"]),
        (&json!(false), &json!(false))
    );
    let offered = status["next_actions"][0]["command"].as_array().unwrap();
    let words: Vec<&str> = offered
        .iter()
        .skip(3)
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(words, ["done", "--state", "blocked", "--why", "no GPU is free"]);
    let done = campaign.run(&words).ok();
    assert_eq!(done["data"]["terminal"], "blocked");
}
