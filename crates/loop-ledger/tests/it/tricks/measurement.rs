//! Tricks with how it is measured, and with copies.

use super::*;

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
fn difference_of_two_models_or_stages() {
    let campaign = measured();
    let benchmark = campaign.sha256("round0.chat.json");
    // An honest one is evidence as soon as its phase is open.
    let document = documents::difference("chat", &ours(), &benchmark, None);
    campaign
        .append("d.json", &document)
        .refused(1, "decision-missing");
    for code in ["different-model", "different-stage"] {
        let document = documents::difference("chat", &ours(), &benchmark, Some(code));
        campaign.append("d.json", &document).refused(5, "forced-pair");
        // Without the warning it still says that it was forced.
        let mut silent = document;
        silent["warnings"] = json!([]);
        campaign.append("d.json", &silent).refused(5, "forced-pair");
    }
}

#[test]
fn kernel_evidence_that_calls_itself_invalid() {
    let campaign = measured();
    let mut document = documents::profile("chat", &ours(), &campaign.sha256("round0.chat.json"));
    document["schema"] = json!("kernel-gate.verdict/1");
    // Another verdict says something of the kernel; here its phase is not open yet.
    document["data"] = json!({"verdict": "reject"});
    campaign
        .append("k.json", &document)
        .refused(1, "decision-missing");
    document["data"] = json!({"verdict": "invalid"});
    campaign
        .append("k.json", &document)
        .refused(5, "kernel-evidence-invalid");
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
