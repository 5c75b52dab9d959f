//! The inputs of an operator, from the text that the profiler wrote. They come from a file: what is not a list of shapes,
//! or too long, is unknown.

use serde_json::Value;
use torch_trace::{NameId, Trace};

/// Depth of lists: inputs, tensors of an input, dimensions.
const MAX_DEPTH: usize = 3;
/// Inputs that are kept.
const MAX_INPUTS: usize = 256;
/// Longest name of a type.
const TYPE_CAP: usize = 100;

/// Shapes or strides: lists of whole numbers, at most lists of lists of them.
pub(super) fn shapes(trace: &Trace, id: Option<NameId>) -> Option<Vec<Value>> {
    let inputs = list(trace.names.raw(id?))?;
    inputs.iter().all(|input| is_shape(input, 1)).then_some(inputs)
}

fn is_shape(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(list) => depth < MAX_DEPTH && list.iter().all(|inner| is_shape(inner, depth + 1)),
        Value::Number(number) => depth > 1 && (number.is_i64() || number.is_u64()),
        _ => false,
    }
}

/// Types: words, a list of tensors being one, too.
pub(super) fn types(trace: &Trace, id: Option<NameId>) -> Option<Vec<String>> {
    let inputs = list(trace.names.raw(id?))?;
    inputs
        .iter()
        .map(|input| match input {
            Value::String(name) => Some(contracts::text::clean(name, TYPE_CAP)),
            Value::Array(inner) => {
                let names: Option<Vec<&str>> = inner.iter().map(Value::as_str).collect();
                Some(contracts::text::clean(
                    &format!("[{}]", names?.join(", ")),
                    TYPE_CAP,
                ))
            }
            _ => None,
        })
        .collect()
}

fn list(text: &[u8]) -> Option<Vec<Value>> {
    let list: Vec<Value> = serde_json::from_slice(text).ok()?;
    (list.len() <= MAX_INPUTS).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> bool {
        list(text.as_bytes()).is_some_and(|list| list.iter().all(|input| is_shape(input, 1)))
    }

    #[test]
    fn shapes_are_lists_of_numbers_and_nothing_else() {
        for good in ["[]", "[[]]", "[[4, 8], []]", "[[[4, 8], [2]], [1]]"] {
            assert!(shape(good), "{good}");
        }
        for bad in [
            "[4]",
            "[[4.5]]",
            r#"[["4"]]"#,
            "[[[[1]]]]",
            r#"[{"a": 1}]"#,
            "[null]",
            "[[1",
            "",
        ] {
            assert!(!shape(bad), "{bad}");
        }
        assert!(!shape(&format!("[{}[]]", "[],".repeat(MAX_INPUTS))));
    }
}
