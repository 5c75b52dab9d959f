//! Tricks with the files of a root.

use super::*;

#[test]
fn edited_lock_file() {
    let campaign = begun();
    let lock = in_root(&campaign, "target.lock.json");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replace("\"attempts\": 3", "\"attempts\": 9")).unwrap();
    campaign.run(&["status"]).refused(7, "lock-edited");
}

#[test]
fn deleted_lock_file() {
    let campaign = begun();
    fs::remove_file(in_root(&campaign, "target.lock.json")).unwrap();
    campaign.run(&["status"]).refused(7, "lock-missing");
}

#[test]
fn deleted_ledger() {
    let campaign = begun();
    fs::remove_file(in_root(&campaign, "ledger.jsonl")).unwrap();
    campaign.run(&["status"]).refused(7, "ledger-missing");
}

#[test]
fn deleted_ledger_and_a_new_beginning() {
    let campaign = begun();
    fs::remove_file(in_root(&campaign, "ledger.jsonl")).unwrap();
    campaign.init("w.jsonl").refused(7, "ledger-missing");
}

#[test]
fn emptied_ledger_and_a_new_beginning() {
    let campaign = begun();
    fs::write(in_root(&campaign, "ledger.jsonl"), "").unwrap();
    campaign.init("w.jsonl").refused(7, "ledger-truncated");
}

#[test]
fn second_beginning_in_the_same_root() {
    begun().init("w.jsonl").refused(3, "campaign-exists");
}

#[test]
fn retarget_to_the_same_target() {
    let campaign = begun();
    let (target, workload, old) = (
        campaign.path("target.yaml"),
        campaign.path("w.jsonl"),
        campaign.path("root"),
    );
    let words = [
        "retarget",
        "--target",
        &target,
        "--workload",
        &workload,
        "--supersedes",
        &old,
        "--why",
        "more time",
        "--root",
        &campaign.path("fresh"),
    ];
    let output = std::process::Command::new(binary()).args(words).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
    .refused(3, "target-unchanged");
}

#[test]
fn deleted_checkpoint() {
    let campaign = begun();
    fs::remove_file(in_root(&campaign, "checkpoint.json")).unwrap();
    campaign.run(&["status"]).refused(7, "checkpoint-missing");
}

#[test]
fn truncated_ledger() {
    let campaign = begun();
    let path = in_root(&campaign, "ledger.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.lines().next().unwrap().to_owned() + "\n").unwrap();
    campaign.run(&["status"]).refused(7, "ledger-truncated");
}

#[test]
fn edited_entry() {
    let campaign = begun();
    let path = in_root(&campaign, "ledger.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("3f4ea9f", "3f4ea90")).unwrap();
    campaign.run(&["status"]).refused(7, "chain-broken");
}

#[test]
fn ledger_rewritten_with_its_old_checkpoint() {
    let campaign = begun();
    let checkpoint = fs::read(in_root(&campaign, "checkpoint.json")).unwrap();
    rewrite(&campaign, |entry| entry.actor.runtime = "claude".to_owned());
    fs::write(in_root(&campaign, "checkpoint.json"), checkpoint).unwrap();
    campaign.run(&["status"]).refused(7, "ledger-rewritten");
}

#[test]
fn ledger_rewritten_whole() {
    let campaign = begun();
    let head = campaign.run(&["status"]).ok()["data"]["head"]
        .as_str()
        .unwrap()
        .to_owned();
    campaign.run(&["verify", "--anchor", &head]).ok();
    rewrite(&campaign, |entry| {
        if let Event::Evidence(facts) = &mut entry.event {
            facts.summary = facts.summary.clone();
        }
        entry.written_at -= SignedDuration::from_mins(1);
    });
    campaign
        .run(&["verify", "--anchor", &head])
        .refused(7, "anchor-not-found");
}

#[test]
fn facts_rewritten_with_new_hashes() {
    let campaign = measured();
    rewrite(&campaign, |entry| {
        if let Event::Evidence(facts) = &mut entry.event
            && let Some(ours) = facts.sides.first_mut()
        {
            ours.runs = 99;
        }
    });
    campaign.run(&["verify"]).refused(7, "facts-differ");
}

#[test]
fn facts_without_a_document() {
    let campaign = measured();
    rewrite(&campaign, |entry| {
        if matches!(entry.event, Event::Evidence(_)) {
            entry.evidence.clear();
        }
    });
    campaign.run(&["verify"]).refused(7, "evidence-missing");
}

#[test]
fn clock_turned_back() {
    let campaign = begun();
    rewrite(&campaign, |entry| {
        entry.written_at += SignedDuration::from_hours(2)
    });
    campaign
        .run(&["idea", "--idea", "more time"])
        .refused(7, "clock-turned-back");
}

#[test]
fn evidence_file_replaced() {
    let campaign = measured();
    let mut better = Compare::at("chat", 120.0).document();
    better["summary"] = json!("better");
    replace(
        &object(&campaign, "round0.chat.json"),
        better.to_string().as_bytes(),
    );
    campaign.run(&["verify"]).refused(7, "evidence-replaced");
}

#[test]
fn evidence_file_deleted() {
    let campaign = measured();
    fs::remove_file(object(&campaign, "round0.chat.json")).unwrap();
    campaign.run(&["verify"]).refused(7, "evidence-replaced");
}

#[test]
fn workload_edited_after_the_result() {
    let campaign = measured();
    campaign.write("w.jsonl", &documents::workload_jsonl(9, "evidence"));
    campaign.run(&["verify"]).refused(7, "workload-edited");
}
