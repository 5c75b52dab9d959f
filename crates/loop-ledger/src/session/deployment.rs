//! A deployed configuration that is kept beside a session: YAML, without the value of a secret.

use contracts::subject::is_secret;
use serde_json::Value;

/// The name of the first variable whose secret value stands in the configuration.
pub(crate) fn secret(configuration: &Value) -> Option<String> {
    match configuration {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| match value.as_str() {
            Some(text) if is_secret(name) && is_value(text) => Some(name.clone()),
            _ => secret(value),
        }),
        Value::Array(items) => items.iter().find_map(secret),
        Value::String(text) => text
            .split_whitespace()
            .filter_map(|word| word.trim_matches(['"', '\'']).split_once('='))
            .find(|(name, value)| is_secret(name) && is_value(value))
            .map(|(name, _)| name.to_owned()),
        _ => None,
    }
}

/// A reference to a variable or a secret store is no value.
fn is_value(text: &str) -> bool {
    let text = text.trim_matches(['"', '\'']);
    !text.is_empty() && !text.starts_with('$')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_secrets_are_found_and_references_are_not() {
        for bad in [
            json!({"env": ["HF_TOKEN=hf_abc"]}),
            json!({"env": {"GRAPHSIGNAL_API_KEY": "abc"}}),
            json!({"commands": ["export HF_TOKEN='hf_abc' && serve"]}),
        ] {
            assert!(secret(&bad).is_some(), "{bad}");
        }
        for good in [
            json!({"env": ["HF_TOKEN", "HF_TOKEN=$HF_TOKEN", "MODEL_ID=x"]}),
            json!({"env": {"HF_TOKEN": "${{ secrets.hf_token }}"}, "port": 8000}),
        ] {
            assert_eq!(secret(&good), None, "{good}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_configurations_never_panic(key in any::<String>(), text in any::<String>()) {
            let _ = secret(&json!({&key: [text.clone(), {&key: text}]}));
        }
    }
}
