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
