//! Every committed document validates against the published schema that it names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::repository::{files_below, read};

/// Checks one JSON value that names a schema of ours.
pub(crate) fn check(place: &str, value: &Value) {
    let id = value["schema"]
        .as_str()
        .unwrap_or_else(|| panic!("{place} has no `schema`"));
    check_as(place, id, value);
}

/// Checks one JSON value against a published schema.
pub(crate) fn check_as(place: &str, id: &str, value: &Value) {
    let published = contracts::schema::find(id).unwrap_or_else(|| panic!("{place}: {id} is not published"));
    let schema = serde_json::from_str(published.text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{place} is no {id}:\n{}", errors.join("\n"));
}

/// Checks a JSONL file, whose header names the schema of all its lines.
pub(crate) fn check_lines(place: &str, text: &str) {
    let mut id = None;
    let mut validators = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{place}:{}: {e}", number + 1));
        let id =
            id.get_or_insert_with(|| header_schema(&value).unwrap_or_else(|| panic!("{place}: no header")));
        let validator = validators.entry(id.clone()).or_insert_with(|| {
            let published =
                contracts::schema::find(id).unwrap_or_else(|| panic!("{place}: {id} is not published"));
            jsonschema::validator_for(&serde_json::from_str(published.text).unwrap()).unwrap()
        });
        if let Err(error) = validator.validate(&value) {
            panic!("{place}:{} is no {id}: {error}", number + 1);
        }
    }
    assert!(id.is_some(), "{place} is empty");
}

/// The schema stands in the header itself, or one level down where lines are tagged by their kind.
fn header_schema(value: &Value) -> Option<String> {
    let inner = value.as_object()?.values().find_map(|inner| inner.get("schema"));
    value.get("schema").or(inner)?.as_str().map(str::to_owned)
}

/// What a campaign's root holds beside documents: files rendered in the formats of others, the ledger's own state, and the
/// contracts of its rounds. The ledger itself checks them (`loop-ledger verify`).
const RENDERED: [&str; 10] = [
    "/benchmark/candidates.jsonl",
    "/humanize/lineage.jsonl",
    "/checkpoint.json",
    "/manifest.json",
    "/contract.json",
    "/diagnostics.json",
    // What a harness measured, which `kernel-gate judge` reads; crates/kernel-gate/tests/it/schemas.rs holds it against its schema.
    "/kernel-ab/output/aa.jsonl",
    "/kernel-ab/output/results.jsonl",
    "/kernel-ab/output/cached.jsonl",
    "/kernel-ab/output/remembered.jsonl",
];

#[test]
fn committed_documents_validate() {
    let mut paths = files_below("examples");
    paths.extend(files_below("sessions"));
    for path in paths
        .iter()
        .filter(|path| path.contains("/output/") || path.starts_with("sessions/examples/"))
        .filter(|path| !RENDERED.iter().any(|rendered| path.ends_with(rendered)))
    {
        if path.ends_with(".json") {
            check(path, &serde_json::from_str(&read(path)).unwrap());
        } else if path.ends_with(".jsonl") {
            check_lines(path, &read(path));
        }
    }
}

#[test]
fn committed_targets_and_subjects_are_read() {
    let mut paths = files_below("examples");
    paths.extend(files_below("sessions"));
    let mut targets = 0;
    for path in paths
        .iter()
        .filter(|path| path.ends_with(".yaml") || path.ends_with(".yml"))
    {
        let full = crate::repository::root().join(path);
        let text = read(path);
        let failure = if text.contains("sota-loop.target/1") {
            targets += 1;
            cli_kit::load_yaml::<contracts::target::Target>(&full, "sota-loop.target/1").err()
        } else if text.contains("sota-loop.subject/1") {
            cli_kit::load_yaml::<contracts::subject::Subject>(&full, "sota-loop.subject/1").err()
        } else {
            continue;
        };
        assert!(failure.is_none(), "{path}: {failure:?}");
    }
    assert!(targets > 0, "no example declares a target");
}
