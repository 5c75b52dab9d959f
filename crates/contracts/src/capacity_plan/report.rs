//! `capacity-plan.report/1`: where the memory of each rank went, what a token costs, and how many requests fit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "capacity-plan.report/1";

/// `data` of `capacity-plan.report/1`. Engines print GiB, sometimes as `GB`; here everything is bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReportData {
    /// Where the numbers come from.
    pub source: Source,
    /// The engine and how it was started, as far as it is known.
    pub engine: Engine,
    /// What a token takes, said by the engine and by the formula.
    pub kv: Kv,
    /// Whether the engine could serve at all; null where one was started.
    pub fit: Option<Fit>,
    /// Requests at once, by their length.
    pub capacity: Vec<Capacity>,
    /// What is left on the ranks; null where no rank says what is free.
    pub headroom: Option<Headroom>,
    /// What to change, the most urgent first.
    pub advice: Vec<Advice>,
    /// Memory of each rank, by name.
    pub memory: Vec<Memory>,
    /// Pools of keys, values and states, by rank.
    pub pools: Vec<Pool>,
    /// Errors about memory that stand in the log, in its order.
    pub failures: Vec<MemoryFailure>,
    /// How much of the log was understood; null without one.
    pub log: Option<LogLines>,
}

/// Where numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The log of a start-up.
    Log,
    /// A running server.
    Live,
    /// The model's configuration alone: nothing was measured.
    Estimate,
}

/// The engine and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Engine {
    /// `sglang`, `vllm` or `tokenspeed`; null where nothing tells.
    pub kind: Option<String>,
    /// Form of its log lines: `sglang`, `vllm-v0`, `vllm-v1`, `tokenspeed`; null without a log.
    pub format: Option<String>,
    /// Version; null where it is not named.
    pub version: Option<String>,
    /// Model as it was started; null where it is not named.
    pub model: Option<String>,
    /// Tensor parallel ranks; of a log without settings as many as it has ranks. Null where nothing tells.
    pub tp: Option<u64>,
    /// Pipeline stages; null where nothing tells.
    pub pp: Option<u64>,
    /// Schedulers that each hold a pool of their own: replicas of attention or of the engine. Null where nothing tells.
    pub dp: Option<u64>,
    /// Type of keys and values: `bf16`, `fp8`, …; null where nothing tells.
    pub kv_dtype: Option<String>,
    /// Tokens of a page or block; null where nothing tells.
    pub page_tokens: Option<u64>,
    /// Longest context, tokens; null where nothing tells.
    pub context_tokens: Option<u64>,
    /// Requests that one scheduler lets run at once; null where nothing tells.
    pub max_running_requests: Option<u64>,
    /// `--mem-fraction-static` (SGLang: of what is free before the weights are loaded) or `--gpu-memory-utilization`
    /// (vLLM: of the device), as a ratio; null where nothing tells.
    pub memory_fraction_ratio: Option<Finite>,
}

/// What a token takes on one rank, over the layers that keep all tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kv {
    /// Tokens that the pool of one scheduler holds; of a hybrid model in vLLM, concurrency times length. Null where
    /// nothing tells.
    pub tokens: Option<u64>,
    /// The only length of requests that `tokens` hold for, tokens: layers of several kinds share a pool of vLLM or of an
    /// estimate, and a request takes a part of it that does not grow with its length. Null where they hold for every length.
    pub tokens_hold_for: Option<u64>,
    /// Bytes of the pool / its tokens, on the first rank that has both; null where there is none.
    pub bytes_per_token_log: Option<Finite>,
    /// By how much `bytes_per_token_log` can be off because the engine rounded the sizes, percent; null with it.
    pub rounding_pct: Option<Finite>,
    /// The same from the model's configuration; null without one.
    pub bytes_per_token_formula: Option<Finite>,
    /// (log - formula) / formula, percent; null where one of them is.
    pub difference_pct: Option<Finite>,
    /// Kind of attention: `mha`, `gqa`, `mqa`, `mla`, `hybrid`; null without a configuration.
    pub attention: Option<String>,
    /// How often each head of keys and values is kept, because there are more ranks than heads, or because latent attention
    /// is kept whole on each; null without a configuration.
    pub copies: Option<u64>,
    /// Layers that keep every token; null without a configuration.
    pub token_layers: Option<u64>,
    /// Layers that keep the last tokens only; null without a configuration.
    pub window_layers: Option<u64>,
    /// Tokens that such a layer keeps; null where there is none.
    pub window_tokens: Option<u64>,
    /// Whether the engine keeps all tokens in layers with a window, too; null where there is none, or nothing tells.
    pub windows_kept_whole: Option<bool>,
    /// Layers with a state of fixed size; null without a configuration.
    pub state_layers: Option<u64>,
    /// Bytes of the state of one request on one rank, by the engine: the pool / (slots + 1); null where it has none.
    pub state_bytes_log: Option<Finite>,
    /// The same by the formula; null without a configuration or such layers.
    pub state_bytes_formula: Option<Finite>,
    /// Bytes of a token in the pool of a draft model or of layers for multi-token prediction, by the engine; null where it
    /// has none.
    pub draft_bytes_per_token_log: Option<Finite>,
    /// The same by the formula; null without a configuration that has such layers.
    pub draft_bytes_per_token_formula: Option<Finite>,
}

/// Whether each rank of an estimate holds its weights, what is kept in reserve, and one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Fit {
    /// The answer. Weights counted from shapes may be off by some percent: what lies within that is `unknown`.
    pub verdict: FitVerdict,
    /// Prompt and answer of that request together, tokens: the longest length that was asked for; where none was, the shortest of the
    /// typical ones.
    pub length_tokens: u64,
    /// What a rank would need, bytes; null unless the verdict is `no`, and where no memory helps.
    pub needed_bytes: Option<u64>,
    /// What it may use of its device, bytes.
    pub available_bytes: u64,
    /// Why there is no answer, or why no memory helps; else null.
    pub why: Option<String>,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FitVerdict {
    /// It fits.
    Yes,
    /// It does not.
    No,
    /// The numbers do not tell.
    Unknown,
}

/// Requests of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Capacity {
    /// Prompt and answer of a request together, tokens.
    pub length_tokens: u64,
    /// What has this length: `asked`, `smallest`, `mean`, `largest` of a benchmark, `context`, `typical`.
    pub of: String,
    /// Requests at once, over all schedulers, with nothing shared; null where no limit is known, or where the tokens of the
    /// pool hold for another length (`kv.tokens_hold_for`).
    pub requests: Option<u64>,
    /// What is in the way of one more; null with `requests`.
    pub binding_limit: Option<BindingLimit>,
    /// First tokens that all requests share, for the upper end of the range; null where none are known.
    pub shared_tokens: Option<u64>,
    /// Requests at once when these are kept once; null with `shared_tokens`.
    pub requests_shared: Option<u64>,
    /// What is in the way of one more then; null with `shared_tokens`.
    pub binding_limit_shared: Option<BindingLimit>,
}

/// What is in the way of one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingLimit {
    /// Tokens of the KV pool.
    KvTokens,
    /// Tokens of the pool of layers with a window.
    WindowTokens,
    /// Slots for states of linear attention or Mamba.
    StateSlots,
    /// Requests that the engine lets run at once.
    MaxRunningRequests,
    /// The length is above the longest context.
    ContextLength,
    /// Memory of the device, in an estimate.
    Memory,
    /// Weights and reserve take all of the device that may be used, in an estimate: there is no pool.
    Weights,
}

impl BindingLimit {
    /// As documents print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KvTokens => "kv_tokens",
            Self::WindowTokens => "window_tokens",
            Self::StateSlots => "state_slots",
            Self::MaxRunningRequests => "max_running_requests",
            Self::ContextLength => "context_length",
            Self::Memory => "memory",
            Self::Weights => "weights",
        }
    }
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Headroom {
    /// Least that is free on any rank, bytes; 0 with the warning `share-overdrawn` where vLLM took more than was there.
    pub min_free_bytes: u64,
    /// The rank that has least; null where ranks have no names.
    pub rank: Option<String>,
    /// Largest - least free, bytes.
    pub skew_bytes: u64,
    /// When it was free: `after_capture`, `before_capture`, `after_pools`, `startup` (vLLM: what lies outside its share).
    pub when: String,
}

/// Something to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Advice {
    /// Stable kebab-case name.
    pub code: String,
    /// Why, with the arithmetic.
    pub why: String,
    /// Flags to start the engine with; empty where no flag does it.
    pub flags: Vec<String>,
    /// Bytes on each rank that it gives to the pool (positive) or takes from it (negative); null where it cannot be said.
    pub pool_bytes: Option<i64>,
    /// Tokens that the pool of one scheduler wins or loses by it; null where it cannot be said.
    pub pool_tokens: Option<i64>,
}

/// Memory of one rank. The parts add up to `total_bytes`, where all of them are known; a part is null where nothing names it,
/// or the engine's numbers make it less than nothing, and then in `other_bytes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Memory {
    /// `TP0`, `DP0 TP0`, …; null where the engine names none.
    pub rank: Option<String>,
    /// What the parts are of: the device in vLLM, what was free before the weights were loaded in SGLang. Null where the
    /// engine does not say; never taken from a product's name, except in an estimate.
    pub total_bytes: Option<u64>,
    /// Weights of the model and of its draft.
    pub weights_bytes: Option<u64>,
    /// Pools of keys and values, those of a draft among them, and states where one pool is for all; where SGLang prints no
    /// sizes, what was free before them less what was free after them.
    pub kv_bytes: Option<u64>,
    /// Pools of states.
    pub state_bytes: Option<u64>,
    /// CUDA graphs.
    pub graph_bytes: Option<u64>,
    /// Largest activations while profiling, without graphs; vLLM only. In an estimate what is held in reserve.
    pub activation_bytes: Option<u64>,
    /// Total less all parts that are known; below nothing by some hundredths of a GiB where the engine rounded, by more where
    /// its numbers contradict each other, which is a warning. Null without the total, weights, keys and values, or what is
    /// free.
    pub other_bytes: Option<i64>,
    /// Free in the end.
    pub free_bytes: Option<u64>,
}

/// One pool of one rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pool {
    /// As in `memory`.
    pub rank: Option<String>,
    /// `kv`, `window`, `index` (keys that select what attention looks at), `draft`, `state`.
    pub kind: String,
    /// Tokens; null where the engine names none, and for states.
    pub tokens: Option<u64>,
    /// Requests whose state fits; null for the others.
    pub slots: Option<u64>,
    /// Keys; null where keys and values are one, and for states.
    pub k_bytes: Option<u64>,
    /// Keys and values, or states.
    pub bytes: Option<u64>,
    /// Type of the elements as the engine names it; null where it does not.
    pub dtype: Option<String>,
}

/// An error about memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MemoryFailure {
    /// As in `memory`.
    pub rank: Option<String>,
    /// `weights` (no pool was there yet), `pool` (it would have been empty), `capture` (after the pools were sized: CUDA graphs), `context` (one request of
    /// the longest context does not fit), `runtime` (batches were computed), `foreign` (others took memory before the start), `unknown` (the log lacks what came
    /// before).
    pub phase: String,
    /// The line of the log, from 1.
    pub line: u64,
    /// What it says, cleaned.
    pub text: String,
}

/// How much of a log was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LogLines {
    /// Lines.
    pub lines: u64,
    /// Statements about memory in them; there may be several in a line.
    pub statements: u64,
    /// Lines of which only the first 64 KiB were read.
    pub cut_lines: u64,
    /// Starts of a server in it; the last one counts.
    pub starts: u64,
    /// Line at which the last of several starts begins, from 1; null where there is one.
    pub last_start_line: Option<u64>,
}
