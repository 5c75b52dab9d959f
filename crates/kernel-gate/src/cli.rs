//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};

/// Judges kernel A/B evidence, so that no plausible-looking win passes that is not one.
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
    /// Judge a measurement: invalid, wrong, slower, undecided, promoted
    Judge(JudgeArgs),
    /// Make results of a CSV ledger by a map of its columns
    Import(ImportArgs),
    /// Hash the rows and their tolerances, before the first candidate
    Freeze(FreezeArgs),
    /// Fix order, trials and seeds before a harness measures
    Plan(PlanArgs),
}

/// `kernel-gate judge`.
#[derive(Clone, Debug, clap::Args)]
pub struct JudgeArgs {
    /// The measurement: provenance, rows, summary as JSON lines; `-` reads stdin
    #[arg(value_name = "RESULTS.jsonl")]
    pub results: PathBuf,
    /// The rows that count: workloads.json, or what `freeze` made of it; without, nothing is promoted
    #[arg(long, value_name = "FILE")]
    pub workloads: Option<PathBuf>,
    /// The baseline against itself, measured in the same way
    #[arg(long, value_name = "AA.jsonl")]
    pub aa: Option<PathBuf>,
    /// Rows that were measured again; can be given several times
    #[arg(long, value_name = "RERUN.jsonl")]
    pub rerun: Vec<PathBuf>,
    /// Which rows take the candidate, by a field of theirs
    #[arg(long, value_name = "DISPATCH.json")]
    pub dispatch: Option<PathBuf>,
    /// The file that would be promoted: its hash has to be the one that was measured
    #[arg(long, value_name = "FILE")]
    pub candidate: Option<PathBuf>,
    /// Bytes a second that the device can move at most
    #[arg(long, value_name = "BYTES")]
    pub peak_bytes_per_s: Option<f64>,
    /// Floating-point operations a second that the device can do at most
    #[arg(long, value_name = "FLOPS")]
    pub peak_flops_per_s: Option<f64>,
    /// Part of the whole run that the kernel takes, percent, as a trace says
    #[arg(long, value_name = "PCT")]
    pub share: Option<f64>,
    /// End-to-end speed-up that is claimed, for example 1.05
    #[arg(long, value_name = "SPEEDUP", requires = "share")]
    pub claim: Option<f64>,
    /// End with 1 on this verdict
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// Verdicts that can end a command with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// `reject` and `reject_correctness`
    Reject,
}

/// `kernel-gate import`.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// The ledger, CSV
    #[arg(value_name = "LEDGER.csv")]
    pub ledger: PathBuf,
    /// What its columns are, TOML
    #[arg(long, value_name = "MAP.toml")]
    pub map: PathBuf,
    /// Where the results go
    #[arg(long, value_name = "FILE", default_value = "results.jsonl")]
    pub out: PathBuf,
}

/// `kernel-gate freeze`.
#[derive(Clone, Debug, clap::Args)]
pub struct FreezeArgs {
    /// A list of rows, each with an `id`
    #[arg(value_name = "WORKLOADS.json")]
    pub workloads: PathBuf,
    /// The file of the baseline: what is measured as the baseline has to be this one
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// `kernel-gate plan`.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// The rows: workloads.json, or what `freeze` made of it
    #[arg(long, value_name = "FILE")]
    pub workloads: PathBuf,
    /// Only this row; can be given several times
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Samples of each side
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u64).range(5..=1000))]
    pub trials: u64,
    /// Calls of each side before the first sample
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub warmup: u64,
    /// Shortest sample, microseconds: calls within a sample are doubled until then
    #[arg(long, value_name = "US", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=60_000_000))]
    pub target_sample_us: u64,
    /// Most calls within one sample
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub inner_max: u64,
    /// Longest time of one row, seconds
    #[arg(long, value_name = "S", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// Most different inputs that the calls of one sample go through in turn
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..=64))]
    pub input_sets: u64,
    /// Seed of the order of rows, and of the inputs
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=0xffff_ffff))]
    pub seed: u64,
}

const EXAMPLES: &str = "  # Fix the rows before the first candidate, then the order of measuring
  kernel-gate freeze workloads.json --baseline baseline.cu -o rows.json
  kernel-gate plan --workloads rows.json --trials 7 -o plan.json

  # Judge what was measured
  kernel-gate judge results.jsonl --workloads rows.json --aa aa.jsonl --candidate kernel.cu --format markdown -o verdict.json

  # What the kernel's gain is worth end to end
  kernel-gate judge results.jsonl --workloads rows.json --share 12.5 --claim 1.05

  # A ledger of another harness
  kernel-gate import benchmark.csv --map map.toml --out results.jsonl
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "kernel-gate",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[
            ("", contracts::kernel_gate::verdict::SCHEMA),
            ("judge", contracts::kernel_gate::verdict::SCHEMA),
            ("import", contracts::kernel_gate::import::SCHEMA),
            ("freeze", contracts::kernel_gate::rows::SCHEMA),
            ("plan", contracts::kernel_gate::plan::SCHEMA),
            // What it reads, for who writes it.
            ("results-line", contracts::kernel_gate::results::SCHEMA),
            ("workloads", contracts::kernel_gate::workloads::SCHEMA),
            ("dispatch", contracts::kernel_gate::dispatch::SCHEMA),
            ("map", contracts::kernel_gate::map::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/kernel-gate/SKILL.md");
