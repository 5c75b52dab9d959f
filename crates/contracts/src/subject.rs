//! `--subject FILE`: what was changed, declared. YAML or JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Field;

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
    /// Environment variables of the launch; `serve-bench compare --swap` sets them. In documents the values of secrets are
    /// replaced.
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
            fields.insert("launch.argv".to_owned(), Field::declared(json!(self.launch_argv)));
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
            fields.insert(format!("settings.{key}"), Field::declared(value.clone()));
        }
        fields
    }
}

/// What documents show instead of a secret.
pub const REDACTED: &str = "<secret>";

/// Whether the value of a variable or of a flag must never reach a document or a log: `HF_TOKEN`, `api-key`, but not
/// `max-total-tokens` or `TOKENIZER`.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    let last = name.rsplit('_').next().unwrap_or(&name);
    matches!(
        last,
        "KEY" | "APIKEY" | "TOKEN" | "PASSWD" | "CREDENTIAL" | "CREDENTIALS" | "AUTHORIZATION"
    ) || name.contains("PASSWORD")
        || name.contains("SECRET")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_a_secret() {
        for name in [
            "HF_TOKEN",
            "TOKEN",
            "x_api_key",
            "--api-key",
            "OPENAI_APIKEY",
            "DB_PASSWORD",
            "CLIENT_SECRET",
            "PROXY_AUTHORIZATION",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "TOKENIZER",
            "max-total-tokens",
            "KEYS",
            "TOKENIZERS_PARALLELISM",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_do_not_pass() {
        let subject = Subject {
            env: [("HF_TOKEN".to_owned(), "hf_abc".to_owned())].into(),
            ..Subject::default()
        };
        let text = serde_json::to_string(&subject.fields()).unwrap();
        assert!(!text.contains("hf_abc"), "{text}");
    }
}
