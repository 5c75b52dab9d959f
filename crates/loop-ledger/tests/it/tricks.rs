//! What an agent under pressure would try. Every test is a row of TRICKS.md.

use std::fs;
use std::path::{Path, PathBuf};

use contracts::loop_ledger::entry::{Entry, GENESIS};
use contracts::loop_ledger::event::Event;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::campaign::Campaign;
use super::documents::{self, Compare, launch, ours, refit, theirs};

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger"))
}

fn begun() -> Campaign {
    let campaign = Campaign::begun(binary());
    campaign.history();
    campaign
}

fn measured() -> Campaign {
    Campaign::measured(binary(), 90.0)
}

/// A comparison of the first scenario, changed, as evidence.
fn changed(change: impl FnOnce(&mut Value)) -> super::campaign::Ended {
    let campaign = begun();
    let mut document = Compare::at("chat", 90.0).document();
    change(&mut document);
    campaign.append("c.json", &document)
}

fn each_run(document: &mut Value, change: impl Fn(&mut Value)) {
    for block in document["data"]["blocks"].as_array_mut().unwrap() {
        change(&mut block["a"]);
        change(&mut block["b"]);
    }
}

/// The file below the root.
fn in_root(campaign: &Campaign, name: &str) -> PathBuf {
    Path::new(&campaign.path("root")).join(name)
}

fn object(campaign: &Campaign, name: &str) -> PathBuf {
    let sha256 = campaign.sha256(name);
    loop_ledger::ledger::Root::new(campaign.path("root")).object(&sha256)
}

/// A stored file is read-only; whoever wants to replace it can.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All entries of a ledger with new hashes after a change, and a checkpoint that fits: a forger who knows the format.
fn rewrite(campaign: &Campaign, change: impl Fn(&mut Entry)) {
    let text = fs::read_to_string(in_root(campaign, "ledger.jsonl")).unwrap();
    let mut prev = GENESIS.to_owned();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut entry: Entry = serde_json::from_str(line).unwrap();
        change(&mut entry);
        entry.prev = prev;
        entry.hash = entry.expected_hash();
        prev = entry.hash.clone();
        lines.extend(loop_ledger::ledger::chain::line(&entry));
    }
    fs::write(in_root(campaign, "ledger.jsonl"), lines).unwrap();
    let checkpoint = json!({"entries": text.lines().count(), "head": prev});
    let checkpoint = serde_json::to_string_pretty(&checkpoint).unwrap() + "\n";
    fs::write(in_root(campaign, "checkpoint.json"), checkpoint).unwrap();
}

// The contract.

#[test]
fn changed_seed() {
    let campaign = begun();
    let document = Compare {
        seed: 2,
        ..Compare::at("chat", 110.0)
    }
    .document();
    campaign.append("c.json", &document).refused(7, "contract-drift");
}

#[test]
fn candidate_on_another_workload() {
    let campaign = begun();
    let document = documents::result("chat", 3, &theirs(), 5.0);
    campaign.append("r.json", &document).refused(7, "contract-drift");
}

#[test]
fn swapped_model_id() {
    changed(|document| {
        for set in ["/contract", "/data/a/contract", "/data/b/contract"] {
            refit(
                document.pointer_mut(set).unwrap(),
                "model.id",
                json!("Qwen/Qwen3-0.6B"),
            );
        }
    })
    .refused(7, "contract-drift");
}

#[test]
fn model_swapped_on_one_side() {
    changed(|document| {
        refit(
            &mut document["data"]["b"]["contract"],
            "model.id",
            json!("Qwen/Qwen3-32B"),
        )
    })
    .refused(7, "contract-drift");
}

#[test]
fn served_model_is_not_the_target() {
    changed(|document| document["data"]["a"]["target"]["served_model"] = json!("qwen3-0.6b"))
        .refused(7, "served-model");
}

#[test]
fn another_load_than_the_first_benchmark() {
    let campaign = measured();
    let mut document = documents::result("chat", 1, &launch("vllm", &[]), 5.0);
    let load = json!({"mode": "closed_loop", "concurrency": 1});
    refit(&mut document["contract"], "load", load);
    campaign.append("r.json", &document).refused(7, "contract-drift");
}

#[test]
fn looser_target_in_the_benchmark() {
    changed(|document| {
        for set in ["/contract", "/data/a/contract", "/data/b/contract"] {
            refit(document.pointer_mut(set).unwrap(), "margin_ratio", json!(0.5));
        }
    })
    .refused(7, "contract-drift");
}

#[test]
fn scenario_renamed() {
    changed(|document| document["data"]["workload"]["scenario"] = json!("slow")).refused(7, "contract-drift");
}

#[test]
fn diagnostic_workload() {
    let campaign = Campaign::bare(binary());
    campaign.write("d.jsonl", &documents::workload_jsonl(1, "diagnostic"));
    campaign.init("d.jsonl").refused(3, "workload-diagnostic");
}

#[test]
fn workload_header_with_another_hash() {
    let campaign = Campaign::bare(binary());
    let text = documents::workload_jsonl(1, "evidence").replace("1 0 50", "1 0 5");
    campaign.write("d.jsonl", &text);
    campaign.init("d.jsonl").refused(7, "workload-edited");
}

#[test]
fn slow_scenario_dropped_from_the_benchmark() {
    let campaign = begun();
    campaign.candidate(9.0);
    campaign
        .append("c.json", &Compare::at("chat", 99.0).document())
        .ok();
    campaign.begin().refused(1, "baseline-missing");
}

#[test]
fn fingerprint_left_as_it_was() {
    changed(|document| document["contract"]["fields"]["precision"]["value"] = json!("fp8"))
        .refused(7, "fingerprint-mismatch");
}

// The measurement.

#[test]
fn cached_prompts() {
    changed(|document| {
        each_run(document, |run| {
            run["tokens"]["cached"] = json!(run["tokens"]["input"].as_u64().unwrap() * 9 / 10);
        });
    })
    .refused(5, "cached-prompts");
}

#[test]
fn eighty_percent_success() {
    changed(|document| {
        each_run(document, |run| {
            run["requests"]["succeeded"] = json!(6);
            run["requests"]["failed"] = json!(2);
        });
    })
    .refused(5, "success-rate");
}

#[test]
fn invalid_runs_kept() {
    changed(|document| {
        each_run(document, |run| {
            run["valid"] = json!(false);
            run["invalid_reasons"] = json!(["client limited"]);
        });
    })
    .refused(5, "invalid-runs");
}

#[test]
fn edited_rate() {
    changed(|document| document["data"]["blocks"][3]["a"]["throughput"]["output_tps"] = json!(12e6))
        .refused(7, "edited-numbers");
}

#[test]
fn more_tokens_than_were_asked_for() {
    changed(|document| {
        let run = &mut document["data"]["blocks"][3]["a"];
        run["tokens"]["output"] = json!(1600);
        let rate = run["throughput"]["output_tps"].as_f64().unwrap();
        run["throughput"]["output_tps"] = json!(2.0 * rate);
    })
    .refused(7, "edited-numbers");
}

#[test]
fn window_left_out_so_that_the_rate_cannot_be_checked() {
    changed(|document| {
        let run = &mut document["data"]["blocks"][3]["a"];
        run["windows"]["full"] = Value::Null;
        run["throughput"]["output_tps"] = json!(15e6);
    })
    .refused(5, "no-window");
}

#[test]
fn one_good_block_copied() {
    changed(|document| {
        let blocks = document["data"]["blocks"].as_array_mut().unwrap();
        for number in 1..8 {
            blocks[number] = blocks[0].clone();
            blocks[number]["block"] = json!(number);
        }
    })
    .refused(7, "runs-overlap");
}

#[test]
fn bad_block_left_out() {
    changed(|document| {
        document["data"]["blocks"].as_array_mut().unwrap().remove(3);
    })
    .refused(7, "blocks-missing");
}

#[test]
fn imported_result() {
    let campaign = begun();
    let mut document = documents::result("chat", 1, &ours(), 12.0);
    document["data"]["imported_from"] = json!("vllm bench serve");
    campaign.append("r.json", &document).refused(5, "imported-result");
}

#[test]
fn document_of_an_interrupted_command() {
    changed(|document| document["complete"] = json!(false)).refused(5, "incomplete-document");
}

// The comparison.

#[test]
fn sides_swapped() {
    let campaign = begun();
    let document = Compare {
        ours: theirs(),
        theirs: ours(),
        ..Compare::at("chat", 120.0)
    }
    .document();
    campaign.append("c.json", &document).refused(7, "framework-drift");
}

#[test]
fn competitor_compared_with_itself() {
    let campaign = begun();
    let document = Compare {
        ours: theirs(),
        ..Compare::at("chat", 100.0)
    }
    .document();
    campaign.append("c.json", &document).refused(7, "framework-drift");
}

#[test]
fn ours_compared_with_itself() {
    let campaign = begun();
    let document = Compare {
        theirs: ours(),
        ..Compare::at("chat", 100.0)
    }
    .document();
    campaign.append("c.json", &document).refused(7, "framework-drift");
}

#[test]
fn untuned_competitor() {
    let campaign = begun();
    for scenario in ["chat", "slow"] {
        campaign
            .append("c.json", &Compare::at(scenario, 99.0).document())
            .ok();
    }
    campaign.begin().refused(1, "untuned-competitor");
}

#[test]
fn compared_with_the_slower_of_two_configurations() {
    let campaign = begun();
    campaign.candidate(13.0);
    for scenario in ["chat", "slow"] {
        campaign
            .append("c.json", &Compare::at(scenario, 99.0).document())
            .ok();
    }
    campaign.begin().refused(1, "untuned-competitor");
}

// Copies.

#[test]
fn copied_result_with_edited_bytes() {
    let campaign = begun();
    let mut document = Compare::at("chat", 90.0).document();
    campaign.append("c.json", &document).ok();
    document["summary"] = json!("measured again");
    campaign
        .append("again.json", &document)
        .refused(7, "evidence-copied");
}

#[test]
fn result_from_before_the_campaign() {
    let document = Compare::at("chat", 90.0).document();
    begun().append("c.json", &document).refused(7, "evidence-copied");
}

#[test]
fn result_from_the_future() {
    changed(|document| {
        each_run(document, |run| {
            for end in ["start_at", "end_at"] {
                let at: Timestamp = run["windows"]["full"][end].as_str().unwrap().parse().unwrap();
                run["windows"]["full"][end] = json!(at + SignedDuration::from_hours(1));
            }
        });
    })
    .refused(7, "evidence-from-the-future");
}

#[test]
fn profile_of_another_run() {
    let campaign = measured();
    let document = documents::profile("chat", &ours(), &campaign.sha256("history.yaml"));
    campaign.append("p.json", &document).refused(7, "other-run");
}

#[test]
fn profile_of_another_launch() {
    let campaign = measured();
    let other = launch("sglang", &[("max_running_requests", json!(1))]);
    let document = documents::profile("chat", &other, &campaign.sha256("round0.chat.json"));
    campaign.append("p.json", &document).refused(7, "other-run");
}

#[test]
fn root_cause_without_a_stored_value() {
    let campaign = measured();
    let text = format!(
        "schema: loop-ledger.root-cause/1\nscenario: chat\ncause: attention\nclaims:\n- {{claim: attention is slow, document: '{}', pointer: /data/a/name, value: trtllm}}\ntargets: []\n",
        campaign.sha256("round0.chat.json")
    );
    let path = campaign.write("rc.yaml", &text);
    campaign.run(&["append", &path]).refused(7, "claim-unfounded");
}

// The files.

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
    super::campaign::Ended {
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

// The rules.

#[test]
fn blocker_in_place_of_the_benchmark() {
    let campaign = begun();
    let words = ["blocker", "--phase", "baseline", "--what", "no time"];
    let mut command = campaign.command(&words);
    let output = command.args(["--", "serve-bench", "compare"]).output().unwrap();
    super::campaign::Ended {
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
