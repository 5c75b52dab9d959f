//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};

/// Where an engine's memory went, what a token costs, and how many requests of a length fit.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// Source of the numbers.
    #[command(subcommand)]
    pub command: Command,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Read the log of a start-up: SGLang, vLLM, TokenSpeed
    Log(LogArgs),
    /// Ask a running server: SGLang, vLLM, TokenSpeed
    Live(LiveArgs),
    /// Compute from the model's config.json alone, before there is a server
    Estimate(EstimateArgs),
}

/// `capacity-plan log`.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// The log of the server, from its start; `-` reads stdin
    #[arg(value_name = "STARTUP.log")]
    pub log: PathBuf,
    /// The formula beside the engine's numbers.
    #[command(flatten)]
    pub model: CheckArgs,
    /// Lengths.
    #[command(flatten)]
    pub load: LoadArgs,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// `capacity-plan live`.
#[derive(Clone, Debug, clap::Args)]
pub struct LiveArgs {
    /// The server: http://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Environment variable that holds the API key
    #[arg(long, value_name = "VARIABLE")]
    pub api_key_env: Option<String>,
    /// The formula beside the engine's numbers.
    #[command(flatten)]
    pub model: CheckArgs,
    /// Lengths.
    #[command(flatten)]
    pub load: LoadArgs,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// What the engine's numbers are held against.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CheckArgs {
    /// The model's config.json: bytes of a token by the formula
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The draft model's config.json
    #[arg(long, value_name = "FILE", requires = "config")]
    pub draft_config: Option<PathBuf>,
    /// Tensor parallel ranks [default: what the engine says, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub tp: Option<u64>,
    /// Pipeline stages [default: what the engine says, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub pp: Option<u64>,
    /// Replicas of attention within the tensor parallel ranks [default: what the engine says, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub attention_dp: Option<u64>,
    /// Type of keys and values: bf16, fp8, int8, nvfp4, fp32 [default: what the engine says, else the model's]
    #[arg(long, value_name = "DTYPE")]
    pub kv_dtype: Option<String>,
}

/// What requests are like.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LoadArgs {
    /// Lengths of requests, prompt and answer together: numbers with commas, or a result of serve-bench
    #[arg(long, value_name = "RESULT.json|N,N…")]
    pub lengths: Option<String>,
    /// First tokens that all requests share, fewer than each has, for the upper end of the range [default: what the result's
    /// cache hits say]
    #[arg(long, value_name = "TOKENS")]
    pub shared_prefix: Option<u64>,
}

/// `capacity-plan estimate`.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("device").required(true))]
pub struct EstimateArgs {
    /// The model's config.json
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The hf_quant_config.json beside it: how weights are stored
    #[arg(long, value_name = "FILE")]
    pub quantization: Option<PathBuf>,
    /// The draft model's config.json: a pool of its own with as many tokens
    #[arg(long, value_name = "FILE", conflicts_with = "mtp")]
    pub draft_config: Option<PathBuf>,
    /// The model's own layers for multi-token prediction draft: a pool of their own with as many tokens
    #[arg(long)]
    pub mtp: bool,
    /// Device, for example h100, h200, b200, rtx-4090
    #[arg(long, value_name = "NAME", group = "device")]
    pub gpu: Option<String>,
    /// Memory of the device, GiB: what PyTorch or the engine's log names as its total, some tenths less than nvidia-smi
    #[arg(long, value_name = "GIB", group = "device")]
    pub gpu_memory_gib: Option<f64>,
    /// Tensor parallel ranks
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub tp: u64,
    /// Pipeline stages
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub pp: u64,
    /// Replicas of attention within the tensor parallel ranks
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub attention_dp: u64,
    /// Type of keys and values: bf16, fp8, int8, nvfp4, fp32 [default: the checkpoint's, else the model's]
    #[arg(long, value_name = "DTYPE")]
    pub kv_dtype: Option<String>,
    /// Part of the device for weights, pools and what a step needs
    #[arg(long, value_name = "RATIO", default_value_t = 0.9)]
    pub memory_fraction: f64,
    /// Weights on the rank with most, GiB [default: counted from the shapes]
    #[arg(long, value_name = "GIB")]
    pub weights_gib: Option<f64>,
    /// Activations and what is not PyTorch's, within the fraction, GiB
    #[arg(long, value_name = "GIB", default_value_t = 2.0)]
    pub reserve_gib: f64,
    /// Tokens of a page or block
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=65536))]
    pub page_size: u64,
    /// Requests that the engine lets run at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_running_requests: Option<u64>,
    /// Layers with a window keep all tokens: engines without a pool of their own for them, which a log of a start tells
    #[arg(long)]
    pub windows_kept_whole: bool,
    /// Lengths.
    #[command(flatten)]
    pub load: LoadArgs,
    /// End with 1 when of a length that --lengths names not even one request fits (without it: of the shortest typical one),
    /// and with 5 when that cannot be told
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
}

/// Verdicts that can end an estimate with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// A rank cannot hold its weights and a request, or the context is shorter than one
    DoesNotFit,
}

const EXAMPLES: &str = "  # What limits first, and where the memory went
  capacity-plan log server.log --config config.json --format markdown -o capacity.json

  # How many of a benchmark's requests fit, bound to it
  capacity-plan log server.log --config config.json --lengths run.json --for run.json

  # The same from a server that runs
  capacity-plan live --url http://127.0.0.1:30000 --config config.json

  # Does it fit, before there is a server? Without --fail-on the answer stands in the document alone
  capacity-plan estimate --config config.json --gpu h100 --tp 2 --kv-dtype fp8 --lengths 4096,32768 --fail-on does-not-fit
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "capacity-plan",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[("", contracts::capacity_plan::report::SCHEMA)],
        examples: EXAMPLES,
    };

    const EXITS: &'static [(contracts::Exit, &'static str)] = &[(
        contracts::Exit::GateNotMet,
        "document written; estimate --fail-on: a length that was asked for does not fit",
    )];

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/capacity-plan/SKILL.md");
