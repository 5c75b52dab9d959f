//! How the attention layers share keys and values.

use serde_json::{Map, Value};

use crate::json::{flag, number};
use crate::layer_type::{LayerType, Mixer};

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttentionKind {
    /// Each query head has its own keys and values.
    Mha,
    /// Query heads share keys and values in groups.
    Gqa,
    /// All query heads share one set of keys and values.
    Mqa,
    /// One latent vector a token.
    Mla,
    /// Layers with attention stand beside layers with a state of fixed size (linear attention, Mamba, convolution).
    Hybrid,
}

impl AttentionKind {
    /// Stable short name, as documents print it.
    pub fn name(self) -> &'static str {
        match self {
            AttentionKind::Mha => "mha",
            AttentionKind::Gqa => "gqa",
            AttentionKind::Mqa => "mqa",
            AttentionKind::Mla => "mla",
            AttentionKind::Hybrid => "hybrid",
        }
    }
}

/// Query heads of a layer.
pub(crate) fn query_heads(object: &Map<String, Value>) -> Option<u64> {
    number(object, &["num_attention_heads", "n_head", "n_heads", "num_heads"])
}

/// Key and value heads of a layer: as named, or derived from the group size that all blocks of Nemotron-NAS share.
pub(crate) fn kv_heads(object: &Map<String, Value>) -> Option<u64> {
    let named = number(
        object,
        &[
            "num_key_value_heads",
            "num_kv_heads",
            "n_head_kv",
            "multi_query_group_num",
        ],
    );
    let nested = || number(object.get("attn_config")?.as_object()?, &["kv_n_heads"]);
    let single = || (flag(object, "multi_query") == Some(true)).then_some(1);
    named
        .or_else(nested)
        .or_else(single)
        .or_else(|| from_groups(object))
}

fn from_groups(object: &Map<String, Value>) -> Option<u64> {
    let heads = query_heads(object)?;
    let mut sizes = object
        .get("block_configs")?
        .as_array()?
        .iter()
        .filter_map(|block| number(block.get("attention")?.as_object()?, &["n_heads_in_group"]));
    let first = sizes.next().filter(|size| *size > 0)?;
    (sizes.all(|size| size == first) && heads % first == 0).then_some(heads / first)
}

/// The kind that the layers and head counts show; `None` without attention, or without head counts.
pub(crate) fn attention_kind(
    layers: &[LayerType],
    query_heads: Option<u64>,
    kv_heads: Option<u64>,
) -> Option<AttentionKind> {
    if !layers.iter().any(|layer| layer.mixer.is_attention()) {
        return None;
    }
    if layers.iter().any(|layer| layer.mixer.has_state()) {
        return Some(AttentionKind::Hybrid);
    }
    if layers
        .iter()
        .any(|layer| matches!(layer.mixer, Mixer::Mla | Mixer::Dsa | Mixer::DsaShared))
    {
        return Some(AttentionKind::Mla);
    }
    // Transformers 4 and 5: where the number of key and value heads is absent, each query head has its own.
    match (query_heads?, kv_heads) {
        (_, Some(1)) => Some(AttentionKind::Mqa),
        (query, Some(kv)) if kv < query => Some(AttentionKind::Gqa),
        _ => Some(AttentionKind::Mha),
    }
}
