//! What is asked for: the wishes from which a workload is made. Nothing is drawn or read here.

use std::path::PathBuf;

use contracts::Finite;
use contracts::serve_bench::workload::Purpose;
use serde::Serialize;
use serde_json::Value;

use super::arrival::ArrivalPlan;
use super::body::Endpoint;
use super::error::WorkloadError;

/// Most requests of a scenario.
pub const MAX_PROMPTS: u64 = 1_000_000;
/// Longest prompt.
pub const MAX_INPUT_LEN: u64 = 4_000_000;
/// Longest answer.
pub const MAX_OUTPUT_LEN: u64 = 1_000_000;

/// A workload that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkloadPlan {
    /// Name of the workload.
    pub name: String,
    /// Canonical model id, where it is declared.
    pub model: Option<String>,
    /// The scenarios, in the order of the file.
    pub scenarios: Vec<ScenarioPlan>,
}

/// A scenario that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioPlan {
    /// Its name; the name is part of the seed, so that scenarios never share prompts.
    pub scenario: String,
    /// What it may be used for.
    pub purpose: Purpose,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Requests, or conversations; null takes a whole data set (and 80 of `random`).
    pub num_prompts: Option<u64>,
    /// Where prompts come from.
    pub dataset: Dataset,
    /// Arrival offsets to freeze; null leaves arrivals to the load, or to the time stamps of the data set.
    pub arrival: Option<ArrivalPlan>,
    /// Conversations in place of single requests; null for none.
    pub turns: Option<TurnsPlan>,
    /// `chat` or `completions`.
    pub endpoint: Endpoint,
    /// Whether the engine is told to go on to the asked length.
    pub ignore_eos: bool,
    /// Merged into every body as RFC 7396 says: objects merge, null removes.
    pub extra_body: Option<Value>,
}

impl ScenarioPlan {
    /// A scenario of random prompts as evidence, on the chat endpoint, with `ignore_eos`.
    pub fn random(scenario: &str, seed: u64, num_prompts: u64, random: RandomPlan) -> ScenarioPlan {
        ScenarioPlan {
            scenario: scenario.to_owned(),
            purpose: Purpose::Evidence,
            seed,
            num_prompts: Some(num_prompts),
            dataset: Dataset::Random(random),
            arrival: None,
            turns: None,
            endpoint: Endpoint::Chat,
            ignore_eos: true,
            extra_body: None,
        }
    }
}

/// Conversations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TurnsPlan {
    /// Turns of each; of a data set at most.
    pub most: u32,
    /// Mean time that a user thinks before a later turn, seconds; exponential.
    pub think_mean_s: Finite,
}

/// Where prompts come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Dataset {
    /// Random words.
    Random(RandomPlan),
    /// A JSON array of conversations.
    Sharegpt {
        /// The file.
        path: PathBuf,
        /// Asked length of every answer; null takes the length of the recorded answer.
        output_len: Option<u64>,
    },
    /// One request a line.
    Jsonl {
        /// The file.
        path: PathBuf,
        /// Asked length where a row has none.
        output_len: Option<u64>,
    },
    /// A CSV trace of `TIMESTAMP,ContextTokens,GeneratedTokens`.
    Azure {
        /// The file.
        path: PathBuf,
    },
    /// A CSV trace with `Timestamp` in seconds, `Request tokens` and `Response tokens`.
    Burstgpt {
        /// The file.
        path: PathBuf,
    },
    /// A JSONL trace of `timestamp`, `input_length`, `output_length`, `hash_ids`.
    Mooncake {
        /// The file.
        path: PathBuf,
    },
}

impl Dataset {
    /// The name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Dataset::Random(_) => "random",
            Dataset::Sharegpt { .. } => "sharegpt",
            Dataset::Jsonl { .. } => "jsonl",
            Dataset::Azure { .. } => "azure",
            Dataset::Burstgpt { .. } => "burstgpt",
            Dataset::Mooncake { .. } => "mooncake",
        }
    }
}

/// Random prompts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RandomPlan {
    /// The lengths; with several, each request draws one by weight.
    pub shapes: Vec<Shape>,
    /// Lengths are uniform over [(1 - spread) L, L].
    pub len_spread: Finite,
    /// Length of the shared beginning, part of the prompt length; 0 for none.
    pub prefix_len: u64,
    /// Number of different shared beginnings; request i takes group i mod groups.
    pub prefix_groups: u64,
    /// Scenarios that name the same set share their prefixes; null is the scenario's own set.
    pub prefix_set: Option<String>,
}

/// A pair of lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Its share of the requests, in parts of the sum of all weights.
    pub weight: u32,
    /// Longest prompt.
    pub input_len: u64,
    /// Longest answer, tokens.
    pub output_len: u64,
}

impl RandomPlan {
    /// One pair of lengths without spread or shared prefix.
    pub fn fixed(input_len: u64, output_len: u64) -> RandomPlan {
        RandomPlan {
            shapes: vec![Shape {
                weight: 1,
                input_len,
                output_len,
            }],
            len_spread: Finite::from(0),
            prefix_len: 0,
            prefix_groups: 0,
            prefix_set: None,
        }
    }

    /// With lengths uniform over [(1 - spread) L, L].
    #[must_use]
    pub fn spread(mut self, ratio: f64) -> RandomPlan {
        // NaN becomes a value that the check below refuses.
        self.len_spread = Finite::new(ratio).unwrap_or_else(|| Finite::from(u32::MAX));
        self
    }

    /// The shortest length of a spread one.
    pub(super) fn shortest(&self, longest: u64) -> u64 {
        let low = longest as f64 * (1.0 - self.len_spread.get());
        // 1000 x (1 - 0.2) may be a hair over 800.
        ((low - 1e-9).ceil() as u64).clamp(1, longest.max(1))
    }

    /// Whether all of it can be granted.
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        let refuse = |reason: String| Err(WorkloadError::Plan { reason });
        if self.shapes.is_empty() || self.shapes.iter().all(|shape| shape.weight == 0) {
            return refuse("there is no pair of lengths to draw from".to_owned());
        }
        if !(0.0..=1.0).contains(&self.len_spread.get()) {
            return refuse(format!("--len-spread is {}, not within 0 to 1", self.len_spread));
        }
        for shape in &self.shapes {
            if !(1..=MAX_INPUT_LEN).contains(&shape.input_len) {
                return refuse(format!(
                    "--input-len is {}, not within 1 to {MAX_INPUT_LEN}",
                    shape.input_len
                ));
            }
            if !(1..=MAX_OUTPUT_LEN).contains(&shape.output_len) {
                return refuse(format!(
                    "--output-len is {}, not within 1 to {MAX_OUTPUT_LEN}",
                    shape.output_len
                ));
            }
            let shortest = self.shortest(shape.input_len);
            if self.prefix_len >= shortest {
                return refuse(format!(
                    "--prefix-len is {}, but the shortest prompt has {shortest} and needs text of its own after the \
                     prefix",
                    self.prefix_len
                ));
            }
        }
        if (self.prefix_len == 0) != (self.prefix_groups == 0) {
            return refuse(format!(
                "--prefix-len is {} and --prefix-groups {}: give both, or neither",
                self.prefix_len, self.prefix_groups
            ));
        }
        Ok(())
    }
}
