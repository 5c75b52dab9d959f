//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};

/// Say where the GPU time of torch-profiler traces goes: kernels, overlap, known fusions, idle time.
#[derive(Clone, Debug, clap::Parser)]
#[command(subcommand_negates_reqs = true)]
pub struct Args {
    /// What to do instead of making tables.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The tables.
    #[command(flatten)]
    pub tables: TablesArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Record a trace on a running server, with a probe of a scenario's lengths
    Capture(CaptureArgs),
    /// Say where the time between two engines went, from a trace of each
    Diff(DiffArgs),
    /// List the shapes that kernels are called with, weighted by their time: what a kernel has to be tested on
    Rows(RowsArgs),
}

/// Arguments of `rows`.
#[derive(Clone, Debug, clap::Args)]
pub struct RowsArgs {
    /// Traces (.json, .json.gz) or folders of them
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// Which kernels: a regular expression that their whole name, or the short one of the tables, has to match somewhere
    #[arg(long, value_name = "REGEX")]
    pub kernel: String,
    /// Which steps [default: all]
    #[arg(long, value_enum, default_value_t = StageArg::All)]
    pub stage: StageArg,
    /// The rank whose calls are counted, or `all` [default: the lowest]
    #[arg(long, value_name = "R|all")]
    pub rank: Option<String>,
    /// What they explain.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// Arguments of `diff`.
#[derive(Clone, Debug, clap::Args)]
pub struct DiffArgs {
    /// Traces of our engine, or folders of them
    #[arg(required = true, value_name = "OURS")]
    pub ours: Vec<PathBuf>,
    /// Traces of the other engine, or folders of them
    #[arg(long, required = true, num_args = 1.., value_name = "THEIRS")]
    pub theirs: Vec<PathBuf>,
    /// Which steps [default: the stage that both have]
    #[arg(long, value_enum, default_value_t = StageArg::Auto)]
    pub stage: StageArg,
    /// The rank that is compared, or `all` for their mean [default: the lowest of each side]
    #[arg(long, value_name = "R|all")]
    pub rank: Option<String>,
    /// Compare two models or two stages all the same; the ledger refuses the document
    #[arg(long)]
    pub force_pair: bool,
    /// What it explains; the side of a comparison is ours.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// Arguments of `capture`.
#[derive(Clone, Debug, clap::Args)]
pub struct CaptureArgs {
    /// Base URL of the server. Of a deployment that divides prompts and tokens, all its servers with their roles: that of the
    /// stage is profiled, requests go to the `router`
    #[arg(long, required = true, value_name = "[ROLE=]URL")]
    pub url: Vec<String>,
    /// What to record: prompts of --input-len with one token each, or --output-len tokens after a prompt of one
    #[arg(long, value_enum)]
    pub stage: CaptureStageArg,
    /// Input length of the slow scenario, tokens [default: the mean of the scenario of --for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub input_len: Option<u64>,
    /// Output length of the slow scenario, tokens [default: the mean of the scenario of --for]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1_048_576))]
    pub output_len: Option<u64>,
    /// Steps to record: prompts one after the other, or tokens where the engine counts [default: 3 prompts, 16 tokens]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub steps: Option<u64>,
    /// Folder of the traces, as the server sees it and this machine too [default: profile; with vLLM the folder that the
    /// server names]
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// What it explains; its lengths are taken over, too.
    #[command(flatten)]
    pub bind: BindArgs,
    /// Model name to ask for [default: the first that the server lists]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Environment variable that holds the API key
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// How long to wait for the files, seconds
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub wait_s: u64,
}

/// Stages that can be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CaptureStageArg {
    /// Prompts
    Prefill,
    /// Tokens
    Decode,
}

/// What to read and how to divide it.
#[derive(Clone, Debug, clap::Args)]
pub struct TablesArgs {
    /// Traces (.json, .json.gz) or folders of them; several ranks of one run are read together
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// The trace of the graph capture: it knows the Python lines of kernels that a graph replays
    #[arg(long, value_name = "TRACE")]
    pub mapping: Option<PathBuf>,
    /// Which steps
    #[arg(long, value_enum, default_value_t = StageArg::Auto)]
    pub stage: StageArg,
    /// Smallest share of a row in tables and Markdown, percent; the JSON document holds all rows. A share is of the busy time
    /// of a stage: where kernels run at once, each instant is divided equally among them
    #[arg(long, value_name = "PCT", default_value_t = 1.0)]
    pub min_share_pct: f64,
    /// The rank whose tables are made, or `all` for the sums of all ranks [default: the lowest]
    #[arg(long, value_name = "R|all")]
    pub rank: Option<String>,
    /// What the server said of itself: the answer of SGLang's /server_info or /get_server_info, or of vLLM's /server_info, or
    /// a snapshot of telemetry-fetch
    #[arg(long, value_name = "FILE")]
    pub server_info: Option<PathBuf>,
    /// What they explain.
    #[command(flatten)]
    pub bind: BindArgs,
    /// Read only what the kernel table needs: less memory, no Python lines
    #[arg(long, value_enum, default_value_t = TablesArg::All)]
    pub tables: TablesArg,
}

/// Stages that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StageArg {
    /// Every stage that is there, each with its tables
    Auto,
    /// Prompts only
    Prefill,
    /// Tokens only
    Decode,
    /// Both in one step
    Mixed,
    /// Everything as one stage
    All,
}

/// Tables that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TablesArg {
    /// Kernel, overlap and fuse tables with Python lines
    All,
    /// The kernel table without Python lines
    Kernel,
}

const EXAMPLES: &str = "  # Where does the time of a decode step go?
  profile-tables trace-TP-0-DECODE.trace.json.gz --format markdown -o decode.tables.json

  # A folder with one trace a rank, bound to the benchmark it explains
  profile-tables profile/ --rank all --for ours.result.json -o ours.tables.json

  # Kernels that a CUDA or HIP graph replays, with their Python lines from the capture's trace
  profile-tables replay.trace.json.gz --mapping capture.trace.json.gz

  # Where did the milliseconds between two engines go?
  profile-tables diff ours-TP-0-DECODE.trace.json.gz --theirs theirs-TP-0-DECODE.trace.json.gz

  # Which shapes do the expert kernels get, and how often?
  profile-tables rows trace.json.gz --kernel 'fused_moe' -o workloads.json

  # A trace of decode steps from a running server, with the lengths of the benchmark it explains
  profile-tables capture --url http://127.0.0.1:30000 --stage decode --for ours.result.json -o capture.json

  # The same of a deployment whose prompts and tokens are computed by different servers
  profile-tables capture --url router=http://127.0.0.1:8000 --url prefill=http://127.0.0.1:30000 \\
    --url decode=http://127.0.0.1:30001 --stage decode --for ours.result.json -o capture.json
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "profile-tables",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[
            ("", contracts::profile_tables::report::SCHEMA),
            ("capture", contracts::profile_tables::capture::SCHEMA),
            ("diff", contracts::profile_tables::diff::SCHEMA),
            ("rows", contracts::profile_tables::rows::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/profile-tables/SKILL.md");
