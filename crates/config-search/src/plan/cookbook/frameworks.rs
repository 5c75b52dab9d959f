//! The frameworks of a cookbook file: their commands and spaces, as each engine's parser takes them.

use std::collections::BTreeMap;

use contracts::config_search::plan::Framework;
use serde_json::{Map, Value};

use super::super::parameter;
use super::{Left, file_name};

pub(super) fn frameworks(value: &Value, model: &str, left: &mut Left) -> Vec<Framework> {
    let gpu_count = value
        .pointer("/hardware/gpu_count")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let set: Option<Vec<&str>> = value
        .pointer("/benchmark/framework_set")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let mut frameworks = Vec::new();
    for (name, entry) in value
        .get("frameworks")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let is_on = entry.get("enabled").and_then(Value::as_bool).unwrap_or(true);
        if !is_on || set.as_ref().is_some_and(|set| !set.contains(&name.as_str())) {
            left.say(format!("frameworks.{name}, which the file switches off"));
            continue;
        }
        let engine = Engine::of(name);
        let manifest = value.pointer(&format!("/version_manifest/{name}"));
        let said = |key: &str| {
            manifest
                .and_then(|manifest| manifest.get(key))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let flags = entry.get("base_server_flags").and_then(Value::as_object);
        frameworks.push(Framework {
            name: file_name(&name.replace('_', "-")),
            server_command: command(entry, engine, flags, model),
            base_server_flags: flags.map_or_else(Vec::new, |flags| base_flags(flags, engine)),
            search_space: space(entry, engine, flags),
            help: said("server_help"),
            version: said("package_version"),
            gpu_count,
            ..Framework::default()
        });
    }
    frameworks
}

/// How an engine's parser takes a flag, and its model.
#[derive(Clone, Copy, PartialEq)]
enum Engine {
    /// Dashes, the model by a flag of its own.
    Sglang,
    /// Dashes, `--no-` before what is off, the model without a flag.
    Vllm,
    /// Underscores, the model without a flag.
    TensorRt,
    /// Dashes, the model without a flag.
    Other,
}

impl Engine {
    fn of(name: &str) -> Engine {
        match name {
            "sglang" => Engine::Sglang,
            "vllm" => Engine::Vllm,
            "tensorrt_llm" | "tensorrt-llm" => Engine::TensorRt,
            _ => Engine::Other,
        }
    }

    fn flag(self, key: &str) -> String {
        if self == Engine::TensorRt {
            format!("--{key}")
        } else {
            parameter::flag(&key.replace('_', "-"))
        }
    }

    fn command(self) -> &'static str {
        match self {
            Engine::Sglang => "python3 -m sglang.launch_server",
            Engine::Vllm => "vllm serve",
            Engine::TensorRt => "trtllm-serve serve",
            Engine::Other => "tokenspeed serve",
        }
    }
}

/// The command with the model and the port where the engine takes them.
fn command(entry: &Value, engine: Engine, flags: Option<&Map<String, Value>>, model: &str) -> Value {
    let said = entry
        .get("server_command")
        .and_then(Value::as_str)
        .unwrap_or(engine.command());
    // Words between spaces: nothing of it is given to a shell.
    let mut words: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
    let is_named = flags.is_some_and(|flags| flags.contains_key("model_path") || flags.contains_key("model"));
    match engine {
        _ if is_named => {}
        Engine::Sglang => words.extend(["--model-path".to_owned(), model.to_owned()]),
        _ => words.push(model.to_owned()),
    }
    words.extend(["--host", "127.0.0.1", "--port", "{port}"].map(str::to_owned));
    words.into()
}

fn base_flags(flags: &Map<String, Value>, engine: Engine) -> Vec<String> {
    let mut words = Vec::new();
    for (key, value) in flags {
        match value {
            Value::Bool(true) => words.push(engine.flag(key)),
            Value::Bool(false) if engine == Engine::Vllm => words.push(engine.flag(&format!("no_{key}"))),
            Value::String(text) => words.extend([engine.flag(key), text.clone()]),
            Value::Number(number) => words.extend([engine.flag(key), number.to_string()]),
            Value::Object(_) | Value::Array(_) => words.extend([engine.flag(key), value.to_string()]),
            Value::Null | Value::Bool(false) => {}
        }
    }
    words
}

/// Lists of values; a list within a list is one JSON word. A flag of vLLM that may be off is off by `--no-`.
fn space(entry: &Value, engine: Engine, base: Option<&Map<String, Value>>) -> BTreeMap<String, Value> {
    let mut space = BTreeMap::new();
    for (key, values) in entry
        .get("search_space")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let Some(values) = values.as_array() else { continue };
        let word = |value: &Value| match value {
            Value::Object(_) | Value::Array(_) => Value::String(value.to_string()),
            value => value.clone(),
        };
        // The base's own value is that of the baseline.
        let is_base = |value: &Value| base.and_then(|base| base.get(key)) == Some(value);
        let is_set = |value: &&Value| !value.is_null() && **value != Value::Bool(false) && !is_base(value);
        let set: Vec<Value> = values.iter().filter(is_set).map(word).collect();
        if values.contains(&Value::Bool(false)) && engine == Engine::Vllm {
            space.insert(
                engine.flag(&format!("no_{key}")),
                Value::Array(vec![Value::Bool(true)]),
            );
        }
        if !set.is_empty() {
            space.insert(engine.flag(key), Value::Array(set));
        }
    }
    space
}
