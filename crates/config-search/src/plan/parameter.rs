//! An entry of `search_space`: a list of values, or a type with a range, a family and a condition.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::space::{Param, Space};

/// Values taken of a range.
const LEVELS: u64 = 7;
/// Most values of a flag.
const MOST_LEVELS: usize = 64;
/// Most flags of a space.
const MOST_FLAGS: usize = 64;

/// The space of a plan.
///
/// # Errors
/// What is wrong, with the flag.
pub(crate) fn space(entries: &BTreeMap<String, Value>) -> Result<Space, String> {
    if entries.len() > MOST_FLAGS {
        return Err(format!(
            "it has {} flags, and at most {MOST_FLAGS} are searched",
            entries.len()
        ));
    }
    let mut params = Vec::new();
    let mut conditions = Vec::new();
    for (name, entry) in entries {
        let flag = flag(name);
        let (param, when) = parameter(&flag, entry).map_err(|why| format!("{flag}: {why}"))?;
        params.push(param);
        conditions.push(when);
    }
    let mut space = Space { params };
    for (at, when) in conditions.into_iter().enumerate() {
        for (other, wanted) in when {
            let other = flag(&other);
            let flag = space.params[at].flag.clone();
            let found = space
                .params
                .iter()
                .position(|param| param.flag == other && param.flag != flag);
            let found = found.ok_or(format!(
                "{flag}: `when` names {other}, which is no other flag of the space"
            ))?;
            let levels = levels_of(&space.params[found], &wanted);
            if levels.is_empty() {
                return Err(format!(
                    "{flag}: `when` wants a value of {other} that it never has"
                ));
            }
            space.params[at].when.push((found, levels));
        }
    }
    Ok(space)
}

/// What stands before the name of a variable that is searched.
pub(crate) const VARIABLE: &str = "env.";

/// The name with its dashes; that of a variable as it is.
pub(crate) fn flag(name: &str) -> String {
    if name.starts_with('-') || name.starts_with(VARIABLE) {
        name.to_owned()
    } else {
        format!("--{name}")
    }
}

/// Levels that a condition names: `set`, one value, or a list of them.
fn levels_of(param: &Param, wanted: &Value) -> Vec<usize> {
    let is_set = wanted.as_str() == Some("set");
    (0..param.levels.len())
        .filter(|level| match wanted {
            _ if is_set => *level != 0,
            Value::Array(list) => list.contains(&param.levels[*level]),
            value => *value == param.levels[*level],
        })
        .collect()
}

type When = Vec<(String, Value)>;

fn parameter(flag: &str, entry: &Value) -> Result<(Param, When), String> {
    let (mut values, ordered, family, when) = match entry {
        Value::Array(list) => (list.clone(), list.iter().all(Value::is_number), None, vec![]),
        Value::Object(object) => {
            const KNOWN: [&str; 7] = ["type", "values", "low", "high", "levels", "family", "when"];
            if let Some(key) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
                return Err(format!(
                    "`{}` is none of {}",
                    contracts::text::clean(key, 80),
                    KNOWN.join(", ")
                ));
            }
            let kind = object.get("type").and_then(Value::as_str).unwrap_or("choice");
            let list = object.get("values").and_then(Value::as_array).cloned();
            let (values, ordered) = match kind {
                "choice" => (list.ok_or("a choice needs `values`")?, false),
                "bool" => (vec![Value::Bool(true)], false),
                "int" | "log_int" | "float" => (range(kind, object)?, true),
                other => {
                    return Err(format!(
                        "`{}` is none of the types choice, int, log_int, float, bool",
                        contracts::text::clean(other, 80)
                    ));
                }
            };
            let family = object.get("family").and_then(Value::as_str).map(str::to_owned);
            let when: When = match object.get("when") {
                None | Some(Value::Null) => vec![],
                Some(Value::Object(when)) => when
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
                Some(_) => return Err("`when` is a map of flags to values".to_owned()),
            };
            (values, ordered, family, when)
        }
        _ => return Err("it is neither a list of values nor an object".to_owned()),
    };
    values.retain(|value| !value.is_null() && *value != Value::Bool(false));
    let mut levels = vec![Value::Null];
    for value in values {
        if !(value.is_string() || value.is_number() || value.is_boolean()) {
            return Err("a value is neither text, number nor true".to_owned());
        }
        if !levels.contains(&value) {
            levels.push(value);
        }
    }
    if levels.len() < 2 {
        return Err("it has no value to set".to_owned());
    }
    if levels.len() > MOST_LEVELS {
        return Err(format!("it has more than {MOST_LEVELS} values"));
    }
    let param = Param {
        flag: flag.to_owned(),
        family: family.unwrap_or_else(|| flag.trim_start_matches('-').to_owned()),
        levels,
        ordered,
        when: vec![],
    };
    Ok((param, when))
}

/// Values of a range: evenly spaced, or by equal factors.
fn range(kind: &str, object: &serde_json::Map<String, Value>) -> Result<Vec<Value>, String> {
    let bound = |name: &str| {
        object
            .get(name)
            .and_then(Value::as_f64)
            .filter(|value| value.is_finite())
            .ok_or(format!("`{kind}` needs `{name}`, a number"))
    };
    let (low, high) = (bound("low")?, bound("high")?);
    if low > high || (kind == "log_int" && low < 1.0) {
        return Err(format!("from {low} to {high} is no range of `{kind}`"));
    }
    let levels = match object.get("levels") {
        None => LEVELS,
        Some(levels) => levels
            .as_u64()
            .filter(|levels| (1..=MOST_LEVELS as u64).contains(levels))
            .ok_or(format!("`levels` is a number from 1 to {MOST_LEVELS}"))?,
    };
    let mut values: Vec<Value> = Vec::new();
    for at in 0..levels {
        let part = if levels > 1 {
            at as f64 / (levels - 1) as f64
        } else {
            1.0
        };
        let value = match kind {
            "log_int" => low * (high / low).powf(part),
            _ => low + (high - low) * part,
        };
        let value = if kind == "float" {
            Number::from_f64((value * 1e6).round() / 1e6)
                .map(Value::Number)
                .ok_or("a number is too large")?
        } else {
            Value::from(value.round() as i64)
        };
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Space, String> {
        let entries: BTreeMap<String, Value> = serde_json::from_value(value).unwrap();
        space(&entries)
    }

    #[test]
    fn lists_ranges_and_conditions_become_levels() {
        let space = read(json!({
            "--batch": {"type": "log_int", "low": 64, "high": 4096, "family": "batching"},
            "spec": ["ngram", null],
            "--draft": {"type": "int", "low": 1, "high": 3, "when": {"--spec": "set"}},
            "--graph": {"type": "bool"},
            "--mem": {"type": "float", "low": 0.7, "high": 0.9, "levels": 3}
        }))
        .unwrap();
        let of = |flag: &str| space.params.iter().find(|param| param.flag == flag).unwrap();
        assert_eq!(
            of("--batch").levels,
            [
                json!(null),
                json!(64),
                json!(128),
                json!(256),
                json!(512),
                json!(1024),
                json!(2048),
                json!(4096)
            ]
        );
        assert_eq!(of("--batch").family, "batching");
        assert_eq!(of("--spec").levels, [json!(null), json!("ngram")]);
        assert_eq!(of("--draft").levels.len(), 4);
        assert_eq!(of("--draft").when, [(4, vec![1])]);
        assert_eq!(of("--graph").levels, [json!(null), json!(true)]);
        assert_eq!(
            of("--mem").levels,
            [json!(null), json!(0.7), json!(0.8), json!(0.9)]
        );
    }

    #[test]
    fn what_is_no_parameter_is_said() {
        for (entry, word) in [
            (json!({"--a": 3}), "neither a list"),
            (json!({"--a": []}), "no value"),
            (json!({"--a": [null, false]}), "no value"),
            (json!({"--a": [[1]]}), "neither text"),
            (json!({"--a": {"type": "int", "low": 3}}), "`high`"),
            (json!({"--a": {"type": "int", "low": 3, "high": 1}}), "no range"),
            (
                json!({"--a": {"type": "log_int", "low": 0, "high": 1}}),
                "no range",
            ),
            (json!({"--a": {"type": "odd"}}), "types"),
            (json!({"--a": {"valuse": [1]}}), "valuse"),
            (
                json!({"--a": {"values": [1], "when": {"--b": 1}}}),
                "no other flag",
            ),
            (
                json!({"--a": {"values": [1], "when": {"--b": 9}}, "--b": [1]}),
                "never has",
            ),
            (
                json!({"--a": {"type": "int", "low": 0, "high": 9, "levels": 0}}),
                "levels",
            ),
        ] {
            let error = read(entry).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
