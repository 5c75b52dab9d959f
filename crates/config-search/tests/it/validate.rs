//! Plans that can run, and every problem of those that cannot.

use serde_json::{Value, json};

use crate::{document, plan, run, write};

#[test]
fn a_plan_that_can_run_shows_its_commands_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "plan.yaml", &plan());
    let (document, exit) = document(&["validate", &path]);
    assert_eq!(exit, 0);
    let framework = &document["data"]["plans"][0]["frameworks"][0];
    assert_eq!(framework["configurations"], 8);
    assert_eq!(framework["families"]["graphs"], json!(["--graph"]));
    let candidates = framework["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 5, "the baseline and each value");
    assert_eq!(candidates[0]["params"], json!({}));
    assert!(!document.to_string().contains("very-secret"));
    assert_eq!(
        document["next_actions"][0]["command"],
        json!(["config-search", "run", path])
    );
}

#[test]
fn every_problem_has_its_code() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 27] = [
        ("plan-no-model", |plan| plan["model"]["id"] = json!("")),
        ("plan-no-framework", |plan| plan["frameworks"] = json!([])),
        ("plan-no-scenario", |plan| plan["scenarios"] = json!([])),
        ("plan-names", |plan| plan["frameworks"][0]["name"] = json!("../x")),
        ("plan-budget", |plan| plan["budget"] = json!({"trials": 0})),
        ("plan-budget", |plan| {
            plan["budget"] = json!({"trials": 2, "wall_s": -1})
        }),
        ("plan-budget", |plan| {
            plan["budget"] = json!({"trials": 2, "gpu_s": 10})
        }),
        ("plan-screen", |plan| plan["screen_ratio"] = json!(1.5)),
        ("plan-screen", |plan| {
            plan["screen_ratio"] = json!(0.25);
            plan["scenarios"][0] = json!({"name": "chat"});
        }),
        ("plan-metric", |plan| plan["metric"] = json!("speed")),
        ("plan-file", |plan| plan["target"] = json!("missing.yaml")),
        ("plan-file", |plan| {
            plan["scenarios"][0] = json!({"name": "chat", "workload": "missing.jsonl"})
        }),
        ("plan-scenario", |plan| {
            plan["scenarios"][0]["args"] = json!(["--url", "http://x"])
        }),
        ("plan-space", |plan| {
            plan["frameworks"][0]["search_space"] = json!({})
        }),
        ("plan-space", |plan| {
            plan["frameworks"][0]["search_space"] = json!({"--a": 3})
        }),
        ("plan-launcher", |plan| {
            plan["frameworks"][0]["launcher"] = json!("rocket")
        }),
        ("plan-url", |plan| {
            plan["frameworks"][0]["launcher"] = json!("url");
            plan["frameworks"][0]["url"] = json!("");
            plan["frameworks"][0]["search_space"] = json!({});
        }),
        ("plan-command", |plan| {
            plan["frameworks"][0]["server_command"] = json!("serve --port {port}")
        }),
        ("plan-port", |plan| {
            plan["frameworks"][0]["server_command"] = json!(["serve"])
        }),
        ("plan-flag-twice", |plan| {
            plan["frameworks"][0]["env"] = json!({"THREADS": "3"});
            plan["frameworks"][0]["search_space"]["env.THREADS"] = json!(["1"]);
        }),
        ("plan-variable", |plan| {
            plan["frameworks"][0]["search_space"]["env.HF_TOKEN"] = json!(["1"]);
        }),
        ("plan-variable", |plan| {
            plan["frameworks"][0]["search_space"]["env.A B"] = json!(["1"]);
        }),
        ("plan-gpu", |plan| plan["frameworks"][0]["gpu"] = json!("h1000")),
        ("plan-preset", |plan| {
            plan["frameworks"][0]["preset"] = json!("vlm")
        }),
        ("plan-file", |plan| plan["model"]["config"] = json!("none.json")),
        ("plan-backend", |plan| {
            plan["frameworks"][0]["name"] = json!("tensorrt-llm")
        }),
        ("plan-context", |plan| {
            plan["frameworks"][0]["base_server_flags"] = json!(["--max-model-len=127"])
        }),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (code, change) in cases {
        let mut plan = plan();
        change(&mut plan);
        let path = write(folder.path(), "plan.yaml", &plan);
        let (document, exit) = document(&["validate", &path]);
        let problems = document["data"]["plans"][0]["problems"].as_array().unwrap();
        assert_eq!(exit, 1, "{code}: {plan}");
        assert!(
            problems.iter().all(|problem| problem["code"] == code),
            "{code}: {problems:?}"
        );
        assert!(!problems[0]["hint"].as_str().unwrap().is_empty());
        let failure = run(&["run", &path]).unwrap_err();
        assert_eq!(
            (failure.document.code.as_str(), failure.exit.code()),
            ("plan-refused", 3)
        );
    }
}

#[test]
fn flags_are_held_against_what_help_prints() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    plan["frameworks"][0]["help"] = json!("help.txt");
    plan["frameworks"][0]["base_server_flags"] = json!(["--tp-size", "-1"]);
    std::fs::write(
        folder.path().join("help.txt"),
        "  --batch N, -b N\n  --tp-size=N  [--graphs]\n",
    )
    .unwrap();
    let path = write(folder.path(), "plan.yaml", &plan);
    let (document, _) = document(&["validate", &path]);
    let problems = document["data"]["plans"][0]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0]["code"], "plan-unknown-flag");
    assert!(problems[0]["message"].as_str().unwrap().contains("--graph"));
}

#[test]
fn a_misspelt_field_is_refused_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let mut inner = plan();
    inner["frameworks"][0]["serch_space"] = json!({});
    let path = write(folder.path(), "plan.yaml", &inner);
    let (document, _) = document(&["validate", &path]);
    assert_eq!(
        document["data"]["plans"][0]["problems"][0]["code"],
        "plan-unknown-field"
    );
    let mut outer = plan();
    outer["framework"] = json!([]);
    let path = write(folder.path(), "plan.yaml", &outer);
    let failure = run(&["validate", &path]).unwrap_err();
    assert_eq!(failure.document.code, "input-unknown-field");
}
