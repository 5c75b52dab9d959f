//! Tricks with the verdict.

use super::*;

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

/// Three comparisons of one launch in an attempt, the last of them lucky.
fn measured_until_it_pleases() -> Campaign {
    let campaign = decided(90.0);
    campaign.begin().ok();
    for (round, percent) in [("first", 89.0), ("second", 89.0), ("third", 101.5)] {
        compared(&campaign, round, percent, &better());
    }
    campaign
}

fn comparisons(rounds: &[&str]) -> Vec<String> {
    let of_round = |round: &&str| SCENARIOS.map(|(scenario, _)| format!("{round}.{scenario}.json"));
    rounds.iter().flat_map(of_round).collect()
}

#[test]
fn measured_until_one_comparison_pleases() {
    let campaign = measured_until_it_pleases();
    decide(&campaign, "third", &[]).refused(7, "comparison-left-out");
}

#[test]
fn bad_comparisons_said_to_have_chosen() {
    let campaign = measured_until_it_pleases();
    let chose: Vec<String> = comparisons(&["first", "second"])
        .iter()
        .map(|name| campaign.path(name))
        .collect();
    let mut flags = vec!["--chosen-by"];
    flags.extend(chose.iter().map(String::as_str));
    decide(&campaign, "third", &flags).refused(7, "comparison-left-out");
}

#[test]
fn all_comparisons_of_a_launch_are_offered_and_taken_together() {
    let campaign = measured_until_it_pleases();
    let offered = offered(&campaign).remove(0);
    let named: Vec<&String> = offered.iter().filter(|word| word.ends_with(".json")).collect();
    assert_eq!(named.len(), 7, "six comparisons and the output: {offered:?}");
    let all = comparisons(&["first", "second", "third"]);
    decide_on(&campaign, "all", &all, &[]).ok();
}

/// The screen of several candidates chose one of them: it may be left out where there was a choice, and once.
#[test]
fn a_screen_of_several_candidates_may_be_left_out() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "screen", 94.0, &better());
    let other = launch("sglang", &[("max_running_requests", json!(1024))]);
    compared(&campaign, "loser", 91.0, &other);
    compared(&campaign, "confirm", 93.0, &better());
    let chose: Vec<String> = comparisons(&["screen"])
        .iter()
        .map(|name| campaign.path(name))
        .collect();
    let flags = ["--chosen-by", chose[0].as_str(), chose[1].as_str()];
    decide(&campaign, "confirm", &flags).ok();
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
