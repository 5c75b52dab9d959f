//! What an engine says of its memory, whether in a log or over HTTP, before anything is concluded from it.

use std::collections::BTreeMap;
use std::fmt;

use crate::size::Size;

/// Which rank speaks. All `None` where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Replica of attention or of the engine.
    pub dp: Option<u32>,
    /// Pipeline stage.
    pub pp: Option<u32>,
    /// Tensor parallel rank.
    pub tp: Option<u32>,
}

impl Rank {
    /// `DP0 TP1`; `None` for a rank without a name.
    pub fn name(self) -> Option<String> {
        (self != Rank::default()).then(|| self.to_string())
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("DP", self.dp), ("PP", self.pp), ("TP", self.tp)];
        let mut first = true;
        for (name, number) in parts {
            if let Some(number) = number {
                write!(f, "{}{name}{number}", if first { "" } else { " " })?;
                first = false;
            }
        }
        Ok(())
    }
}

/// What a pool of keys and values is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Layers that keep all tokens.
    Kv,
    /// Layers with a window.
    Window,
    /// Keys that select what attention looks at.
    Index,
    /// A draft model, or layers for multi-token prediction.
    Draft,
}

/// A pool of keys and values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KvPool {
    /// What it is for, where the engine says so.
    pub kind: Option<PoolKind>,
    /// Tokens, where they are named.
    pub tokens: Option<u64>,
    /// Keys alone.
    pub keys: Option<Size>,
    /// Keys and values.
    pub all: Option<Size>,
    /// Type of the elements, as named.
    pub dtype: Option<String>,
}

/// A pool of states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatePool {
    /// Requests whose state fits.
    pub slots: u64,
    /// All buffers.
    pub all: Size,
}

/// What one rank says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankFacts {
    /// Memory of the device.
    pub device_total: Option<Size>,
    /// What vLLM may use of it.
    pub budget: Option<Size>,
    /// Free when vLLM started.
    pub free_at_start: Option<Size>,
    /// Free before the weights were loaded.
    pub free_before_weights: Option<Size>,
    /// Weights, one entry a model: the draft follows.
    pub weights: Vec<Size>,
    /// Free after the weights were loaded.
    pub free_after_weights: Option<Size>,
    /// What SGLang takes its fraction of.
    pub fraction_of: Option<Size>,
    /// What SGLang or vLLM gives to the pools; may be negative.
    pub for_pools: Option<Size>,
    /// Pools of keys and values, as they were made.
    pub pools: Vec<KvPool>,
    /// The pool of states.
    pub states: Option<StatePool>,
    /// Free after the pools were made.
    pub free_after_pools: Option<Size>,
    /// Free before the next pools are made: after weights, or after the pools before them.
    pub free_before_pools: Option<Size>,
    /// What SGLang had less when all pools were made than before each of them.
    pub pools_took: Option<Size>,
    /// Free before graphs were captured.
    pub free_before_capture: Option<Size>,
    /// Graphs, one entry a capture.
    pub graphs: Vec<Size>,
    /// What vLLM expected of them before it made its pool.
    pub graphs_estimated: Option<Size>,
    /// Free after graphs were captured.
    pub free_after_capture: Option<Size>,
    /// Largest activations.
    pub activation: Option<Size>,
    /// What others than PyTorch take.
    pub non_torch: Option<Size>,
    /// Whether a capture has begun.
    pub capture_began: bool,
    /// Whether SGLang has said the line that ends a start.
    pub is_through: bool,
}

/// An error about memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Who says it.
    pub rank: Rank,
    /// When it happened, as the contract names it.
    pub phase: Phase,
    /// Line, from 1.
    pub line: u64,
    /// Cleaned text.
    pub text: String,
    /// What could not be allocated.
    pub tried: Option<Size>,
    /// Longest context that would fit, where the engine names it.
    pub fits_context: Option<u64>,
    /// Memory fraction that would leave no pool, where the engine names it.
    pub least_fraction: Option<f64>,
}

/// When memory ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// While weights were loaded.
    Weights,
    /// The pool would have been empty.
    Pool,
    /// After the pools were sized and before requests came: graphs, warm-up.
    Capture,
    /// One request of the longest context does not fit.
    Context,
    /// While requests were served.
    Runtime,
    /// Others had taken memory before the start.
    Foreign,
    /// The log does not say what had happened before.
    Unknown,
}

impl Phase {
    /// As documents print it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Weights => "weights",
            Phase::Pool => "pool",
            Phase::Capture => "capture",
            Phase::Context => "context",
            Phase::Runtime => "runtime",
            Phase::Foreign => "foreign",
            Phase::Unknown => "unknown",
        }
    }
}

/// Form of the lines of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// SGLang.
    Sglang,
    /// TokenSpeed.
    Tokenspeed,
    /// vLLM before its second engine.
    VllmV0,
    /// vLLM since.
    VllmV1,
}

impl Format {
    /// As documents print it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Sglang => "sglang",
            Format::Tokenspeed => "tokenspeed",
            Format::VllmV0 => "vllm-v0",
            Format::VllmV1 => "vllm-v1",
        }
    }

    /// The engine.
    pub fn engine(self) -> &'static str {
        match self {
            Format::Sglang => "sglang",
            Format::Tokenspeed => "tokenspeed",
            Format::VllmV0 | Format::VllmV1 => "vllm",
        }
    }

    /// Whether its memory fraction is of the device.
    pub fn is_vllm(self) -> bool {
        matches!(self, Format::VllmV0 | Format::VllmV1)
    }
}

/// Everything that one start of an engine says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Whether it has computed batches of requests.
    pub serves: bool,
    /// Form of its lines.
    pub format: Option<Format>,
    /// Version.
    pub version: Option<String>,
    /// Model, as started.
    pub model: Option<String>,
    /// Tensor parallel ranks.
    pub tp: Option<u64>,
    /// Pipeline stages.
    pub pp: Option<u64>,
    /// Schedulers with a pool each.
    pub dp: Option<u64>,
    /// Whether these are replicas of attention within the tensor parallel ranks.
    pub has_dp_attention: bool,
    /// Expert parallel ranks.
    pub ep: Option<u64>,
    /// Type of keys and values that was asked for.
    pub kv_dtype: Option<String>,
    /// Type of the model.
    pub dtype: Option<String>,
    /// Tokens of a page or block.
    pub page: Option<u64>,
    /// Longest context.
    pub context: Option<u64>,
    /// Requests that one scheduler lets run.
    pub max_running_requests: Option<u64>,
    /// Tokens that a setting lets one scheduler's pool have at most.
    pub cap_tokens: Option<u64>,
    /// Blocks that a setting of vLLM lets its pool have.
    pub cap_blocks: Option<u64>,
    /// Memory fraction.
    pub fraction: Option<f64>,
    /// Tokens of the pool of one scheduler.
    pub tokens: Option<u64>,
    /// Tokens of the layers that keep all, where those with a window have a pool of their own.
    pub full_layer_tokens: Option<u64>,
    /// Tokens of the pool of layers with a window.
    pub window_pool_tokens: Option<u64>,
    /// vLLM's blocks.
    pub blocks: Option<u64>,
    /// vLLM's concurrency: length, times, and half of its last digit.
    pub concurrency: Option<(u64, f64, f64)>,
    /// Layers that vLLM added so that groups of layers are equal.
    pub padding_layers: Option<u64>,
    /// Bytes of a token that SGLang computed for DeepSeek-V4.
    pub announced_token_bytes: Option<f64>,
    /// Whether graphs are part of vLLM's share of the device, where it says so.
    pub graphs_in_budget: Option<bool>,
    /// A value of `--kv-cache-memory` that vLLM offers.
    pub offered_kv_bytes: Option<u64>,
    /// Whether the size of a pool is that of all pools together, states among them.
    pub pool_is_sum: bool,
    /// Whether layers of several kinds share one pool, so that its bytes are of no token.
    pub pool_is_mixed: bool,
    /// Whether a simulated engine says it.
    pub is_simulated: bool,
    /// Whether it answers requests.
    pub is_ready: bool,
    /// What the ranks say.
    pub ranks: BTreeMap<Rank, RankFacts>,
    /// Errors about memory.
    pub failures: Vec<Failure>,
}

impl Facts {
    /// Whether anything about memory is known.
    pub fn is_empty(&self) -> bool {
        let ranks_are_empty = self.ranks.values().all(|rank| *rank == RankFacts::default());
        ranks_are_empty
            && self.failures.is_empty()
            && self.tokens.is_none()
            && self.blocks.is_none()
            && self.concurrency.is_none()
            && self.announced_token_bytes.is_none()
    }

    /// What one rank says.
    pub(crate) fn rank(&mut self, rank: Rank) -> &mut RankFacts {
        // A log names as many ranks as it has processes; a made-up one shall not fill the memory.
        const MOST_RANKS: usize = 4096;
        if self.ranks.len() >= MOST_RANKS && !self.ranks.contains_key(&rank) {
            return self.ranks.entry(Rank::default()).or_default();
        }
        self.ranks.entry(rank).or_default()
    }
}
