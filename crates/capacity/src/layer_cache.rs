//! What one layer keeps on one rank.

use model_config::{CacheDims, HeadDims, Mixer, ModelConfig, StateDims};

use crate::kv_dtype::KvDtype;
use crate::parallel::Parallel;

/// Bytes that one layer keeps on one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kept {
    /// Keys of one token; with latent attention, keys and values in one.
    pub k_bytes: f64,
    /// Values of one token.
    pub v_bytes: f64,
    /// What is kept of a token beside keys and values: the keys of an indexer.
    pub index_bytes: f64,
    /// Whether only the last tokens are kept.
    pub is_windowed: bool,
    /// State of one request, however long it is.
    pub state_bytes: f64,
    /// Whether the layer keeps something that the configuration does not give the width of.
    pub is_partial: bool,
}

/// The indexer of DeepSeek sparse attention keeps a key in fp8 with a four-byte scale, whatever the rest is kept in
/// (SGLang and vLLM; read, not measured).
const INDEX_SCALE_BYTES: f64 = 4.0;

/// What layer `index` keeps.
pub fn layer_cache(config: &ModelConfig, index: usize, parallel: Parallel, dtype: KvDtype) -> Kept {
    let Some(layer) = config.layer_types.get(index) else {
        return Kept::default();
    };
    if shares_keys(config, index) {
        return Kept::default();
    }
    let cache = &config.cache;
    match layer.mixer {
        Mixer::Full => heads(cache.full, parallel, dtype),
        Mixer::Sliding | Mixer::Chunked => windowed(cache, parallel, dtype),
        Mixer::Mla => latent(config, dtype),
        Mixer::Dsa => Kept {
            index_bytes: cache
                .index_head_dim
                .map_or(0.0, |dim| dim as f64 + INDEX_SCALE_BYTES),
            ..latent(config, dtype)
        },
        Mixer::DsaShared => latent(config, dtype),
        // The keys that select blocks are not counted: how they are kept was not checked.
        Mixer::BlockSparse => Kept {
            is_partial: true,
            ..heads(cache.full, parallel, dtype)
        },
        Mixer::C4 => compressed(config, 4.0, parallel, dtype),
        Mixer::C128 => compressed(config, 128.0, parallel, dtype),
        Mixer::Linear => state(config, cache.linear, parallel),
        Mixer::Mamba => state(config, cache.mamba, parallel),
        Mixer::AttentionMamba => {
            let (attention, mamba) = (
                heads(cache.full, parallel, dtype),
                state(config, cache.mamba, parallel),
            );
            Kept {
                state_bytes: mamba.state_bytes,
                is_partial: attention.is_partial || mamba.is_partial,
                ..attention
            }
        }
        Mixer::Conv => Kept {
            state_bytes: cache.conv_elements.map_or(0.0, |elements| {
                elements as f64 * KvDtype::of_model_bytes(config) / parallel.attention_tp() as f64
            }),
            is_partial: cache.conv_elements.is_none(),
            ..Kept::default()
        },
        Mixer::Matrix | Mixer::None => Kept::default(),
        Mixer::Other => Kept {
            is_partial: true,
            ..Kept::default()
        },
    }
}

/// Whether the layer takes keys and values of an earlier one.
fn shares_keys(config: &ModelConfig, index: usize) -> bool {
    let shared = usize::try_from(config.cache.shared_layers).unwrap_or(usize::MAX);
    index >= config.layer_types.len().saturating_sub(shared) && shared < config.layer_types.len()
}

fn heads(dims: Option<HeadDims>, parallel: Parallel, dtype: KvDtype) -> Kept {
    let Some(dims) = dims else {
        return Kept {
            is_partial: true,
            ..Kept::default()
        };
    };
    let heads = parallel.kv_heads(dims.kv_heads) as f64;
    Kept {
        k_bytes: heads * dtype.vector_bytes(dims.k_dim),
        v_bytes: heads * dtype.vector_bytes(dims.v_dim),
        ..Kept::default()
    }
}

fn windowed(cache: &CacheDims, parallel: Parallel, dtype: KvDtype) -> Kept {
    Kept {
        is_windowed: cache.window_tokens.is_some(),
        ..heads(cache.windowed, parallel, dtype)
    }
}

/// One vector a token for all heads: every rank keeps it whole.
fn latent(config: &ModelConfig, dtype: KvDtype) -> Kept {
    let (Some(rank), rope) = (config.kv_lora_rank, config.qk_rope_head_dim.unwrap_or(0)) else {
        return Kept {
            is_partial: true,
            ..Kept::default()
        };
    };
    Kept {
        k_bytes: dtype.vector_bytes(rank.saturating_add(rope)),
        ..Kept::default()
    }
}

/// One vector for several tokens. The window beside it, and what is kept while a vector is made, are not counted.
fn compressed(config: &ModelConfig, tokens: f64, parallel: Parallel, dtype: KvDtype) -> Kept {
    let whole = heads(config.cache.full, parallel, dtype);
    let index = config.cache.index_head_dim.filter(|_| tokens < 128.0);
    Kept {
        // Keys and values are one vector.
        k_bytes: whole.k_bytes / tokens,
        index_bytes: index.map_or(0.0, |dim| (dim as f64 + INDEX_SCALE_BYTES) / tokens),
        is_partial: true,
        ..Kept::default()
    }
}

fn state(config: &ModelConfig, dims: Option<StateDims>, parallel: Parallel) -> Kept {
    let Some(dims) = dims else {
        return Kept {
            is_partial: true,
            ..Kept::default()
        };
    };
    let ranks = parallel.attention_tp();
    let heads = dims.heads.div_ceil(ranks) as f64;
    let recurrent = heads * dims.head_elements as f64 * state_bytes(&config.cache);
    let channels = dims.conv_channels as f64 / ranks as f64;
    Kept {
        state_bytes: recurrent + channels * dims.conv_tokens as f64 * KvDtype::of_model_bytes(config),
        ..Kept::default()
    }
}

/// Engines keep the recurrent state in float32 unless the configuration names another type (SGLang 0.5, read).
fn state_bytes(cache: &CacheDims) -> f64 {
    let named = cache.state_dtype.as_deref().and_then(KvDtype::parse);
    named.unwrap_or(KvDtype::Fp32).element_bytes()
}
