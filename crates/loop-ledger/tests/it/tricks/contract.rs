//! Tricks with what is measured: the contract, and the comparison.

use super::*;

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
    campaign.init("d.jsonl").refused(7, "workload-hash-mismatch");
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
