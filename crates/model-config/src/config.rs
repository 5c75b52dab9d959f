//! The configuration as far as measuring needs it.

use crate::attention::{AttentionKind, attention_kind, kv_heads, query_heads};
use crate::cache::{CacheDims, cache_dims};
use crate::error::ConfigError;
use crate::ffn::{experts_per_token, ffns, routed_experts};
use crate::json;
use crate::layer_count::{language_model, layer_count, mtp_layers};
use crate::layer_type::LayerType;
use crate::mixer::mixers;
use crate::reader::Reader;
use crate::warning::ConfigWarning;
use crate::weights::{Quantization, WeightDims, quantization, weight_dims};

/// What a model's `config.json` says about its layers. Everything that it does not say is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConfig {
    /// First entry of `architectures`.
    pub architecture: Option<String>,
    /// `model_type` of the language model, else of the whole.
    pub model_type: Option<String>,
    /// One entry for each decoder layer, in order, without layers of multi-token prediction. Never empty.
    pub layer_types: Vec<LayerType>,
    /// Layers of multi-token prediction, which are no part of [`ModelConfig::layer_types`].
    pub mtp_layers: Option<u64>,
    /// How keys and values are kept; `None` without attention, or without head counts.
    pub attention: Option<AttentionKind>,
    /// Width of the hidden state.
    pub hidden_size: Option<u64>,
    /// Width of a dense feed-forward network.
    pub intermediate_size: Option<u64>,
    /// Query heads of a layer.
    pub num_attention_heads: Option<u64>,
    /// Key and value heads of a layer; absent means one for each query head.
    pub num_key_value_heads: Option<u64>,
    /// Width of a head, only where it is named: it need not be the hidden size divided by the heads.
    pub head_dim: Option<u64>,
    /// Width of the latent vector of latent attention.
    pub kv_lora_rank: Option<u64>,
    /// Width of the rotary part that latent attention keeps beside it.
    pub qk_rope_head_dim: Option<u64>,
    /// Tokens that sliding layers see.
    pub sliding_window: Option<u64>,
    /// Experts that a router chooses from.
    pub num_experts: Option<u64>,
    /// Experts that one token meets.
    pub num_experts_per_token: Option<u64>,
    /// Entries of the vocabulary.
    pub vocab_size: Option<u64>,
    /// Widths of what the layers keep of tokens and requests.
    pub cache: CacheDims,
    /// Shapes and storage of the weights.
    pub weights: WeightDims,
    /// What was not used or not understood.
    pub warnings: Vec<ConfigWarning>,
}

impl ModelConfig {
    /// Reads the bytes of a `config.json`.
    ///
    /// # Errors
    /// A text that is longer than 32 MiB, no JSON object, or names no number of layers from 1 to 4096.
    pub fn from_slice(text: &[u8]) -> Result<ModelConfig, ConfigError> {
        let top = json::parse(text)?;
        let object = language_model(&top);
        let layers = layer_count(object)?;
        let mtp_layers = mtp_layers(object);
        let mut reader = Reader {
            object,
            layers,
            mtp: mtp_layers
                .and_then(|mtp| usize::try_from(mtp).ok())
                .unwrap_or(0)
                .min(layers),
            warnings: Vec::new(),
        };
        let blocks = mixers(&mut reader);
        let ffns = ffns(&mut reader);
        let layer_types: Vec<LayerType> = blocks
            .into_iter()
            .zip(ffns)
            .map(|((mixer, decided), ffn)| LayerType {
                mixer,
                ffn: decided.unwrap_or(ffn),
            })
            .collect();
        let (query, kv) = (query_heads(object), kv_heads(object));
        let warnings = reader.warnings;
        let architectures = [&top, object]
            .into_iter()
            .find_map(|part| json::list(part, "architectures"));
        let number = |keys: &[&str]| json::number(object, keys);
        Ok(ModelConfig {
            architecture: architectures.and_then(|list| list[0].as_str()).map(json::clean),
            model_type: json::name(object, "model_type").or_else(|| json::name(&top, "model_type")),
            attention: attention_kind(&layer_types, query, kv),
            layer_types,
            mtp_layers,
            hidden_size: number(&["hidden_size", "n_embd", "d_model"]),
            intermediate_size: number(&["intermediate_size", "n_inner", "ffn_hidden_size"]),
            num_attention_heads: query,
            num_key_value_heads: kv,
            head_dim: number(&["head_dim", "attention_head_dim"]),
            kv_lora_rank: number(&["kv_lora_rank"]),
            qk_rope_head_dim: number(&["qk_rope_head_dim"]),
            sliding_window: number(&["sliding_window", "sliding_window_size"]),
            num_experts: routed_experts(object),
            num_experts_per_token: experts_per_token(object),
            vocab_size: number(&["vocab_size"]).or_else(|| json::number(&top, &["vocab_size"])),
            cache: cache_dims(object, query, kv),
            weights: weight_dims(&top, object),
            warnings,
        })
    }

    /// Reads the bytes of an `hf_quant_config.json`: how the weights beside it are stored. `None` where it does not say.
    ///
    /// # Errors
    /// A text that is longer than 32 MiB, or no JSON object.
    pub fn quantization_from_slice(text: &[u8]) -> Result<Option<Quantization>, ConfigError> {
        let top = json::parse(text)?;
        let inner = top.get("quantization").and_then(serde_json::Value::as_object);
        Ok(inner.and_then(quantization))
    }

    /// Decoder layers, without those of multi-token prediction.
    pub fn num_hidden_layers(&self) -> usize {
        self.layer_types.len()
    }

    /// Whether all layers are of one type.
    pub fn is_uniform(&self) -> bool {
        self.layer_types.windows(2).all(|pair| pair[0] == pair[1])
    }
}
