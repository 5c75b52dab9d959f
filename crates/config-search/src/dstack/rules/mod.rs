//! Rules between the fields of one shape, and names that were once other names. Read after every field has its type.

mod run;
mod service;

use std::collections::BTreeSet;

use contracts::config_search::config_check::ConfigProblem;
use serde_json::{Map, Value};

use super::facts::{join, problem};
use super::forms::{boolean_of, integer_of};
use super::places::is_tag_key;
use super::sizes::gigabytes;

type Found = Vec<ConfigProblem>;

/// Fields under the names that the shape has, and what is wrong with the others.
pub(crate) fn normalized(
    shape: &str,
    object: &Map<String, Value>,
    path: &str,
) -> (Map<String, Value>, Found) {
    let mut object = object.clone();
    let mut found = vec![];
    match shape {
        "ReplicaGroup" => {
            if let Some(count) = object.remove("count") {
                object.entry("replicas").or_insert(count);
            }
        }
        // Groups once stood under `replicas`.
        "ServiceConfiguration" if !is_set(&object, "groups") => {
            if let Some(Value::Array(groups)) = object.get("replicas").cloned() {
                object.remove("replicas");
                object.insert("groups".to_owned(), Value::Array(groups));
            }
        }
        "CPUSpec" if !object.is_empty() && object.keys().all(|key| key == "min" || key == "max") => {
            object = Map::from_iter([("count".to_owned(), Value::Object(object))]);
        }
        "PresetConfiguration" => {
            let has = |name: &str| object.get(name).is_some_and(|value| !is_empty(value));
            match (has("base"), has("repo")) {
                (true, true) => found.push(both(path, "base", "repo")),
                (false, false) => {}
                (base, _) => {
                    let name = if base { "base" } else { "repo" };
                    if is_set(&object, "model") {
                        found.push(both(path, name, "model"));
                    }
                    let model = Map::from_iter([(name.to_owned(), object[name].clone())]);
                    object.remove("base");
                    object.remove("repo");
                    object.insert("model".to_owned(), Value::Object(model));
                }
            }
        }
        _ => {}
    }
    (object, found)
}

/// What is wrong between the fields of a shape.
pub(crate) fn of(shape: &str, value: &Value, path: &str) -> Found {
    if shape == "Env" {
        return names_twice(value, path);
    }
    let Some(object) = value.as_object() else {
        return vec![];
    };
    let mut found = match shape {
        "Range_int_" => range(object, path, |value| {
            integer_of(value).map(|number| number as f64)
        }),
        "Range_Memory_" => range(object, path, gigabytes),
        "FleetNodesSpec" => nodes(object, path),
        "RepoSpec" => exactly_one(object, path, "local_path", "url"),
        "ProfileRetry" => empty(object, path, "on_events"),
        "ProbeConfig" => body(object, path),
        "PresetAgentConfig"
            if object["provider"] == "codex" && object.get("effort") == Some(&"max".into()) =>
        {
            vec![rule(path, "`codex` has no effort `max`", "take `xhigh`")]
        }
        "PresetConfiguration" => preset(object, path),
        "DevEnvironmentConfiguration" => run::environment(object, path),
        "TaskConfiguration" => run::task(object, path),
        "ServiceConfiguration" => service::service(object, path),
        "ReplicaGroup" => service::replica_group(object, path),
        _ => vec![],
    };
    if matches!(
        shape,
        "DevEnvironmentConfiguration" | "TaskConfiguration" | "ServiceConfiguration"
    ) {
        found.extend(run::images(object, path));
        if count(object, "repos") > 1 {
            found.push(rule(
                &join(path, "repos"),
                "it has more than one repository",
                "leave one",
            ));
        }
    }
    found.extend(tags_and_options(object, path));
    found
}

pub(super) fn rule(path: &str, message: &str, hint: &str) -> ConfigProblem {
    problem(path, "config-rule", message.to_owned(), hint.to_owned())
}

pub(super) fn both(path: &str, one: &str, other: &str) -> ConfigProblem {
    rule(
        &join(path, other),
        &format!("`{one}` and `{other}` exclude each other"),
        &format!("leave one of `{one}` and `{other}`"),
    )
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        // Of a field of text a number is text.
        Value::Number(_) => false,
    }
}

/// Whether a field is there and not null.
pub(super) fn is_set(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_some_and(|value| !value.is_null())
}

pub(super) fn has(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_some_and(|value| !is_empty(value))
}

pub(super) fn is_true(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name) == Some(&Value::Bool(true))
}

/// Whether a switch is on, in whatever words.
pub(super) fn is_on(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).and_then(boolean_of) == Some(true)
}

pub(super) fn count(object: &Map<String, Value>, name: &str) -> usize {
    object.get(name).and_then(Value::as_array).map_or(0, Vec::len)
}

fn range(object: &Map<String, Value>, path: &str, read: impl Fn(&Value) -> Option<f64>) -> Found {
    let end = |name: &str| object.get(name).and_then(&read);
    match (end("min"), end("max")) {
        (None, None) => vec![rule(path, "its range has no end", "give `min`, `max` or both")],
        (Some(min), Some(max)) if min > max => {
            vec![rule(path, "its `min` is above its `max`", "turn them round")]
        }
        _ => vec![],
    }
}

fn nodes(object: &Map<String, Value>, path: &str) -> Found {
    let end = |name: &str| object.get(name).and_then(integer_of);
    let min = end("min").unwrap_or(0);
    let target = end("target").unwrap_or(min);
    let is_ordered = min >= 0 && target >= min && end("max").is_none_or(|max| target <= max);
    if is_ordered {
        return vec![];
    }
    vec![rule(
        path,
        "it is not 0 <= `min` <= `target` <= `max`",
        "put them in order",
    )]
}

fn exactly_one(object: &Map<String, Value>, path: &str, one: &str, other: &str) -> Found {
    match (has(object, one), has(object, other)) {
        (true, true) => vec![both(path, one, other)],
        (false, false) => vec![rule(
            path,
            &format!("it has neither `{one}` nor `{other}`"),
            &format!("give `{one}` or `{other}`"),
        )],
        _ => vec![],
    }
}

fn empty(object: &Map<String, Value>, path: &str, name: &str) -> Found {
    match object.get(name) {
        Some(Value::Array(list)) if list.is_empty() => {
            vec![rule(
                &join(path, name),
                &format!("`{name}` is empty"),
                "list something, or leave it out",
            )]
        }
        _ => vec![],
    }
}

fn body(object: &Map<String, Value>, path: &str) -> Found {
    let method = object.get("method").and_then(Value::as_str);
    if is_set(object, "body") && matches!(method, Some("get" | "head")) {
        return vec![rule(
            &join(path, "body"),
            "a request of this method has no body",
            "take `method: post`",
        )];
    }
    vec![]
}

fn preset(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = vec![];
    if is_set(object, "dataset") {
        for name in ["input_tokens", "output_tokens", "shared_prefix_tokens"] {
            if is_set(object, name) {
                found.push(both(path, "dataset", name));
            }
        }
    } else if let Some(shared) = object.get("shared_prefix_tokens").and_then(integer_of)
        && shared >= object.get("input_tokens").and_then(integer_of).unwrap_or(1024)
    {
        found.push(rule(
            &join(path, "shared_prefix_tokens"),
            "nothing is left of the prompt beside its prefix",
            "keep it below `input_tokens` (1024)",
        ));
    }
    found
}

fn tags_and_options(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = vec![];
    let tags = object.get("tags").and_then(Value::as_object);
    for key in tags
        .into_iter()
        .flat_map(Map::keys)
        .filter(|key| !is_tag_key(key))
    {
        found.push(rule(
            &join(path, &format!("tags.{key}")),
            "it is no key of a tag",
            "letters, digits, `_` and `-`, at most 60",
        ));
    }
    if count(object, "backend_options") > 1 {
        // There is one backend that has any.
        found.push(rule(
            &join(path, "backend_options"),
            "a backend is there twice",
            "leave one of its entries",
        ));
    }
    found
}

fn names_twice(value: &Value, path: &str) -> Found {
    let Some(list) = value.as_array() else {
        return vec![];
    };
    let mut names = BTreeSet::new();
    let mut found = vec![];
    for (at, entry) in list.iter().enumerate() {
        let entry = entry.as_str().unwrap_or_default();
        let name = entry.split('=').next().unwrap_or_default();
        if !names.insert(name) {
            found.push(rule(
                &format!("{path}[{at}]"),
                "the variable is there already",
                "leave one of them",
            ));
        }
    }
    found
}
