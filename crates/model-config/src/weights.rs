//! Shapes of the weights, as far as their number can be counted from them, and how they are stored.

use serde_json::{Map, Value};

use crate::json::{flag, name, number, whole};

/// What counting weights needs beside the layers. What the configuration does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightDims {
    /// Rank of the query projection of latent attention.
    pub q_lora_rank: Option<u64>,
    /// Width of a query head without its rotary part, in latent attention.
    pub qk_nope_head_dim: Option<u64>,
    /// Width of a value head, in latent attention.
    pub v_head_dim: Option<u64>,
    /// Width of one expert.
    pub moe_intermediate_size: Option<u64>,
    /// Width that experts compute in, where it is not the hidden size.
    pub moe_latent_size: Option<u64>,
    /// Width of what all tokens pass beside the experts, all shared experts together.
    pub shared_intermediate_size: u64,
    /// Width of the dense feed-forward network where it differs from that of the experts beside it.
    pub dense_intermediate_size: Option<u64>,
    /// Whether the feed-forward networks have a gate: three matrices, else two.
    pub is_gated: bool,
    /// Whether the last matrix is the embedding.
    pub ties_embeddings: bool,
    /// Type of what is not quantized, as named.
    pub dtype: Option<String>,
    /// How weights are quantized; `None` where they are not.
    pub quantization: Option<Quantization>,
    /// Longest context that the model was made for.
    pub max_position_embeddings: Option<u64>,
}

/// How weights are quantized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantization {
    /// Method or algorithm, in lower case: `fp8`, `nvfp4`, `mxfp4`, `awq`, …
    pub method: String,
    /// Bits of a weight, where they are named.
    pub bits: Option<u64>,
    /// Whether attention is left as it is.
    pub keeps_attention: bool,
    /// Type of keys and values that the checkpoint asks for, in lower case.
    pub kv_cache: Option<String>,
}

pub(crate) fn weight_dims(top: &Map<String, Value>, object: &Map<String, Value>) -> WeightDims {
    let get = |keys: &[&str]| number(object, keys);
    let expert = get(&["moe_intermediate_size", "expert_ffn_hidden_size"]);
    let shared = get(&[
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
    ])
    .or_else(|| get(&["n_shared_experts"])?.checked_mul(expert?));
    let model_type = name(object, "model_type").unwrap_or_default();
    WeightDims {
        q_lora_rank: get(&["q_lora_rank"]),
        qk_nope_head_dim: get(&["qk_nope_head_dim"]),
        v_head_dim: get(&["v_head_dim"]),
        moe_intermediate_size: expert,
        moe_latent_size: get(&["moe_latent_size"]),
        // Beside its experts Llama 4 has one that all tokens meet, and Gemma 4 a dense network; both of this width.
        shared_intermediate_size: shared
            .or_else(|| {
                let beside =
                    model_type.starts_with("llama4") || flag(object, "enable_moe_block") == Some(true);
                get(&["intermediate_size"]).filter(|_| beside)
            })
            .unwrap_or(0),
        dense_intermediate_size: get(&["dense_intermediate_size", "intermediate_size_mlp"]),
        // Nemotron-H squares a ReLU.
        is_gated: model_type != "nemotron_h",
        ties_embeddings: flag(object, "tie_word_embeddings")
            .or_else(|| flag(top, "tie_word_embeddings"))
            .unwrap_or(model_type.starts_with("gemma")),
        dtype: ["dtype", "torch_dtype"]
            .iter()
            .find_map(|key| name(object, key).or_else(|| name(top, key))),
        quantization: [object, top]
            .iter()
            .find_map(|part| part.get("quantization_config")?.as_object())
            .and_then(quantization),
        max_position_embeddings: get(&["max_position_embeddings", "n_positions"]),
    }
}

/// From `quantization_config`, or from the `quantization` of an `hf_quant_config.json`.
pub(crate) fn quantization(config: &Map<String, Value>) -> Option<Quantization> {
    let word = |key: &str| name(config, key).map(|word| word.to_lowercase());
    let group = config
        .get("config_groups")
        .and_then(Value::as_object)
        .and_then(|groups| groups.values().next()?.get("weights")?.as_object());
    let bits =
        number(config, &["bits", "w_bit"]).or_else(|| group.and_then(|group| number(group, &["num_bits"])));
    let untouched = [
        "modules_to_not_convert",
        "ignore",
        "exclude_modules",
        "ignored_layers",
    ];
    let untouched = untouched.iter().find_map(|key| config.get(*key)?.as_array());
    let whole_attention = |module: &Value| {
        let name = module.as_str().unwrap_or_default();
        // A pattern over all layers; a list of single layers or projections is no whole.
        name.contains("self_attn") && (name.contains('*') || name == "self_attn") && !name.contains("_proj")
    };
    Some(Quantization {
        method: word("quant_algo").or_else(|| word("quant_method"))?,
        bits,
        keeps_attention: untouched.is_some_and(|modules| modules.iter().any(whole_attention)),
        kv_cache: kv_cache(config),
    })
}

/// A word, or bits and a type.
fn kv_cache(config: &Map<String, Value>) -> Option<String> {
    let scheme = |key: &str| match config.get(key)? {
        Value::String(word) => Some(word.to_lowercase()),
        Value::Object(scheme) => {
            let kind = scheme.get("type").and_then(Value::as_str).unwrap_or("float");
            let kind = if kind == "int" { "int" } else { "fp" };
            Some(format!("{kind}{}", whole(scheme.get("num_bits")?)?))
        }
        _ => None,
    };
    scheme("kv_cache_quant_algo").or_else(|| scheme("kv_cache_scheme"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(text: &str) -> WeightDims {
        let object = crate::json::parse(text.as_bytes()).unwrap();
        weight_dims(&object, &object)
    }

    #[test]
    fn quantization_is_named_in_several_ways() {
        let deepseek = dims(r#"{"quantization_config": {"quant_method": "fp8", "fmt": "e4m3"}}"#);
        assert_eq!(deepseek.quantization.unwrap().method, "fp8");
        let kimi = dims(
            r#"{"quantization_config": {"quant_method": "compressed-tensors", "kv_cache_scheme": null,
                "ignore": ["lm_head", "re:.*self_attn.*"], "config_groups": {"group_0": {"weights": {"num_bits": 4}}}}}"#,
        );
        let kimi = kimi.quantization.unwrap();
        assert_eq!(
            (kimi.bits, kimi.keeps_attention, kimi.kv_cache),
            (Some(4), true, None)
        );
        let glm = dims(
            r#"{"quantization_config": {"quant_algo": "NVFP4", "quant_method": "modelopt",
                "kv_cache_scheme": {"num_bits": 8, "type": "float"}}}"#,
        );
        let glm = glm.quantization.unwrap();
        assert_eq!(
            (glm.method.as_str(), glm.kv_cache.as_deref()),
            ("nvfp4", Some("fp8"))
        );
        assert_eq!(dims(r#"{"quantization_config": 4}"#).quantization, None);
    }

    #[test]
    fn shared_experts_are_counted_together() {
        let dims = dims(r#"{"n_shared_experts": 2, "moe_intermediate_size": 1408}"#);
        assert_eq!(dims.shared_intermediate_size, 2816);
    }
}
