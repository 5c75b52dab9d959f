//! What people and agents see.

use clap::{CommandFactory as _, Parser as _};
use kernel_gate::cli::Args;
use serde_json::json;
use tempfile::TempDir;

use crate::evidence::{Evidence, row};
use crate::run::{document, ended, run, write};

#[test]
fn arguments_are_consistent() {
    Args::command().debug_assert();
    let help = cli_kit::command::<Args>().render_long_help().to_string();
    assert!(
        help.contains("Exit codes:") && help.contains("Examples:"),
        "{help}"
    );
}

#[test]
fn the_verdict_comes_first() {
    let (document, _) = Evidence::mixed().judge(&["--share", "20", "--claim", "1.5"]);
    let summary = document["summary"].as_str().expect("a summary");
    assert!(
        summary.starts_with("inconclusive: 2 rows: materially slower"),
        "{summary}"
    );
    assert!(
        summary.contains("Geometric mean 1.1") && summary.contains("the worst 0.909"),
        "{summary}"
    );
}

#[test]
fn many_rows_with_long_names_fit() {
    let folder = TempDir::new().expect("a folder");
    let lines: String = (0..300)
        .map(|at| {
            let id = format!("{at}-{}", "very-long-name-of-a-shape".repeat(6));
            let workload = json!({"id": id, "production": true});
            format!("{}\n", row(&workload, 100.0, 60.0 + f64::from(at) / 3.0, 7))
        })
        .collect();
    let results = write(&folder, "results.jsonl", &lines);
    for top in ["20", "1000"] {
        let (document, _) = ended(&["judge", &results, "--top", top]);
        assert_eq!(document["data"]["rows"].as_array().map(Vec::len), Some(300));
    }
}

#[test]
fn escapes_of_a_terminal_do_not_reach_it() {
    let folder = TempDir::new().expect("a folder");
    let workload = json!({"id": "a\u{1b}[31m|`b`\nc", "production": true});
    let results = write(
        &folder,
        "results.jsonl",
        &row(&workload, 100.0, 50.0, 7).to_string(),
    );
    let report = run(&["judge", &results]).expect("a report");
    let (terminal, markdown) = (report.view().to_terminal(), report.view().to_markdown());
    assert!(!terminal.contains('\u{1b}') && !markdown.contains('\u{1b}'));
}

#[test]
fn a_plan_interleaves_and_repeats_nothing() {
    let folder = TempDir::new().expect("a folder");
    let rows = write(
        &folder,
        "rows.json",
        r#"[{"id":"a"},{"id":"b","production":false}]"#,
    );
    let one = document(&["plan", "--workloads", &rows, "--trials", "6"]);
    let data = &one["data"];
    assert_eq!(data["rows"][0]["order"], "ABBAABBAABBA");
    assert_eq!(data["rows"][0]["seeds"].as_array().map(Vec::len), Some(6));
    // The frozen document gives the same plan.
    let frozen = run(&["freeze", &rows]).expect("it freezes");
    let path = write(&folder, "frozen.json", frozen.json());
    let two = document(&["plan", "--workloads", &path, "--trials", "6"]);
    assert_eq!(data, &two["data"]);
    let only = document(&["plan", "--workloads", &rows, "--only", "b", "--trials", "21"]);
    assert_eq!(only["data"]["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(only["data"]["workloads_sha256"], data["workloads_sha256"]);
}

#[test]
fn a_plan_has_a_size() {
    let folder = TempDir::new().expect("a folder");
    let many: Vec<String> = (0..2000).map(|at| format!(r#"{{"id":"{at}"}}"#)).collect();
    let rows = write(&folder, "rows.json", &format!("[{}]", many.join(",")));
    let failure = run(&["plan", "--workloads", &rows, "--trials", "1000"]).expect_err("it is refused");
    assert_eq!(failure.document.code, "gate-number-out-of-range");
    assert!(run(&["plan", "--workloads", &rows, "--trials", "500"]).is_ok());
    let beyond = [
        "kernel-gate",
        "plan",
        "--workloads",
        &rows,
        "--seed",
        "4294967296",
    ];
    assert!(Args::try_parse_from(beyond).is_err());
}

#[test]
fn a_contradicted_claim_is_seen_in_the_view() {
    let folder = TempDir::new().expect("a folder");
    let results = write(
        &folder,
        "results.jsonl",
        &row(&json!({"id": "a", "production": true}), 100.0, 80.0, 7).to_string(),
    );
    let view = |claim: &str| {
        let report = run(&["judge", &results, "--share", "10", "--claim", claim]).expect("a report");
        report.view().to_markdown()
    };
    let contradicted = view("1.25");
    for words in [
        "the claim of 1.25x is beyond it",
        "claim-beyond-amdahl",
        "is contradicted",
    ] {
        assert!(contradicted.contains(words), "{words}\n{contradicted}");
    }
    assert!(!view("1.02").contains("beyond"));
}
