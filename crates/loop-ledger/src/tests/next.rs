//! What leads on from an open attempt, and to the end.

use contracts::argv;
use contracts::gap_decide::decision::Decision;
use contracts::loop_ledger::Phase;
use contracts::loop_ledger::event::{ChangeKind, Event};
use serde_json::Value;

use super::campaign::{Campaign, at};
use super::story::OURS;
use crate::rules;
use crate::state::State;

/// A campaign with an open attempt whose verdict is this.
fn judged(decision: Decision, ours: [f64; 2], effects: [f64; 2]) -> Campaign {
    let mut campaign = Campaign::behind();
    let changed = format!("{OURS} --chunked-prefill-size 4096");
    campaign.begin(
        ChangeKind::Flags,
        "--chunked-prefill-size 4096",
        None,
        Some(&changed),
    );
    campaign.verdict(&changed, ours, Phase::Revalidate, decision, effects);
    campaign.write()
}

fn first_command(document: &Value) -> Vec<String> {
    serde_json::from_value(document["next_actions"][0]["command"].clone()).unwrap()
}

#[test]
fn after_its_verdict_an_attempt_is_told_to_end() {
    let better = judged(Decision::Profile, [990.0, 494.0], [-1.0, -1.2]);
    let document = better.document(&["status"]);
    let command = first_command(&document);
    assert_eq!(command[3], "end", "{command:?}");
    assert_eq!(argv::value(&command, "--outcome"), Some("kept"));
    let worse = judged(Decision::Profile, [800.0, 400.0], [-20.0, -20.0]);
    let command = first_command(&worse.document(&["status"]));
    assert_eq!(argv::value(&command, "--outcome"), Some("reverted"));
}

#[test]
fn the_newest_verdict_is_shown() {
    let campaign = judged(Decision::Profile, [990.0, 494.0], [-1.0, -1.2]);
    let document = campaign.document(&["status"]);
    let summary = document["summary"].as_str().unwrap();
    assert!(summary.contains("its verdict is profile: -1.10 %"), "{summary}");
    assert_eq!(
        document["data"]["attempt"]["decision"]["rows"][0]["effect_pct"],
        -1.0
    );
    assert_eq!(
        document["data"]["decision"]["rows"][0]["effect_pct"], -8.0,
        "what counts is what was kept"
    );
    let shown = campaign.run(&["status"]).unwrap().view().to_markdown();
    assert!(shown.contains("-1.20") && !shown.contains("-3.00"), "{shown}");
}

#[test]
fn an_open_attempt_ends_before_the_campaign() {
    let campaign = judged(Decision::Profile, [990.0, 494.0], [-1.0, -1.2]);
    for words in [&["may", "done"][..], &["done"]] {
        let report = campaign.run(words).unwrap();
        let document: Value = serde_json::from_str(report.json()).unwrap();
        assert_eq!(report.exit().code(), 1);
        assert_eq!(first_command(&document)[3], "end", "{words:?}: {document:#}");
    }
}

#[test]
fn done_is_closed_until_a_state_is_reached() {
    let campaign = Campaign::behind().write();
    let document = campaign.document(&["status"]);
    let phases = document["data"]["phases"].as_array().unwrap();
    let done = phases.iter().find(|phase| phase["phase"] == "done").unwrap();
    assert_eq!(done["open"], false, "{done}");
    assert!(!done["missing"].as_array().unwrap().is_empty());
    let ended = Campaign::ended().write().document(&["status"]);
    let done = ended["data"]["phases"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(done["satisfied"], true, "{done}");
}

#[test]
fn the_relaunch_of_the_winner_is_offered_whole() {
    let campaign = Campaign::ended();
    let mut entries = campaign.entries.clone();
    entries.pop();
    for entry in &mut entries {
        if let Event::Evidence(facts) = &mut entry.event {
            facts
                .sides
                .iter_mut()
                .for_each(|side| side.relaunched_clean = false);
        }
    }
    let state = State::at(&campaign.lock, &entries, false, at(400));
    let needs = rules::missing(&state, Phase::Done);
    let need = needs
        .iter()
        .find(|need| need.code == "winner-not-relaunched")
        .unwrap_or_else(|| panic!("{needs:#?}"));
    let action = need.command.as_ref().unwrap();
    let value = |flag| argv::value(&action.command, flag);
    assert!(action.command.iter().any(|word| word == "--clear-env"));
    let launch: Vec<String> = serde_json::from_str(value("--a-cmd").unwrap()).unwrap();
    assert_eq!(argv::value(&launch, "--num-continuous-decode-steps"), Some("8"));
    assert_eq!(argv::value(&launch, "--port"), Some("{port}"));
    assert!(value("--b-cmd").unwrap().starts_with(r#"["vllm""#), "{action:?}");
    assert_eq!(value("--target"), Some("/home/alice/target.yaml"));
    assert_eq!(value("--scenario"), Some("chat"));
    assert_eq!(value("--workload"), Some("standard.workload.jsonl"));
    assert!(!action.command.iter().any(|word| word == "--a"), "{action:?}");
}
