//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};

/// One page of a Nsight Compute report: what limits a kernel, and the one edit to make next.
#[derive(Clone, Debug, clap::Parser)]
#[command(subcommand_negates_reqs = true)]
pub struct Args {
    /// What to do instead of a digest.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The digest.
    #[command(flatten)]
    pub digest: DigestArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// List every metric whose name matches a pattern, with its parts
    Metrics(MetricsArgs),
    /// Print the two `ncu` commands that collect what a digest needs
    Command(CommandArgs),
}

/// The digest.
#[derive(Clone, Debug, clap::Args)]
pub struct DigestArgs {
    /// A report: .ncu-rep, .ncu-repz, or a CSV export of one; `-` reads stdin
    #[arg(value_name = "REPORT", required = true)]
    pub report: Option<PathBuf>,
    /// Which kernels: a regular expression that their name has to match somewhere [default: all]
    #[arg(long, value_name = "REGEX")]
    pub kernel: Option<String>,
    /// All kernels in the document, not the ten longest
    #[arg(long)]
    pub all: bool,
    /// What a report does not say: dtype (fp64, fp32, bf16, …), op (matmul, …), shape
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub declare: Vec<String>,
    /// The same after an edit: baseline against candidate
    #[arg(long, value_name = "REPORT2")]
    pub candidate: Option<PathBuf>,
    /// The pair to judge where an edit changed a name: a part of the baseline's, and of the candidate's
    #[arg(long, value_name = "A=B", requires = "candidate", conflicts_with = "kernel")]
    pub pair: Option<String>,
    /// Show the host, paths and the command line
    #[arg(long)]
    pub no_redact: bool,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
}

/// `ncu-digest metrics`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = METRICS_EXAMPLES)]
pub struct MetricsArgs {
    /// A report: .ncu-rep, .ncu-repz, or a CSV export of one; `-` reads stdin
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// Which metrics: `*` stands for any characters, `?` for one
    #[arg(long = "match", value_name = "GLOB")]
    pub pattern: String,
    /// Which kernels: a regular expression that their name has to match somewhere [default: all]
    #[arg(long, value_name = "REGEX")]
    pub kernel: Option<String>,
    /// Show the host, paths and the command line
    #[arg(long)]
    pub no_redact: bool,
}

/// `ncu-digest command`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = COMMAND_EXAMPLES)]
pub struct CommandArgs {
    /// Which kernels: a regular expression that their name without arguments has to match somewhere
    #[arg(long, value_name = "REGEX")]
    pub kernel: String,
    /// The program with its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub program: Vec<String>,
}

const EXAMPLES: &str = "  # What limits the longest kernel, and what to change
  ncu-digest base.ncu-rep --format markdown -o digest.json

  # The same for one kernel, with what a report does not say
  ncu-digest base.ncu-rep --kernel 'qknorm' --declare dtype=bf16,op=matmul

  # Did the edit help? A changed name needs --pair
  ncu-digest base.ncu-rep --candidate cand.ncu-rep --pair warp=2head

  # Every metric behind a number
  ncu-digest metrics base.ncu-rep --match '*bank_conflicts*'

  # What to run to collect a report
  ncu-digest command --kernel 'qknorm' -- python bench.py
";

const METRICS_EXAMPLES: &str = "Exit codes:
  0    document written
  2    usage error
  3    report unreadable, no such kernel, or no metric matches

Examples:
  # Every metric behind a number
  ncu-digest metrics base.ncu-rep --match '*bank_conflicts*'

  # All of one kernel, with the parts of each, on disk
  ncu-digest metrics base.ncu-rep --kernel 'qknorm' --match '*' --format markdown -o metrics.json
";

const COMMAND_EXAMPLES: &str = "Exit codes:
  0    document written; nothing was run
  2    usage error
  3    a kernel that exchanges data between GPUs

Examples:
  # What to run to collect a report
  ncu-digest command --kernel 'qknorm' -- python bench.py

  # The exact name, for a program with flags of its own
  ncu-digest command --kernel '^gemm$' --format markdown -- ./bench --size 4096
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "ncu-digest",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[
            ("", contracts::ncu_digest::report::SCHEMA),
            ("metrics", contracts::ncu_digest::metrics::SCHEMA),
            ("command", contracts::ncu_digest::command::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/ncu-digest/SKILL.md");
