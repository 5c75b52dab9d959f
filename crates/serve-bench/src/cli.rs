//! What can be typed; the only file that knows clap.

mod shard;
mod small;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use cli_kit::{Cli, OutputArgs, ToolInfo};

pub use shard::{MergeArgs, ShardArgs};
pub use small::{DoctorArgs, ImportArgs, SelftestArgs};

/// OpenAI-compatible load and honest timing.
///
/// One JSON document per invocation; the workload can be frozen so that two servers get the same bytes; every
/// request ends as exactly one typed outcome; a run that the client itself limited says so and exits 5.
#[derive(Debug, Parser)]
#[command(propagate_version = true, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Output flags.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "serve-bench",
        version: env!("CARGO_PKG_VERSION"),
        skill: include_str!("../../../skills/serve-bench/SKILL.md"),
        schemas: &[
            ("", "serve-bench.result/1"),
            ("run", "serve-bench.result/1"),
            ("summarize", "serve-bench.result/1"),
            ("merge", "serve-bench.result/1"),
            ("import", "serve-bench.result/1"),
            ("freeze", "serve-bench.freeze/1"),
            ("sweep", "serve-bench.sweep/1"),
            ("compare", "serve-bench.compare/1"),
            ("probe", "serve-bench.probe/1"),
            ("doctor", "serve-bench.doctor/1"),
            ("selftest", "serve-bench.selftest/1"),
            ("record", "serve-bench.record/1"),
            ("workload", "serve-bench.workload/1"),
            ("target", "sota-loop.target/1"),
            ("subject", "sota-loop.subject/1"),
        ],
        examples: "  serve-bench run --url http://127.0.0.1:8000 -o result.json\n  \
                   serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:8000 --workload chat.jsonl --blocks 8 -o compare.json",
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// Sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a workload file: every request body, its arrival, seed, lengths, and their hash
    Freeze(FreezeArgs),
    /// Measure one load level, once or several times
    Run(RunArgs),
    /// Measure several load levels, or find the highest rate that meets the SLO
    Sweep(SweepArgs),
    /// Measure two sides interleaved (A B B A …) on one workload
    Compare(CompareArgs),
    /// Fold a records file into a result
    Summarize(SummarizeArgs),
    /// Make one result of the parts of a load that several machines made together
    Merge(MergeArgs),
    /// Say who answers at a URL
    Probe(ServerArgs),
    /// Look at this machine and its servers before anything else
    Doctor(DoctorArgs),
    /// Read a result file of `vllm bench serve`, `sglang.bench_serving` or aiperf
    Import(ImportArgs),
    /// Prove accuracy and the trap matrix on this machine
    Selftest(SelftestArgs),
}

/// The server.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Base URL, with or without /v1
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// What every request carries.
    #[command(flatten)]
    pub request: RequestArgs,
}

/// What every request carries.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Server")]
pub struct RequestArgs {
    /// Model name as the server lists it [default: the only one, or the first]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// A header of every request, `Name: value`
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<String>,
    /// Environment variable that holds the API key; the value never appears anywhere
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// Longest a request may take, seconds
    #[arg(long, value_name = "S", default_value_t = 600.0)]
    pub timeout: f64,
}

/// Where requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DatasetKind {
    /// Random words of asked lengths.
    Random,
    /// A ShareGPT file.
    Sharegpt,
    /// One JSON object a line: prompt, `output_len`, `extra_request_body`, `timestamp_ms`.
    Jsonl,
    /// An Azure LLM inference trace (CSV).
    Azure,
    /// A BurstGPT trace (CSV).
    Burstgpt,
    /// A Mooncake trace (JSONL).
    Mooncake,
}

/// In what prompt lengths are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PromptUnitArg {
    /// Words; the token check is off.
    Words,
    /// Tokens, by the tokenizer file or the server's /tokenize.
    Tokens,
}

/// The API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EndpointArg {
    /// /v1/chat/completions
    Chat,
    /// /v1/completions
    Completions,
}

/// The workload.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Workload")]
pub struct WorkloadArgs {
    /// Named scenario(s): chat, summarization, inferencebench-a … -d, prefill, decode, prefix-repeat, mixed
    #[arg(long, value_name = "NAME", conflicts_with_all = ["dataset", "input_len", "output_len", "turns"])]
    pub preset: Vec<String>,
    /// Where requests come from
    #[arg(long, value_enum, value_name = "KIND")]
    pub dataset: Option<DatasetKind>,
    /// File of the dataset
    #[arg(long, value_name = "FILE")]
    pub dataset_path: Option<PathBuf>,
    /// Requests to measure
    #[arg(long, value_name = "N")]
    pub num_prompts: Option<u64>,
    /// Prompt length in --prompt-unit
    #[arg(long, value_name = "L")]
    pub input_len: Option<u64>,
    /// Output length in tokens
    #[arg(long, value_name = "L")]
    pub output_len: Option<u64>,
    /// Lengths uniform in [(1 - R) L, L]
    #[arg(long, value_name = "R", default_value_t = 0.0)]
    pub len_spread: f64,
    /// Length of a prefix that the requests of a group share
    #[arg(long, value_name = "L", default_value_t = 0)]
    pub prefix_len: u64,
    /// Number of prefix groups
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub prefix_groups: u64,
    /// Conversations of N turns (sharegpt: up to N), whose next turn is sent after the answer before; --num-prompts then counts
    /// conversations, and so does --concurrency
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub turns: Option<u32>,
    /// Mean time that a user thinks before a later turn, seconds, exponential
    #[arg(long, value_name = "S", default_value_t = 0.0, requires = "turns")]
    pub think_time: f64,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Unit of prompt lengths [default: words, or tokens with --tokenizer]
    #[arg(long, value_enum, value_name = "UNIT")]
    pub prompt_unit: Option<PromptUnitArg>,
    /// tokenizer.json for exact prompt lengths (needs the `tokenizer` build feature)
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// The API [default: chat]
    #[arg(long, value_enum, value_name = "API")]
    pub endpoint: Option<EndpointArg>,
    /// Ask the server to generate the full length [default for random]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub ignore_eos: Option<bool>,
    /// JSON object merged into every body
    #[arg(long, value_name = "JSON")]
    pub extra_body: Option<String>,
}

/// The workload, frozen or made now.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Workload")]
pub struct WorkloadSourceArgs {
    /// Frozen workload file, as `freeze` writes it
    // It is sent as it is: these would have to be ignored.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "preset", "dataset", "dataset_path", "num_prompts", "input_len", "output_len", "len_spread", "prefix_len",
        "prefix_groups", "turns", "seed", "prompt_unit", "tokenizer", "endpoint", "ignore_eos", "extra_body",
    ])]
    pub workload: Option<PathBuf>,
    /// Scenario of the workload, when it has several
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// How to make one.
    #[command(flatten)]
    pub make: WorkloadArgs,
}

/// Arrival process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArrivalArg {
    /// Exponential gaps.
    Poisson,
    /// Equal gaps.
    Constant,
    /// Gamma gaps of shape --burstiness.
    Gamma,
}

/// The load.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// Closed loop: requests in flight
    #[arg(long, value_name = "N", conflicts_with = "request_rate", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub concurrency: Option<u32>,
    /// Open loop: mean requests per second
    #[arg(long, value_name = "R")]
    pub request_rate: Option<f64>,
    /// The rest of the load.
    #[command(flatten)]
    pub shape: LoadShapeArgs,
}

/// The load, but for its level.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Load")]
pub struct LoadShapeArgs {
    /// Arrival process of an open loop
    #[arg(long, value_enum, value_name = "PROCESS", default_value = "poisson")]
    pub arrival: ArrivalArg,
    /// Shape of gamma gaps: 1 is Poisson, smaller is burstier
    #[arg(long, value_name = "B", default_value_t = 1.0)]
    pub burstiness: f64,
    /// Speed-up of a trace's arrivals
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub speedup: f64,
    /// Cap on requests in flight of an open loop; the wait is reported
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub max_concurrency: Option<u32>,
    /// Stop sending after S seconds
    #[arg(long, value_name = "S")]
    pub duration: Option<f64>,
    /// Warm-up requests, handed over without draining; a frozen workload gives its first N [default: 0 for a frozen
    /// workload and in a sweep, else as many as are in flight; more where a preset needs them]
    #[arg(long, value_name = "N")]
    pub warmup: Option<u64>,
    /// Runtime threads of the client
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
}

/// What is asked of the numbers, and what they are bound to.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Contract")]
pub struct ContractArgs {
    /// Declares contract fields, SLO, threshold and margin (YAML or JSON, sota-loop.target/1)
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Declares subject fields (YAML or JSON, sota-loop.subject/1); its `env` is set for a server that is launched, and a
    /// secret with an empty value there is taken from this shell
    #[arg(long, value_name = "FILE")]
    pub subject: Option<PathBuf>,
    /// A rule such as `p50_ttft_ms<=2000`; repeat for more
    #[arg(long, value_name = "RULE")]
    pub slo: Vec<String>,
    /// A per-request limit such as `ttft_ms<=500`; repeat for more
    #[arg(long, value_name = "RULE")]
    pub goodput: Vec<String>,
}

/// `freeze`.
#[derive(Debug, ClapArgs)]
pub struct FreezeArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// File to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Name of the workload, and of its scenario if it comes from --dataset [default: the preset or dataset]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Server whose /tokenize sizes the prompts, or that checks their length
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// What requests to it carry.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Declares the canonical model id
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Freeze arrival times of this mean rate
    #[arg(long, value_name = "R")]
    pub request_rate: Option<f64>,
    /// Arrival process
    #[arg(long, value_enum, value_name = "PROCESS", default_value = "poisson")]
    pub arrival: ArrivalArg,
    /// Shape of gamma gaps: 1 is Poisson, smaller is burstier
    #[arg(long, value_name = "B", default_value_t = 1.0)]
    pub burstiness: f64,
}

/// `run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadSourceArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// The contract.
    #[command(flatten)]
    pub contract: ContractArgs,
    /// Runs of the same load
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// JSONL file that gets one line per request as it ends
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// The part of a load.
    #[command(flatten)]
    pub part: ShardArgs,
    /// Add a peer's definitions beside ours
    #[arg(long, value_enum, value_name = "TOOL")]
    pub compat: Option<CompatArg>,
}

/// A peer whose definitions are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompatArg {
    /// `vllm bench serve`
    Vllm,
    /// `sglang.bench_serving`
    Sglang,
}

/// `sweep`.
#[derive(Debug, ClapArgs)]
pub struct SweepArgs {
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadSourceArgs,
    /// Closed loops: 1,2,4,…
    #[arg(long, value_name = "N,…", value_delimiter = ',', conflicts_with_all = ["request_rate", "find_max_rate"])]
    pub concurrency: Vec<u32>,
    /// Open loops: 1,2,4,… requests per second
    #[arg(
        long,
        value_name = "R,…",
        value_delimiter = ',',
        conflicts_with = "find_max_rate"
    )]
    pub request_rate: Vec<f64>,
    /// Find the highest request rate that meets the SLO by bisection
    #[arg(long)]
    pub find_max_rate: bool,
    /// Where the search stops: ratio between the passing and the failing rate
    #[arg(long, value_name = "R", default_value_t = 0.05)]
    pub resolution: f64,
    /// Most points that the search measures
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub max_points: u32,
    /// The rest of the load.
    #[command(flatten)]
    pub shape: LoadShapeArgs,
    /// The contract.
    #[command(flatten)]
    pub contract: ContractArgs,
    /// JSONL file that gets one line per request as it ends
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
}

/// `compare`.
#[derive(Debug, ClapArgs)]
pub struct CompareArgs {
    /// Side A: a URL (ours, by convention)
    #[arg(long, value_name = "URL", required_unless_present = "swap")]
    pub a: Option<String>,
    /// Side B: a URL
    #[arg(long, value_name = "URL", required_unless_present = "swap")]
    pub b: Option<String>,
    /// Launch each side for its run: only one server is alive at a time
    #[arg(long, requires_all = ["a_cmd", "b_cmd"], conflicts_with_all = ["a", "b"])]
    pub swap: bool,
    /// Launch from a cleared environment: HOME, USER, LANG, TMPDIR, a standard PATH, and what the subjects declare
    #[arg(long, requires = "swap")]
    pub clear_env: bool,
    /// Launch command of side A: one JSON array of strings; `{port}` becomes a free port. A secret goes by the
    /// environment, never here
    #[arg(long, value_name = "ARGV")]
    pub a_cmd: Option<String>,
    /// Launch command of side B
    #[arg(long, value_name = "ARGV")]
    pub b_cmd: Option<String>,
    /// Seconds a launched server may take to answer
    #[arg(long, value_name = "S", default_value_t = 600.0)]
    pub ready_timeout: f64,
    /// Name of side A [default: its engine]
    #[arg(long, value_name = "NAME")]
    pub a_name: Option<String>,
    /// Name of side B [default: its engine]
    #[arg(long, value_name = "NAME")]
    pub b_name: Option<String>,
    /// Model name that side B lists, when it differs from --model
    #[arg(long, value_name = "NAME")]
    pub b_model: Option<String>,
    /// What requests carry.
    #[command(flatten)]
    pub request: RequestArgs,
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadSourceArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// The contract.
    #[command(flatten)]
    pub contract: ContractArgs,
    /// Declares subject fields of side B; its `env` is set where side B is launched
    #[arg(long, value_name = "FILE")]
    pub b_subject: Option<PathBuf>,
    /// Blocks: one run of each side; gap-decide looks at 8, 12, 18, 26, 38, 56, 84, 120
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub blocks: u32,
    /// Go on where the document at -o stopped, up to --blocks
    #[arg(long)]
    pub resume: bool,
    /// JSONL file that gets one line per request as it ends
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
}

/// `summarize`.
#[derive(Debug, ClapArgs)]
pub struct SummarizeArgs {
    /// Records file of `run --records`
    pub records: PathBuf,
    /// Judge by these rules instead of those of the run
    #[arg(long, value_name = "RULE")]
    pub slo: Vec<String>,
    /// Judge by these per-request limits instead of those of the run
    #[arg(long, value_name = "RULE")]
    pub goodput: Vec<String>,
    /// Add a peer's definitions beside ours
    #[arg(long, value_enum, value_name = "TOOL")]
    pub compat: Option<CompatArg>,
}

#[cfg(test)]
mod tests;
