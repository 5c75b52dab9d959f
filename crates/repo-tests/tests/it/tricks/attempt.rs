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
