//! The script of a scripted server: exact timing and exact defects, per request number.
//!
//! Every field may be left out of a file; null means "as in `defaults`", and in `defaults` it means the value that
//! the field's description names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// What a scripted server serves and how it answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub struct Script {
    /// `engine-sim.script/1`; may be left out.
    pub schema: Option<String>,
    /// The model name that is served; `sim-model` when null.
    pub model: Option<String>,
    /// Which engine the control endpoints look like; `vllm` when null.
    pub identity: Option<Identity>,
    /// Requests without this bearer token get 401; no token is asked for when null.
    pub api_key: Option<String>,
    /// Longest prompt plus answer in tokens, beyond which a request gets 400; 131072 when null.
    pub context_tokens: Option<u64>,
    /// How long a new connection stays unread, in milliseconds; 0 when null.
    pub accept_delay_ms: Option<Finite>,
    /// What is said; words that mean nothing, the same for every prompt, when null.
    pub answers: Option<Answers>,
    /// How every request is answered unless a rule says otherwise.
    pub defaults: Reply,
    /// Exceptions by request number; where several match, the later one wins field by field.
    pub rules: Vec<Rule>,
}

/// Answers that depend on the prompt: those of a suite right or wrong, all others words without a meaning, with
/// log-probabilities where they are asked for. Two servers with the same file and seed say the same; what the others say
/// moves a candidate away from that by a known amount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub struct Answers {
    /// Questions with their right answers, JSON lines as `quality-gate run --suite` reads them; no question is known when null.
    pub file: Option<String>,
    /// Share of the questions that is answered right, 0..1; 1 when null.
    pub accuracy_ratio: Option<Finite>,
    /// Which ones, and all words; 0 when null.
    pub seed: Option<u64>,
    /// Share of all prompts that is answered otherwise: a right answer becomes wrong and a wrong one right, words differ
    /// from some place on; 0 when null.
    pub changed_ratio: Option<Finite>,
    /// How far log-probabilities are moved, up or down, on average, in nats, where their range (0.01 to 1 below 0) allows; 0
    /// when null.
    pub drift_nats: Option<Finite>,
}

/// A different answer for some requests. Requests are numbered from 1 in the order in which they are complete at the
/// server; control endpoints do not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub struct Rule {
    /// Every n-th request: those whose number leaves the same remainder as `offset`.
    pub every: Option<u64>,
    /// Remainder for `every`; 0 when null, so `every: 5` means 5, 10, 15, …
    pub offset: Option<u64>,
    /// These request numbers.
    pub numbers: Option<Vec<u64>>,
    /// What is different; null fields stay as they were.
    pub reply: Reply,
}

/// One answer: its timing, its shape and its defect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub struct Reply {
    /// From the last byte of the request to the first token, in milliseconds; 50 when null.
    pub ttft_ms: Option<Finite>,
    /// Between tokens, in milliseconds; chunks of n tokens are n times as far apart; 10 when null.
    pub itl_ms: Option<Finite>,
    /// Tokens in the answer; the request's `max_tokens` when null, and 128 where the request has none either.
    pub tokens: Option<u32>,
    /// Tokens in one SSE event; 1 when null.
    pub tokens_per_chunk: Option<u32>,
    /// SSE events in one write to the socket, which happens when the first of them is due; 1 when null.
    pub events_per_write: Option<u32>,
    /// When the chunk that has only a role is sent; with the first token when null.
    pub role_chunk: Option<RoleChunk>,
    /// How many of the first tokens are reasoning; 0 when null.
    pub reasoning_tokens: Option<u32>,
    /// The field that reasoning arrives in; `reasoning_content` when null.
    pub reasoning_field: Option<ReasoningField>,
    /// How many of the last tokens are the arguments of a tool call; 0 when null.
    pub tool_call_tokens: Option<u32>,
    /// Stop with `finish_reason` `stop` after this many tokens, whatever was asked; never when null.
    pub stop_after_tokens: Option<u32>,
    /// The value of `finish_reason`; `length`, `stop` or `tool_calls` as it applies when null.
    pub finish_reason: Option<String>,
    /// Where usage is reported; when the request asks for it when null.
    pub usage: Option<Usage>,
    /// Reported prompt tokens as a multiple of the words of the prompt; 1 when null.
    pub prompt_token_ratio: Option<Finite>,
    /// Prompt tokens reported as read from the prefix cache; not reported when null.
    pub cached_tokens: Option<u32>,
    /// How the answer ends; `complete` when null.
    pub ending: Option<Ending>,
    /// After how many tokens an ending other than `complete`, `without_done` and `done_only` strikes; half of the
    /// tokens when null.
    pub ending_after_tokens: Option<u32>,
    /// An HTTP answer in place of tokens; none when null.
    pub refusal: Option<Refusal>,
    /// A pause after this many tokens, in addition to the time between tokens; none when null.
    pub stall_after_tokens: Option<u32>,
    /// Length of that pause in milliseconds; 0 when null.
    pub stall_ms: Option<Finite>,
    /// What is sent while there is no token to send; nothing when null.
    pub keep_alive: Option<KeepAlive>,
    /// How often `keep_alive` is sent, in milliseconds; 5 when null.
    pub keep_alive_ms: Option<Finite>,
    /// Line ends of the event stream; `lf` when null.
    pub line_end: Option<LineEnd>,
    /// Where every write of tokens is torn into two; nowhere when null.
    pub split: Option<Split>,
    /// Time between the two parts of a torn write, in milliseconds; 1 when null.
    pub split_gap_ms: Option<Finite>,
}

/// When the role-only chunk of a chat answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleChunk {
    /// At once, before the prefill ends: no token, so no first token either.
    AtOnce,
    /// In the same write as the first token.
    WithFirstToken,
    /// Never; the first token's delta carries the role.
    Never,
}

/// The delta field that carries reasoning text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningField {
    /// SGLang, DeepSeek, and vLLM before 0.23.
    ReasoningContent,
    /// vLLM 0.23 and later.
    Reasoning,
}

/// Where token usage is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// In a chunk of its own after the last choice, when the request asks with `stream_options`.
    WhenAsked,
    /// Nowhere, even when asked.
    Never,
    /// On every chunk, counting up, and in a last chunk of its own.
    EveryChunk,
    /// In the chunk that carries `finish_reason`, with no chunk of its own.
    WithFinish,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// `finish_reason`, usage as asked, `[DONE]`.
    Complete,
    /// `finish_reason` and usage, but no `[DONE]`.
    WithoutDone,
    /// All tokens and `[DONE]`, but no `finish_reason` and no usage.
    DoneOnly,
    /// A clean end of the body with neither `finish_reason` nor `[DONE]`.
    CleanCut,
    /// The connection closes in the middle of an event.
    Cut,
    /// The connection is reset in the middle of an event.
    Reset,
    /// An event with an `error` object, then `[DONE]`.
    InBandError,
    /// Nothing more is sent and the connection stays open.
    Hang,
}

/// An HTTP answer in place of tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub struct Refusal {
    /// HTTP status; 200 sends an error object as if it were an answer; 503 when null.
    pub status: Option<u16>,
    /// Value of `Retry-After` in seconds; no such header when null.
    pub retry_after_s: Option<u32>,
    /// Text of the error object; a text that suits the status when null.
    pub message: Option<String>,
    /// How long the answer takes, in milliseconds; 0 when null.
    pub delay_ms: Option<Finite>,
}

/// What is sent while there is no token to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepAlive {
    /// Nothing.
    Nothing,
    /// The comment line `: ping`.
    Comment,
    /// A chunk whose delta has an empty `content`.
    EmptyContent,
}

/// Line ends of the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// `\n`
    Lf,
    /// `\r\n`
    Crlf,
}

/// Where a write of tokens is torn into two writes and two HTTP chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Nowhere.
    Nowhere,
    /// Inside a character that UTF-8 encodes in more than one byte; every token then has such a character.
    Utf8,
    /// Inside the blank line that ends an event.
    EventEnd,
}

/// Which engine's control endpoints and error texts a scripted server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// `/version`, `/health`, `owned_by` `vllm`.
    Vllm,
    /// `/server_info`, `/get_server_info`, `/model_info`, `owned_by` `sglang`.
    Sglang,
    /// `/version`, `owned_by` `tensorrt_llm`.
    TensorrtLlm,
    /// `/get_server_info` in TokenSpeed's shape, `owned_by` `tokenspeed`.
    Tokenspeed,
    /// `/props`, `owned_by` `llamacpp`.
    LlamaCpp,
    /// Only `/v1/models` and `/health`.
    Other,
}
