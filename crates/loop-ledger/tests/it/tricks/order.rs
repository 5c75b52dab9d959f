//! Tricks with the order of the loop.

use super::*;

#[test]
fn blocker_in_place_of_the_benchmark() {
    let campaign = begun();
    let words = ["blocker", "--phase", "baseline", "--what", "no time"];
    let mut command = campaign.command(&words);
    let output = command.args(["--", "serve-bench", "compare"]).output().unwrap();
    assert!(output.status.success(), "what is missing may be said: {output:?}");
    campaign.begin().refused(1, "baseline-missing");
}

#[test]
fn end_without_a_verdict() {
    begun().run(&["done"]).lacks(1, "decision-missing");
}

#[test]
fn giving_up_by_declaration() {
    begun()
        .run(&["done", "--state", "evidence_untrusted", "--why", "it is late"])
        .lacks(1, "evidence-missing");
}

/// What is missing for one phase, recorded; then an end that it does not carry.
fn ended_by_a_blocker_of(phase: &str, state: &str) -> Ended {
    let campaign = begun();
    let words = ["blocker", "--phase", phase, "--what", "not here"];
    let output = campaign.command(&words).args(["--", "nsys"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    campaign.run(&["done", "--state", state, "--why", "it is late"])
}

#[test]
fn blocked_by_what_a_campaign_can_do_without() {
    ended_by_a_blocker_of("profile", "blocked").lacks(1, "evidence-missing");
}

#[test]
fn untrusted_for_want_of_a_profiler() {
    ended_by_a_blocker_of("profile", "evidence_untrusted").lacks(1, "evidence-missing");
}

#[test]
fn what_cannot_go_on_may_end() {
    for state in ["blocked", "evidence_untrusted"] {
        let ended = ended_by_a_blocker_of("baseline", state).ok();
        assert_eq!(ended["data"]["terminal"], state, "{ended}");
    }
}

#[test]
fn change_before_the_benchmark() {
    begun().begin().refused(1, "baseline-missing");
}

#[test]
fn benchmark_before_the_history() {
    let campaign = Campaign::begun(binary());
    let document = Compare::at("chat", 90.0).document();
    campaign.append("c.json", &document).refused(1, "history-missing");
}

#[test]
fn stop_file_ignored() {
    let campaign = begun();
    fs::write(in_root(&campaign, "STOP"), "").unwrap();
    let document = Compare::at("chat", 90.0).document();
    campaign.append("c.json", &document).refused(1, "stop-asked");
}

#[test]
fn ended_campaign_goes_on() {
    let campaign = begun();
    fs::write(in_root(&campaign, "STOP"), "").unwrap();
    campaign.run(&["done"]).ok();
    fs::remove_file(in_root(&campaign, "STOP")).unwrap();
    campaign
        .run(&["idea", "--idea", "one more"])
        .refused(1, "campaign-ended");
    let document = Compare::at("chat", 90.0).document();
    campaign.append("c.json", &document).refused(1, "campaign-ended");
}

fn init_for(target: &str) -> Ended {
    let campaign = Campaign::bare(binary());
    campaign.write("target.yaml", target);
    campaign.init("w.jsonl")
}

#[test]
fn threshold_that_no_gap_reaches() {
    let target = documents::target_yaml().replace("threshold_ratio: 0.01", "threshold_ratio: 1.5");
    init_for(&target).refused(3, "target-contradicts");
}

#[test]
fn competitor_that_no_benchmark_can_name() {
    let target = documents::target_yaml().replace("[vllm]", "[some-engine]");
    init_for(&target).refused(3, "target-contradicts");
}
