//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{Cli, OutputArgs, ToolInfo};

/// Searches launch flags: bounded, fair between frameworks, resumable; every candidate is kept, those that fail too.
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
    /// Check plans and render their commands, without launching anything
    Validate(ValidateArgs),
    /// Check dstack configurations offline, as dstack would read them
    CheckConfig(CheckConfigArgs),
    /// Search until the budget of the plan is used
    Run(RunArgs),
    /// Where a search stands, also while it runs
    Status(SearchArgs),
    /// What a search found, tried, and what it cost
    Report(SearchArgs),
    /// Measure the winner interleaved with the baseline, each launched anew, and decide
    Confirm(ConfirmArgs),
}

/// `config-search validate`.
#[derive(Clone, Debug, clap::Args)]
pub struct ValidateArgs {
    /// Plans, YAML or JSON (config-search.plan/1)
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
}

/// `config-search check-config`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// dstack configurations, YAML: a service, a task, a dev environment, a fleet, a volume, a gateway or a preset
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `config-search run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The search.
    #[command(flatten)]
    pub search: SearchArgs,
    /// Longest time of this command, for example 90s, 30m, 2h; the plan's own budget holds beside it
    #[arg(long, value_name = "TIME")]
    pub budget: Option<String>,
    /// Go on with a search that is there; its plan has to be the same
    #[arg(long)]
    pub resume: bool,
}

/// A search: its plan and its folder.
#[derive(Clone, Debug, clap::Args)]
pub struct SearchArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Folder of the search [default: the plan's name with .search]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `config-search confirm`.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfirmArgs {
    /// The search.
    #[command(flatten)]
    pub search: SearchArgs,
    /// Its framework [default: the one with the largest gain]
    #[arg(long, value_name = "NAME")]
    pub framework: Option<String>,
    /// Blocks in all: one run of each side, each launched anew; pairs of an earlier confirmation of the same winner are kept, and
    /// gap-decide looks at 8, 12, 18, 26, 38, 56, 84, 120
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub blocks: u32,
}

const EXAMPLES: &str = "  # Check a plan, then search for two hours at most
  config-search validate plan.yaml --format markdown
  config-search run plan.yaml --budget 2h --format markdown -o search.json

  # After a crash or Ctrl-C, and before the gain is quoted
  config-search run plan.yaml --resume --format markdown -o search.json
  config-search confirm plan.yaml --blocks 8 --format markdown -o confirmed.json
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "config-search",
        version: env!("CARGO_PKG_VERSION"),
        skill: include_str!("../../../skills/config-search/SKILL.md"),
        schemas: &[
            ("", contracts::config_search::report::SCHEMA),
            ("validate", contracts::config_search::validation::SCHEMA),
            ("check-config", contracts::config_search::config_check::SCHEMA),
            ("run", contracts::config_search::report::SCHEMA),
            ("status", contracts::config_search::report::SCHEMA),
            ("report", contracts::config_search::report::SCHEMA),
            ("confirm", contracts::config_search::report::SCHEMA),
            ("plan", contracts::config_search::plan::SCHEMA),
            ("candidate", contracts::config_search::candidate::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    const EXITS: &'static [(contracts::Exit, &'static str)] = &[
        (
            contracts::Exit::GateNotMet,
            "document written; validate or check-config found problems",
        ),
        (
            contracts::Exit::BudgetSpent,
            "no baseline was measured within the budget; a search that spent its budget beside one exits 0",
        ),
    ];

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}
