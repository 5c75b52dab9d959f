//! Tricks with answers: faster, because it answers worse.

use super::*;

/// Answers of a launch to ninety questions, of which it has this many right, for a benchmark with this hash.
fn answers(scenario: &str, subject: &FieldSet, benchmark: &str, right: usize) -> Value {
    let items: Vec<Value> = (0..90)
        .map(|item| {
            let answer = if item < right { "A" } else { "B" };
            json!({"id": format!("q{item}"), "category": null, "prompt_sha256": format!("sha256:{item}"), "expected": "A",
                "answer": answer, "level": "stated", "correct": answer == "A", "text_sha256": null, "finish_reason": "stop",
                "output_tokens": 4, "error": null})
        })
        .collect();
    let engine = subject.known("engine.kind").unwrap();
    let data = json!({"valid": true, "url": "http://127.0.0.1:30000", "engine": {"kind": engine, "version": "1.0"},
        "model": {"id": documents::MODEL, "served": documents::MODEL}, "suite": {"sha256": "sha256:suite", "items": 90},
        "settings": {"api": "chat", "seed": 0, "max_tokens": 64}, "answered": 90, "failed": 0, "correct": right,
        "accuracy": null, "probe_tokens": [5, 9], "checks": [], "items": items});
    let mut document = documents::profile(scenario, subject, benchmark);
    document["schema"] = json!("quality-gate.result/1");
    document["data"] = data;
    document
}

/// Ours with another type of the KV cache.
fn narrower() -> FieldSet {
    launch(
        "sglang",
        &[
            ("max_running_requests", json!(256)),
            ("kv_cache_dtype", json!("fp8_e4m3")),
        ],
    )
}

fn wider() -> FieldSet {
    launch(
        "sglang",
        &[
            ("max_running_requests", json!(256)),
            ("kv_cache_dtype", json!("auto")),
        ],
    )
}

/// A campaign whose open attempt made ours faster by a narrower cache.
fn faster() -> Campaign {
    let campaign = measured_as(&wider());
    decide(&campaign, "round0", &[]).ok();
    campaign.begin().ok();
    compared(&campaign, "round1", 95.0, &narrower());
    decide(&campaign, "round1", &[]).ok();
    campaign
}

fn measured_as(ours: &FieldSet) -> Campaign {
    let campaign = Campaign::begun(binary("loop-ledger"));
    campaign.history();
    campaign.candidate(9.0);
    compared(&campaign, "round0", 90.0, ours);
    campaign
}

/// Answers before and after, appended; the documents.
fn answered(campaign: &Campaign, before: usize, after: usize) {
    for (name, subject, round, right) in [
        ("before", wider(), "round0", before),
        ("after", narrower(), "round1", after),
    ] {
        let sha256 = campaign.sha256(&format!("{round}.chat.json"));
        let document = answers("chat", &subject, &sha256, right);
        campaign.append(&format!("{name}.quality.json"), &document).ok();
    }
}

/// The verdict of `quality-gate` on both, not appended yet.
fn judged(campaign: &Campaign) -> Value {
    let [before, after, output] =
        ["before.quality.json", "after.quality.json", "verdict.json"].map(|name| campaign.path(name));
    let words = ["judge", &before, &after, "-o", &output];
    let ended = run("quality-gate", words.map(str::to_owned).to_vec());
    assert!(matches!(ended.code(), 0 | 5), "{ended:?}");
    serde_json::from_str(&std::fs::read_to_string(output).unwrap()).unwrap()
}

#[test]
fn an_honest_change_of_numerics_is_kept() {
    let campaign = faster();
    let commands = offered(&campaign);
    assert_eq!(commands[0][..2], ["quality-gate", "run"], "{commands:?}");
    answered(&campaign, 80, 80);
    let verdict = judged(&campaign);
    assert_eq!(verdict["data"]["verdict"], "pass", "{verdict}");
    campaign.append("verdict.json", &verdict).ok();
    campaign.end("kept").ok();
    campaign.run(&["verify"]).ok();
}

#[test]
fn numerics_changed_without_a_look_at_the_answers() {
    faster().end("kept").refused(1, "quality-missing");
}

#[test]
fn faster_because_it_answers_worse() {
    let campaign = faster();
    answered(&campaign, 80, 50);
    let verdict = judged(&campaign);
    assert_eq!(verdict["data"]["verdict"], "fail", "{verdict}");
    campaign.append("verdict.json", &verdict).ok();
    campaign.end("kept").refused(1, "quality-failed");
}

#[test]
fn asking_until_the_answers_pass() {
    let campaign = faster();
    for after in [50, 80] {
        answered(&campaign, 80, after);
        campaign.append("verdict.json", &judged(&campaign)).ok();
    }
    campaign.end("kept").refused(1, "quality-failed");
}

#[test]
fn too_few_questions_to_tell() {
    let campaign = faster();
    answered(&campaign, 80, 76);
    let verdict = judged(&campaign);
    assert_eq!(verdict["data"]["verdict"], "inconclusive", "{verdict}");
    campaign.append("verdict.json", &verdict).ok();
    campaign.end("kept").refused(5, "quality-undecided");
}

#[test]
fn a_verdict_on_answers_is_edited() {
    let campaign = faster();
    answered(&campaign, 80, 50);
    let mut verdict = judged(&campaign);
    verdict["data"]["verdict"] = json!("pass");
    campaign
        .append("verdict.json", &verdict)
        .refused(7, "edited-numbers");
}

#[test]
fn a_verdict_on_answers_of_the_same_launch() {
    let campaign = faster();
    let sha256 = campaign.sha256("round1.chat.json");
    for name in ["before", "after"] {
        let mut document = answers("chat", &narrower(), &sha256, 80);
        document["summary"] = json!(name);
        campaign.append(&format!("{name}.quality.json"), &document).ok();
    }
    let verdict = judged(&campaign);
    campaign
        .append("verdict.json", &verdict)
        .refused(7, "same-subject");
}

#[test]
fn a_verdict_on_answers_that_nobody_stored() {
    let campaign = faster();
    answered(&campaign, 80, 80);
    let sha256 = campaign.sha256("round1.chat.json");
    let better = answers("chat", &narrower(), &sha256, 85);
    campaign.write("after.quality.json", &better.to_string());
    let verdict = judged(&campaign);
    campaign.append("verdict.json", &verdict).refused(7, "other-run");
}
