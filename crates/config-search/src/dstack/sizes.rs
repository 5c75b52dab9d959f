//! Amounts as dstack writes them: durations, memory, ranges, CPUs, GPUs, versions.

use serde_json::Value;

use super::facts::Facts;
use super::forms::{integer_of, number_of, text};

pub(crate) fn is_off(value: &Value) -> bool {
    value.is_boolean() || value == "off"
}

/// Seconds of a duration.
pub(crate) fn seconds(value: &Value) -> Option<f64> {
    let Value::String(text) = value else {
        return number_of(value, false).map(f64::trunc);
    };
    if let Ok(seconds) = text.trim().replace('_', "").parse::<i64>() {
        return Some(seconds as f64);
    }
    let unit = text.chars().last()?;
    let factor = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        'd' => 86_400.0,
        'w' => 604_800.0,
        _ => return None,
    };
    let amount = text[..text.len() - 1].trim_end_matches(' ');
    let is_amount = !amount.is_empty() && amount.chars().all(|c| c.is_ascii_digit());
    is_amount.then(|| amount.parse::<f64>().ok().map(|amount| amount * factor))?
}

/// Gigabytes of a size.
pub(crate) fn gigabytes(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => {
            let text = text.replace(' ', "").to_lowercase();
            let (amount, factor) = [("tb", 1024.0), ("gb", 1.0), ("mb", 1.0 / 1024.0)]
                .iter()
                .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
                .unwrap_or((&text, 1.0));
            amount.parse::<f64>().ok().map(|amount| amount * factor)
        }
        other => number_of(other, false),
    }
}

/// The two ends of `a..b`; a text without dots is both.
fn ends(text: &str) -> Option<(Option<String>, Option<String>)> {
    if !text.contains("..") {
        return Some((Some(text.to_owned()), Some(text.to_owned())));
    }
    let text = text.replace(' ', "");
    let parts: Vec<&str> = text.split("..").collect();
    let [from, to] = parts[..] else { return None };
    let end = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some((end(from), end(to)))
}

pub(crate) fn memory_range(value: &Value) -> bool {
    let Value::String(text) = value else {
        return gigabytes(value).is_some();
    };
    let Some((from, to)) = ends(text) else {
        return false;
    };
    let read = |end: Option<String>| end.map(|end| gigabytes(&Value::String(end)));
    match (read(from), read(to)) {
        (Some(None), _) | (_, Some(None)) | (None, None) => false,
        (Some(Some(from)), Some(Some(to))) => from <= to,
        _ => true,
    }
}

/// The two ends of a range of whole numbers; null where it is open.
pub(crate) fn integer_range(value: &Value) -> Option<(Option<i64>, Option<i64>)> {
    let (from, to) = match value {
        Value::String(text) => {
            let (from, to) = ends(text)?;
            let read = |end: Option<String>| {
                end.map(|end| integer_of(&Value::String(end)).ok_or(()))
                    .transpose()
            };
            (read(from).ok()?, read(to).ok()?)
        }
        other => {
            let number = integer_of(other)?;
            (Some(number), Some(number))
        }
    };
    match (from, to) {
        (None, None) => None,
        (Some(from), Some(to)) if from > to => None,
        range => Some(range),
    }
}

pub(crate) fn nodes(value: &Value) -> bool {
    if value.as_f64().is_some_and(|number| number.fract() != 0.0) {
        return false;
    }
    integer_range(value).is_some_and(|(from, to)| from.unwrap_or(0) >= 0 && to.unwrap_or(0) >= 0)
}

/// Words between colons, none of them empty.
fn words(value: &Value) -> Option<Vec<String>> {
    let text = match value {
        Value::String(text) => text.replace(' ', ""),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        // In Python it is a number, too; as text it is a name of letters.
        Value::Bool(is) => is.to_string(),
        _ => return None,
    };
    let words: Vec<String> = text.split(':').map(str::to_owned).collect();
    words.iter().all(|word| !word.is_empty()).then_some(words)
}

pub(crate) fn is_architecture(facts: &Facts, name: &str) -> bool {
    facts
        .choices("CPUArchitecture")
        .contains(&name.to_lowercase().as_str())
}

pub(crate) fn cpu(value: &Value) -> bool {
    let Some(words) = words(value) else { return false };
    let is_count = |word: &&String| word.contains("..") || word.chars().all(|c| c.is_ascii_digit());
    let (counts, names): (Vec<&String>, Vec<&String>) = words.iter().partition(is_count);
    counts.len() <= 1
        && names.len() <= 1
        && counts
            .iter()
            .all(|word| integer_range(&Value::String((*word).clone())).is_some())
        && names
            .iter()
            .all(|word| ["x86", "arm"].contains(&word.to_lowercase().as_str()))
}

pub(crate) fn is_vendor(facts: &Facts, name: &str) -> bool {
    let name = name.to_lowercase();
    ["tpu", "tt"].contains(&name.as_str()) || facts.choices("AcceleratorVendor").contains(&name.as_str())
}

pub(crate) fn gpu(facts: &Facts, value: &Value) -> bool {
    let Some(words) = words(value) else { return false };
    let (mut vendors, mut names, mut sizes, mut counts) = (0, 0, 0, 0);
    for word in words {
        let value = Value::String(word.clone());
        let fits = if is_vendor(facts, &word) {
            vendors += 1;
            true
        } else if word.starts_with(char::is_alphabetic) {
            names += 1;
            word.split(',').all(|name| !name.is_empty())
        } else if word.contains(char::is_alphabetic) {
            sizes += 1;
            memory_range(&value)
        } else {
            counts += 1;
            integer_range(&value).is_some()
        };
        if !fits {
            return false;
        }
    }
    [vendors, names, sizes, counts].iter().all(|count| *count <= 1)
}

pub(crate) fn capability(value: &Value) -> bool {
    match value {
        Value::Array(parts) => parts.len() == 2 && parts.iter().all(|part| integer_of(part).is_some()),
        Value::Number(number) if !number.is_f64() => false,
        Value::Number(_) | Value::String(_) => text(value).is_some_and(|text| {
            let parts: Vec<&str> = text.trim().split('.').collect();
            parts.len() == 2 && parts.iter().all(|part| part.trim().parse::<i64>().is_ok())
        }),
        _ => false,
    }
}

pub(crate) fn python(facts: &Facts, value: &Value) -> bool {
    let name = match value {
        Value::String(name) => name.clone(),
        // Unquoted `3.10` is the number 3.1.
        Value::Number(number) if number.as_f64() == Some(3.1) => "3.10".to_owned(),
        Value::Number(number) if number.is_f64() => number.to_string(),
        _ => return false,
    };
    facts.choices("PythonVersion").contains(&name.as_str())
}
