//! The commands that the ledger offers: complete as far as it knows, and honest about what it does not.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::campaign::{Campaign, Ended};
use super::documents::{self, Compare, refit};

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger"))
}

/// Words of the first offered command that begins so, and its reason.
#[track_caller]
fn offered(document: &Value, start: &[&str]) -> (Vec<String>, String) {
    let actions = document["next_actions"].as_array().unwrap();
    actions
        .iter()
        .map(|action| {
            let command: Vec<String> = serde_json::from_value(action["command"].clone()).unwrap();
            (command, action["why"].as_str().unwrap().to_owned())
        })
        .find(|(command, _)| {
            command
                .iter()
                .zip(start)
                .filter(|(word, wanted)| word == wanted)
                .count()
                == start.len()
        })
        .unwrap_or_else(|| panic!("no {start:?} in {actions:#?}"))
}

#[track_caller]
fn has(command: &[String], flag: &str, value: &str) {
    let found = contracts::argv::value(command, flag);
    assert_eq!(found, Some(value), "{flag} in {command:?}");
}

fn status(campaign: &Campaign) -> Value {
    campaign.run(&["status"]).ok()
}

/// A comparison that says by which command it was made.
fn compared_by(scenario: &'static str, command: &[&str]) -> Value {
    let mut document = Compare::at(scenario, 90.0).document();
    document["data"]["plan"] = json!({"command": command});
    document
}

const MADE_BY: [&str; 21] = [
    "serve-bench",
    "compare",
    "--a",
    "http://127.0.0.1:30000",
    "--b",
    "http://127.0.0.1:8000",
    "--subject",
    "ours.yaml",
    "--b-subject",
    "theirs.yaml",
    "--workload",
    "w.jsonl",
    "--scenario",
    "chat",
    "--target",
    "elsewhere.yaml",
    "--blocks",
    "18",
    "--resume",
    "-o",
    "first.json",
];

#[test]
fn the_first_comparison_is_offered_whole() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    let (command, why) = offered(&status(&campaign), &["serve-bench", "compare"]);
    has(&command, "--workload", &campaign.path("w.jsonl"));
    has(&command, "--scenario", "chat");
    has(&command, "--target", &campaign.path("target.yaml"));
    has(&command, "--concurrency", "8");
    has(&command, "--blocks", "8");
    has(&command, "--subject", "SUBJECT_OF_OURS");
    has(&command, "--b-subject", "SUBJECT_OF_THEIRS");
    has(&command, "-o", "round0.chat.compare.json");
    for word in ["URL_OF_OURS", "URL_OF_THEIRS", "SUBJECT_OF_THEIRS", "load"] {
        assert!(why.contains(word), "{word} in {why}");
    }
}

#[test]
fn the_next_comparison_is_made_as_the_one_before() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    campaign.append("c.json", &compared_by("chat", &MADE_BY)).ok();
    let (command, why) = offered(&status(&campaign), &["serve-bench", "compare"]);
    has(&command, "--a", "http://127.0.0.1:30000");
    has(&command, "--b-subject", "theirs.yaml");
    has(&command, "--scenario", "slow");
    has(&command, "--target", &campaign.path("target.yaml"));
    has(&command, "--concurrency", "8");
    has(&command, "--blocks", "18");
    has(&command, "-o", "round0.slow.compare.json");
    assert!(!command.contains(&"--resume".to_owned()), "{command:?}");
    assert!(!why.contains("replace"), "{why}");
}

/// A result that was measured alone fixes the load, too: the one of a search, say.
#[test]
fn the_load_of_a_single_result_is_that_of_the_comparison_which_follows() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    let mut document = documents::result("chat", 1, &documents::launch("vllm", &[]), 5.0);
    document["data"]["load"]["concurrency"] = json!(32);
    campaign.append("r.json", &document).ok();
    let (command, why) = offered(&status(&campaign), &["serve-bench", "compare"]);
    has(&command, "--concurrency", "32");
    assert!(!why.contains("fixes the load"), "{why}");
}

#[test]
fn another_load_is_refused_with_both_values() {
    let campaign = Campaign::measured(binary(), 90.0);
    let mut document = documents::result("chat", 1, &documents::launch("vllm", &[]), 5.0);
    let mut load = document["contract"]["fields"]["load"]["value"].clone();
    load["concurrency"] = json!(1);
    refit(&mut document["contract"], "load", load);
    let ended: Ended = campaign.append("r.json", &document);
    ended.refused(7, "contract-drift");
    let message = ended.document()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("load.concurrency is 1, and was 8"), "{message}");
    assert!(!message.contains("warmup_requests"), "{message}");
}

#[test]
fn another_configuration_is_offered_under_the_load_of_the_comparison() {
    let campaign = Campaign::begun(binary());
    campaign.history();
    for scenario in ["chat", "slow"] {
        campaign.append("c.json", &compared_by(scenario, &MADE_BY)).ok();
    }
    let refused = campaign.begin();
    refused.refused(1, "untuned-competitor");
    let (command, why) = offered(&refused.document(), &["serve-bench", "run"]);
    has(&command, "--workload", &campaign.path("w.jsonl"));
    has(&command, "--scenario", "chat");
    has(&command, "--concurrency", "8");
    has(&command, "--target", &campaign.path("target.yaml"));
    assert!(why.contains("URL_OF_THEIRS"), "{why}");
}

#[test]
fn the_decision_names_the_stored_comparisons_and_the_metric() {
    let target = documents::target_yaml().replace("  budget:", "  metric: output_tps\n  budget:");
    let campaign = Campaign::measured_for(binary(), &target, 90.0);
    let (command, _) = offered(&status(&campaign), &["gap-decide"]);
    let compared = ["chat", "slow"].map(|scenario| campaign.path(&format!("round0.{scenario}.json")));
    assert_eq!(command[2..4], compared);
    has(&command, "--target", &campaign.path("target.yaml"));
    has(&command, "--metric", "output_tps");
}

/// Every command that a document offers, wherever it stands.
fn commands<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("why") && fields.contains_key("command") {
                found.push(value);
            }
            fields.values().for_each(|value| commands(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| commands(value, found)),
        _ => {}
    }
}

#[test]
fn what_only_the_user_knows_is_said_to_be_replaced() {
    let behind = Campaign::measured(binary(), 90.0);
    let begun = Campaign::begun(binary());
    let mut seen = 0;
    for campaign in [&begun, &behind] {
        let document = status(campaign);
        let mut all = Vec::new();
        commands(&document, &mut all);
        for action in all {
            let why = action["why"].as_str().unwrap();
            for word in action["command"].as_array().unwrap() {
                let word = word.as_str().unwrap();
                if word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || "_#".contains(c)) {
                    seen += 1;
                    assert!(why.contains(word), "{word}: {action}");
                }
            }
        }
    }
    assert!(seen > 3, "{seen}");
}

#[test]
fn every_command_names_the_root() {
    let campaign = Campaign::measured(binary(), 90.0);
    let root = campaign.path("root");
    let refused = campaign.run(&["end", "--outcome", "kept", "--learned", "x"]);
    refused.refused(1, "no-attempt");
    let documents = [
        status(&campaign),
        refused.document(),
        campaign.run(&["done"]).document(),
    ];
    for document in &documents {
        let mut all = Vec::new();
        commands(document, &mut all);
        let ours: Vec<_> = all
            .iter()
            .filter(|action| action["command"][0] == "loop-ledger")
            .collect();
        assert!(
            !ours.is_empty() || document["schema"] == "loop-ledger.done/1",
            "{document:#}"
        );
        for action in ours {
            assert_eq!(action["command"][1], "--root", "{action}");
            assert_eq!(action["command"][2], root.as_str(), "{action}");
        }
    }
}
