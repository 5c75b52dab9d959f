//! `serve-bench.result/1`: one load level on one server, one or more runs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::run::Run;
use super::shard::Shard;
use super::workload::{Purpose, ScenarioInfo};
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.result/1";

/// `data` of `serve-bench.result/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ResultData {
    /// The server.
    pub target: TargetInfo,
    /// The workload.
    pub workload: WorkloadInfo,
    /// The load; of a shard its own part.
    pub load: LoadInfo,
    /// Which part of a load this is; null for a whole one.
    pub shard: Option<Shard>,
    /// Everything that was asked for, after defaults; for `import` what the foreign file says.
    pub plan: Value,
    /// The tool whose file was imported, for example `vllm bench serve`; null for our own measurements.
    pub imported_from: Option<String>,
    /// The runs.
    pub runs: Vec<Run>,
    /// Over the valid runs, per headline metric.
    pub aggregate: BTreeMap<String, Estimate>,
}

/// Mean over runs with its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Estimate {
    /// Mean over runs.
    pub mean: Finite,
    /// Sample standard deviation over runs; null for one run.
    pub stddev: Option<Finite>,
    /// stddev / mean, percent; null for one run or a mean of zero.
    pub cv_pct: Option<Finite>,
    /// Runs.
    pub n: u64,
    /// Lower end of the 95 % t-interval of the mean; null for one run.
    pub ci_low: Option<Finite>,
    /// Upper end; null for one run.
    pub ci_high: Option<Finite>,
}

/// The server that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TargetInfo {
    /// Base URL, without credentials; `unknown` for an imported file that does not say.
    pub url: String,
    /// Canonical model id; null when it was not declared.
    pub model: Option<String>,
    /// Model name as the server lists it and as it was sent.
    pub served_model: Option<String>,
    /// The engine.
    pub engine: EngineInfo,
}

/// Engines that are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EngineKind {
    /// SGLang.
    #[serde(rename = "sglang")]
    Sglang,
    /// vLLM.
    #[serde(rename = "vllm")]
    Vllm,
    /// TensorRT-LLM.
    #[serde(rename = "tensorrt-llm")]
    TensorrtLlm,
    /// TokenSpeed.
    #[serde(rename = "tokenspeed")]
    Tokenspeed,
    /// llama.cpp.
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// Something else with an OpenAI API.
    #[serde(rename = "other")]
    Other,
}

impl EngineKind {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            EngineKind::Sglang => "sglang",
            EngineKind::Vllm => "vllm",
            EngineKind::TensorrtLlm => "tensorrt-llm",
            EngineKind::Tokenspeed => "tokenspeed",
            EngineKind::LlamaCpp => "llama.cpp",
            EngineKind::Other => "other",
        }
    }
}

/// The engine behind a URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EngineInfo {
    /// Recognised by what its endpoints answer.
    pub kind: EngineKind,
    /// Version it reports; null when it reports none.
    pub version: Option<String>,
}

/// The workload that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WorkloadInfo {
    /// Name of the workload.
    pub name: String,
    /// Name of the scenario in it.
    pub scenario: String,
    /// Diagnostic workloads are refused as evidence by gap-decide.
    pub purpose: Purpose,
    /// Requests.
    pub num_prompts: u64,
    /// Seed; null for a dataset that needs none.
    pub seed: Option<u64>,
    /// Hash of request bodies and arrival offsets; `unknown` for an imported file.
    pub request_stream_sha256: String,
    /// Dataset kind: `random`, `sharegpt`, `jsonl`, `azure`, `burstgpt`, `mooncake`; what an imported file says, or `unknown`.
    pub dataset: String,
    /// `tokens` when prompt lengths are checked tokens, `words` when they are words and the token check is off.
    pub prompt_unit: String,
    /// `chat` or `completions`; `unknown` for an imported file that does not say.
    pub endpoint: String,
    /// Asked prompt lengths in `prompt_unit`; null when the dataset does not say.
    pub input_len: Option<LengthRange>,
    /// Asked output lengths in tokens; null when the dataset does not say.
    pub output_len: Option<LengthRange>,
    /// Prompt length on the probe against the asked one; null without a probe.
    pub prompt_check: Option<PromptCheck>,
}

impl WorkloadInfo {
    /// What a scenario line of a workload file already says.
    pub fn from_scenario(name: &str, scenario: &ScenarioInfo) -> WorkloadInfo {
        WorkloadInfo {
            name: name.to_owned(),
            scenario: scenario.scenario.clone(),
            purpose: scenario.purpose,
            num_prompts: scenario.num_prompts,
            seed: scenario.seed,
            request_stream_sha256: scenario.request_stream_sha256.clone(),
            dataset: scenario.dataset.clone(),
            prompt_unit: scenario.prompt_unit.clone(),
            endpoint: scenario.endpoint.clone(),
            input_len: scenario.input_len.clone(),
            output_len: scenario.output_len.clone(),
            prompt_check: None,
        }
    }
}

/// Smallest, mean and largest of a length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LengthRange {
    /// Smallest.
    pub min: u64,
    /// Mean.
    pub mean: Finite,
    /// Largest.
    pub max: u64,
}

/// Prompt length on a probe request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PromptCheck {
    /// Tokens asked for.
    pub asked_tokens: u64,
    /// Tokens of the prompt as the server counted them, chat template included.
    pub served_tokens: u64,
    /// Tokens that the chat template adds; null when the server cannot tell.
    pub template_tokens: Option<u64>,
    /// (served - template - asked) / asked, percent.
    pub error_pct: Finite,
}

/// How load is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadMode {
    /// A fixed number of requests in flight.
    ClosedLoop,
    /// Requests at times that do not depend on the answers.
    OpenLoop,
    /// Requests at the times of a trace.
    Trace,
    /// A fixed number of conversations, each with one request in flight or a user who thinks.
    Conversations,
}

/// Arrival process of an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Exponential gaps.
    Poisson,
    /// Equal gaps.
    Constant,
    /// Gamma gaps with shape `burstiness`.
    Gamma,
    /// The times of a trace.
    Trace,
}

/// The load that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LoadInfo {
    /// Closed loop, open loop, trace or conversations.
    pub mode: LoadMode,
    /// Requests in flight of a closed loop, conversations at once; null otherwise.
    pub concurrency: Option<u32>,
    /// Mean rate of an open loop; null otherwise.
    pub request_rate_rps: Option<Finite>,
    /// Arrival process; null in a closed loop.
    pub arrival: Option<Arrival>,
    /// Shape of gamma gaps (1 is Poisson, smaller is burstier); null for other arrivals.
    pub burstiness: Option<Finite>,
    /// Speed-up of a trace; null otherwise.
    pub speedup: Option<Finite>,
    /// Cap on requests in flight; null without one.
    pub max_concurrency: Option<u32>,
    /// Warm-up requests before the measured phase, handed over without draining.
    pub warmup_requests: u64,
    /// End of sending, seconds; null when all prompts are sent.
    pub duration_s: Option<Finite>,
}
