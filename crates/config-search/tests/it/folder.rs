//! What lies in the folder of a search: rows that were kept, of this plan, readable.

use std::path::Path;

use serde_json::{Value, json};

use crate::{document, plan, run, write};

fn row(number: usize, params: Value, status: &str, value: f64) -> Value {
    let results = if status == "ok" {
        json!([{
            "scenario": "chat", "value": value, "slo_passed": null, "document": "results/x.json", "sha256": "0",
            "metrics": {"output_tps": value, "p50_ttft_ms": 1000.0 / value}
        }])
    } else {
        json!([])
    };
    let reason = if status == "ok" {
        Value::Null
    } else {
        json!("it says no")
    };
    json!({
        "schema": "config-search.candidate/1", "id": format!("sglang-{number:04}"), "framework": "sglang",
        "plan_sha256": "0", "started_at": "2026-01-01T00:00:00Z",
        "step": if number == 0 { "baseline" } else { "coverage" },
        "params": params, "status": status, "reason_code": reason, "reason": reason, "hint": null,
        "argv": ["serve"], "env_names": [], "versions": {}, "flags_accepted": null, "simulated": true,
        "results": results, "effort": {"wall_s": 2.0, "gpu_s": 4.0, "fidelity_ratio": 1.0}, "log_path": null
    })
}

/// A search whose rows are given, and its plan.
fn search(folder: &Path, rows: &[Value]) -> (String, String) {
    let path = write(folder, "plan.yaml", &plan());
    let dir = folder.join("s");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(&path, dir.join("plan.yaml")).unwrap();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(dir.join("candidates.jsonl"), lines.join("\n") + "\n").unwrap();
    (path, dir.display().to_string())
}

#[test]
fn a_report_says_what_is_best_what_failed_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        row(0, json!({}), "ok", 100.0),
        row(1, json!({"--batch": 4}), "ok", 130.0),
        row(2, json!({"--graph": true}), "oom", 0.0),
        row(3, json!({"--batch": 2}), "ok", 110.0),
    ];
    let (plan, dir) = search(folder.path(), &rows);
    for command in ["report", "status"] {
        let (document, exit) = document(&[command, &plan, "--dir", &dir]);
        assert_eq!(exit, 0);
        let data = &document["data"];
        assert_eq!(data["state"], "done");
        assert_eq!(data["best"][0]["candidate"], "sglang-0001");
        assert_eq!(data["best"][0]["gain_pct"], 30.0);
        assert_eq!(data["effort"][0]["failed"], 1);
        assert_eq!(data["causes"][0]["condition"], "--graph true");
        assert_eq!(data["failed"][0]["candidate"], "sglang-0002");
        assert_eq!(data["pareto"].as_array().unwrap().len(), 1);
        assert_eq!(document["warnings"][0]["code"], "coverage-incomplete");
        assert_eq!(document["next_actions"][0]["command"][1], "confirm");
    }
}

/// The verdict of a confirmation would be a tie, and then the baseline is kept: it has fewer flags.
#[test]
fn a_gain_within_the_margin_is_no_winner() {
    let folder = tempfile::tempdir().unwrap();
    let best = |value: f64| {
        let rows = [
            row(0, json!({}), "ok", 100.0),
            row(1, json!({"--batch": 4}), "ok", value),
        ];
        let (plan, dir) = search(folder.path(), &rows);
        document(&["report", &plan, "--dir", &dir]).0["data"]["best"][0]["candidate"].clone()
    };
    assert_eq!(best(100.9), "sglang-0000");
    assert_eq!(best(102.0), "sglang-0001");
}

#[test]
fn folders_that_are_none_of_this_plan_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, dir) = search(folder.path(), &[row(0, json!({}), "ok", 100.0)]);
    let code = |words: &[&str]| {
        let failure = run(words).unwrap_err();
        assert!(failure.document.hint.is_some());
        (failure.document.code.clone(), failure.exit.code())
    };
    assert_eq!(
        code(&["report", &plan, "--dir", "/nowhere"]),
        ("search-missing".to_owned(), 3)
    );
    assert_eq!(
        code(&["confirm", &plan, "--dir", &dir]),
        ("nothing-to-confirm".to_owned(), 3)
    );
    assert_eq!(
        code(&["run", &plan, "--dir", &dir, "--budget", "2"]),
        ("budget-malformed".to_owned(), 2)
    );
    std::fs::write(folder.path().join("s/candidates.jsonl"), "{}\n").unwrap();
    assert_eq!(
        code(&["report", &plan, "--dir", &dir]),
        ("candidate-malformed".to_owned(), 3)
    );
    std::fs::write(folder.path().join("s/plan.yaml"), "another").unwrap();
    assert_eq!(
        code(&["report", &plan, "--dir", &dir]),
        ("plan-changed".to_owned(), 7)
    );
}
