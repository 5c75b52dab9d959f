//! Every field that a skill, a prompt or the README names is one of the schemas.

use std::collections::BTreeSet;

use contracts::schema::PUBLISHED;
use serde_json::Value;

use crate::markdown::{fences, spans};
use crate::repository::{instructions, read};

fn schemas() -> Vec<Value> {
    PUBLISHED
        .iter()
        .map(|published| serde_json::from_str(published.text).unwrap())
        .collect()
}

/// Whether a path such as `data.runs[].latency.ttft_ms` leads somewhere in a schema.
fn leads(root: &Value, node: &Value, path: &[&str]) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return true;
    };
    if let Some(reference) = node.get("$ref").and_then(Value::as_str) {
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer));
        return target.is_some_and(|target| leads(root, target, path));
    }
    let branches = ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|key| node.get(key)?.as_array());
    if branches.flatten().any(|branch| leads(root, branch, path)) {
        return true;
    }
    let next = if *name == "[]" {
        node.get("items")
    } else {
        let property = node
            .get("properties")
            .and_then(|properties| properties.get(*name));
        property.or_else(|| node.get("additionalProperties").filter(|value| value.is_object()))
    };
    next.is_some_and(|next| leads(root, next, rest))
}

/// `a.b[].c` as `a`, `b`, `[]`, `c`.
fn segments(path: &str) -> Vec<&str> {
    path.split('.')
        .flat_map(|part| match part.strip_suffix("[]") {
            Some(name) => vec![name, "[]"],
            None => vec![part],
        })
        .collect()
}

fn exists(path: &str, schemas: &[Value]) -> bool {
    let path = segments(path);
    schemas.iter().any(|schema| leads(schema, schema, &path))
}

/// Property names and closed values of all schemas.
fn vocabulary(node: &Value, words: &mut BTreeSet<String>) {
    match node {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "properties" {
                    words.extend(
                        value
                            .as_object()
                            .into_iter()
                            .flatten()
                            .map(|(name, _)| name.clone()),
                    );
                }
                if key == "const" || key == "enum" {
                    words.extend(value.as_str().map(str::to_owned));
                    words.extend(
                        value
                            .as_array()
                            .into_iter()
                            .flatten()
                            .filter_map(Value::as_str)
                            .map(str::to_owned),
                    );
                }
                vocabulary(value, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| vocabulary(item, words)),
        _ => {}
    }
}

#[test]
fn every_field_path_exists() {
    let schemas = schemas();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for path in instructions() {
        for (line, span) in spans(&read(&path)) {
            let is_path = span.starts_with("data.") && !span.contains(' ');
            if is_path {
                checked += 1;
                if !exists(&span, &schemas) {
                    wrong.push(format!("{path}:{line}: no schema has `{span}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 20, "only {checked} field paths found");
}

#[test]
fn every_name_with_an_underscore_is_one_of_ours() {
    let mut words = BTreeSet::new();
    schemas().iter().for_each(|schema| vocabulary(schema, &mut words));
    words.extend(contracts::metric::HEADLINE.map(str::to_owned));
    let mut wrong = Vec::new();
    for path in instructions() {
        for (line, span) in spans(&read(&path)) {
            let snake = span.contains('_')
                && span
                    .bytes()
                    .all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit())
                && span.starts_with(|c: char| c.is_ascii_lowercase());
            if snake && !words.contains(&span) && contracts::metric::Metric::parse(&span).is_err() {
                wrong.push(format!(
                    "{path}:{line}: neither a field, a closed value nor a metric: `{span}`"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_target_and_subject_shown_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for path in instructions() {
        for fence in fences(&read(&path))
            .iter()
            .filter(|fence| fence.language == "yaml")
        {
            let file = folder.path().join("shown.yaml");
            std::fs::write(&file, &fence.body).unwrap();
            let place = format!("{path}:{}", fence.line);
            if fence.body.contains("sota-loop.target/1") {
                let read = cli_kit::load_yaml::<contracts::target::Target>(&file, "sota-loop.target/1");
                let (target, _) =
                    read.unwrap_or_else(|failure| panic!("{place}: {}", failure.document.message));
                for rule in &target.slo {
                    let known = rule
                        .split_once(['<', '>'])
                        .map(|(name, _)| contracts::metric::Metric::parse(name));
                    assert!(matches!(known, Some(Ok(_))), "{place}: rule {rule}");
                }
            } else if fence.body.contains("sota-loop.subject/1") {
                let read = cli_kit::load_yaml::<contracts::subject::Subject>(&file, "sota-loop.subject/1");
                read.unwrap_or_else(|failure| panic!("{place}: {}", failure.document.message));
            } else if fence.body.contains(contracts::loop_ledger::root_cause::SCHEMA) {
                let value = cli_kit::yaml_value(fence.body.as_bytes())
                    .unwrap_or_else(|what| panic!("{place}: {what}"));
                let read = serde_json::from_value::<contracts::loop_ledger::root_cause::RootCause>(value);
                read.unwrap_or_else(|error| panic!("{place}: {error}"));
            } else if fence.body.contains(contracts::loop_ledger::history::SCHEMA) {
                let value = cli_kit::yaml_value(fence.body.as_bytes())
                    .unwrap_or_else(|what| panic!("{place}: {what}"));
                let read = serde_json::from_value::<contracts::loop_ledger::history::History>(value);
                read.unwrap_or_else(|error| panic!("{place}: {error}"));
            } else if fence.body.contains(contracts::config_search::plan::SCHEMA) {
                let value = cli_kit::yaml_value(fence.body.as_bytes())
                    .unwrap_or_else(|what| panic!("{place}: {what}"));
                let read = serde_json::from_value::<contracts::config_search::plan::Plan>(value);
                read.unwrap_or_else(|error| panic!("{place}: {error}"));
            } else {
                panic!("{place}: a YAML block says which schema it is of");
            }
            checked += 1;
        }
    }
    assert!(checked > 0, "no target file is shown anywhere");
}

#[test]
fn paths_are_really_followed() {
    let schemas = schemas();
    assert!(exists("data.runs[].latency.ttft_ms.p50", &schemas));
    assert!(
        exists("data.aggregate.output_tps.cv_pct", &schemas),
        "maps have any key"
    );
    assert!(!exists("data.runs[].latency.ttft_msec", &schemas));
    assert!(!exists("data.runs.latency", &schemas), "a list needs []");
}
