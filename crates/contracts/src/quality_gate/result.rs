//! `quality-gate.result/1`: what an engine answered to a suite of questions, greedily, and whether the answers are its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, Prompts};
use crate::Finite;
use crate::serve_bench::result::EngineInfo;

/// The value of `schema`.
pub const SCHEMA: &str = "quality-gate.result/1";

/// `data` of `quality-gate.result/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ResultData {
    /// False when a check failed or items have no whole answer, [`ResultData::unanswered`]: the accuracy is then no evidence.
    pub valid: bool,
    /// Base URL, without credentials.
    pub url: String,
    /// The engine that answered.
    pub engine: EngineInfo,
    /// The model.
    pub model: ModelIdentity,
    /// The questions.
    pub suite: Suite,
    /// How they were asked.
    pub settings: Settings,
    /// Items whose answer is whole.
    pub answered: u64,
    /// Items whose request failed or whose answer is not whole. Up to one in twenty may have reached the limit of tokens: a
    /// verdict leaves them out where the baseline's was cut, and counts them as wrong where only the candidate's was.
    pub failed: u64,
    /// Items answered right.
    pub correct: u64,
    /// correct / answered with its interval; null where nothing was answered.
    pub accuracy: Option<RatioInterval>,
    /// Tokens of each fixed probe prompt as the server counts them; null where it does not count.
    pub probe_tokens: Option<Vec<u64>>,
    /// Integrity checks.
    pub checks: Vec<Check>,
    /// All items, in the order of the suite; none where no suite was asked.
    pub items: Vec<Item>,
    /// Answers to the prompts of a workload; null where none was given.
    pub prompts: Option<Prompts>,
    /// These answers against the baseline's; null without `--against`.
    pub agreement: Option<Agreement>,
}

/// Most answers that may reach the limit of tokens in a result that is evidence: one in so many.
const CUT_ONE_IN: u64 = 20;

impl ResultData {
    /// Items without an answer that counts: requests that failed, and answers that reached the limit where more than one in
    /// twenty did.
    pub fn unanswered(&self) -> u64 {
        let count = |is: fn(&Item) -> bool| self.items.iter().filter(|item| is(item)).count() as u64;
        let (cut, failed) = (count(Item::is_cut), count(|item| item.error.is_some()));
        if cut * CUT_ONE_IN <= self.suite.items {
            failed - cut
        } else {
            failed
        }
    }
}

/// A model by the names it goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModelIdentity {
    /// Canonical id, as declared or taken from the benchmark; the served name where neither is given.
    pub id: String,
    /// Name in the requests.
    pub served: String,
}

/// The questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Suite {
    /// Hash over id, prompt and expected answer of all items, in order.
    pub sha256: String,
    /// How many items there are.
    pub items: u64,
}

/// How the questions were asked: what has to be equal for two results to be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Settings {
    /// The endpoint.
    pub api: Api,
    /// Seed of every request; the temperature is 0.
    pub seed: u64,
    /// Most tokens of an answer.
    pub max_tokens: u64,
    /// Texts that end an answer; none where the model stops by itself.
    #[serde(default)]
    pub stop: Vec<String>,
}

/// The endpoint that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Completions,
}

/// A ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RatioInterval {
    /// The ratio.
    pub ratio: Finite,
    /// Lower bound, two-sided at the 95 % level.
    pub ci_low_ratio: Finite,
    /// Upper bound, two-sided at the 95 % level.
    pub ci_high_ratio: Finite,
}

/// One integrity check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Check {
    /// Name, for example `served-model`.
    pub name: String,
    /// Outcome.
    pub status: CheckStatus,
    /// What was seen.
    pub evidence: String,
}

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nothing wrong was seen.
    Pass,
    /// Something wrong was seen: the result is no evidence.
    Fail,
    /// It could not be checked.
    Unknown,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Item {
    /// Id within the suite.
    pub id: String,
    /// Category; null where the suite names none.
    pub category: Option<String>,
    /// Hash of the prompt.
    pub prompt_sha256: String,
    /// The right answer: a letter, or a number.
    pub expected: String,
    /// The answer that was read out of the text; null where none stands in it, or the request failed.
    pub answer: Option<String>,
    /// Where it stood; null without an answer.
    pub level: Option<ExtractionLevel>,
    /// Whether it is right; null where the request failed.
    pub correct: Option<bool>,
    /// Hash of the whole text; null where the request failed.
    pub text_sha256: Option<String>,
    /// Why generation ended, as the server says.
    pub finish_reason: Option<String>,
    /// Tokens of the answer, as the server counts them.
    pub output_tokens: Option<u64>,
    /// Why there is no whole answer; null where there is one.
    pub error: Option<String>,
}

impl Item {
    /// Whether the answer reached the limit of tokens.
    pub fn is_cut(&self) -> bool {
        self.error.is_some() && self.finish_reason.as_deref() == Some("length")
    }

    /// Whether the answer is the right one, by the document's own texts; counts are not believed.
    pub fn is_right(&self) -> bool {
        self.error.is_none() && self.answer.as_ref() == Some(&self.expected)
    }
}

/// Where an answer stood in the text, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtractionLevel {
    /// "The answer is (X)", or `#### n`.
    Stated,
    /// "Answer: X".
    Labelled,
    /// The last stand-alone letter, or the last number.
    Last,
}
