//! How far two servers say the same to the same prompts: what each said, token by token where it tells, and what the two
//! have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::RatioInterval;
use crate::Finite;

/// Greedy answers to prompts of a frozen workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Prompts {
    /// Hash over what was sent, in order, without the model's name: what has to be equal for two sides to be compared.
    pub sha256: String,
    /// Seed of every request; the temperature is 0.
    pub seed: u64,
    /// Most tokens of an answer; a body that asks for fewer gets fewer.
    pub max_tokens: u64,
    /// Alternatives of each token that were asked for.
    pub top_logprobs: u64,
    /// How many prompts there are.
    pub count: u64,
    /// The answers, in the order of the workload.
    pub answers: Vec<PromptAnswer>,
}

/// What a server said to one prompt. Texts have control characters and backslashes escaped as in Rust; a token that is
/// no text of its own is its bytes, `\xE6`. Equal texts have equal spellings, different ones different spellings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PromptAnswer {
    /// Scenario and number, `chat/17`.
    pub prompt: String,
    /// Hash of what was sent, without the model's name.
    pub prompt_sha256: String,
    /// The text; null where the request failed.
    pub text: Option<String>,
    /// Its tokens; null where the server gives no log-probabilities.
    pub tokens: Option<Vec<TokenLogprob>>,
    /// Tokens of the prompt, as the server counts them.
    pub input_tokens: Option<u64>,
    /// Why generation ended, as the server says.
    pub finish_reason: Option<String>,
    /// Why there is no whole answer; null where there is one.
    pub error: Option<String>,
}

/// One token of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenLogprob {
    /// The token.
    pub token: String,
    /// Natural logarithm of its probability; null where the server gives none.
    pub logprob: Option<Finite>,
    /// The likeliest tokens in its place, as the server orders them; may be empty.
    pub top: Vec<Alternative>,
}

/// A token that could have stood in a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alternative {
    /// The token.
    pub token: String,
    /// Natural logarithm of its probability.
    pub logprob: Finite,
}

/// What two sides have in common. Intervals are two-sided at the 95 % level; those of tokens are drawn over whole prompts,
/// for tokens of one answer are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Agreement {
    /// Prompts that both sides answered.
    pub prompts: u64,
    /// Prompts left out because a side has no whole answer.
    pub left_out: u64,
    /// Prompts with the same text on both sides.
    pub same: u64,
    /// same / prompts (Wilson); null without prompts.
    pub exact: Option<RatioInterval>,
    /// What lengths and positions count: tokens where both sides give them for every prompt, else characters.
    pub unit: AgreementUnit,
    /// Common prefix / longer answer, mean over prompts, 0..1.
    pub common_prefix_ratio: Option<Estimate>,
    /// Position of the first difference, from 0, mean over the prompts that differ; null where none does.
    pub first_divergence: Option<Estimate>,
    /// The earliest of those positions.
    pub earliest_divergence: Option<u64>,
    /// |difference| of the log-probabilities of the same tokens after the same text, in nats, mean over tokens; null
    /// where a side gives none.
    pub logprob_delta_nats: Option<Estimate>,
    /// 99th percentile of the same.
    pub logprob_delta_p99_nats: Option<Estimate>,
    /// KL divergence of the candidate from the baseline after the same text, in nats, mean over places: over the tokens
    /// that both sides list, all others taken as one, so never more than the true divergence. Null where a side lists no
    /// alternatives.
    pub kl_top_nats: Option<Estimate>,
}

/// What lengths count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementUnit {
    /// Tokens.
    Tokens,
    /// Characters.
    Characters,
}

/// A value with how much it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Estimate {
    /// How many values: prompts, or tokens.
    pub count: u64,
    /// The value.
    pub value: Finite,
    /// Lower bound; null with fewer than 5 prompts.
    pub ci_low: Option<Finite>,
    /// Upper bound; null with fewer than 5 prompts.
    pub ci_high: Option<Finite>,
}
