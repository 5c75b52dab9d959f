//! What cannot fit is not launched: weights and the longest request of a plan against the memory of the device, by the formulas of
//! `capacity-plan estimate`. Only what is certain is refused; what the formulas do not know is tried.

use std::collections::BTreeMap;
use std::path::Path;

use capacity::model_config::ModelConfig;
use capacity::{Demand, Fits, GIB, Gpu, KvDtype, Parallel, Room};
use contracts::config_search::plan::{Framework, Plan};
use serde_json::Value;

use crate::history;
use crate::launcher::skipped;
use crate::plan::{command, tokens};
use crate::reason::Reason;

/// Largest configuration.
const CONFIG_CAP: u64 = 64 << 20;
/// How engines name what decides memory.
const TENSOR_PARALLEL: [&str; 5] = ["--tensor-parallel-size", "--tp-size", "--tp", "-tp", "--tp_size"];
const PIPELINE_PARALLEL: [&str; 4] = ["--pipeline-parallel-size", "--pp-size", "-pp", "--pp_size"];
const KV_DTYPE: [&str; 2] = ["--kv-cache-dtype", "--kv_cache_dtype"];
const FRACTION: [&str; 2] = ["--gpu-memory-utilization", "--mem-fraction-static"];
/// What changes the weights in a way that the configuration does not say, or moves them elsewhere.
const OTHER_WEIGHTS: [&str; 4] = ["--quantization", "-q", "--cpu-offload-gb", "--load-format"];

/// The model of a plan; `None` where none is named or it does not read, which [`crate::plan`] says.
pub(crate) fn model(plan: &Plan, base: &Path) -> Option<ModelConfig> {
    let path = base.join(plan.model.config.as_ref()?);
    let bytes = cli_kit::read_bounded(&path, CONFIG_CAP).ok()?;
    ModelConfig::from_slice(&bytes).ok()
}

/// Why a candidate cannot fit; `None` where it may, and for the baseline, which everything is held against.
pub(crate) fn refusal(
    plan: &Plan,
    model: Option<&ModelConfig>,
    framework: &Framework,
    params: &BTreeMap<String, Value>,
) -> Option<Reason> {
    let (model, gpu) = (model?, Gpu::find(framework.gpu.as_deref()?)?);
    if params.is_empty() || framework.shell {
        return None;
    }
    let argv = command::argv(framework, params).ok()?;
    let value = |names: &[&str]| value_of(&argv, names);
    if value(&OTHER_WEIGHTS).is_some() {
        return None;
    }
    let count = |names: &[&str]| {
        value(names).map_or(Some(1), |text| {
            text.parse::<u64>().ok().filter(|count| *count > 0)
        })
    };
    let parallel = Parallel {
        tp: count(&TENSOR_PARALLEL)?,
        pp: count(&PIPELINE_PARALLEL)?,
        attention_dp: 1,
        ep: 1,
    };
    let kv_dtype = match value(&KV_DTYPE).filter(|name| *name != "auto") {
        Some(name) => KvDtype::parse(name)?,
        None => model
            .weights
            .dtype
            .as_deref()
            .map_or(Some(KvDtype::Bf16), KvDtype::parse)?,
    };
    let fraction = match value(&FRACTION) {
        Some(text) => text
            .parse()
            .ok()
            .filter(|fraction| (0.0..=1.0).contains(fraction))?,
        // An engine's own choice; none takes more than the device has.
        None => 1.0,
    };
    let demand = Demand {
        config: model,
        quantization: model.weights.quantization.as_ref(),
        parallel,
        kv_dtype,
        length: longest(plan),
        requests: 1,
        page: 1,
        weights_bytes: None,
        draft_token_bytes: 0.0,
        windows_kept_whole: false,
    };
    let room = Room {
        device_bytes: gpu.total_bytes(),
        fraction,
        reserve_bytes: 0.0,
    };
    let Fits::No {
        needed_bytes,
        available_bytes,
    } = demand.fits(&room)
    else {
        return None;
    };
    Some(skipped(
        history::REFUSED,
        &format!(
            "weights and one request of {} tokens take {:.1} GiB on each of {} {} ({} tensor parallel), of which {:.1} may be used",
            demand.length,
            needed_bytes / GIB,
            parallel.tp * parallel.pp,
            gpu.name,
            parallel.tp,
            available_bytes / GIB
        ),
        "nothing was launched; take it out of the space, or correct `gpu` and `model.config`",
    ))
}

/// Tokens of the longest request that a scenario names.
fn longest(plan: &Plan) -> u64 {
    plan.scenarios.iter().map(tokens).max().unwrap_or(0).max(1)
}

/// What stands behind the last of these flags.
fn value_of<'a>(argv: &'a [String], names: &[&str]) -> Option<&'a str> {
    command::named(argv)
        .rev()
        .find_map(|(name, value)| value.filter(|_| names.contains(&name)))
}

#[cfg(test)]
mod tests {
    use contracts::config_search::plan::Scenario;
    use serde_json::json;

    use super::*;

    const QWEN3_32B: &str = r#"{"model_type": "qwen3", "num_hidden_layers": 64, "hidden_size": 5120, "intermediate_size": 25600,
        "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
        "max_position_embeddings": 40960, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}"#;

    fn refused(flags: &[&str], params: Value) -> Option<String> {
        let model = ModelConfig::from_slice(QWEN3_32B.as_bytes()).unwrap();
        let plan = Plan {
            scenarios: vec![Scenario {
                input_tokens: Some(8000),
                output_tokens: Some(1000),
                ..Scenario::default()
            }],
            ..Plan::default()
        };
        let framework = Framework {
            name: "vllm".to_owned(),
            server_command: json!(["vllm", "serve", "m", "--port", "{port}"]),
            base_server_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            gpu: Some("l40s".to_owned()),
            ..Framework::default()
        };
        let params: BTreeMap<String, Value> = serde_json::from_value(params).unwrap();
        refusal(&plan, Some(&model), &framework, &params).map(|reason| reason.text)
    }

    #[test]
    fn what_is_certain_not_to_fit_is_refused_with_the_numbers() {
        // 61 GiB of weights on a device of 44.
        let why = refused(&[], json!({"--max-num-seqs": 8})).expect("one device is too small");
        assert!(
            why.contains("one request of 9000 tokens") && why.contains("1 l40s"),
            "{why}"
        );
        assert_eq!(
            refused(&["--tensor-parallel-size", "2"], json!({"--max-num-seqs": 8})),
            None
        );
        // Half of two devices is too little again.
        assert!(
            refused(
                &["--tensor-parallel-size=2"],
                json!({"--gpu-memory-utilization": 0.5})
            )
            .is_some()
        );
    }

    #[test]
    fn what_is_not_known_is_tried() {
        assert_eq!(refused(&[], json!({})), None, "the baseline");
        assert_eq!(refused(&[], json!({"--quantization": "fp8"})), None);
        assert_eq!(refused(&[], json!({"--kv-cache-dtype": "turbo"})), None);
        assert_eq!(
            refused(&["--tensor-parallel-size", "auto"], json!({"--n": 1})),
            None
        );
    }
}
