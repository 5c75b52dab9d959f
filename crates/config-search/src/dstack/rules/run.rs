//! Rules of dev environments and tasks, and those that all runs share.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::facts::join;
use super::super::forms::text;
use super::{Found, both, has, is_empty, is_on, is_set, is_true, rule};

/// Where the container comes from: an image, a Python, or Docker in it.
pub(super) fn images(object: &Map<String, Value>, path: &str) -> Found {
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

pub(super) fn environment(object: &Map<String, Value>, path: &str) -> Found {
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

pub(super) fn task(object: &Map<String, Value>, path: &str) -> Found {
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

pub(super) fn something_to_run(object: &Map<String, Value>, path: &str) -> Found {
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
pub(super) fn groups_of(object: &Map<String, Value>, groups: &[Value], path: &str) -> Found {
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
