//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};

/// Shows whether an engine still answers as well as before, and whether the answers are its own.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Ask a suite of questions greedily, and check that the answers are the engine's own
    Run(Box<RunArgs>),
    /// Judge a candidate's answers against the baseline's: pass, fail, inconclusive, invalid
    Judge(JudgeArgs),
}

/// `quality-gate run`.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("asked").required(true).multiple(true).args(["suite", "workload"]))]
pub struct RunArgs {
    /// Base URL of the engine
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Questions, JSON lines: MMLU, MMLU-Pro or GSM8K layout; several files are one suite
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub suite: Vec<PathBuf>,
    /// Prompts whose answers are kept to be compared: a workload that `serve-bench freeze` wrote
    #[arg(long, value_name = "FILE")]
    pub workload: Option<PathBuf>,
    /// Compare these answers with the baseline's: its result, its records, or its URL (which gets no API key)
    #[arg(long, value_name = "FILE|URL", requires = "workload")]
    pub against: Option<String>,
    /// Most prompts of the workload
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub prompts: u64,
    /// Most tokens of an answer to a prompt
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub prompt_tokens: u64,
    /// Alternatives of each token that are asked for; 5 is the most that every server gives
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=20))]
    pub top_logprobs: u64,
    /// Name in the requests [default: the first that the server lists]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Canonical id of the model, where the server goes by another name [default: the benchmark's, else the served name]
    #[arg(long, value_name = "ID")]
    pub model_id: Option<String>,
    /// Endpoint
    #[arg(long, value_enum, default_value_t = ApiArg::Chat)]
    pub api: ApiArg,
    /// Most tokens of an answer; one that reaches it is not whole, and one in twenty may be so
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=crate::run::MOST_TOKENS))]
    pub max_tokens: u64,
    /// Text that ends an answer, `\n` for the end of a line; for models that do not stop by themselves
    #[arg(long, value_name = "TEXT", num_args = 1, value_parser = stop_text)]
    pub stop: Vec<String>,
    /// Answered questions in a layout of `--suite` that stand before each question, for models that only continue text
    #[arg(long, value_name = "FILE")]
    pub examples: Option<PathBuf>,
    /// Requests at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=256))]
    pub concurrency: u64,
    /// Seed of every request
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Longest wait for one answer, seconds
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Keep answers here as they come; the same command goes on from them
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// Process of the server, where it runs on this machine: its connections are looked at
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Tokens a second of one answer that no real engine reaches
    #[arg(long, value_name = "TPS", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tps: u32,
    /// Variable that holds the API key
    #[arg(long, value_name = "VARIABLE")]
    pub api_key_env: Option<String>,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// `\n` and `\t` as a shell hands them on.
fn stop_text(text: &str) -> Result<String, String> {
    let text = text.replace("\\n", "\n").replace("\\t", "\t");
    if text.is_empty() {
        Err("it is empty".to_owned())
    } else {
        Ok(text)
    }
}

/// Endpoint of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ApiArg {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
}

/// `quality-gate judge`.
#[derive(Clone, Debug, clap::Args)]
pub struct JudgeArgs {
    /// Result of `quality-gate run` on the baseline
    #[arg(value_name = "BASELINE.json")]
    pub baseline: PathBuf,
    /// Result of `quality-gate run` on the candidate
    #[arg(value_name = "CANDIDATE.json")]
    pub candidate: PathBuf,
    /// Least share of the baseline's accuracy that passes
    #[arg(long, value_name = "RATIO", default_value_t = 0.95)]
    pub at_least: f64,
    /// Least share of equal answers to the workload's prompts that passes; without it agreement is only reported
    #[arg(long, value_name = "RATIO")]
    pub min_agreement: Option<f64>,
    /// End with 1 on this verdict
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
}

/// Verdicts that can end a command with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// `fail`
    Fail,
}

const EXAMPLES: &str = "  # The baseline, then the candidate, with the same suite
  quality-gate run --url http://127.0.0.1:30000 --suite suite.jsonl --format markdown -o baseline.json
  quality-gate run --url http://127.0.0.1:30001 --suite suite.jsonl --records candidate.jsonl --format markdown -o candidate.json

  # How far a candidate's answers to a workload's own prompts drift from the baseline's
  quality-gate run --url http://127.0.0.1:30001 --workload workload.jsonl --against http://127.0.0.1:30000 -o drift.json

  # At least 95 % of the baseline's accuracy?
  quality-gate judge baseline.json candidate.json --fail-on fail --format markdown -o verdict.json
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "quality-gate",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[
            ("", contracts::quality_gate::verdict::SCHEMA),
            ("judge", contracts::quality_gate::verdict::SCHEMA),
            ("run", contracts::quality_gate::result::SCHEMA),
            ("record", contracts::quality_gate::record::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/quality-gate/SKILL.md");
