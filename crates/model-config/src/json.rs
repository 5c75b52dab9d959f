//! The text as a JSON object, and its numbers, lists and names.

use serde_json::{Map, Value};

use crate::error::ConfigError;

/// Longest text that is read. The longest real one seen has 3.1 MB (a list of layers that were not quantized).
pub(crate) const MAX_BYTES: usize = 32 << 20;

/// Parses what Python's `json` writes: `NaN` and infinities, which are no JSON, become null.
pub(crate) fn parse(text: &[u8]) -> Result<Map<String, Value>, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(ConfigError::TooLarge {
            bytes: text.len(),
            limit: MAX_BYTES,
        });
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value: Value = serde_json::from_slice(text)
        .or_else(|_| serde_json::from_slice(&without_infinities(text)))
        .map_err(|error| ConfigError::NotJson {
            line: error.line(),
            column: error.column(),
            // Without the position, which stands beside it.
            reason: error
                .to_string()
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned(),
        })?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(ConfigError::NotAnObject),
    }
}

/// The same text with `null` for each `NaN`, `Infinity` and `-Infinity` outside strings.
fn without_infinities(text: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some((&byte, after)) = rest.split_first() {
        let word = [&b"-Infinity"[..], b"Infinity", b"NaN"]
            .into_iter()
            .find(|word| rest.starts_with(word));
        match (in_string, byte, word) {
            (true, b'\\', _) => {
                let escape = rest.len().min(2);
                clean.extend_from_slice(&rest[..escape]);
                rest = &rest[escape..];
            }
            (false, _, Some(word)) => {
                clean.extend_from_slice(b"null");
                rest = &rest[word.len()..];
            }
            _ => {
                in_string ^= byte == b'"';
                clean.push(byte);
                rest = after;
            }
        }
    }
    clean
}

/// The first of the keys that has a whole number; a number with a fraction of zero is whole, and a negative one is none.
pub(crate) fn number(object: &Map<String, Value>, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| whole(object.get(*key)?))
}

/// A whole number.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        (float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64)
    })
}

/// True or false.
pub(crate) fn flag(object: &Map<String, Value>, key: &str) -> Option<bool> {
    object.get(key)?.as_bool()
}

/// A list that is there and not empty.
pub(crate) fn list<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a [Value]> {
    let list = object.get(key)?.as_array()?;
    (!list.is_empty()).then_some(list)
}

/// A list of whole numbers: an array, or a text of numbers with commas between them.
pub(crate) fn indices(object: &Map<String, Value>, key: &str) -> Option<Vec<u64>> {
    match object.get(key)? {
        Value::Array(entries) => entries.iter().map(whole).collect(),
        Value::String(text) => text.split(',').map(|part| part.trim().parse().ok()).collect(),
        _ => None,
    }
}

/// A text of the object, cleaned.
pub(crate) fn name(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(clean)
}

/// At most 64 characters of a text, without control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes_is_read() {
        let text =
            br#"{"time_step_limit": [0.0, Infinity], "low": -Infinity, "x": NaN, "s": "a \"NaN\" \\"}"#;
        let object = parse(text).unwrap();
        assert_eq!(object["time_step_limit"][1], Value::Null);
        assert_eq!(object["low"], Value::Null);
        assert_eq!(object["s"], r#"a "NaN" \"#);
        assert!(parse(b"\xef\xbb\xbf{}").unwrap().is_empty());
    }

    #[test]
    fn a_defect_is_placed_where_it_stands() {
        let error = parse(b"{\n  \"a\": Infinity,\n  \"b\": }").unwrap_err();
        let ConfigError::NotJson { line, reason, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(*line >= 2 && !reason.contains("line"), "{error}");
        assert_eq!(error.code(), "model-config-not-json");
        assert!(error.hint().contains("config.json"));
    }

    #[test]
    fn numbers_are_whole_and_not_negative() {
        let object = parse(br#"{"a": 3.0, "b": -1, "c": 2.5, "d": 1e300, "e": "4"}"#).unwrap();
        let read: Vec<_> = ["a", "b", "c", "d", "e"]
            .iter()
            .map(|key| number(&object, &[key]))
            .collect();
        assert_eq!(read, [Some(3), None, None, None, None]);
    }
}
