//! Files from anywhere: refused or accepted, never a panic.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use loop_ledger::accept;
use loop_ledger::ledger::{Ledger, Root};
use loop_ledger::state::State;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::campaign::Campaign;
use super::documents::{self, Compare, launch, ours};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1.7e308)),
        Just(json!(-1.7e308)),
        Just(json!(0)),
        Just(json!("2999-12-31T23:59:59Z")),
        Just(json!("-009999-01-02T01:59:59Z")),
        Just(json!("sha256:a\u{e9}")),
        Just(json!("../../../etc/passwd")),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<String, Value>>())),
        ]
    })
}

/// Every place of a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                places(
                    inner,
                    &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                places(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn root_cause(sha256: &str) -> Value {
    json!({"schema": "loop-ledger.root-cause/1", "scenario": "chat", "cause": "attention",
        "claims": [{"claim": "c", "document": sha256, "pointer": "/data/a/name", "value": "sglang"}], "targets": []})
}

#[test]
fn no_document_makes_the_judge_panic() {
    let campaign = Campaign::begun(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    campaign.history();
    let compare = Compare::at("chat", 90.0).document();
    campaign.append("c.json", &compare).ok();
    let sha256 = campaign.sha256("c.json");
    let mut chosen = documents::decision(&[("c.json".to_owned(), sha256.clone())]);
    chosen["data"]["plan"]["chosen_by"] = json!(["c.json"]);
    let valid = [
        Compare::at("slow", 90.0).document(),
        documents::result("chat", 1, &launch("vllm", &[]), 5.0),
        documents::profile("chat", &ours(), &sha256),
        chosen,
        root_cause(&sha256),
    ];
    let ledger = Ledger::read(&Root::new(campaign.path("root"))).unwrap();
    let state = State::now(&ledger);
    let judge = |bytes: &[u8]| {
        let _ = accept::judge(&ledger, &state, Path::new("d.json"), bytes);
    };
    let all: Vec<Vec<String>> = valid
        .iter()
        .map(|document| {
            let mut found = Vec::new();
            places(document, "", &mut found);
            found
        })
        .collect();
    let changes = (
        any::<prop::sample::Index>(),
        prop::collection::vec((any::<prop::sample::Index>(), json_value()), 1..4),
    );
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    };
    proptest!(config, |((which, changes) in changes, cut in any::<prop::sample::Index>(), whole in json_value(), bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,300}")| {
        let which = which.index(valid.len());
        let mut document = valid[which].clone();
        for (place, value) in changes {
            if let Some(found) = document.pointer_mut(&all[which][place.index(all[which].len())]) {
                *found = value;
            }
        }
        let changed = document.to_string();
        judge(changed.as_bytes());
        judge(&changed.as_bytes()[..cut.index(changed.len())]);
        judge(whole.to_string().as_bytes());
        judge(&bytes);
        judge(text.as_bytes());
        judge(format!("schema: loop-ledger.history/1\n{text}").as_bytes());
    });
    // Deep, wide, and recursive.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!(
            "{{\"schema\": {}{}}}",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        judge(deep.as_bytes());
        judge(&deep.as_bytes()[1..]);
    }
    judge("- ".repeat(100_000).as_bytes());
    judge(b"a: &a [*a, *a]\n");
    let bomb: String = (1..30)
        .map(|n| format!("x{n}: &x{n} [*x{}, *x{}, *x{}]\n", n - 1, n - 1, n - 1))
        .collect();
    judge(format!("schema: loop-ledger.history/1\nx0: &x0 lol\n{bomb}").as_bytes());
}

#[test]
fn no_target_makes_init_panic() {
    let campaign = Campaign::bare(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    let workload = campaign.path("w.jsonl");
    let target: Value = serde_json::from_str(
        &serde_json::to_string(&cli_kit::yaml_value(documents::target_yaml().as_bytes()).unwrap()).unwrap(),
    )
    .unwrap();
    let mut all = Vec::new();
    places(&target, "", &mut all);
    let lines: Vec<Value> = documents::workload_jsonl(1, "evidence")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(150)
    };
    proptest!(config, |(place in any::<prop::sample::Index>(), value in json_value(), line in any::<prop::sample::Index>(), field in any::<prop::sample::Index>(), inner in json_value(), text in ".{0,200}")| {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("root");
        let init = |target: &str, workload: &str| {
            let words = ["loop-ledger", "init", "--target", target, "--workload", workload, "--root", path.to_str().unwrap()];
            let _ = loop_ledger::run(loop_ledger::cli::Args::try_parse_from(words).unwrap());
            // What it made, if it made anything, reads.
            if path.join("ledger.jsonl").exists() {
                Ledger::read(&Root::new(&path)).unwrap();
                std::fs::remove_dir_all(&path).unwrap();
            }
        };
        let mut changed = target.clone();
        *changed.pointer_mut(&all[place.index(all.len())]).unwrap() = value;
        init(&campaign.write("t.json", &changed.to_string()), &workload);
        init(&campaign.write("t.yaml", &text), &workload);
        let mut lines = lines.clone();
        let line = line.index(lines.len());
        let mut fields = Vec::new();
        places(&lines[line], "", &mut fields);
        let field = fields[field.index(fields.len())].clone();
        *lines[line].pointer_mut(&field).unwrap() = inner;
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        init(&campaign.path("target.yaml"), &campaign.write("other.jsonl", &text.join("\n")));
    });
}

#[test]
fn odd_file_names_stay_data() {
    let campaign = Campaign::begun(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    let odd = campaign.write("a\u{1b}[31m\n\u{202e}b.yaml", documents::HISTORY_YAML);
    let document = campaign.run(&["append", &odd]).ok();
    let shown = document.to_string();
    assert!(
        !shown.contains("\\u001b") && !shown.contains('\u{202e}'),
        "{shown}"
    );
    campaign.run(&["verify"]).ok();
}
