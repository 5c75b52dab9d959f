//! The rows of a search: their measurements become evidence with them, all of them, as they were measured.

use std::fs;

use serde_json::{Value, json};

use super::{Campaign, Ended, documents};

fn begun() -> Campaign {
    let campaign = super::begun();
    fs::create_dir_all(campaign.path("search/results")).unwrap();
    campaign
}

/// A row, with its measurement where it has one.
fn row(campaign: &Campaign, id: usize, status: &str, fidelity: f64) -> Value {
    let mut results = json!([]);
    if status == "ok" {
        let launch = documents::launch("vllm", &[("max_num_seqs", json!(id))]);
        let name = format!("results/vllm-{id:04}.chat.json");
        let document = documents::result("chat", 1, &launch, 9.0 + id as f64 / 10.0);
        campaign.write(&format!("search/{name}"), &document.to_string());
        results = json!([{"scenario": "chat", "value": 1.0, "slo_passed": null, "metrics": {}, "document": name,
            "sha256": campaign.sha256(&format!("search/{name}"))}]);
    }
    json!({"schema": "config-search.candidate/1", "id": format!("vllm-{id:04}"), "framework": "vllm", "plan_sha256": "sha256:aa",
        "started_at": "2026-11-22T01:00:00Z", "step": "coverage", "params": {}, "status": status, "reason_code": null,
        "reason": null, "hint": null, "argv": [], "env_names": [], "versions": {}, "flags_accepted": null, "simulated": false,
        "results": results, "effort": {"wall_s": 1.0, "gpu_s": 1.0, "fidelity_ratio": fidelity}, "log_path": null})
}

fn append(campaign: &Campaign, rows: &[Value]) -> Ended {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = campaign.write("search/candidates.jsonl", &(lines.join("\n") + "\n"));
    campaign.run(&["append", &path])
}

fn three(campaign: &Campaign) -> Vec<Value> {
    vec![
        row(campaign, 1, "ok", 1.0),
        row(campaign, 2, "oom", 1.0),
        row(campaign, 3, "ok", 0.25),
        row(campaign, 4, "ok", 1.0),
    ]
}

#[test]
fn what_was_measured_in_full_counts_and_what_failed_is_kept() {
    let campaign = begun();
    let receipt = append(&campaign, &three(&campaign)).ok();
    let entries = receipt["data"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "two measurements and the rows: {receipt}");
    assert!(
        receipt
            .to_string()
            .contains("vllm 2 measured, 1 screened, 1 without a result"),
        "{receipt}"
    );
    campaign.run(&["verify"]).ok();
    // The same rows again add nothing.
    let again = campaign
        .run(&["append", &campaign.path("search/candidates.jsonl")])
        .ok();
    assert_eq!(again["data"]["already"], json!(true), "{again}");
    let status = campaign.run(&["status"]).ok();
    assert!(!status.to_string().contains("candidates-missing"), "{status}");
}

#[test]
fn a_measurement_of_a_search_is_edited() {
    let campaign = begun();
    let rows = three(&campaign);
    let path = campaign.path("search/results/vllm-0004.chat.json");
    fs::write(&path, fs::read_to_string(&path).unwrap() + " ").unwrap();
    append(&campaign, &rows).refused(7, "search-altered");
}

#[test]
fn a_bad_measurement_of_a_search_is_left_out() {
    let campaign = begun();
    let rows = three(&campaign);
    fs::remove_file(campaign.path("search/results/vllm-0004.chat.json")).unwrap();
    append(&campaign, &rows).refused(3, "input-unreadable");
}

#[test]
fn a_row_of_a_search_names_a_file_elsewhere() {
    let campaign = begun();
    let mut rows = three(&campaign);
    rows[0]["results"][0]["document"] = json!("../target.yaml");
    append(&campaign, &rows).refused(3, "search-path");
}

#[test]
fn rows_of_two_searches_are_put_together() {
    let campaign = begun();
    let malformed = campaign.write(
        "search/candidates.jsonl",
        "{\"schema\": \"config-search.candidate/1\"}\n",
    );
    campaign
        .run(&["append", &malformed])
        .refused(3, "input-malformed");
    let mut rows = three(&campaign);
    rows[1]["plan_sha256"] = json!("sha256:bb");
    append(&campaign, &rows).refused(7, "search-mixed");
}
