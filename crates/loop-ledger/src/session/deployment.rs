//! A deployed configuration that is kept beside a session: YAML, without the value of a secret.

use serde_json::Value;

/// The name of the first variable or flag whose secret value stands in the configuration.
pub(crate) fn secret(configuration: &Value) -> Option<String> {
    contracts::secret::redact(&mut configuration.clone())
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
            json!({"commands": ["vllm serve m --api-key sk-1"]}),
            json!({"args": ["serve", "--api-key", "sk-1"]}),
            json!({"env": {"DB_PASSWORD": 12345}}),
        ] {
            assert!(secret(&bad).is_some(), "{bad}");
        }
        for good in [
            json!({"env": ["HF_TOKEN", "HF_TOKEN=$HF_TOKEN", "MODEL_ID=x"]}),
            json!({"env": {"HF_TOKEN": "${{ secrets.hf_token }}"}, "port": 8000}),
            json!({"commands": ["vllm serve m --api-key $VLLM_API_KEY --max-num-seqs 8"]}),
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
