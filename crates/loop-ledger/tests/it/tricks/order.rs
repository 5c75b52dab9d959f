//! Tricks with the order of the loop.

use super::*;

#[test]
fn blocker_in_place_of_the_benchmark() {
    let campaign = begun();
    let words = ["blocker", "--phase", "baseline", "--what", "no time"];
    let mut command = campaign.command(&words);
    let output = command.args(["--", "serve-bench", "compare"]).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
    .refused(1, "not-blockable");
}

#[test]
fn end_without_a_verdict() {
    begun().run(&["done"]).lacks(1, "decision-missing");
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
