//! Which engine answers, decided from what its endpoints say. Pure: answers in, identity out.

use std::collections::BTreeMap;

use contracts::serve_bench::result::{EngineInfo, EngineKind};
use contracts::text;
use serde_json::{Map, Value};

use crate::metrics;
use crate::settings::Settings;

/// What the control endpoints answered; `None` where they did not, or not with 200.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// `/v1/models`.
    pub models: Option<Value>,
    /// `/version`.
    pub version: Option<Value>,
    /// `/server_info` or `/get_server_info`.
    pub server_info: Option<Value>,
    /// `/props`.
    pub props: Option<Value>,
    /// The beginning of `/metrics`.
    pub metrics: Option<String>,
}

/// Who answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The engine and its version.
    pub engine: EngineInfo,
    /// Names that `/v1/models` lists.
    pub models: Vec<String>,
    /// Longest context of the first model.
    pub max_model_len: Option<u64>,
    /// Whether anything in the answers says `"simulated": true`.
    pub simulated: bool,
    /// Settings read back.
    pub settings: BTreeMap<String, Value>,
}

/// Most model names that are kept; a router may list thousands.
const MOST_MODELS: usize = 256;

/// Decides who answers.
pub fn identify(answers: &Answers) -> Identity {
    let kind = kind(answers);
    Identity {
        engine: EngineInfo {
            kind,
            version: version(answers, kind),
        },
        models: models(answers),
        max_model_len: max_model_len(answers, kind),
        simulated: is_simulated(answers),
        settings: settings(answers, kind),
    }
}

fn cards(answers: &Answers) -> &[Value] {
    let models = answers.models.as_ref();
    models
        .and_then(|models| models.get("data"))
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn kind(answers: &Answers) -> EngineKind {
    let owner = cards(answers)
        .first()
        .and_then(|card| card.get("owned_by"))
        .and_then(Value::as_str);
    match owner {
        Some("sglang") => return EngineKind::Sglang,
        Some("vllm") => return EngineKind::Vllm,
        Some("tensorrt_llm") => return EngineKind::TensorrtLlm,
        Some("tokenspeed") => return EngineKind::Tokenspeed,
        Some("llamacpp") => return EngineKind::LlamaCpp,
        _ => {}
    }
    // Behind a gateway the owner may be anything; the rest of the answers still tell.
    let has =
        |answer: &Option<Value>, name: &str| answer.as_ref().is_some_and(|answer| answer.get(name).is_some());
    if has(&answers.props, "default_generation_settings") {
        return EngineKind::LlamaCpp;
    }
    if has(&answers.server_info, "vllm_config") {
        return EngineKind::Vllm;
    }
    if has(&answers.server_info, "mem_fraction_static") {
        return EngineKind::Sglang;
    }
    answers
        .metrics
        .as_deref()
        .and_then(kind_of_metrics)
        .unwrap_or(EngineKind::Other)
}

/// An engine by the prefix of its metric names. Exporters may write `_` where the name has `:`.
fn kind_of_metrics(metrics: &str) -> Option<EngineKind> {
    metrics
        .lines()
        .map(|line| line.strip_prefix("# HELP ").unwrap_or(line))
        .find_map(metrics::engine_of)
}

fn version(answers: &Answers, kind: EngineKind) -> Option<String> {
    let of = |answer: &Option<Value>, name: &str| {
        answer
            .as_ref()
            .and_then(|answer| answer.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let found = match kind {
        EngineKind::LlamaCpp => of(&answers.props, "build_info"),
        EngineKind::Sglang | EngineKind::Tokenspeed => of(&answers.server_info, "version"),
        EngineKind::Vllm | EngineKind::TensorrtLlm | EngineKind::Other => None,
    };
    let found = found
        .or_else(|| of(&answers.version, "version"))
        .or_else(|| of(&answers.server_info, "version"));
    found
        .map(|version| text::clean(&version, 100))
        .filter(|version| !version.is_empty())
}

fn models(answers: &Answers) -> Vec<String> {
    let names = cards(answers)
        .iter()
        .filter_map(|card| card.get("id"))
        .filter_map(Value::as_str);
    // Names are sent back as they are, so a name that cleaning would change cannot be used.
    names
        .filter(|name| !name.is_empty() && text::clean(name, 300) == *name)
        .map(str::to_owned)
        .take(MOST_MODELS)
        .collect()
}

fn max_model_len(answers: &Answers, kind: EngineKind) -> Option<u64> {
    if kind == EngineKind::LlamaCpp
        && let Some(settings) = answers
            .props
            .as_ref()
            .and_then(|props| props.get("default_generation_settings"))
        && let Some(context) = settings.get("n_ctx").and_then(Value::as_u64)
    {
        // The context of one slot; the model card only knows what the model was trained for.
        return Some(context);
    }
    let card = cards(answers).first()?;
    let info = answers.server_info.as_ref();
    card.get("max_model_len")
        .or_else(|| info.and_then(|info| info.get("context_length")))
        .and_then(Value::as_u64)
}

fn is_simulated(answers: &Answers) -> bool {
    let says = |value: &Value| value.get("simulated") == Some(&Value::Bool(true));
    [
        &answers.models,
        &answers.version,
        &answers.server_info,
        &answers.props,
    ]
    .into_iter()
    .flatten()
    .any(says)
        || cards(answers).iter().any(says)
}

fn settings(answers: &Answers, kind: EngineKind) -> BTreeMap<String, Value> {
    let mut settings = Settings::default();
    if let Some(info) = answers.server_info.as_ref().and_then(Value::as_object) {
        match info.get("vllm_config") {
            // vLLM groups its settings; the text form of the same is for people.
            Some(Value::Object(groups)) => {
                for (group, members) in groups {
                    match members {
                        Value::Object(members) => settings.add_all(&format!("{group}."), members),
                        other => settings.add(group, other),
                    }
                }
            }
            Some(_) => {}
            None => settings.add_all("", info),
        }
    }
    if let Some(props) = &answers.props {
        for name in ["total_slots", "model_path", "model_alias", "is_sleeping"] {
            settings.add(name, props.get(name).unwrap_or(&Value::Null));
        }
        let defaults = props.get("default_generation_settings");
        settings.add(
            "n_ctx",
            defaults
                .and_then(|defaults| defaults.get("n_ctx"))
                .unwrap_or(&Value::Null),
        );
        settings.add(
            "speculative",
            defaults
                .and_then(|defaults| defaults.get("speculative"))
                .unwrap_or(&Value::Null),
        );
    }
    if kind == EngineKind::LlamaCpp
        && let Some(meta) = cards(answers)
            .first()
            .and_then(|card| card.get("meta"))
            .and_then(Value::as_object)
    {
        settings.add_all("model.", meta);
    }
    if let Some(metrics) = &answers.metrics {
        settings.add_all("cache_config.", &cache_config(metrics));
    }
    settings.into_map()
}

/// The labels of `vllm:cache_config_info{block_size="16",cache_dtype="auto",…} 1.0`: vLLM's settings outside of its
/// developer mode.
fn cache_config(metrics: &str) -> Map<String, Value> {
    let mut labels = Map::new();
    let names = ["vllm:cache_config_info{", "vllm_cache_config_info{"];
    let Some(line) = metrics
        .lines()
        .find_map(|line| names.iter().find_map(|name| line.strip_prefix(name)))
    else {
        return labels;
    };
    let mut rest = line;
    while let Some((name, tail)) = rest.split_once("=\"") {
        let Some((value, tail)) = tail.split_once('"') else {
            break;
        };
        if !matches!(value, "None" | "False") {
            labels.insert(name.trim_start_matches(',').trim().to_owned(), Value::from(value));
        }
        rest = tail;
    }
    labels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn owned(owner: &str) -> Answers {
        Answers {
            models: Some(json!({"data": [{"id": "m", "owned_by": owner, "max_model_len": 4096}]})),
            ..Answers::default()
        }
    }

    #[test]
    fn knows_engines_by_the_owner_of_the_model() {
        for (owner, kind) in [
            ("sglang", EngineKind::Sglang),
            ("vllm", EngineKind::Vllm),
            ("tensorrt_llm", EngineKind::TensorrtLlm),
            ("tokenspeed", EngineKind::Tokenspeed),
            ("llamacpp", EngineKind::LlamaCpp),
            ("library", EngineKind::Other),
        ] {
            let identity = identify(&owned(owner));
            assert_eq!(identity.engine.kind, kind, "{owner}");
            assert_eq!(
                (identity.models.as_slice(), identity.max_model_len),
                (&["m".to_owned()][..], Some(4096))
            );
        }
    }

    #[test]
    fn knows_engines_behind_a_gateway_by_the_rest() {
        let metrics = |text: &str| Answers {
            metrics: Some(text.to_owned()),
            ..owned("gateway")
        };
        assert_eq!(
            identify(&metrics("# HELP vllm:num_requests_running x\n"))
                .engine
                .kind,
            EngineKind::Vllm
        );
        assert_eq!(
            identify(&metrics("# HELP x y\nsglang_token_usage 0.5\n"))
                .engine
                .kind,
            EngineKind::Sglang
        );
        assert_eq!(identify(&metrics("vllmish 1\n")).engine.kind, EngineKind::Other);
        let props = Answers {
            props: Some(json!({"default_generation_settings": {"n_ctx": 1024}})),
            ..owned("x")
        };
        assert_eq!(identify(&props).engine.kind, EngineKind::LlamaCpp);
        assert_eq!(identify(&props).max_model_len, Some(1024));
    }

    #[test]
    fn reads_sglang() {
        let info = json!({"version": "0.5.23", "attention_backend": "fa3", "kv_cache_dtype": "auto", "api_key": "sk-x",
            "internal_states": [{"last_gen_throughput": 3.0}], "random_seed": 4, "context_length": 8192});
        let identity = identify(&Answers {
            server_info: Some(info),
            ..owned("sglang")
        });
        assert_eq!(identity.engine.version.as_deref(), Some("0.5.23"));
        let names: Vec<&str> = identity.settings.keys().map(String::as_str).collect();
        assert_eq!(names, ["attention_backend", "context_length", "kv_cache_dtype"]);
        assert!(!identity.simulated);
    }

    #[test]
    fn reads_vllm_with_and_without_developer_mode() {
        let metrics = "# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{block_size=\"16\",cache_dtype=\"fp8\",\
                       num_gpu_blocks=\"100\",sliding_window=\"None\"} 1.0\n";
        let plain = Answers {
            metrics: Some(metrics.to_owned()),
            version: Some(json!({"version": "0.33.0"})),
            ..owned("vllm")
        };
        let identity = identify(&plain);
        assert_eq!(identity.engine.version.as_deref(), Some("0.33.0"));
        assert_eq!(identity.settings["cache_config.cache_dtype"], "fp8");
        assert_eq!(identity.settings.len(), 2);
        let info = json!({"vllm_config": {"cache_config": {"block_size": 32}, "seed": 0}});
        let developer = identify(&Answers {
            server_info: Some(info),
            ..plain
        });
        assert_eq!(
            developer.settings["cache_config.block_size"], "16",
            "the metrics are what runs"
        );
    }

    #[test]
    fn reads_llama_cpp() {
        let props = json!({"default_generation_settings": {"n_ctx": 1024}, "total_slots": 4, "build_info": "b6000-abc",
            "model_path": "/m.gguf", "chat_template": "{{ x }}"});
        let mut answers = owned("llamacpp");
        answers.models =
            Some(json!({"data": [{"id": "/m.gguf", "owned_by": "llamacpp", "meta": {"n_params": 270}}]}));
        let identity = identify(&Answers {
            props: Some(props),
            ..answers
        });
        assert_eq!(identity.engine.version.as_deref(), Some("b6000-abc"));
        assert_eq!(identity.max_model_len, Some(1024));
        assert_eq!(identity.settings["total_slots"], 4);
        assert_eq!(identity.settings["model.n_params"], 270);
    }

    #[test]
    fn simulated_is_heard_wherever_it_is_said() {
        assert!(
            identify(&Answers {
                version: Some(json!({"simulated": true})),
                ..owned("vllm")
            })
            .simulated
        );
        let card = Answers {
            models: Some(json!({"data": [{"id": "m", "simulated": true}]})),
            ..Answers::default()
        };
        assert!(identify(&card).simulated);
        assert!(!identify(&owned("vllm")).simulated);
    }

    /// Any JSON.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("data".to_owned()),
            Just("id".to_owned()),
            Just("owned_by".to_owned()),
            Just("vllm_config".to_owned()),
            Just("default_generation_settings".to_owned()),
            Just("n_ctx".to_owned()),
            Just("meta".to_owned()),
            Just("version".to_owned()),
            Just("api_key".to_owned()),
            "[a-z]{1,4}",
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((name.clone(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_answers_are_identified(models in any_json(), info in any_json(), props in any_json(), metrics in "(vllm:cache_config_info\\{)?[ -~\n]{0,60}") {
            let answers = Answers {
                models: Some(models), version: Some(info.clone()), server_info: Some(info), props: Some(props),
                metrics: Some(metrics),
            };
            let identity = identify(&answers);
            prop_assert!(!identity.settings.keys().any(|name| name.ends_with("api_key")));
        }
    }
}
