//! Tricks with attempts.

use super::*;

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

#[test]
fn telemetry_in_place_of_a_profile() {
    let campaign = decided(90.0);
    for (scenario, _) in SCENARIOS {
        let benchmark = campaign.sha256(&format!("round0.{scenario}.json"));
        for (side, subject) in [("ours", documents::ours()), ("theirs", theirs())] {
            let mut document = documents::profile(scenario, &subject, &benchmark);
            document["schema"] = json!("telemetry-fetch.report/1");
            campaign
                .append(&format!("{side}.{scenario}.json"), &document)
                .ok();
        }
    }
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

#[test]
fn attempt_without_a_hypothesis() {
    let words = [
        "begin",
        "--kind",
        "flags",
        "--change",
        "one flag",
        "--hypothesis",
        " ",
    ];
    decided(90.0).run(&words).refused(2, "text-empty");
}

#[test]
fn attempt_that_costs_nothing() {
    let target = documents::target_yaml().replace("attempts: 3", "attempts: 3, spend_usd: 10");
    let campaign = Campaign::measured_for(binary("loop-ledger"), &target, 90.0);
    decide(&campaign, "round0", &[]).ok();
    campaign.begin().refused(2, "charge-missing");
}

/// A campaign under an objective for the first token.
fn under_objective() -> Campaign {
    let target = documents::target_yaml().replace("slo: []", &format!("slo: [\"{OBJECTIVE}\"]"));
    let campaign = Campaign::bare(binary("loop-ledger"));
    campaign.write("target.yaml", &target);
    campaign.init("w.jsonl").ok();
    campaign.history();
    let other = launch("vllm", &[("max_num_seqs", json!(64))]);
    let mut candidate = documents::result("chat", 1, &other, 9.0);
    documents::refit(&mut candidate["contract"], "slo", json!([OBJECTIVE]));
    answer(&mut candidate["data"]["runs"][0], "passed");
    campaign.append("theirs2.json", &candidate).ok();
    objective_met(&campaign, "round0", 90.0, &documents::ours(), |_| {});
    campaign
}

const OBJECTIVE: &str = "p50_ttft_ms<=2";

/// What a run says of the objective.
fn answer(run: &mut Value, status: &str) {
    let observed = run["latency"]["ttft_ms"]["p50"].clone();
    let rule = json!({"rule": OBJECTIVE, "observed": observed, "status": status, "requests_needed": null});
    run["slo"] = json!({"passed": status == "passed", "rules": [rule]});
}

/// A round in which every run answers, and ours as it is changed.
fn objective_round(percent: f64, ours: &FieldSet, change: impl Fn(&mut Value)) -> Vec<Value> {
    let documents = SCENARIOS.iter().map(|(scenario, _)| {
        let compare = Compare {
            ours: ours.clone(),
            ..Compare::at(scenario, percent)
        };
        let mut document = compare.document();
        for set in ["/contract", "/data/a/contract", "/data/b/contract"] {
            documents::refit(document.pointer_mut(set).unwrap(), "slo", json!([OBJECTIVE]));
        }
        for block in document["data"]["blocks"].as_array_mut().unwrap() {
            answer(&mut block["a"], "passed");
            answer(&mut block["b"], "passed");
            change(&mut block["a"]);
        }
        document
    });
    documents.collect()
}

fn objective_met(
    campaign: &Campaign,
    round: &str,
    percent: f64,
    ours: &FieldSet,
    change: impl Fn(&mut Value),
) {
    for (document, (scenario, _)) in objective_round(percent, ours, change).iter().zip(SCENARIOS) {
        campaign
            .append(&format!("{round}.{scenario}.json"), document)
            .ok();
    }
    decide(campaign, round, &[]).ok();
}

fn late(run: &mut Value) {
    run["latency"]["ttft_ms"]["p50"] = json!(9.0);
}

#[test]
fn speed_that_breaks_the_objective() {
    let campaign = under_objective();
    campaign.begin().ok();
    objective_met(&campaign, "round1", 99.0, &better(), |run| {
        late(run);
        answer(run, "failed");
    });
    campaign.end("kept").refused(1, "slo-broken");
}

#[test]
fn objective_left_out() {
    let campaign = under_objective();
    campaign.begin().ok();
    let documents = objective_round(99.0, &better(), |run| {
        late(run);
        run["slo"] = Value::Null;
    });
    campaign
        .append("c.json", &documents[0])
        .refused(5, "objective-not-measured");
}

#[test]
fn objective_said_to_be_met() {
    let campaign = under_objective();
    campaign.begin().ok();
    let documents = objective_round(99.0, &better(), |run| {
        late(run);
        answer(run, "passed");
    });
    campaign
        .append("c.json", &documents[0])
        .refused(7, "edited-numbers");
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
fn nothing_said_of_what_was_started() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    compared(&campaign, "round1", 95.0, &better());
    decide(&campaign, "round1", &[]).ok();
    let words = ["end", "--outcome", "kept", "--learned", "faster"];
    campaign.run(&words).refused(1, "launch-unnamed");
}

#[test]
fn a_launch_of_serve_bench_needs_no_pid() {
    let campaign = decided(90.0);
    campaign.begin().ok();
    for (scenario, _) in SCENARIOS {
        let document = Compare {
            ours: better(),
            is_clean: true,
            ..Compare::at(scenario, 95.0)
        }
        .document();
        campaign
            .append(&format!("round1.{scenario}.json"), &document)
            .ok();
    }
    decide(&campaign, "round1", &[]).ok();
    let words = ["end", "--outcome", "kept", "--learned", "faster"];
    campaign.run(&words).ok();
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
