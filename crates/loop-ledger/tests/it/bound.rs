//! Profiles that are bound to a side of a stored comparison, as `--for COMPARE --side NAME` binds them.

use std::path::PathBuf;

use cli_kit::BindArgs;
use serde_json::{Value, json};

use super::campaign::Campaign;
use super::documents::{self, Compare};

/// The profile that a tool would write for this side.
fn profile_of(path: &str, side: &str) -> Value {
    let bind = BindArgs {
        for_result: Some(PathBuf::from(path)),
        side: Some(side.to_owned()),
    };
    let bound = bind.read(None, false).unwrap().unwrap();
    let mut document = documents::profile("chat", &bound.subject, "");
    document["contract"] = serde_json::to_value(bound.contract).unwrap();
    document["inputs"] = json!([bound.input]);
    document
}

/// A stored comparison whose other side does not know a field of the contract.
fn compared(campaign: &Campaign) -> String {
    let mut document = Compare::at("chat", 90.0).document();
    let contract = &mut document["data"]["b"]["contract"];
    contract["fields"].as_object_mut().unwrap().remove("sampling");
    documents::refit(contract, "precision", json!("bf16"));
    let fingerprint = contract["fingerprint"].clone();
    assert_ne!(fingerprint, document["contract"]["fingerprint"]);
    campaign.append("c.json", &document).ok();
    campaign.path("c.json")
}

#[test]
fn either_side_of_a_stored_comparison_can_be_explained() {
    let campaign = Campaign::measured(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")), 90.0);
    let path = compared(&campaign);
    for side in ["a", "b", "vllm"] {
        let ended = campaign.append(&format!("{side}.json"), &profile_of(&path, side));
        // What is refused is the phase, for want of a verdict: the binding is read before.
        ended.refused(1, "decision-missing");
        // Telemetry and what memory allows are evidence of the same phase.
        for schema in ["telemetry-fetch.window/1", "capacity-plan.report/1"] {
            let mut document = profile_of(&path, side);
            document["schema"] = json!(schema);
            let ended = campaign.append(&format!("{side}.{}.json", schema.replace('/', "-")), &document);
            ended.refused(1, "decision-missing");
        }
    }
}

#[test]
fn the_contract_of_one_side_with_the_subject_of_the_other_is_another_run() {
    let campaign = Campaign::measured(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")), 90.0);
    let path = compared(&campaign);
    let mut document = profile_of(&path, "b");
    document["subject"] = profile_of(&path, "a")["subject"].clone();
    campaign.append("p.json", &document).refused(7, "other-run");
}
