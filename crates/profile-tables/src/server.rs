//! `--server-info FILE`: what the server said of itself when the trace was recorded. It settles conditions that a trace
//! leaves open (parallelism, number formats, which settings are on), and what it contradicts is a warning.

use std::collections::BTreeMap;
use std::path::Path;

use cli_kit::{input_of, read_bounded};
use contracts::profile_tables::report::ServerInfo;
use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::engine::EngineFacts;
use contracts::telemetry_fetch::snapshot::{self, SnapshotData};
use contracts::text::clean;
use contracts::{Document, Input, Warning};
use engine_client::detect::{Answers, identify};
use serde_json::{Map, Value};

use crate::error::TablesError;
use crate::fuse::Dtype;

/// Largest answer that is read; real ones have some 20 KB.
const MOST_BYTES: u64 = 16 << 20;
/// Longest value that a document cites.
const VALUE_CAP: usize = 200;

/// What a server said.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// As documents have it.
    pub(crate) info: ServerInfo,
    /// The file.
    pub(crate) input: Input,
    /// Everything that is on, without secrets; groups stand before a point.
    settings: BTreeMap<String, Value>,
}

impl Server {
    /// Reads an answer of `/server_info` or `/get_server_info`, or a snapshot of telemetry-fetch that holds what it said.
    pub(crate) fn read(path: &Path) -> Result<Self, TablesError> {
        let name = path.display().to_string();
        let unreadable = |why: String| TablesError::ServerInfo {
            path: name.clone(),
            why,
        };
        let bytes =
            read_bounded(path, MOST_BYTES).map_err(|failure| unreadable(failure.document.message.clone()))?;
        let answer: Value = serde_json::from_slice(&bytes)
            .map_err(|error| unreadable(clean(&error.to_string(), VALUE_CAP)))?;
        let input = input_of(path, &bytes);
        if answer.get("schema").and_then(Value::as_str) == Some(snapshot::SCHEMA) {
            let snapshot: Document<SnapshotData> = serde_json::from_value(answer)
                .map_err(|error| unreadable(clean(&error.to_string(), VALUE_CAP)))?;
            return Self::of_snapshot(snapshot.data.engine, input).map_err(unreadable);
        }
        Self::of(answer, input).map_err(unreadable)
    }

    fn of(answer: Value, input: Input) -> Result<Self, String> {
        // Some routers wrap the launch arguments.
        let mut answer = match answer {
            Value::Object(mut answer) => match answer.remove("server_args") {
                Some(args @ Value::Object(_)) => args,
                _ => Value::Object(answer),
            },
            _ => return Err("it is no JSON object".to_owned()),
        };
        if let Some(text) = answer.get("vllm_config").and_then(Value::as_str) {
            let config = Value::Object(of_text(text));
            answer["vllm_config"] = config;
        }
        let version = answer
            .get("vllm_config")
            .and_then(|_| answer.get("version"))
            .cloned();
        let identity = identify(&Answers {
            server_info: Some(answer),
            version: version.map(|version| serde_json::json!({ "version": version })),
            ..Answers::default()
        });
        let kind = (identity.engine.kind != EngineKind::Other).then_some(identity.engine.kind);
        Self::told(kind, identity.engine.version, identity.settings, input)
    }

    fn of_snapshot(engine: EngineFacts, input: Input) -> Result<Self, String> {
        if engine.launch_args.is_empty() {
            return Err("its server told no settings: it has no /server_info, or it was not read".to_owned());
        }
        let kind = engine.kind.filter(|kind| *kind != EngineKind::Other);
        Self::told(kind, engine.version, engine.launch_args, input)
    }

    fn told(
        kind: Option<EngineKind>,
        version: Option<String>,
        settings: BTreeMap<String, Value>,
        input: Input,
    ) -> Result<Self, String> {
        let said = |names: &[&str]| {
            let value = names.iter().find_map(|name| setting(&settings, name))?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(clean(&text, VALUE_CAP)).filter(|text| text != "None")
        };
        let count = |names: &[&str]| -> Option<u32> {
            let value = names.iter().find_map(|name| setting(&settings, name))?;
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            number.try_into().ok()
        };
        let info = ServerInfo {
            path: input.path.clone(),
            engine: kind.map(|kind| kind.name().to_owned()),
            version: version.map(|version| clean(&version, VALUE_CAP)),
            model: said(&["model_path", "model"]),
            tp_size: count(&["tp_size", "tensor_parallel_size"]),
            pp_size: count(&["pp_size", "pipeline_parallel_size"]),
            dp_size: count(&["dp_size", "data_parallel_size"]),
            dtype: said(&["dtype"]),
            quantization: said(&["quantization"]),
            kv_cache_dtype: said(&["kv_cache_dtype", "cache_dtype"]),
            attention_backend: said(&["attention_backend", "backend"]),
        };
        if info.engine.is_none() && info.tp_size.is_none() && info.model.is_none() {
            return Err("it names no engine, no model and no tensor parallelism".to_owned());
        }
        Ok(Self {
            info,
            input,
            settings,
        })
    }

    /// Whether a switch is on; what a server leaves out is off.
    pub(crate) fn is_on(&self, switch: &str) -> bool {
        setting(&self.settings, switch)
            .is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("True"))
    }

    /// A number among its settings.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let value = setting(&self.settings, name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// Number formats in use; `None` where the quantization is not named: a checkpoint may bring its own.
    pub(crate) fn dtypes(&self) -> Option<Vec<Dtype>> {
        let quantization = self.info.quantization.as_deref()?.to_lowercase();
        let cache = self.info.kv_cache_dtype.as_deref().unwrap_or_default();
        let mut dtypes = match self.info.dtype.as_deref() {
            Some(dtype) if dtype.contains("bfloat16") => vec![Dtype::Bf16],
            Some(dtype) if dtype.contains("float16") || dtype == "half" => vec![Dtype::F16],
            _ => vec![Dtype::Bf16, Dtype::F16],
        };
        let four_bits = ["fp4", "nvfp4", "mxfp4"]
            .iter()
            .any(|word| quantization.contains(word));
        if four_bits {
            dtypes.push(Dtype::Fp4);
        }
        // `modelopt` alone is either of the two.
        if quantization.contains("fp8") || quantization == "modelopt" || cache.contains("fp8") {
            dtypes.push(Dtype::Fp8);
        }
        if quantization == "modelopt" {
            dtypes.push(Dtype::Fp4);
        }
        Some(dtypes)
    }

    /// What the traces contradict.
    pub(crate) fn disagreements(&self, engine: Option<&str>, world_size: Option<u32>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |what: &str, server: String, trace: String| {
            warnings.push(Warning::new(
                "server-info-disagrees",
                format!(
                    "{}: {what} is {server} by the server, {trace} by the trace: they may be of two runs",
                    self.info.path
                ),
            ));
        };
        if let (Some(server), Some(trace)) = (self.info.engine.as_deref(), engine)
            && server != trace
        {
            warn("the engine", server.to_owned(), trace.to_owned());
        }
        if let (Some(tp), Some(world)) = (self.info.tp_size, world_size) {
            let ranks = tp.saturating_mul(self.info.pp_size.unwrap_or(1));
            let replicated = ranks.saturating_mul(self.info.dp_size.unwrap_or(1));
            if world != ranks && world != replicated {
                warn("the number of ranks", ranks.to_string(), world.to_string());
            }
        }
        warnings
    }
}

/// A setting by its name, whatever group it stands in.
fn setting<'s>(settings: &'s BTreeMap<String, Value>, name: &str) -> Option<&'s Value> {
    settings.get(name).or_else(|| {
        let of_name = |full: &&String| full.rsplit('.').next() == Some(name);
        settings.keys().find(of_name).and_then(|full| settings.get(full))
    })
}

/// What vLLM writes for people: `model='Qwen/Qwen3-8B', dtype=torch.bfloat16, tensor_parallel_size=1, …`. Nested parts have
/// names of their own, so the first value of a name counts.
fn of_text(text: &str) -> Map<String, Value> {
    const NAMES: [&str; 9] = [
        "model",
        "dtype",
        "quantization",
        "kv_cache_dtype",
        "tensor_parallel_size",
        "pipeline_parallel_size",
        "data_parallel_size",
        "enforce_eager",
        "async_scheduling",
    ];
    let mut found = Map::new();
    for part in text.split(", ") {
        if let Some((name, value)) = part.split_once('=')
            && NAMES.contains(&name)
            && !found.contains_key(name)
        {
            let value = value.trim_matches(['\'', '"']);
            if !matches!(value, "None" | "False") {
                found.insert(name.to_owned(), Value::from(value));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn server(answer: Value) -> Result<Server, String> {
        let input = Input {
            path: "info.json".to_owned(),
            sha256: "0".repeat(64),
            bytes: 0,
        };
        Server::of(answer, input)
    }

    #[test]
    fn sglang_says_it_flat() {
        let found = server(json!({
            "model_path": "deepseek-ai/DeepSeek-V3", "tp_size": 8, "dp_size": 1, "mem_fraction_static": 0.8, "dtype": "auto",
            "quantization": "fp8", "kv_cache_dtype": "fp8_e4m3", "attention_backend": "trtllm_mla", "version": "0.5.9",
            "disable_cuda_graph": true, "num_continuous_decode_steps": 4, "api_key": "sk-secret", "internal_states": [{}],
        }))
        .expect("an answer of SGLang");
        let info = &found.info;
        assert_eq!(info.engine.as_deref(), Some("sglang"));
        assert_eq!(info.version.as_deref(), Some("0.5.9"));
        assert_eq!((info.tp_size, info.pp_size), (Some(8), None));
        assert_eq!(info.attention_backend.as_deref(), Some("trtllm_mla"));
        assert_eq!(found.dtypes(), Some(vec![Dtype::Bf16, Dtype::F16, Dtype::Fp8]));
        assert!(found.is_on("disable_cuda_graph") && !found.is_on("disable_overlap_schedule"));
        assert_eq!(found.number("num_continuous_decode_steps"), Some(4));
        assert!(!format!("{found:?}").contains("sk-secret"));
    }

    #[test]
    fn vllm_says_it_in_groups_or_in_words() {
        let groups = json!({"vllm_config": {
            "model_config": {"model": "openai/gpt-oss-120b", "quantization": "mxfp4", "dtype": "torch.bfloat16", "enforce_eager": true},
            "parallel_config": {"tensor_parallel_size": 8, "pipeline_parallel_size": 1},
            "cache_config": {"cache_dtype": "auto"},
        }});
        let words = json!({"vllm_config": "model='openai/gpt-oss-120b', speculative_config=None, dtype=torch.bfloat16, \
            tensor_parallel_size=8, pipeline_parallel_size=1, quantization=mxfp4, enforce_eager=True, kv_cache_dtype=auto, \
            structured_outputs_config=StructuredOutputsConfig(backend='auto')"});
        for answer in [groups, words] {
            let found = server(answer).expect("an answer of vLLM");
            let info = &found.info;
            assert_eq!(info.engine.as_deref(), Some("vllm"));
            assert_eq!(info.model.as_deref(), Some("openai/gpt-oss-120b"));
            assert_eq!((info.tp_size, info.pp_size), (Some(8), Some(1)));
            assert_eq!(info.quantization.as_deref(), Some("mxfp4"));
            assert_eq!(info.kv_cache_dtype.as_deref(), Some("auto"));
            assert!(found.is_on("enforce_eager"));
            assert_eq!(found.dtypes(), Some(vec![Dtype::Bf16, Dtype::Fp4]));
        }
    }

    #[test]
    fn ranks_and_engine_are_compared() {
        let found = server(json!({"tp_size": 2, "pp_size": 2, "dp_size": 2, "mem_fraction_static": 0.8}));
        let found = found.expect("an answer");
        assert_eq!(found.disagreements(Some("sglang"), Some(4)), []);
        assert_eq!(found.disagreements(None, Some(8)), []);
        let warnings = found.disagreements(Some("vllm"), Some(2));
        assert_eq!(warnings.len(), 2);
        assert!(
            warnings[0]
                .message
                .contains("sglang by the server, vllm by the trace")
        );
        assert!(warnings[1].message.contains("4 by the server, 2 by the trace"));
    }

    #[test]
    fn a_quantization_that_is_not_named_rules_nothing_out() {
        let found = server(json!({"tp_size": 1, "quantization": null})).expect("an answer");
        assert_eq!(found.dtypes(), None);
    }

    #[test]
    fn other_json_is_refused() {
        for other in [json!([]), json!({}), json!({"a": 1}), json!({"server_args": 3})] {
            assert!(server(other.clone()).is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}", config in "[a-z_]{0,20}=[ ,='a-zA-Z0-9]{0,40}") {
            let _ = of_text(&text);
            let _ = server(json!({"vllm_config": config}));
            let _ = server(json!({"tp_size": text}));
        }
    }
}
