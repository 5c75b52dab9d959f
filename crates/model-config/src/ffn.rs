//! The feed-forward block of each layer: dense, or a mixture of experts.

use serde_json::{Map, Value};

use crate::json::{self, number, whole};
use crate::layer_type::Ffn;
use crate::reader::Reader;

/// Experts that a router chooses from; `None` where none are named.
pub(crate) fn routed_experts(object: &Map<String, Value>) -> Option<u64> {
    let keys = [
        "n_routed_experts",
        "num_experts",
        "num_local_experts",
        "moe_num_experts",
        "num_routed_experts",
    ];
    number(object, &keys).or_else(|| number(object.get("ffn_config")?.as_object()?, &["moe_num_experts"]))
}

/// Experts that one token meets; `None` where it is not named.
pub(crate) fn experts_per_token(object: &Map<String, Value>) -> Option<u64> {
    let keys = [
        "num_experts_per_tok",
        "num_experts_per_token",
        "experts_per_token",
        "top_k_experts",
        "moe_k",
        "moe_topk",
    ];
    number(object, &keys).or_else(|| number(object.get("ffn_config")?.as_object()?, &["moe_top_k"]))
}

/// Feed-forward block of each layer, as far as no list of blocks decides it.
pub(crate) fn ffns(reader: &mut Reader<'_>) -> Vec<Ffn> {
    if let Some(ffns) = by_words(reader) {
        return ffns;
    }
    // One expert is a dense network (Jamba's dense models).
    if routed_experts(reader.object).is_none_or(|experts| experts <= 1) {
        return vec![Ffn::Dense; reader.layers];
    }
    let experts = by_list(reader).unwrap_or_else(|| by_rule(reader));
    // DeepSeek-V4 starts with layers that route by a table; Transformers 5.10 configuration_deepseek_v4.py.
    let hashed = reader.number(&["num_hash_layers"]).unwrap_or(0);
    let ffn = |(layer, has_experts)| match has_experts {
        true if (layer as u64) < hashed => Ffn::HashMoe,
        true => Ffn::Moe,
        false => Ffn::Dense,
    };
    experts.into_iter().enumerate().map(ffn).collect()
}

/// A word for each layer.
fn by_words(reader: &mut Reader<'_>) -> Option<Vec<Ffn>> {
    const KEY: &str = "mlp_layer_types";
    let words = reader.per_layer(KEY)?;
    let mut ffns = Vec::with_capacity(words.len());
    for word in words {
        ffns.push(match word.as_str().unwrap_or_default() {
            "dense" | "mlp" => Ffn::Dense,
            "sparse" | "moe" => Ffn::Moe,
            "hash_moe" => Ffn::HashMoe,
            unknown => {
                reader.unknown(KEY, unknown);
                Ffn::Dense
            }
        });
    }
    Some(ffns)
}

/// Whether each layer has experts: 0 and 1 for each, or the numbers of those that have.
fn by_list(reader: &mut Reader<'_>) -> Option<Vec<bool>> {
    if let Some(codes) = reader.per_layer("moe_layer_freq") {
        return Some(codes.iter().map(|code| whole(code) != Some(0)).collect());
    }
    let numbers = ["moe_layers_enum", "moe_layers"]
        .iter()
        .find_map(|key| json::indices(reader.object, key));
    numbers.map(|numbers| reader.membership(&numbers, 0))
}

/// Whether each layer has experts, by the first rule that the configuration has keys for; else all layers have.
fn by_rule(reader: &Reader<'_>) -> Vec<bool> {
    let value = |key: &str| reader.number(&[key]);
    let every = |key: &str| value(key).filter(|step| *step > 0);
    let dense_first = value("first_k_dense_replace").or_else(|| value("num_dense_layers"));
    let dense_only = json::indices(reader.object, "mlp_only_layers").unwrap_or_default();
    let has_experts = |layer: u64| {
        if let Some(dense) = dense_first {
            return layer >= dense && layer.is_multiple_of(every("moe_layer_freq").unwrap_or(1));
        }
        if let Some(step) = every("decoder_sparse_step") {
            return !dense_only.contains(&layer) && (layer + 1).is_multiple_of(step);
        }
        if let Some(step) = every("interleave_moe_layer_step") {
            return (layer + 1).is_multiple_of(step);
        }
        if let Some(period) = every("expert_layer_period") {
            return layer % period == value("expert_layer_offset").unwrap_or(0);
        }
        if let Some(start) = value("moe_layer_start_index") {
            let end = value("moe_layer_end_index").unwrap_or(u64::MAX);
            return (start..=end).contains(&layer)
                && (layer + 1).is_multiple_of(every("moe_layer_interval").unwrap_or(1));
        }
        !dense_only.contains(&layer)
    };
    (0..reader.layers as u64).map(has_experts).collect()
}
