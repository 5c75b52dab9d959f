//! What a decoder layer is made of: one token mixer and one feed-forward block.

use std::fmt;

/// What lets the tokens of a layer see each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mixer {
    /// Attention over the whole context, with keys and values per head or head group.
    Full,
    /// Attention over a window of the last tokens.
    Sliding,
    /// Attention within chunks of fixed length (Llama 4).
    Chunked,
    /// Multi-head latent attention over the whole context.
    Mla,
    /// Latent attention over the tokens that an indexer selects (DeepSeek-V3.2, GLM-5).
    Dsa,
    /// As [`Mixer::Dsa`], with the selection of an earlier layer: no indexer runs.
    DsaShared,
    /// Attention over selected blocks of the context (MiniMax-M3).
    BlockSparse,
    /// A window, and a selection of the context compressed four to one (DeepSeek-V4, `compress_ratios` 4).
    C4,
    /// A window, and the context compressed 128 to one (DeepSeek-V4, `compress_ratios` 128).
    C128,
    /// Linear attention: gated delta net, KDA, lightning attention.
    Linear,
    /// A Mamba state-space block.
    Mamba,
    /// Attention and Mamba in the same layer (Falcon-H1, the hybrid layers of Zamba2).
    AttentionMamba,
    /// A short convolution (LFM2).
    Conv,
    /// The attention is replaced by one matrix (Nemotron-NAS).
    Matrix,
    /// No token mixer: the layer is a feed-forward block alone, or nothing.
    None,
    /// A name that this reader does not know.
    Other,
}

/// What follows the token mixer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ffn {
    /// One feed-forward network for all tokens.
    Dense,
    /// A mixture of experts behind a learned router.
    Moe,
    /// A mixture of experts, routed by a fixed table of token ids (the first `num_hash_layers` of DeepSeek-V4).
    HashMoe,
    /// The feed-forward network is replaced by one matrix (Nemotron-NAS).
    Matrix,
    /// No feed-forward block.
    None,
}

/// The type of one decoder layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerType {
    /// Token mixer.
    pub mixer: Mixer,
    /// Feed-forward block.
    pub ffn: Ffn,
}

impl Mixer {
    /// Stable short name, as documents print it.
    pub fn name(self) -> &'static str {
        match self {
            Mixer::Full => "full",
            Mixer::Sliding => "sliding",
            Mixer::Chunked => "chunked",
            Mixer::Mla => "mla",
            Mixer::Dsa => "dsa",
            Mixer::DsaShared => "dsa-shared",
            Mixer::BlockSparse => "block-sparse",
            Mixer::C4 => "c4",
            Mixer::C128 => "c128",
            Mixer::Linear => "linear",
            Mixer::Mamba => "mamba",
            Mixer::AttentionMamba => "attention-mamba",
            Mixer::Conv => "conv",
            Mixer::Matrix => "matrix",
            Mixer::None => "none",
            Mixer::Other => "other",
        }
    }

    /// Whether queries meet keys of earlier tokens, and the layer so has a KV cache that grows.
    pub fn is_attention(self) -> bool {
        match self {
            Mixer::Full
            | Mixer::Sliding
            | Mixer::Chunked
            | Mixer::Mla
            | Mixer::Dsa
            | Mixer::DsaShared
            | Mixer::BlockSparse
            | Mixer::C4
            | Mixer::C128
            | Mixer::AttentionMamba => true,
            Mixer::Linear | Mixer::Mamba | Mixer::Conv | Mixer::Matrix | Mixer::None | Mixer::Other => false,
        }
    }

    /// Whether the layer keeps a state of fixed size instead of, or beside, a KV cache.
    pub fn has_state(self) -> bool {
        matches!(
            self,
            Mixer::Linear | Mixer::Mamba | Mixer::AttentionMamba | Mixer::Conv
        )
    }
}

impl Ffn {
    /// Stable short name, as documents print it.
    pub fn name(self) -> &'static str {
        match self {
            Ffn::Dense => "dense",
            Ffn::Moe => "moe",
            Ffn::HashMoe => "hash-moe",
            Ffn::Matrix => "matrix",
            Ffn::None => "none",
        }
    }
}

/// `full+dense`, `mamba+none`, `none+moe`: mixer, plus sign, feed-forward block.
impl fmt::Display for LayerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.mixer.name(), self.ffn.name())
    }
}
