//! Documents with anything in them: an error or a valid decision, never a panic.

use contracts::{Field, FieldSet};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{Desk, compare, contract, pairs, run, validate};

/// Pointers of all values in a document, containers included.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                pointers(
                    inner,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                pointers(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(0)),
        Just(json!(-1)),
        Just(json!(1e308)),
        Just(json!(1e-308)),
        Just(json!(u64::MAX)),
        Just(json!("")),
        Just(json!("\u{1b}[31m\u{202e}x")),
        Just(json!([])),
        Just(json!({})),
        Just(json!(true)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_document_ends_in_a_decision_or_an_error(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), strange()), 1..4),
        metric in prop::sample::select(vec!["output_tps", "goodput_rps", "p99_ttft_ms", "success_rate_ratio"]),
        ratio in prop_oneof![Just(1.0), Just(1e-200), Just(1e200)],
    ) {
        let mut document = compare(&pairs(ratio, 0.01, 9));
        for (index, value) in changes {
            let mut all = Vec::new();
            pointers(&document, "", &mut all);
            let at: &String = index.get(&all);
            *document.pointer_mut(at).unwrap() = value;
        }
        let desk = Desk::new();
        let path = desk.put("c.json", &document);
        match run(&["--compare", &path, "--metric", metric]) {
            Ok(report) => {
                validate(report.json(), "gap-decide.decision/1");
                let escapes = report.view().to_terminal().contains(char::from(27));
                prop_assert!(!escapes, "an escape reached the terminal");
                prop_assert!([0, 5].contains(&report.exit().code()));
            }
            Err(failure) => prop_assert!([3, 7].contains(&failure.exit.code()), "{failure:?}"),
        }
    }
}

#[test]
fn counts_that_do_not_add_up_are_no_crash() {
    for count in ["/tokens/output", "/requests/sent", "/requests/succeeded"] {
        let mut document = compare(&pairs(0.9, 0.01, 9));
        for run in document["data"]["blocks"].as_array_mut().unwrap() {
            *run["a"].pointer_mut(count).unwrap() = json!(u64::MAX);
        }
        let desk = Desk::new();
        let path = desk.put("c.json", &document);
        if let Err(failure) = run(&["--compare", &path, "--metric", "output_tps"]) {
            assert!([3, 7].contains(&failure.exit.code()), "{failure:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_name_of_a_field_acts_on_a_terminal(
        key in ".{0,8}(\u{1b}\\[2J|\u{1b}\\]0;x\u{7}|\n|\u{202e}|\u{9b}31m).{0,8}",
        place in prop::sample::select(vec!["unknown", "contract", "subject", "environment"]),
    ) {
        let mut document = compare(&pairs(0.9, 0.01, 9));
        let set = |value: Field| {
            let fields = FieldSet::new([(key.clone(), value)].into());
            serde_json::to_value(fields).unwrap()
        };
        let desk = Desk::new();
        let mut words = vec!["--compare".to_owned()];
        match place {
            "unknown" | "contract" => {
                for (side, value) in [("a", 1), ("b", 2)] {
                    let value = if place == "unknown" { Field::unknown() } else { Field::observed(value) };
                    let known = contract(&[(&key, value)]);
                    document["data"][side]["contract"] = serde_json::to_value(known).unwrap();
                }
            }
            _ => {
                let later: Vec<(f64, f64)> =
                    pairs(0.9, 0.01, 9).iter().map(|(a, b)| (1.1 * a, 1.1 * b)).collect();
                let mut later = compare(&later);
                for (document, value) in [(&mut document, 1), (&mut later, 2)] {
                    document["environment"] = set(Field::observed(value));
                    if place == "subject" {
                        document["data"]["a"]["subject"] = set(Field::observed(value));
                    }
                }
                words.push(desk.put("later.json", &later));
            }
        }
        words.push(desk.put("c.json", &document));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (texts, found) = match run(&words) {
            Ok(report) => (
                vec![report.view().to_terminal(), report.view().to_markdown()],
                report.json().contains("environment-differs") || place == "unknown",
            ),
            Err(failure) => (
                vec![failure.document.message.replace('\n', "\u{1b}")],
                ["contract-differs", "subject-differs"].contains(&failure.document.code.as_str()),
            ),
        };
        prop_assert!(found, "{place}: the field is not told");
        for text in texts {
            let bad = |c: char| (c.is_control() && c != '\n') || contracts::text::is_invisible(c);
            prop_assert!(!text.contains(bad), "{:?}", text);
        }
    }
}

#[test]
fn names_from_documents_never_reach_the_terminal_raw() {
    let hostile = json!("\u{1b}]0;owned\u{7}\u{1b}[31mevil");
    let mut document = compare(&pairs(0.9, 0.01, 9));
    for pointer in [
        "/data/a/name",
        "/data/b/name",
        "/data/workload/scenario",
        "/data/a/target/engine/version",
    ] {
        *document.pointer_mut(pointer).unwrap() = hostile.clone();
    }
    for pointer in [
        "/data/plan/command/3",
        "/data/plan/command/11",
        "/data/plan/workload",
    ] {
        *document.pointer_mut(pointer).unwrap() = hostile.clone();
    }
    let blocks = document
        .pointer_mut("/data/blocks")
        .unwrap()
        .as_array_mut()
        .unwrap();
    for block in blocks {
        block["a"]["slo"] = json!({"passed": false, "rules": [{"rule": hostile, "observed": null, "status": "failed", "requests_needed": null}]});
    }
    let desk = Desk::new();
    let report = run(&["--compare", &desk.put("c.json", &document)]).unwrap();
    for text in [
        report.view().to_terminal(),
        report.view().to_markdown(),
        report.json().to_owned(),
    ] {
        assert!(
            text.contains("evil") && !text.contains(['\u{1b}', '\u{7}']) && !text.contains("u001b"),
            "{text}"
        );
    }
}
