//! `--subject FILE`: what was changed, declared. YAML or JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::secret::{self, REDACTED, is_secret};
use crate::{Field, argv};

/// `sota-loop.subject/1`: engine, commit, launch argv, environment variables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Subject {
    /// `sota-loop.subject/1`.
    pub schema: String,
    /// Engine name.
    pub engine: Option<String>,
    /// Commit of the engine's source.
    pub commit: Option<String>,
    /// `sha256:` of the diff against that commit.
    pub diff_sha256: Option<String>,
    /// Launch command, one word an element.
    pub launch_argv: Vec<String>,
    /// Environment variables of the launch; `serve-bench compare --swap` sets them. A secret is named here with an empty
    /// value and taken from the environment of the caller; in documents the values of secrets are replaced.
    pub env: BTreeMap<String, String>,
    /// Anything else that is free to change.
    pub settings: BTreeMap<String, Value>,
}

impl Subject {
    /// The value of `schema`.
    pub const SCHEMA: &'static str = "sota-loop.subject/1";

    /// The subject fields that this file declares.
    pub fn fields(&self) -> BTreeMap<String, Field> {
        let mut fields = BTreeMap::new();
        for (field, value) in [
            ("engine.kind", &self.engine),
            ("engine.commit", &self.commit),
            ("engine.diff_sha256", &self.diff_sha256),
        ] {
            if let Some(value) = value {
                fields.insert(field.to_owned(), Field::declared(value.clone()));
            }
        }
        if !self.launch_argv.is_empty() {
            fields.insert(
                "launch.argv".to_owned(),
                Field::declared(json!(argv::redacted(&self.launch_argv))),
            );
        }
        if !self.env.is_empty() {
            let env: BTreeMap<&str, &str> = self
                .env
                .iter()
                .map(|(key, value)| {
                    (
                        key.as_str(),
                        if is_secret(key) { REDACTED } else { value.as_str() },
                    )
                })
                .collect();
            fields.insert("launch.env".to_owned(), Field::declared(json!(env)));
        }
        for (key, value) in &self.settings {
            let mut value = value.clone();
            if is_secret(key) {
                value = Value::from(REDACTED);
            } else {
                secret::redact(&mut value);
            }
            fields.insert(format!("settings.{key}"), Field::declared(value));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_pass() {
        let subject = Subject {
            env: [("HF_TOKEN".to_owned(), "hf_abc".to_owned())].into(),
            launch_argv: ["serve", "--api-key", "hf_abc", "--admin-api-key=hf_abc"]
                .map(str::to_owned)
                .to_vec(),
            settings: [
                ("api_key".to_owned(), json!("hf_abc")),
                ("kv".to_owned(), json!({"auth_token": "hf_abc"})),
            ]
            .into(),
            ..Subject::default()
        };
        let text = serde_json::to_string(&subject.fields()).unwrap();
        assert!(!text.contains("hf_abc"), "{text}");
        assert_eq!(text.matches(REDACTED).count(), 5, "{text}");
    }
}
