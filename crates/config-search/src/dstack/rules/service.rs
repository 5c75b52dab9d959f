//! Rules of services: replicas, groups of them, and what is said of both.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::facts::join;
use super::super::forms::{integer_of, text};
use super::super::sizes::integer_range;
use super::run::{groups_of, images, something_to_run};
use super::{Found, both, has, is_on, is_set, is_true, rule};

pub(super) fn service(object: &Map<String, Value>, path: &str) -> Found {
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

pub(super) fn replica_group(object: &Map<String, Value>, path: &str) -> Found {
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
