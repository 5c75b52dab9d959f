//! Rules between the fields of one shape, and names that were once other names. Read after every field has its type.

use std::collections::BTreeSet;

use contracts::config_search::config_check::ConfigProblem;
use serde_json::{Map, Value};

use super::facts::{join, problem};
use super::forms::{boolean_of, integer_of, text};
use super::places::is_tag_key;
use super::sizes::{gigabytes, integer_range};

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
        "DevEnvironmentConfiguration" => environment(object, path),
        "TaskConfiguration" => task(object, path),
        "ServiceConfiguration" => service(object, path),
        "ReplicaGroup" => replica_group(object, path),
        _ => vec![],
    };
    if matches!(
        shape,
        "DevEnvironmentConfiguration" | "TaskConfiguration" | "ServiceConfiguration"
    ) {
        found.extend(images(object, path));
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

fn rule(path: &str, message: &str, hint: &str) -> ConfigProblem {
    problem(path, "config-rule", message.to_owned(), hint.to_owned())
}

fn both(path: &str, one: &str, other: &str) -> ConfigProblem {
    rule(
        &join(path, other),
        &format!("`{one}` and `{other}` exclude each other"),
        &format!("leave one of `{one}` and `{other}`"),
    )
}

fn is_empty(value: &Value) -> bool {
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
fn is_set(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_some_and(|value| !value.is_null())
}

fn has(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_some_and(|value| !is_empty(value))
}

fn is_true(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name) == Some(&Value::Bool(true))
}

/// Whether a switch is on, in whatever words.
fn is_on(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).and_then(boolean_of) == Some(true)
}

fn count(object: &Map<String, Value>, name: &str) -> usize {
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

/// Where the container comes from: an image, a Python, or Docker in it.
fn images(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = vec![];
    if has(object, "image") && is_set(object, "python") {
        found.push(both(path, "image", "python"));
    }
    for other in ["image", "python", "nvcc"] {
        let is_there = if other == "nvcc" {
            is_on(object, other)
        } else {
            has(object, other)
        };
        if is_true(object, "docker") && is_there {
            found.push(both(path, other, "docker"));
        }
    }
    found
}

fn environment(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = vec![];
    if is_set(object, "entrypoint") {
        found.push(rule(
            &join(path, "entrypoint"),
            "a dev environment has no `entrypoint`",
            "leave it out, or make it a task",
        ));
    }
    let version = object.get("version").and_then(text).unwrap_or_default();
    if !version.is_empty() && !is_set(object, "ide") {
        found.push(rule(
            &join(path, "version"),
            "`version` is that of an IDE, and there is none",
            "name the `ide`",
        ));
    }
    let is_commit = |version: &str| {
        version.rsplit_once('@').is_some_and(|(name, commit)| {
            !name.is_empty()
                && !commit.is_empty()
                && commit
                    .chars()
                    .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
        })
    };
    if object.get("ide") == Some(&"windsurf".into()) && !version.is_empty() && !is_commit(&version) {
        found.push(rule(
            &join(path, "version"),
            "a version of windsurf is VERSION@COMMIT",
            "for example 1.106.0@8951cd3a",
        ));
    }
    let is_off = |value: &Value| value.is_boolean() || value.is_null() || value == "off";
    if is_on(object, "dstack")
        && object
            .get("inactivity_duration")
            .is_some_and(|value| !is_off(value))
    {
        found.push(both(path, "dstack", "inactivity_duration"));
    }
    found
}

fn task(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = vec![];
    if is_set(object, "groups") && is_set(object, "nodes") {
        found.push(both(path, "nodes", "groups"));
    }
    let Some(groups) = object.get("groups").and_then(Value::as_array) else {
        found.extend(something_to_run(object, path));
        return found;
    };
    for name in ["commands", "ports", "entrypoint"] {
        let is_there = if name == "entrypoint" {
            is_set(object, name)
        } else {
            has(object, name)
        };
        if is_there {
            found.push(rule(
                &join(path, name),
                &format!("`{name}` stands beside `groups`"),
                "put it into each group",
            ));
        }
    }
    found.extend(groups_of(object, groups, path));
    found
}

fn something_to_run(object: &Map<String, Value>, path: &str) -> Found {
    if has(object, "commands") || has(object, "image") {
        return vec![];
    }
    vec![rule(
        &join(path, "commands"),
        "it has neither `commands` nor `image`",
        "give `commands`, or an `image` that runs by itself",
    )]
}

/// Names once each, and something to run in each.
fn groups_of(object: &Map<String, Value>, groups: &[Value], path: &str) -> Found {
    let path = join(path, "groups");
    if groups.is_empty() {
        return vec![rule(&path, "`groups` is empty", "list a group, or leave it out")];
    }
    let mut found = vec![];
    let mut names = BTreeSet::new();
    for (at, group) in groups.iter().enumerate() {
        let name = group.get("name").and_then(text).unwrap_or_else(|| at.to_string());
        if !names.insert(name) {
            found.push(rule(
                &format!("{path}[{at}].name"),
                "another group has the name",
                "give each group its own name",
            ));
        }
        let runs = group.get("commands").is_some_and(|commands| !is_empty(commands))
            || group.get("image").is_some_and(|image| !image.is_null())
            || is_set(object, "image");
        if !runs {
            found.push(rule(
                &format!("{path}[{at}]"),
                "the group has nothing to run",
                "give it `commands`, or an `image`",
            ));
        }
    }
    found
}

fn service(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = replicas(object, path);
    for (list, key) in [("rate_limits", Some("prefix")), ("probes", None)] {
        let entries = object
            .get(list)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let keys: Vec<String> = entries
            .iter()
            .map(|entry| match key {
                Some(key) => entry.get(key).and_then(text).unwrap_or_else(|| "/".to_owned()),
                None => entry.to_string(),
            })
            .collect();
        if keys.iter().collect::<BTreeSet<_>>().len() < keys.len() {
            found.push(rule(
                &join(path, list),
                &format!("an entry of `{list}` is there twice"),
                "leave one of them",
            ));
        }
    }
    if is_set(object, "groups") && is_set(object, "replicas") {
        found.push(both(path, "replicas", "groups"));
    }
    let Some(groups) = object.get("groups").and_then(Value::as_array) else {
        found.extend(something_to_run(object, path));
        return found;
    };
    for name in ["scaling", "commands"] {
        if has(object, name) {
            found.push(rule(
                &join(path, name),
                &format!("`{name}` stands beside `groups`"),
                "put it into each group",
            ));
        }
    }
    found.extend(groups_of(object, groups, path));
    found.extend(levels(object, groups, path));
    let routers: Vec<&Value> = groups
        .iter()
        .filter(|group| group.get("router").is_some_and(|router| !router.is_null()))
        .collect();
    if routers.len() > 1 {
        found.push(rule(
            &join(path, "groups"),
            "more than one group has a `router`",
            "leave one of them",
        ));
    }
    if let [router] = routers[..]
        && router
            .get("replicas")
            .or(router.get("count"))
            .and_then(replica_range)
            != Some((Some(1), Some(1)))
    {
        found.push(rule(
            &join(path, "groups"),
            "the group with the `router` has not one replica",
            "take `replicas: 1`",
        ));
    }
    found
}

/// What is said of the whole service and of a group at once.
fn levels(object: &Map<String, Value>, groups: &[Value], path: &str) -> Found {
    const EXCLUDE: [(&str, &[&str]); 7] = [
        ("image", &["image", "docker", "python", "nvcc"]),
        ("docker", &["docker", "image", "python", "nvcc"]),
        ("python", &["python", "image", "docker"]),
        ("nvcc", &["nvcc", "image", "docker"]),
        ("privileged", &["privileged"]),
        ("spot_policy", &["spot_policy"]),
        ("reservation", &["reservation"]),
    ];
    let mut found = vec![];
    for (name, others) in EXCLUDE {
        let is_here = match name {
            "docker" | "privileged" | "nvcc" => is_on(object, name),
            _ => is_set(object, name),
        };
        for other in others {
            let is_there = |group: &Value| group.get(other).is_some_and(|value| !value.is_null());
            if is_here && groups.iter().any(is_there) {
                found.push(rule(
                    &join(path, name),
                    &format!("`{name}` of the service and `{other}` of a group exclude each other"),
                    "say it in one place",
                ));
            }
        }
    }
    found
}

fn replica_group(object: &Map<String, Value>, path: &str) -> Found {
    let mut found = replicas(object, path);
    found.extend(images(object, path));
    if object.get("privileged") == Some(&Value::Bool(false)) && is_true(object, "docker") {
        found.push(rule(
            &join(path, "privileged"),
            "Docker in a container is privileged",
            "leave `privileged` out",
        ));
    }
    found
}

fn replica_range(value: &Value) -> Option<(Option<i64>, Option<i64>)> {
    match value {
        Value::Object(range) => {
            let end = |name: &str| range.get(name).and_then(integer_of);
            Some((end("min"), end("max")))
        }
        other => integer_range(other),
    }
}

/// A range scales, a number does not.
fn replicas(object: &Map<String, Value>, path: &str) -> Found {
    let Some((min, max)) = object.get("replicas").and_then(replica_range) else {
        return vec![];
    };
    let at = join(path, "replicas");
    let min = min.unwrap_or(0);
    let Some(max) = max else {
        return vec![rule(
            &at,
            "its largest number of replicas is missing",
            "for example `0..4`",
        )];
    };
    if min < 0 {
        return vec![rule(&at, "it is below 0", "for example `0..4`")];
    }
    match (min == max, is_set(object, "scaling")) {
        (false, false) => vec![rule(
            &at,
            "a range of replicas needs `scaling`",
            "give `scaling`, or one number",
        )],
        (true, true) => vec![rule(
            &join(path, "scaling"),
            "one number of replicas does not scale",
            "give `replicas` a range",
        )],
        _ => vec![],
    }
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
