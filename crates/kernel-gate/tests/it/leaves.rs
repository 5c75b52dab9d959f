//! Values of a document one by one.

use serde_json::Value;

/// JSON pointers of all values that are no object and no list, and of empty ones.
pub(crate) fn leaves(value: &Value) -> Vec<String> {
    let below = |name: String, value: &Value| -> Vec<String> {
        let paths = leaves(value).into_iter();
        paths.map(|path| format!("/{name}{path}")).collect()
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields = fields.iter();
            fields
                .flat_map(|(name, value)| below(name.replace('/', "~1"), value))
                .collect()
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items
                .flat_map(|(at, value)| below(at.to_string(), value))
                .collect()
        }
        _ => vec![String::new()],
    }
}

/// Takes a value out of its object or list.
pub(crate) fn remove(value: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('/').expect("a path");
    match value.pointer_mut(parent).expect("the parent is there") {
        Value::Object(fields) => drop(fields.remove(name).expect("it was there")),
        Value::Array(items) => drop(items.remove(name.parse().expect("a number"))),
        _ => unreachable!("a leaf has no parts"),
    }
}
