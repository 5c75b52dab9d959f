//! What an agent under pressure would try with verdicts and attempts. Every test is a row of
//! crates/loop-ledger/TRICKS.md, beside those in crates/loop-ledger/tests/it/tricks.rs.

#[path = "../../../loop-ledger/tests/it/campaign.rs"]
mod campaign;
#[expect(dead_code, reason = "some of it is for the tests of the crate itself")]
#[path = "../../../loop-ledger/tests/it/documents.rs"]
mod documents;

mod attempt;
mod end;
mod quality;
mod verdict;

use std::process::Command;

pub(crate) use campaign::Campaign;
use campaign::Ended;
use contracts::FieldSet;
use documents::{Compare, SCENARIOS, launch, theirs};
use serde_json::{Value, json};

use crate::process::{Running, binary, run};

fn measured(percent: f64) -> Campaign {
    Campaign::measured(binary("loop-ledger"), percent)
}

/// A campaign with a verdict: ours is at `percent` of theirs.
pub(crate) fn decided(percent: f64) -> Campaign {
    let campaign = measured(percent);
    decide(&campaign, "round0", &[]).ok();
    campaign
}

/// The verdict on the comparisons of a round, appended.
fn decide(campaign: &Campaign, round: &str, flags: &[&str]) -> Ended {
    decide_on(
        campaign,
        round,
        &SCENARIOS.map(|(scenario, _)| format!("{round}.{scenario}.json")),
        flags,
    )
}

fn decide_on(campaign: &Campaign, round: &str, comparisons: &[String], flags: &[&str]) -> Ended {
    let path = verdict(campaign, round, comparisons, flags);
    campaign.run(&["append", &path])
}

fn verdict(campaign: &Campaign, round: &str, comparisons: &[String], flags: &[&str]) -> String {
    let path = campaign.path(&format!("{round}.gap.json"));
    let target = campaign.path("target.yaml");
    let mut words = vec!["--compare".to_owned()];
    words.extend(comparisons.iter().map(|name| campaign.path(name)));
    words.extend(["--target".to_owned(), target, "-o".to_owned(), path.clone()]);
    words.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let ended = run("gap-decide", words);
    assert!(matches!(ended.code(), 0 | 5), "{ended:?}");
    path
}

/// Both scenarios of a round, with this launch of ours and of theirs.
fn compare(campaign: &Campaign, round: &str, percent: f64, ours: &FieldSet, theirs: &FieldSet) -> Vec<Ended> {
    SCENARIOS
        .iter()
        .map(|(scenario, _)| {
            let document = Compare {
                ours: ours.clone(),
                theirs: theirs.clone(),
                ..Compare::at(scenario, percent)
            }
            .document();
            campaign.append(&format!("{round}.{scenario}.json"), &document)
        })
        .collect()
}

fn compared(campaign: &Campaign, round: &str, percent: f64, ours: &FieldSet) {
    for ended in compare(campaign, round, percent, ours, &theirs()) {
        ended.ok();
    }
}

/// Ours after a change.
fn better() -> FieldSet {
    launch("sglang", &[("max_running_requests", json!(512))])
}

fn edited(campaign: &Campaign, change: impl FnOnce(&mut Value)) -> Ended {
    let path = verdict(
        campaign,
        "round0",
        &SCENARIOS.map(|(scenario, _)| format!("round0.{scenario}.json")),
        &[],
    );
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    change(&mut document);
    campaign.append("edited.gap.json", &document)
}

/// The ending of another tool, to be asserted like those of loop-ledger.
fn said(ended: crate::process::Ended) -> Ended {
    Ended {
        code: Some(ended.code()),
        stdout: ended.stdout,
        stderr: ended.stderr,
    }
}

#[test]
fn an_honest_round_is_kept() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "round1", 95.0, &better());
    decide(&campaign, "round1", &[]).ok();
    let receipt = campaign.end("kept").ok();
    let gain = receipt["data"]["entries"][0]["event"]["data"]["improvement_pct"]
        .as_f64()
        .unwrap();
    assert!((gain - 100.0 * (95.0 / 90.0 - 1.0)).abs() < 0.1, "{gain}");
    campaign.run(&["verify"]).ok();
}

/// The commands that a status offers, each of which the real arguments take.
fn offered(campaign: &Campaign) -> Vec<Vec<String>> {
    let document = campaign.run(&["status"]).ok();
    let actions = document["next_actions"].as_array().unwrap();
    let words =
        |action: &Value| -> Vec<String> { serde_json::from_value(action["command"].clone()).unwrap() };
    let all: Vec<Vec<String>> = actions.iter().map(words).collect();
    for command in &all {
        assert_eq!(crate::commands::parse(command), Some(Ok(())), "{command:?}");
    }
    all
}

/// Runs an offered command in the folder of the campaign.
fn follow(campaign: &Campaign, command: &[String]) {
    let mut process = Command::new(binary(&command[0]));
    process.args(&command[1..]).current_dir(campaign.path("."));
    let ended = Running::start(&mut process).end();
    assert_eq!(ended.code(), 0, "{command:?}: {ended:?}");
}

#[test]
fn what_the_ledger_offers_leads_through_a_round() {
    let campaign = measured(90.0);
    let decide = offered(&campaign).remove(0);
    assert_eq!(decide[0], "gap-decide");
    follow(&campaign, &decide);
    campaign.run(&["append", &campaign.path("round0.gap.json")]).ok();
    offered(&campaign);
    campaign.begin().ok();
    let compare = offered(&campaign);
    let scenarios: Vec<_> = compare
        .iter()
        .map(|command| contracts::argv::value(command, "--scenario").unwrap())
        .collect();
    assert_eq!(scenarios, ["chat", "slow"]);
    compared(&campaign, "a-0001", 95.0, &better());
    let decide = offered(&campaign).remove(0);
    follow(&campaign, &decide);
    campaign.run(&["append", &campaign.path("a-0001.gap.json")]).ok();
    let mut end = offered(&campaign).remove(0);
    assert_eq!(contracts::argv::value(&end, "--outcome"), Some("kept"));
    assert_eq!(contracts::argv::value(&end, "--port"), Some("30000"));
    // Whether somebody listens there is the business of the machine that runs the tests.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    contracts::argv::set(&mut end, "--port", &port.to_string());
    follow(&campaign, &end);
    assert_eq!(campaign.run(&["status"]).ok()["data"]["rounds"], 1);
}
