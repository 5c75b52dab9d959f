//! Configurations that dstack takes, and such that it does not: each is held against the real parser by
//! `tests/real/dstack_config.sh`, which takes them from `tests/real/dstack_configs.yaml`.

use serde_json::Value;

use super::facts::{self, FACTS};

const CASES: &str = include_str!("../../../../tests/real/dstack_configs.yaml");

fn problems(yaml: &str) -> Vec<String> {
    let value = cli_kit::yaml_value(yaml.as_bytes()).unwrap();
    facts::check(&value)
        .into_iter()
        .map(|found| format!("{} {}: {}; {}", found.path, found.code, found.message, found.hint))
        .collect()
}

#[test]
fn every_case_has_the_verdict_that_dstack_gives() {
    let cases = cli_kit::yaml_value(CASES.as_bytes()).unwrap();
    let mut wrong = vec![];
    for (verdict, takes) in [("good", true), ("bad", false)] {
        let list = cases[verdict].as_array().unwrap();
        assert!(list.len() > 20);
        for case in list {
            let found = facts::check(case);
            if found.is_empty() != takes {
                wrong.push(format!("{verdict}: {case}: {found:?}"));
            }
            assert!(
                found
                    .iter()
                    .all(|found| !found.message.is_empty() && !found.hint.is_empty())
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_form_that_the_facts_name_is_known() {
    fn walk(value: &Value, seen: &mut Vec<String>) {
        match value {
            Value::String(form) => seen.push(form.clone()),
            Value::Array(list) => list.iter().for_each(|value| walk(value, seen)),
            // Keys of `fields` are the names of fields; all else that is text is a form.
            Value::Object(object) => object
                .iter()
                .filter(|(key, _)| !["one_of", "of", "tag", "shape", "required"].contains(&key.as_str()))
                .for_each(|(_, value)| walk(value, seen)),
            _ => {}
        }
    }
    let facts: Value = serde_json::from_str(include_str!("facts.json")).unwrap();
    let mut forms = vec![];
    walk(&facts["shapes"], &mut forms);
    assert!(forms.len() > 200);
    for form in forms {
        let _ = super::forms::check(&FACTS, &form, &Value::Null, &Value::Null);
    }
}

#[test]
fn a_problem_says_where_and_what_to_do() {
    let found = problems("type: service\nport: 8000\ncommandz: [serve]\nresources: {gpu: {memry: 24GB}}\n");
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("commandz config-unknown-field")
                && line.ends_with("did you mean `commands`?")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("resources.gpu.memry config-unknown-field")),
        "{found:?}"
    );
    let found =
        problems("type: service\ncommands: [serve]\npython: 3.1\nspot_policy: cheap\nreplicas: lots\n");
    assert!(
        found.iter().any(|line| line.starts_with("port config-missing")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line.contains("one of spot, on-demand, auto")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line.contains("`lots` is not a number or a range")),
        "{found:?}"
    );
}

#[test]
fn a_secret_is_not_repeated() {
    let found = problems(
        "type: task\ncommands: [a]\nenv: {TOKEN: [very-secret], OTHER: true}\nregistry_auth: {username: a, password: {x: very-secret}}\n",
    );
    assert!(found.len() >= 2, "{found:?}");
    assert!(!found.concat().contains("very-secret"), "{found:?}");
}
