//! What a kernel is for: one of seventeen families, decided by its name.
//!
//! The rules are data, `family/families.yaml`: an ordered list, the first rule that matches wins. Whoever meets a
//! kernel that lands in [`Family::Other`] adds a rule there, with an example and a near miss.

mod rules;

use rules::RULES;
pub use rules::{Rule, rules};

use crate::name_pattern::Words;

/// What a kernel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Scores, softmax and values over a KV cache, with the merging of partial results and sparse selection.
    Attention,
    /// Multi-head latent attention (DeepSeek).
    Mla,
    /// Mixture of experts: gating, sorting, expert matrix products, the sum over experts.
    Moe,
    /// Matrix products and convolutions, split-k reductions included.
    Gemm,
    /// RMSNorm, LayerNorm and friends, with what is fused into them.
    Norm,
    /// Rotary position embedding, with what is fused into it.
    Rope,
    /// SiLU, GELU and friends, gated or not.
    Activation,
    /// Casts to and from scaled low precision.
    Quantize,
    /// Communication between GPUs.
    Comm,
    /// From logits to tokens, speculative verification included.
    Sampling,
    /// State-space and linear attention: Mamba, GDN, KDA.
    LinearAttention,
    /// Manifold-constrained hyper-connections (DeepSeek).
    Mhc,
    /// Hadamard transforms.
    Hadamard,
    /// Pointwise work, reductions, copies done by kernels, bookkeeping of the scheduler.
    Elementwise,
    /// Copies done by the copy engine or the runtime.
    Memcpy,
    /// Fills done by the runtime.
    Memset,
    /// No rule knows it.
    Other,
}

impl Family {
    /// Every family, in the order of the enum.
    pub const ALL: [Self; 17] = [
        Self::Attention,
        Self::Mla,
        Self::Moe,
        Self::Gemm,
        Self::Norm,
        Self::Rope,
        Self::Activation,
        Self::Quantize,
        Self::Comm,
        Self::Sampling,
        Self::LinearAttention,
        Self::Mhc,
        Self::Hadamard,
        Self::Elementwise,
        Self::Memcpy,
        Self::Memset,
        Self::Other,
    ];

    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Mla => "mla",
            Self::Moe => "moe",
            Self::Gemm => "gemm",
            Self::Norm => "norm",
            Self::Rope => "rope",
            Self::Activation => "activation",
            Self::Quantize => "quantize",
            Self::Comm => "comm",
            Self::Sampling => "sampling",
            Self::LinearAttention => "linear_attention",
            Self::Mhc => "mhc",
            Self::Hadamard => "hadamard",
            Self::Elementwise => "elementwise",
            Self::Memcpy => "memcpy",
            Self::Memset => "memset",
            Self::Other => "other",
        }
    }
}

/// Family of a kernel by its name. Any text has one; what no rule knows is [`Family::Other`].
///
/// Takes the name apart and walks the rules: ask once a distinct name, not once an event.
pub fn family_of(name: &str) -> Family {
    let words = Words::of(name);
    RULES
        .iter()
        .find(|rule| rule.matches(&words))
        .map_or(Family::Other, |rule| rule.family)
}
