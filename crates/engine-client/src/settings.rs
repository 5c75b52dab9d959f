//! Settings worth recording: what a server reads back of its own configuration, without secrets and without what
//! changes from launch to launch.

use std::collections::BTreeMap;

use contracts::secret::is_secret;
use contracts::text;
use serde_json::{Map, Value};

/// Most settings that are kept.
const MOST: usize = 400;
/// Longest nested value that is kept, in bytes of JSON.
const LONGEST: usize = 512;

/// Names that differ between two launches of one configuration, or say where and not what the server is.
const VOLATILE: [&str; 20] = [
    "simulated",
    "version",
    "host",
    "port",
    "nccl_port",
    "dist_init_addr",
    "random_seed",
    "internal_states",
    "status",
    "log_level",
    "log_level_http",
    "log_requests",
    "startup_time",
    "max_total_num_tokens",
    "num_gpu_blocks",
    "num_cpu_blocks",
    "engine",
    "last_gen_throughput",
    "memory_usage",
    "load",
];

/// Settings in the making.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    map: BTreeMap<String, Value>,
}

impl Settings {
    /// Adds every member of an object that is worth recording, under `prefix`.
    pub(crate) fn add_all(&mut self, prefix: &str, object: &Map<String, Value>) {
        for (name, value) in object {
            self.add(&format!("{prefix}{name}"), value);
        }
    }

    /// Adds one value. What is off (null, false, empty) is left out: engines print hundreds of such flags.
    pub(crate) fn add(&mut self, name: &str, value: &Value) {
        let last = name.rsplit('.').next().unwrap_or(name);
        if VOLATILE.contains(&last) || is_secret(last) || is_off(value) || self.map.len() >= MOST {
            return;
        }
        let value = match value {
            Value::String(string) => Value::String(text::clean(&without_userinfo(string), 200)),
            Value::Array(_) | Value::Object(_) => {
                let json = value.to_string();
                // A nested secret has a name as well, and long lists follow from a short setting.
                if json.len() > LONGEST || holds_secret(value) || json.contains('@') {
                    return;
                }
                value.clone()
            }
            other => other.clone(),
        };
        self.map.insert(text::clean(name, 100), value);
    }

    pub(crate) fn into_map(self) -> BTreeMap<String, Value> {
        self.map
    }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(string) => string.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| is_secret(name) || holds_secret(value)),
        Value::Array(items) => items.iter().any(holds_secret),
        _ => false,
    }
}

/// `scheme://user:password@host` without the credential.
fn without_userinfo(string: &str) -> String {
    let Some((scheme, rest)) = string.split_once("://") else {
        return string.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((userinfo, _)) => format!("{scheme}://{}", &rest[userinfo.len() + 1..]),
        None => string.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: Value) -> BTreeMap<String, Value> {
        let mut settings = Settings::default();
        settings.add_all("", json.as_object().unwrap());
        settings.into_map()
    }

    #[test]
    fn keeps_what_configures_and_drops_secrets_and_noise() {
        let kept = settings(serde_json::json!({
            "attention_backend": "fa3", "speculative_num_draft_tokens": 4, "cuda_graph_bs": [1, 2, 4],
            "api_key": "sk-1", "admin_api_key": "sk-2", "hf_token": "hf_3", "ssl_keyfile_password": "x",
            "port": 30000, "random_seed": 12, "enable_mixed_chunk": false, "lora_paths": null, "tokenizer_path": "/m",
            "kv": {"connector": "x", "auth_token": "y"}, "otlp": "http://u:p@collector:4317/x",
        }));
        let names: Vec<&str> = kept.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "attention_backend",
                "cuda_graph_bs",
                "otlp",
                "speculative_num_draft_tokens",
                "tokenizer_path"
            ]
        );
        assert_eq!(kept["otlp"], "http://collector:4317/x");
    }

    #[test]
    fn is_bounded() {
        let many: Map<String, Value> = (0..10_000)
            .map(|n| (format!("a{n}"), Value::from("x".repeat(300))))
            .collect();
        let kept = settings(Value::Object(many));
        assert_eq!(kept.len(), MOST);
        assert!(kept.values().all(|value| value.as_str().unwrap().len() < 210));
    }
}
