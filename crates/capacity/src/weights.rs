//! The number of weights, counted from shapes, and their bytes on one rank.
//!
//! Matrices are counted; norms, biases, and towers for images or sound are not. On the models of the tests the count is
//! within 2 % of the published number of parameters.

use std::ops::Range;

use model_config::{Ffn, LayerType, Mixer, ModelConfig, Quantization, StateDims};

use crate::kv_dtype::KvDtype;
use crate::parallel::Parallel;

/// Weights by what they are part of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    /// Attention, linear attention and state spaces, as far as ranks share them.
    pub mixers: f64,
    /// Projections into the latent space of attention: every rank keeps them whole (deepseek_v2.py of vLLM and of SGLang).
    pub replicated: f64,
    /// Dense feed-forward networks and shared experts.
    pub dense: f64,
    /// Routers of experts: whole on every rank and never quantized (in the same files).
    pub routers: f64,
    /// Experts that a router chooses from.
    pub experts: f64,
    /// Embedding and last matrix.
    pub embeddings: f64,
}

/// Bytes of one quantized weight with its scales; `None` for a method that is not known.
pub fn weight_storage(quantization: &Quantization) -> Option<f64> {
    let method = quantization.method.as_str();
    Some(match (method, quantization.bits) {
        ("nvfp4", _) => 0.5 + 1.0 / 16.0,
        ("mxfp4", _) => 0.5 + 1.0 / 32.0,
        ("fp8" | "fbgemm_fp8" | "modelopt_fp8" | "w8a8_int8" | "w8a8_fp8", _) => 1.0,
        // Groups of 32 to 128 with a scale of two bytes: the mean of both.
        (_, Some(bits @ 1..=8)) => bits as f64 / 8.0 + if bits < 8 { 0.04 } else { 0.0 },
        _ => return None,
    })
}

impl Weights {
    /// Counts them; `None` where a width is missing.
    pub fn of(config: &ModelConfig) -> Option<Weights> {
        let mut sum = Weights::of_layers(config, 0..config.layer_types.len())?;
        let copies = if config.weights.ties_embeddings { 1.0 } else { 2.0 };
        sum.embeddings = copies * embedding(config)?;
        Some(sum)
    }

    /// Layers alone.
    fn of_layers(config: &ModelConfig, layers: Range<usize>) -> Option<Weights> {
        let mut sum = Weights::default();
        for layer in config.layer_types.get(layers)? {
            sum.mixers += mixer(config, *layer)?;
            sum.replicated += whole_on_ranks(config, *layer)?;
            let (dense, experts, router) = feed_forward(config, layer.ffn)?;
            sum.dense += dense;
            sum.experts += experts;
            sum.routers += router;
        }
        Some(sum)
    }

    /// Bytes on a rank of the pipeline stage that holds most; `None` where a width is missing. The first stage has the
    /// embedding and the last one the last matrix, be they the same matrix or two.
    pub fn largest_stage_bytes(
        config: &ModelConfig,
        quantization: Option<&Quantization>,
        parallel: Parallel,
    ) -> Option<f64> {
        let stages = parallel.stages(config.layer_types.len());
        let is_whole = stages.len() == 1;
        let of_stage = Parallel { pp: 1, ..parallel };
        let last = stages.len() - 1;
        let mut largest: f64 = 0.0;
        for (at, layers) in stages.into_iter().enumerate() {
            let mut weights = if is_whole {
                Weights::of(config)?
            } else {
                Weights::of_layers(config, layers)?
            };
            if !is_whole && (at == 0 || at == last) {
                weights.embeddings = embedding(config)?;
            }
            largest = largest.max(weights.rank_bytes(config, quantization, of_stage));
        }
        Some(largest)
    }

    /// All of them.
    pub fn total(&self) -> f64 {
        self.mixers + self.replicated + self.dense + self.routers + self.experts + self.embeddings
    }

    /// Bytes on one rank, the mean over pipeline stages. Embeddings are never quantized; a method that is not known counts as none.
    pub fn rank_bytes(
        &self,
        config: &ModelConfig,
        quantization: Option<&Quantization>,
        parallel: Parallel,
    ) -> f64 {
        let plain = KvDtype::of_model_bytes(config);
        let stored = quantization.and_then(weight_storage).unwrap_or(plain);
        // MXFP4 checkpoints (gpt-oss) quantize experts alone.
        let experts_only = quantization.is_some_and(|how| how.keeps_attention || how.method == "mxfp4");
        let mixers = if experts_only { plain } else { stored };
        let dense = if experts_only && self.experts > 0.0 {
            plain
        } else {
            stored
        };
        let (tp, pp) = (parallel.tp.max(1) as f64, parallel.pp.max(1) as f64);
        let divided = (self.dense * dense + self.experts * stored + self.embeddings * plain) / tp;
        let shared = divided + self.mixers * mixers / parallel.attention_tp() as f64;
        (shared + self.replicated * mixers + self.routers * plain) / pp
    }
}

/// Numbers of one matrix between tokens and their vectors.
fn embedding(config: &ModelConfig) -> Option<f64> {
    Some(config.vocab_size? as f64 * config.hidden_size? as f64)
}

fn mixer(config: &ModelConfig, layer: LayerType) -> Option<f64> {
    let hidden = config.hidden_size? as f64;
    let query = || Some(config.num_attention_heads? as f64);
    let heads = |dims: Option<model_config::HeadDims>| {
        let (dims, query) = (dims?, query()?);
        let (k, v, kv) = (dims.k_dim as f64, dims.v_dim as f64, dims.kv_heads as f64);
        Some(hidden * (query * k + kv * (k + v) + query * v))
    };
    let state = |dims: Option<StateDims>| {
        let dims = dims?;
        // What is convolved and the gate go in, what comes out of the heads goes back.
        Some(hidden * (dims.conv_channels as f64 + 2.0 * dims.inner as f64))
    };
    let cache = &config.cache;
    match layer.mixer {
        Mixer::Full | Mixer::BlockSparse => heads(cache.full),
        Mixer::Sliding | Mixer::Chunked => heads(cache.windowed),
        Mixer::Mla | Mixer::Dsa | Mixer::DsaShared => latent(config, hidden, query()?),
        // Low-rank queries, one key, and an output in groups: about a projection of each.
        Mixer::C4 | Mixer::C128 => {
            let (dims, rank) = (cache.full?, config.weights.q_lora_rank? as f64);
            let (query, k) = (query()?, dims.k_dim as f64);
            Some(hidden * (rank + 2.0 * k) + rank * query * k + 2.0 * hidden * rank)
        }
        Mixer::Linear => state(cache.linear),
        Mixer::Mamba => state(cache.mamba),
        Mixer::AttentionMamba => Some(heads(cache.full)? + state(cache.mamba)?),
        Mixer::Conv => Some(4.0 * hidden * hidden),
        Mixer::Matrix => Some(hidden * hidden),
        Mixer::None => Some(0.0),
        Mixer::Other => None,
    }
}

/// Weights of the mixer that every rank keeps whole.
fn whole_on_ranks(config: &ModelConfig, layer: LayerType) -> Option<f64> {
    let (Mixer::Mla | Mixer::Dsa | Mixer::DsaShared) = layer.mixer else {
        return Some(0.0);
    };
    let into =
        config.kv_lora_rank? + config.qk_rope_head_dim.unwrap_or(0) + config.weights.q_lora_rank.unwrap_or(0);
    Some(config.hidden_size? as f64 * into as f64)
}

/// What ranks share of latent attention.
fn latent(config: &ModelConfig, hidden: f64, heads: f64) -> Option<f64> {
    let rank = config.kv_lora_rank? as f64;
    let rope = config.qk_rope_head_dim.unwrap_or(0) as f64;
    let nope = config.weights.qk_nope_head_dim? as f64;
    let value = config.weights.v_head_dim? as f64;
    let width = heads * (nope + rope);
    let queries = match config.weights.q_lora_rank {
        Some(rank) => rank as f64 * width,
        None => hidden * width,
    };
    Some(queries + rank * heads * (nope + value) + heads * value * hidden)
}

/// Dense weights, those of experts, and their router's.
fn feed_forward(config: &ModelConfig, ffn: Ffn) -> Option<(f64, f64, f64)> {
    let dims = &config.weights;
    let hidden = config.hidden_size? as f64;
    let matrices = if dims.is_gated { 3.0 } else { 2.0 };
    match ffn {
        Ffn::Dense => {
            let width = dims.dense_intermediate_size.or(config.intermediate_size)? as f64;
            Some((matrices * hidden * width, 0.0, 0.0))
        }
        Ffn::Moe | Ffn::HashMoe => {
            let width = dims.moe_intermediate_size.or(config.intermediate_size)? as f64;
            let (experts, shared) = (config.num_experts? as f64, dims.shared_intermediate_size as f64);
            let latent = dims.moe_latent_size.map(|latent| latent as f64);
            let around = latent.map_or(0.0, |latent| 2.0 * hidden * latent);
            Some((
                matrices * hidden * shared + around,
                experts * matrices * latent.unwrap_or(hidden) * width,
                hidden * experts,
            ))
        }
        Ffn::Matrix => Some((hidden * hidden, 0.0, 0.0)),
        Ffn::None => Some((0.0, 0.0, 0.0)),
    }
}
