//! What leads on from an open attempt, and to the end.

use contracts::argv;
use contracts::gap_decide::decision::{Decision, Verdict};
use contracts::loop_ledger::Phase;
use contracts::loop_ledger::event::{ChangeKind, Event, Outcome};
use serde_json::Value;

use super::campaign::{Campaign, at};
use super::story::OURS;
use crate::precedent::Precedent;
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
    campaign.today().write()
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
    let campaign = Campaign::behind().today().write();
    let document = campaign.document(&["status"]);
    let phases = document["data"]["phases"].as_array().unwrap();
    let done = phases.iter().find(|phase| phase["phase"] == "done").unwrap();
    assert_eq!(done["open"], false, "{done}");
    assert!(!done["missing"].as_array().unwrap().is_empty());
    let ended = Campaign::ended().today().write().document(&["status"]);
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

#[test]
fn a_launch_that_is_not_the_declared_change_is_said_when_it_begins() {
    let campaign = Campaign::behind().today().write();
    let subject = campaign.path("subject.yaml");
    let launch = format!("{OURS} --tp 2");
    std::fs::write(
        &subject,
        format!(
            "schema: sota-loop.subject/1\nlaunch_argv: ['{}']\n",
            launch.replace(' ', "', '")
        ),
    )
    .unwrap();
    let begin = |change: &str| {
        let words = [
            "begin",
            "--kind",
            "flags",
            "--change",
            change,
            "--hypothesis",
            "less overhead",
            "--gpu-s",
            "1",
        ];
        campaign.document(&[&words[..], &["--subject", subject.to_str().unwrap()]].concat())
    };
    let document = begin("--chunked-prefill-size 4096");
    let warning = &document["warnings"][0];
    assert_eq!(warning["code"], "change-differs", "{document:#}");
    for part in ["--chunked-prefill-size", "--tp"] {
        assert!(warning["message"].as_str().unwrap().contains(part), "{warning}");
    }
    campaign.document(&["end", "--outcome", "failed", "--learned", "it does not start"]);
    assert_eq!(begin("--tp 2")["warnings"], serde_json::json!([]));
}

#[test]
fn a_comparison_that_is_not_of_the_declared_change_is_said() {
    let mut campaign = Campaign::behind();
    campaign.begin(ChangeKind::Flags, "--chunked-prefill-size 4096", None, None);
    let begun = campaign.entries.len();
    campaign.verdict(
        OURS,
        [920.0, 485.0],
        Phase::Revalidate,
        Decision::Profile,
        [-8.0, -3.0],
    );
    let state = State::at(&campaign.lock, &campaign.entries, false, at(400));
    let warnings = crate::commands::append::undeclared(&state, &campaign.entries[begun..]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0]
            .message
            .contains("--chunked-prefill-size is launched as before"),
        "{warnings:?}"
    );
}

#[test]
fn the_next_attempt_is_charged_as_the_budget_allows() {
    let charge = |campaign: &Campaign| {
        let state = State::at(&campaign.lock, &campaign.entries, false, at(400));
        let needs = rules::wanted(&state, Phase::Tune);
        let command = needs[0].command.clone().unwrap().command;
        argv::value(&command, "--gpu-s").map(str::to_owned)
    };
    let mut campaign = Campaign::behind();
    campaign.lock.target.campaign.as_mut().unwrap().budget.attempts = Some(8);
    assert_eq!(charge(&campaign).as_deref(), Some("900"), "7200 s for 8 attempts");
    campaign.begin(ChangeKind::Flags, "--tp 2", None, None);
    campaign.end(Outcome::Failed, "does not start", None);
    // Once one attempt was made the phase has its evidence; the gate of a patch still names the command.
    let state = State::at(&campaign.lock, &campaign.entries, false, at(400));
    let command = rules::wanted(&state, Phase::Patch)[0]
        .command
        .clone()
        .unwrap()
        .command;
    assert_eq!(argv::value(&command, "--gpu-s"), Some("1200"), "as the last one");
}

#[test]
fn pairs_that_cannot_tell_get_more_and_are_not_judged_again() {
    let campaign = Campaign::behind();
    let mut entries = campaign.entries.clone();
    for entry in &mut entries {
        if let Event::Evidence(facts) = &mut entry.event
            && let Some(decision) = &mut facts.decision
        {
            decision.decision = Decision::Repeat;
            decision.rows[1].verdict = Verdict::Inconclusive;
        }
    }
    let mut state = State::at(&campaign.lock, &entries, false, at(400));
    let typed =
        "serve-bench compare --a http://a --b http://b --workload elsewhere.jsonl --blocks=8 -o first.json";
    state.precedents = vec![Precedent {
        scenario: "long".to_owned(),
        framework: "vllm".to_owned(),
        urls: ["http://a".to_owned(), "http://b".to_owned()],
        swap: false,
        command: typed.split(' ').map(str::to_owned).collect(),
        load: serde_json::from_value(super::documents::load()).unwrap(),
        blocks: 8,
        decode_tps: None,
        ours: contracts::FieldSet::none(),
    }];
    let needs: Vec<_> = rules::missing(&state, Phase::Tune)
        .into_iter()
        .filter(|need| need.code == "undecided")
        .collect();
    assert_eq!(needs.len(), 1, "{needs:#?}");
    let command = needs[0].command.as_ref().unwrap().command.join(" ");
    assert_eq!(
        command,
        "serve-bench compare --a http://a --b http://b --workload elsewhere.jsonl --blocks 12 -o /home/alice/bench.json --resume"
    );
}

#[test]
fn every_command_has_its_schema() {
    let command = cli_kit::command::<crate::cli::Args>();
    for sub in command.get_subcommands().map(clap::Command::get_name) {
        // Hooks answer their runtimes in the runtimes' own words.
        let is_known = crate::TOOL.schemas.iter().any(|(name, _)| *name == sub);
        assert!(is_known || sub == "hook", "{sub}");
    }
}

/// Entries of a campaign that was measured twice, the second time with this between the moments.
fn measured_twice(later: impl Fn(&mut contracts::loop_ledger::facts::MeasuredAt)) -> usize {
    let mut campaign = Campaign::behind();
    let again = super::documents::compare("chat", OURS, 930.0, 1000.0);
    campaign.benchmark(&again, Phase::Baseline);
    let mut entries = campaign.entries.clone();
    let Event::Evidence(facts) = &mut entries.last_mut().unwrap().event else {
        panic!("a benchmark is evidence")
    };
    later(facts.measured_at.as_mut().unwrap());
    let state = State::at(&campaign.lock, &entries, false, at(400));
    let pool = rules::pool(&state, None, "chat", "vllm");
    assert_eq!(pool.last().unwrap().seq, entries.last().unwrap().seq);
    pool.len()
}

#[test]
fn a_resumed_comparison_stands_for_what_it_went_on_with() {
    let minute = jiff::SignedDuration::from_mins(1);
    assert_eq!(measured_twice(|moments| moments.end_at += minute), 1);
    let moved = measured_twice(|moments| {
        moments.start_at += minute;
        moments.end_at += minute;
    });
    assert_eq!(moved, 2);
}

#[test]
fn a_charge_below_nothing_is_none() {
    let campaign = Campaign::behind().today().write();
    let words = [
        "begin",
        "--kind",
        "flags",
        "--change",
        "--x",
        "--hypothesis",
        "y",
        "--gpu-s=-1",
    ];
    let (code, exit, _) = campaign.refused(&words);
    assert_eq!((code.as_str(), exit), ("charge-negative", 2));
}

/// The command that would bring the evidence of a phase.
fn wanted(state: &State<'_>, phase: Phase) -> (String, String) {
    let action = rules::wanted(state, phase)[0].command.clone().unwrap();
    (action.command.join(" "), action.why)
}

#[test]
fn a_profile_is_offered_as_a_command_for_each_side_and_a_blocker_as_the_way_out() {
    let campaign = Campaign::behind();
    let state = State::at(&campaign.lock, &campaign.entries, false, at(400));
    let commands: Vec<String> = rules::wanted(&state, Phase::Profile)
        .iter()
        .map(|need| need.command.as_ref().unwrap().command.join(" "))
        .collect();
    assert_eq!(
        commands,
        [
            "profile-tables capture --url URL_OF_OURS --stage decode --for /home/alice/bench.json --side a -o sglang.chat.capture.json",
            "profile-tables capture --url URL_OF_THEIRS --stage decode --for /home/alice/bench.json --side b -o vllm.chat.capture.json",
        ]
    );
    let (_, why) = wanted(&state, Phase::Profile);
    assert!(
        why.contains("replace URL_OF_OURS") && why.contains("blocker --phase profile"),
        "{why}"
    );
    let (pipeline, why) = wanted(&state, Phase::Pipeline);
    assert_eq!(
        pipeline,
        "pipeline-analysis TRACE --config config.json --for /home/alice/bench.json --side a -o pipeline.json"
    );
    assert!(why.contains("replace TRACE"), "{why}");
}
