//! What an agent under pressure would try with verdicts and attempts. Every test is a row of
//! crates/loop-ledger/TRICKS.md, beside those in crates/loop-ledger/tests/it/tricks.rs.

#[path = "../../../loop-ledger/tests/it/campaign.rs"]
mod campaign;
#[expect(dead_code, reason = "some of it is for the tests of the crate itself")]
#[path = "../../../loop-ledger/tests/it/documents.rs"]
mod documents;

use std::process::Command;

use campaign::{Campaign, Ended};
use contracts::FieldSet;
use documents::{Compare, SCENARIOS, launch, theirs};
use serde_json::{Value, json};

use crate::process::{Running, binary, run};

fn measured(percent: f64) -> Campaign {
    Campaign::measured(binary("loop-ledger"), percent)
}

/// A campaign with a verdict: ours is at `percent` of theirs.
fn decided(percent: f64) -> Campaign {
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

// The verdict.

#[test]
fn one_repeat() {
    let campaign = Campaign::begun(binary("loop-ledger"));
    campaign.history();
    campaign.candidate(9.0);
    for (scenario, _) in SCENARIOS {
        let document = Compare {
            pairs: vec![(11.0, 10.0)],
            ..Compare::at(scenario, 110.0)
        }
        .document();
        campaign
            .append(&format!("round0.{scenario}.json"), &document)
            .ok();
    }
    decide(&campaign, "round0", &[]).refused(5, "too-few-pairs");
}

#[test]
fn speed_above_the_physical_limit() {
    decide(&measured(190.0), "round0", &[]).refused(5, "measurement-invalid");
}

#[test]
fn slow_scenario_dropped_from_the_verdict() {
    let campaign = measured(99.0);
    decide_on(&campaign, "round0", &["round0.chat.json".to_owned()], &[]).refused(7, "scenario-dropped");
}

#[test]
fn edited_verdict() {
    let campaign = measured(90.0);
    edited(&campaign, |document| {
        document["data"]["decision"] = json!("stop_reached")
    })
    .refused(7, "verdict-edited");
}

#[test]
fn edited_effect() {
    let campaign = measured(90.0);
    edited(&campaign, |document| {
        document["data"]["geomean"]["effect_pct"] = json!(7.0)
    })
    .refused(7, "verdict-edited");
}

#[test]
fn verdict_with_a_looser_target() {
    let campaign = measured(90.0);
    let looser = documents::target_yaml().replace("margin_ratio: 0.01", "margin_ratio: 0.2");
    campaign.write("target.yaml", &looser);
    // gap-decide itself says that the comparisons were measured for another target.
    let comparisons = SCENARIOS.map(|(scenario, _)| campaign.path(&format!("round0.{scenario}.json")));
    let target = campaign.path("target.yaml");
    let words = ["--compare", &comparisons[0], &comparisons[1], "--target", &target];
    said(run("gap-decide", words)).refused(3, "contract-differs");
}

#[test]
fn verdict_on_another_metric() {
    decide(&measured(90.0), "round0", &["--metric", "p50_e2e_latency_ms"]).refused(7, "other-metric");
}

#[test]
fn verdict_with_less_confidence() {
    decide(&measured(99.5), "round0", &["--confidence", "0.5"]).refused(7, "low-confidence");
}

#[test]
fn pairs_left_out_by_a_document_that_nobody_stored() {
    let campaign = measured(90.0);
    let document = Compare::at("chat", 90.0).document();
    let chose = campaign.write("chose.json", &document.to_string());
    decide(&campaign, "round0", &["--chosen-by", &chose]).refused(7, "evidence-unknown");
}

#[test]
fn verdict_on_a_comparison_that_is_not_stored() {
    let campaign = measured(90.0);
    for (scenario, _) in SCENARIOS {
        let document = Compare::at(scenario, 120.0).document();
        campaign.write(&format!("wish.{scenario}.json"), &document.to_string());
    }
    decide(&campaign, "wish", &[]).refused(7, "evidence-unknown");
}

#[test]
fn verdict_on_an_older_comparison_that_was_better() {
    let campaign = measured(99.0);
    compared(&campaign, "round0-again", 90.0, &documents::ours());
    decide(&campaign, "round0", &[]).refused(7, "newer-comparison");
}

#[test]
fn another_launch_for_every_scenario() {
    let campaign = Campaign::begun(binary("loop-ledger"));
    campaign.history();
    campaign.candidate(9.0);
    for ((scenario, _), ours) in SCENARIOS.into_iter().zip([documents::ours(), better()]) {
        let document = Compare {
            ours,
            ..Compare::at(scenario, 99.0)
        }
        .document();
        campaign
            .append(&format!("round0.{scenario}.json"), &document)
            .ok();
    }
    decide(&campaign, "round0", &[]).refused(7, "mixed-launches");
}

#[test]
fn verdict_before_the_competitor_is_tuned() {
    let campaign = Campaign::begun(binary("loop-ledger"));
    campaign.history();
    compared(&campaign, "round0", 101.0, &documents::ours());
    decide(&campaign, "round0", &[]).refused(1, "untuned-competitor");
}

// Attempts.

#[test]
fn copied_result_of_an_earlier_attempt() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "round1", 95.0, &better());
    decide(&campaign, "round1", &[]).ok();
    campaign.end("reverted").ok();
    campaign.begin().ok();
    let copied = campaign.path("round1.chat.json");
    campaign.run(&["append", &copied]).refused(7, "evidence-copied");
}

#[test]
fn result_from_before_the_attempt() {
    let campaign = decided(90.0);
    let document = Compare {
        ours: better(),
        ..Compare::at("chat", 99.0)
    }
    .document();
    campaign.begin().ok();
    campaign
        .append("early.json", &document)
        .refused(7, "evidence-copied");
}

#[test]
fn result_of_a_taken_back_attempt_as_the_benchmark() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    let document = Compare::at("chat", 99.0).document();
    campaign.end("failed").ok();
    campaign
        .append("late.json", &document)
        .refused(7, "evidence-copied");
}

#[test]
fn old_verdict_for_a_new_attempt() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    decide(&campaign, "round0", &["--max-pairs", "38"]).refused(7, "evidence-copied");
}

#[test]
fn change_measured_outside_of_attempts() {
    let campaign = decided(90.0);
    let [first, _] = compare(&campaign, "free", 101.0, &better(), &theirs())
        .try_into()
        .unwrap();
    first.refused(7, "change-outside-attempt");
}

#[test]
fn competitor_slowed_down_in_the_attempt() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    let slowed = launch("vllm", &[("max_num_seqs", json!(8))]);
    for ended in compare(&campaign, "round1", 120.0, &better(), &slowed) {
        ended.ok();
    }
    decide(&campaign, "round1", &[]).refused(7, "competitor-changed");
}

#[test]
fn kept_without_a_relaunch() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "round1", 95.0, &documents::ours());
    decide(&campaign, "round1", &[]).ok();
    campaign.end("kept").refused(1, "same-subject");
}

#[test]
fn kept_without_a_measurement() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    campaign.end("kept").refused(1, "revalidation-missing");
}

#[test]
fn kept_although_it_is_worse() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "round1", 80.0, &better());
    decide(&campaign, "round1", &[]).ok();
    campaign.end("kept").refused(1, "no-improvement");
}

#[test]
fn weak_round_called_a_failure() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "round1", 90.0, &better());
    decide(&campaign, "round1", &[]).ok();
    campaign.end("interrupted").refused(1, "attempt-judged");
}

#[test]
fn two_changes_at_once() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    campaign.begin().refused(1, "attempt-open");
}

#[test]
fn patch_before_the_profile_when_behind() {
    let campaign = decided(90.0);
    let words = [
        "begin",
        "--kind",
        "patch",
        "--change",
        "a kernel",
        "--hypothesis",
        "faster",
    ];
    campaign.run(&words).refused(1, "profile-missing");
}

/// Behind everywhere, most on the slow scenario, and both engines profiled on this one; then a patch.
fn patched_after_profiles_of(profiled: &str) -> Ended {
    let campaign = Campaign::begun(binary("loop-ledger"));
    campaign.history();
    campaign.candidate(9.0);
    for (scenario, percent) in [("chat", 95.0), ("slow", 90.0)] {
        let document = Compare::at(scenario, percent).document();
        campaign
            .append(&format!("round0.{scenario}.json"), &document)
            .ok();
    }
    decide(&campaign, "round0", &[]).ok();
    let benchmark = campaign.sha256(&format!("round0.{profiled}.json"));
    for (side, subject) in [("ours", documents::ours()), ("theirs", theirs())] {
        let document = documents::profile(profiled, &subject, &benchmark);
        campaign.append(&format!("{side}.profile.json"), &document).ok();
    }
    campaign.run(&[
        "begin",
        "--kind",
        "patch",
        "--change",
        "a kernel",
        "--hypothesis",
        "faster",
    ])
}

#[test]
fn patch_without_a_root_cause() {
    patched_after_profiles_of("slow").refused(1, "root-cause-missing");
}

#[test]
fn profile_of_the_fast_scenario() {
    patched_after_profiles_of("chat").refused(1, "profile-missing");
}

#[test]
fn one_attempt_more_than_the_budget() {
    let campaign = decided(90.0);
    for _ in 0..3 {
        campaign.begin().ok();
        campaign.end("failed").ok();
    }
    campaign.begin().refused(6, "budget-exhausted");
}

#[test]
fn port_left_in_use() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let words = [
        "end",
        "--outcome",
        "failed",
        "--learned",
        "nothing",
        "--port",
        &port,
    ];
    campaign.run(&words).refused(1, "not-clean");
}

// The end.

#[test]
fn end_without_a_relaunch_from_a_cleared_environment() {
    let campaign = decided(110.0);
    campaign.run(&["done"]).lacks(1, "winner-not-relaunched");
    campaign
        .run(&["done", "--state", "blocked", "--why", "enough"])
        .document();
    assert_eq!(campaign.run(&["status"]).ok()["data"]["terminal"], Value::Null);

    // The same, relaunched: then it may end.
    for (scenario, _) in SCENARIOS {
        let document = Compare {
            is_clean: true,
            ..Compare::at(scenario, 110.0)
        }
        .document();
        campaign.append(&format!("final.{scenario}.json"), &document).ok();
    }
    decide(&campaign, "final", &[]).ok();
    assert_eq!(campaign.run(&["done"]).ok()["data"]["terminal"], "target_met");
}

/// With the real tools: a launch that needs a variable of the agent's shell does not start without it.
#[test]
fn change_that_needs_a_variable_of_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let workload = path("w.jsonl");
    let freeze = "freeze --dataset random --num-prompts 1 --input-len 4 --output-len 2 --out";
    assert_eq!(
        run("serve-bench", freeze.split(' ').chain([workload.as_str()])).code(),
        0
    );
    let line = r#"test "$SGLANG_FAST" = 1 && exec "$SIM_BIN" "$@""#;
    let script = r#"{"defaults": {"ttft_ms": 1, "itl_ms": 1}}"#;
    let argv = json!([
        "/bin/sh", "-c", line, "sh", "--script", script, "--port", "{port}"
    ])
    .to_string();
    // What is declared is there; what only the shell has is not.
    let subject = path("subject.json");
    let declared = json!({"schema": "sota-loop.subject/1", "env": {"SIM_BIN": binary("engine-sim")}});
    std::fs::write(&subject, declared.to_string()).unwrap();
    let relaunch = |flags: &[&str]| {
        let mut command = Command::new(binary("serve-bench"));
        command
            .args([
                "compare",
                "--swap",
                "--a-cmd",
                &argv,
                "--b-cmd",
                &argv,
                "--workload",
                &workload,
            ])
            .args([
                "--concurrency",
                "1",
                "--blocks",
                "1",
                "--subject",
                &subject,
                "--b-subject",
                &subject,
            ])
            .args(["-o", &path("c.json")])
            .args(flags)
            .env("SGLANG_FAST", "1");
        Running::start(&mut command).end()
    };
    // 5 where this machine disturbed the run: it was measured.
    assert!(matches!(relaunch(&[]).code(), 0 | 5));
    said(relaunch(&["--clear-env"])).refused(4, "engine-exited");
}
