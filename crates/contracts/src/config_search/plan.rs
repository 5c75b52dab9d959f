//! `config-search.plan/1`: what may be tried, on what load, and what may be spent. YAML or JSON, written by a person.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "config-search.plan/1";

/// A search plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Plan {
    /// `config-search.plan/1`.
    pub schema: String,
    /// The model that every framework must serve.
    pub model: PlanModel,
    /// Metric that decides, for example `output_tps` (the default) or `p50_ttft_ms`.
    pub metric: Option<String>,
    /// Rules that a result has to meet, for example `p99_ttft_ms<=2000`.
    pub slo: Vec<String>,
    /// File of `sota-loop.target/1` that declares the contract of every measurement; relative to the plan.
    pub target: Option<String>,
    /// The frameworks, each with its space. All get the same budget.
    pub frameworks: Vec<Framework>,
    /// The loads; a candidate is measured on all of them.
    pub scenarios: Vec<Scenario>,
    /// What each framework may spend.
    pub budget: Budget,
    /// Share of a scenario's requests that a short screen sends, above 0 and below 1; null measures every candidate in full.
    /// A screen chooses what is measured in full; it is never a result.
    pub screen_ratio: Option<Finite>,
    /// Seed of the search: the same plan and the same answers give the same candidates.
    pub seed: u64,
}

/// The model of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct PlanModel {
    /// Canonical id.
    pub id: String,
    /// Names under which a server may list it, beside `id`.
    pub served_names: Vec<String>,
    /// The model's `config.json`, for what cannot fit; relative to the plan.
    pub config: Option<String>,
}

/// One framework of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Framework {
    /// Its name: `sglang`, `vllm`, `tensorrt-llm`, `tokenspeed`, `llama.cpp`, or another; the preset's when it is left out.
    pub name: String,
    /// A command and a space that come with the tool: `sglang`, `vllm`, `tensorrt-llm`, `tokenspeed`, `llama.cpp`, `engine-sim`,
    /// `inferencebench-vllm`. What the plan says itself wins: each field, and in `search_space` each flag, `null` taking it out.
    pub preset: Option<String>,
    /// Where the server runs. `process` (the default): here. `docker`: in a container of `image`, its port published on loopback.
    /// `ssh`: on `host`, its port forwarded to loopback. `slurm`: as a job, reached at its node. `dstack`: as a task with the fields of `launcher_config`. `url`: it runs
    /// already, at `url`, and is measured as it is.
    pub launcher: Option<String>,
    /// Where the server answers already, for the launcher `url`; for `ssh` where it answers when its port is not to be forwarded,
    /// `{port}` in it.
    pub url: Option<String>,
    /// Image of the container, for the launcher `docker`.
    pub image: Option<String>,
    /// `HOST` or `USER@HOST` that `ssh` reaches without a question, for the launcher `ssh`.
    pub host: Option<String>,
    /// Further flags of `docker run`, `ssh`, `salloc` or `dstack apply`.
    pub launcher_args: Vec<String>,
    /// Further fields of the task, for the launcher `dstack`: `resources`, `image`, `fleets`, ...
    pub launcher_config: Option<BTreeMap<String, Value>>,
    /// Program and first arguments, a list; `{port}` becomes a free port, `{model}` the plan's model. A string only with
    /// `shell: true`.
    pub server_command: Value,
    /// Whether `server_command` is one line for `sh`.
    pub shell: bool,
    /// Arguments that every candidate has, the baseline too; `{port}` works here, too. A flag that is searched as well has its value
    /// from here in the baseline, and in candidates that leave it out.
    pub base_server_flags: Vec<String>,
    /// Environment variables of the server. A value that is empty is taken from the shell of the search.
    pub env: BTreeMap<String, String>,
    /// Flags that may be set: flag -> list of values, or an object (`type`: `choice`, `int`, `log_int`, `float`, `bool`;
    /// `values`, `low`, `high`, `levels`, `family`, `when`). Leaving the flag out is always one of the choices. `env.NAME` sets a
    /// variable of the server in place of a flag.
    pub search_space: BTreeMap<String, Value>,
    /// File with what the server's `--help` prints; flags that it does not name are refused. Relative to the plan.
    pub help: Option<String>,
    /// Longest context in tokens, when no flag says it.
    pub context_tokens: Option<u64>,
    /// GPUs that one server of it takes; GPU time is counted with it.
    pub gpu_count: u64,
    /// Device, for example `h100`, as `capacity-plan estimate --gpu` knows it. With `model.config`, candidates whose weights and
    /// longest request cannot fit are not launched.
    pub gpu: Option<String>,
    /// Version as installed, for the rows; null leaves it to what the server reports.
    pub version: Option<String>,
    /// Seconds that a job may wait in the queue, for the launcher `slurm`; null is 3600. Waiting is no start-up and no GPU time.
    pub queue_timeout_s: Option<Finite>,
    /// Seconds a server may take to answer; null is 600.
    pub ready_timeout_s: Option<Finite>,
}

/// One load of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Frozen workload file (`serve-bench freeze`), relative to the plan; null makes the prompts by `args`.
    pub workload: Option<String>,
    /// Requests to measure of a workload that is made; screens send a share of them.
    pub num_prompts: Option<u64>,
    /// Seconds of sending; screens take a share of them.
    pub duration_s: Option<Finite>,
    /// Longest prompt in tokens, held against the context; null is not checked.
    pub input_tokens: Option<u64>,
    /// Longest answer in tokens, held against the context; null is not checked.
    pub output_tokens: Option<u64>,
    /// Further flags of `serve-bench run`, for example `["--concurrency", "8"]`.
    pub args: Vec<String>,
}

/// What each framework may spend. The search ends at the first limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Budget {
    /// Candidates launched, the baseline and screens included.
    pub trials: u64,
    /// Seconds of wall time; null without a limit.
    pub wall_s: Option<Finite>,
    /// Seconds of GPU time (wall time x GPUs of the server); null without a limit.
    pub gpu_s: Option<Finite>,
    /// Trials at once, over all frameworks; 0 and 1 are one after the other. More only where each trial has a place of its own
    /// (`slurm`): on one machine they would disturb each other.
    pub concurrent: u64,
}
