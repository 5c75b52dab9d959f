//! What a dstack configuration may hold, and a walk through one that says where it does not.
//!
//! `facts.json` was taken by `tests/real/dstack_facts.py` from the models of one release: shapes with fields, choices, limits.
//! Values are taken as leniently as dstack takes them: `"8000"` is a number, a number is text, `yes` is true.
//! It knows no file and no rule between fields; text of its own form is in `forms`, rules in `rules`.

use std::sync::LazyLock;

use contracts::config_search::config_check::ConfigProblem;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{forms, rules};

/// The facts of one release.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) source: String,
    pub(crate) version: String,
    /// `type` of a configuration -> shape.
    pub(crate) types: Map<String, Value>,
    shapes: Map<String, Value>,
}

/// The facts that this release was built with.
pub(crate) static FACTS: LazyLock<Facts> =
    LazyLock::new(|| serde_json::from_str(include_str!("facts.json")).expect("the facts are JSON"));

/// Deepest nesting that is followed.
const DEEPEST: usize = 24;

/// A problem at a path.
pub(crate) fn problem(path: &str, code: &str, message: String, hint: String) -> ConfigProblem {
    ConfigProblem {
        path: contracts::text::clean(path, 200),
        code: code.to_owned(),
        message: contracts::text::clean(&message, 400),
        hint: contracts::text::clean(&hint, 400),
    }
}

/// Everything wrong with a configuration.
pub(crate) fn check(value: &Value) -> Vec<ConfigProblem> {
    let facts = &*FACTS;
    let types = || facts.types.keys().cloned().collect::<Vec<_>>().join(", ");
    let Some(object) = value.as_object() else {
        return vec![problem(
            "",
            "config-type",
            format!("a configuration is a mapping, and this is {}", kind(value)),
            "begin with `type: service`, for example".to_owned(),
        )];
    };
    match object
        .get("type")
        .and_then(Value::as_str)
        .map(|name| (name, facts.types.get(name)))
    {
        Some((_, Some(Value::String(shape)))) => facts.shape(value, shape, "", 0),
        Some((name, _)) => vec![problem(
            "type",
            "config-choice",
            format!("`{name}` is no type of a configuration"),
            format!("there are {}", types()),
        )],
        None => vec![problem(
            "type",
            "config-missing",
            "it has no `type`".to_owned(),
            format!("one of {}", types()),
        )],
    }
}

impl Facts {
    /// The choices of a shape that is a list of them.
    pub(crate) fn choices(&self, shape: &str) -> Vec<&str> {
        let listed = self
            .shapes
            .get(shape)
            .and_then(|shape| shape.get("one_of"))
            .and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn shape(&self, value: &Value, name: &str, path: &str, depth: usize) -> Vec<ConfigProblem> {
        let Some(shape) = self.shapes.get(name) else {
            return vec![];
        };
        if shape.get("one_of").is_some() {
            return self.one(value, shape, path, depth);
        }
        if let Some(is) = shape.get("is") {
            let mut found = self.one(value, is, path, depth);
            found.extend(rules::of(name, value, path));
            return found;
        }
        let Some(object) = value.as_object() else {
            return vec![expected(path, "a mapping", value)];
        };
        let (object, mut found) = rules::normalized(name, object, path);
        found.extend(self.fields(&object, shape, path, depth));
        // A rule reads fields as they should be.
        if found.is_empty() {
            found = rules::of(name, &Value::Object(object), path);
        }
        found
    }

    fn fields(
        &self,
        object: &Map<String, Value>,
        shape: &Value,
        path: &str,
        depth: usize,
    ) -> Vec<ConfigProblem> {
        let none = Map::new();
        let fields = shape.get("fields").and_then(Value::as_object).unwrap_or(&none);
        let mut found = Vec::new();
        for (key, inner) in object {
            let path = join(path, key);
            match fields.get(key) {
                Some(ty) => found.extend(self.one(inner, ty, &path, depth + 1)),
                None => found.push(problem(
                    &path,
                    "config-unknown-field",
                    format!("there is no field `{key}` here"),
                    match nearest(key, fields.keys()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "its fields are {}",
                            fields.keys().cloned().collect::<Vec<_>>().join(", ")
                        ),
                    },
                )),
            }
        }
        let required = shape.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                found.push(problem(
                    &join(path, name),
                    "config-missing",
                    format!("`{name}` is missing"),
                    format!("add `{name}`"),
                ));
            }
        }
        found
    }

    /// A value against one type.
    fn one(&self, value: &Value, ty: &Value, path: &str, depth: usize) -> Vec<ConfigProblem> {
        if depth > DEEPEST {
            let message = "it is nested deeper than any configuration".to_owned();
            return vec![problem(path, "config-type", message, "flatten it".to_owned())];
        }
        match ty {
            Value::String(name) => self.scalar(value, name, &Value::Null, path),
            Value::Object(ty) => {
                if let Some(branches) = ty.get("any").and_then(Value::as_array) {
                    return self.any(value, branches, path, depth);
                }
                if let Some(name) = ty.get("shape").and_then(Value::as_str) {
                    return self.shape(value, name, path, depth);
                }
                if let Some(inner) = ty.get("list") {
                    return self.list(value, inner, ty, path, depth);
                }
                if let Some(inner) = ty.get("map") {
                    let Some(object) = value.as_object() else {
                        return vec![expected(path, "a mapping", value)];
                    };
                    let each =
                        |(key, value): (&String, &Value)| self.one(value, inner, &join(path, key), depth + 1);
                    return object.iter().flat_map(each).collect();
                }
                if let Some(choices) = ty.get("one_of").and_then(Value::as_array) {
                    return choice(value, choices, path);
                }
                if let Some(tag) = ty.get("tag").and_then(Value::as_str) {
                    return self.tagged(value, tag, ty.get("of"), path, depth);
                }
                let name = ty.get("scalar").and_then(Value::as_str).unwrap_or_default();
                self.scalar(value, name, &Value::Object(ty.clone()), path)
            }
            _ => vec![],
        }
    }

    fn scalar(&self, value: &Value, name: &str, limits: &Value, path: &str) -> Vec<ConfigProblem> {
        match forms::check(self, name, value, limits) {
            Ok(()) => vec![],
            Err(why) if value.is_object() || value.is_array() => vec![problem(
                path,
                "config-type",
                format!("it expects {}, and has {}", why.expects, kind(value)),
                format!("for example {}", why.example),
            )],
            Err(why) => vec![problem(
                path,
                "config-value",
                format!("{} is not {}", shown(value, path), why.expects),
                format!("for example {}", why.example),
            )],
        }
    }

    fn list(
        &self,
        value: &Value,
        inner: &Value,
        ty: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Vec<ConfigProblem> {
        let Some(list) = value.as_array() else {
            return vec![expected(path, "a list", value)];
        };
        let bound = |name: &str| ty.get(name).and_then(Value::as_u64);
        let count = list.len() as u64;
        if bound("min").is_some_and(|min| count < min) || bound("max").is_some_and(|max| count > max) {
            return vec![problem(
                path,
                "config-value",
                format!("it has {count} entries"),
                format!(
                    "it takes {}..{}",
                    bound("min").unwrap_or(0),
                    bound("max").map_or(String::new(), |max| max.to_string())
                ),
            )];
        }
        let each = |(at, value): (usize, &Value)| self.one(value, inner, &format!("{path}[{at}]"), depth + 1);
        list.iter().enumerate().flat_map(each).collect()
    }

    /// Fits one of several types; where none fits, what is nearest is said.
    fn any(&self, value: &Value, branches: &[Value], path: &str, depth: usize) -> Vec<ConfigProblem> {
        let tried: Vec<(&Value, Vec<ConfigProblem>)> = branches
            .iter()
            .map(|branch| (branch, self.one(value, branch, path, depth)))
            .collect();
        if tried.iter().any(|(_, found)| found.is_empty()) {
            return vec![];
        }
        // Where a mapping or a list is written, the branch for it says more than the others.
        let alike = |branch: &Value| match value {
            Value::Object(_) => ["shape", "map", "tag"]
                .iter()
                .any(|key| branch.get(key).is_some()),
            Value::Array(_) => branch.get("list").is_some(),
            _ => branch.is_string() && branch != "null" || branch.get("scalar").is_some(),
        };
        let choices: Vec<Value> = branches
            .iter()
            .filter_map(|branch| branch.get("one_of")?.as_array().cloned())
            .flatten()
            .collect();
        let near = tried.iter().filter(|(branch, _)| alike(branch));
        match near.min_by_key(|(_, found)| found.len()) {
            Some((_, found)) => found.clone(),
            None if !choices.is_empty() => choice(value, &choices, path),
            // What is left are branches of another kind, and null.
            None => tried
                .into_iter()
                .map(|(_, found)| found)
                .next()
                .unwrap_or_default(),
        }
    }

    fn tagged(
        &self,
        value: &Value,
        tag: &str,
        of: Option<&Value>,
        path: &str,
        depth: usize,
    ) -> Vec<ConfigProblem> {
        let Some(object) = value.as_object() else {
            return vec![expected(path, "a mapping", value)];
        };
        let none = Map::new();
        let of = of.and_then(Value::as_object).unwrap_or(&none);
        let hint = format!("one of {}", of.keys().cloned().collect::<Vec<_>>().join(", "));
        let path_of = join(path, tag);
        match object.get(tag) {
            None => vec![problem(
                &path_of,
                "config-missing",
                format!("`{tag}` is missing"),
                hint,
            )],
            Some(name) => match name
                .as_str()
                .and_then(|name| of.get(name))
                .and_then(Value::as_str)
            {
                Some(shape) => self.shape(value, shape, path, depth + 1),
                None => vec![problem(
                    &path_of,
                    "config-choice",
                    format!("{} is no {tag}", shown(name, path)),
                    hint,
                )],
            },
        }
    }
}

fn choice(value: &Value, choices: &[Value], path: &str) -> Vec<ConfigProblem> {
    if choices.contains(value) {
        return vec![];
    }
    let names: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
    vec![problem(
        path,
        "config-choice",
        format!("{} is none of its choices", shown(value, path)),
        format!("one of {}", names.join(", ")),
    )]
}

fn expected(path: &str, what: &str, value: &Value) -> ConfigProblem {
    let message = format!("it expects {what}, and has {}", kind(value));
    problem(path, "config-type", message, format!("write {what}"))
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// A value as a message may show it: what may be a secret is not shown.
fn shown(value: &Value, path: &str) -> String {
    if ["env", "registry_auth", "ssh_key"]
        .iter()
        .any(|part| path.contains(part))
    {
        return format!("its value, {},", kind(value));
    }
    match value {
        Value::String(text) => format!("`{}`", contracts::text::clean(text, 80)),
        Value::Null => "nothing".to_owned(),
        other => format!("`{}`", contracts::text::clean(&other.to_string(), 80)),
    }
}

pub(crate) fn join(path: &str, key: &str) -> String {
    let key = contracts::text::clean(key, 80);
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

/// The name within two edits, when there is one.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let name = contracts::text::clean(name, 40);
    names
        .map(|other| (edits(&name, other), other))
        .filter(|(edits, other)| *edits <= 2.min(other.len() / 2))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, other)| other)
}

/// Letters put in, left out or changed between two words.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
