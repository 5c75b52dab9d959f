//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{Cli, OutputArgs, ToolInfo};

/// Decide the gap between ours and other engines: ahead, behind, tied or not yet known, with a known error rate.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// What to do instead of deciding a gap.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The gap to decide.
    #[command(flatten)]
    pub decide: DecideArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Error rates and repeat counts to expect on this machine, from A/A measurements
    Calibrate(CalibrateArgs),
    /// Order the candidates of a search, one JSON object a line, by throughput and latency under their SLO
    Rank(RankArgs),
}

/// Evidence and rules of a decision.
#[derive(Clone, Debug, clap::Args)]
pub struct DecideArgs {
    /// Documents of `serve-bench compare`: interleaved pairs, side A ours
    #[arg(long, num_args = 1.., value_name = "COMPARE_DOC")]
    pub compare: Vec<PathBuf>,
    /// Which side of the comparisons is ours
    #[arg(long, value_enum, default_value_t = SideArg::A)]
    pub ours_side: SideArg,
    /// Results of ours that were not interleaved (weaker)
    #[arg(long, num_args = 1.., value_name = "RESULT")]
    pub ours: Vec<PathBuf>,
    /// Results of another engine: NAME=RESULT, further RESULTs of the same engine may follow
    #[arg(long, num_args = 1.., value_name = "NAME=RESULT")]
    pub theirs: Vec<String>,
    /// Documents whose pairs chose the candidate: they never count in its verdict
    #[arg(long, num_args = 1.., value_name = "DOC")]
    pub chosen_by: Vec<PathBuf>,
    /// Metric to compare, for example output_tps, p50_ttft_ms, mean_tpot_ms
    #[arg(long, default_value = "output_tps")]
    pub metric: String,
    /// Smallest gap that counts, as a ratio; only where the target declares none [default: 0.01]
    #[arg(long, value_name = "RATIO")]
    pub threshold: Option<f64>,
    /// Half-width within which engines are tied, as a ratio; only where the target declares none [default: 0.01]
    #[arg(long, value_name = "RATIO")]
    pub margin: Option<f64>,
    /// Pairs that are affordable, 8 to 120: what smallest_margin_pct is stated for
    #[arg(long, value_name = "N", default_value_t = 56, value_parser = clap::value_parser!(u32).range(8..=120))]
    pub max_pairs: u32,
    /// Confidence of all verdicts together, over every look and scenario
    #[arg(long, value_name = "RATIO", default_value_t = 0.95)]
    pub confidence: f64,
    /// Declare contract fields, threshold and margin
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Exit 1 on this verdict
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Vec<FailOn>,
}

/// Arguments of `calibrate`.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibrateArgs {
    /// A/A measurements: one or more `serve-bench compare` documents with equal sides, or results with repeats
    #[arg(required = true, value_name = "AA_RESULT")]
    pub documents: Vec<PathBuf>,
    /// Metric to calibrate
    #[arg(long, default_value = "output_tps")]
    pub metric: String,
    /// Smallest gap that counts, as a ratio
    #[arg(long, value_name = "RATIO", default_value_t = 0.01)]
    pub threshold: f64,
    /// Half-width within which engines are tied, as a ratio
    #[arg(long, value_name = "RATIO", default_value_t = 0.01)]
    pub margin: f64,
    /// Pairs after which a campaign gives up, 8 to 120
    #[arg(long, value_name = "N", default_value_t = 56, value_parser = clap::value_parser!(u32).range(8..=120))]
    pub max_pairs: u32,
    /// Confidence of a verdict over all its looks
    #[arg(long, value_name = "RATIO", default_value_t = 0.95)]
    pub confidence: f64,
    /// Simulated campaigns per true effect
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub campaigns: u32,
    /// Seed of the campaigns
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Arguments of `rank`.
#[derive(Clone, Debug, clap::Args)]
pub struct RankArgs {
    /// Candidates as JSON lines: those that config-search wrote, beside their plan, or rows of framework, candidate_id, status,
    /// hardware, workload, sla, metrics; `-` reads stdin
    #[arg(value_name = "CANDIDATES")]
    pub candidates: PathBuf,
    /// First metric of the order
    #[arg(long, value_enum, default_value_t = RankBy::RequestThroughput)]
    pub by: RankBy,
}

/// What candidates that meet their SLO are ordered by first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RankBy {
    /// Completed requests a second, then output tokens.
    RequestThroughput,
    /// Output tokens a second, then requests.
    OutputTokenThroughput,
}

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SideArg {
    /// Side A.
    A,
    /// Side B.
    B,
}

/// Verdicts that can be made a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Ours is behind somewhere.
    Behind,
    /// Ours misses a service-level objective somewhere.
    #[value(alias = "ours_fails_slo")]
    OursFailsSlo,
}

const EXAMPLES: &str = "  # Decide from interleaved pairs, and keep the document
  gap-decide --compare round0.compare.json --target target.yaml --format markdown -o round0.gap.json

  # Results that were not interleaved, as a gate
  gap-decide --ours ours.json --theirs vllm=vllm.json sglang=sglang.json --fail-on behind

  # What this machine's noise allows, from an A/A comparison
  gap-decide calibrate aa.compare.json --max-pairs 56

  # What a search tried, in order; close leaders still need a comparison
  gap-decide rank candidates.jsonl --format markdown -o ranking.json
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "gap-decide",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[
            ("", contracts::gap_decide::decision::SCHEMA),
            ("calibrate", contracts::gap_decide::calibration::SCHEMA),
            ("rank", contracts::gap_decide::ranking::SCHEMA),
            ("target", contracts::target::Target::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/gap-decide/SKILL.md");
