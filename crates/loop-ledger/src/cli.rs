//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{Cli, OutputArgs, ToolInfo};
use contracts::loop_ledger::event::{ChangeKind, Outcome};
use contracts::loop_ledger::{Phase, Terminal};

use crate::names::{change_kind, outcome, phase, terminal};

/// Keep a campaign honest: an immutable contract, a chained ledger, gates that are exit codes, budgets, resume.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the campaign lies.
    #[command(flatten)]
    pub root: RootArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The campaign.
#[derive(Clone, Debug, clap::Args)]
pub struct RootArgs {
    /// Artifact root of the campaign
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "LOOP_LEDGER_ROOT",
        default_value = "."
    )]
    pub root: PathBuf,
    /// Allow a root on a network file system, where only one machine may write
    #[arg(long, global = true)]
    pub allow_nfs: bool,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Begin a campaign: lock the target, the workloads and the budget
    Init(InitArgs),
    /// Begin another root for another target; results across roots compare only per GPU or per joule
    Retarget(RetargetArgs),
    /// Is everything here that a runtime needs to run the loop
    Preflight(PreflightArgs),
    /// Begin an attempt: one hypothesis, one change; charges the budget
    Begin(BeginArgs),
    /// End the open attempt, with proof that it left nothing running
    End(EndArgs),
    /// Store documents as evidence, if they agree with the contract
    Append(AppendArgs),
    /// Record an idea and where it comes from
    Idea(IdeaArgs),
    /// Record the diff of the open attempt, with provenance and licence of what was borrowed
    Patch(PatchArgs),
    /// Record a missing instrument or resource; opens its phase as downgraded where a campaign can do without
    Blocker(BlockerArgs),
    /// Where the campaign stands, what is allowed next, what is missing
    Status(StatusArgs),
    /// May this phase begin: exit 0, or 1 with what is missing
    May(MayArgs),
    /// The winning launch
    Best,
    /// May the campaign end: exit 0 only in a terminal state with its evidence
    Done(DoneArgs),
    /// Watch a campaign: stalls, free disk, dead servers
    Watch(WatchArgs),
    /// What happened since, in twenty lines
    Digest(DigestArgs),
    /// Was anything changed after it was written
    Verify(VerifyArgs),
    /// Set a torn last line aside
    Recover,
    /// Write all files that are rendered from the ledger
    Render,
    /// Write a session file: metrics, cited analysis, planned change, deployed configuration
    Session(SessionArgs),
    /// The prompt that starts a runtime on this campaign
    Prompt(PromptArgs),
    /// Texts for Humanize/RLCR
    Humanize(HumanizeArgs),
    /// Text of a pull request: benchmark, accuracy and reproduction tables
    PrText(PrTextArgs),
    /// Hooks of agent runtimes: always exit 0 with JSON
    Hook(HookArgs),
    /// One self-contained page, and final_report.md
    Report(ReportArgs),
}

/// What is locked.
#[derive(Clone, Debug, clap::Args)]
pub struct InitArgs {
    /// Target file with its `campaign` part (`sota-loop.target/1`)
    #[arg(long, value_name = "FILE")]
    pub target: PathBuf,
    /// Frozen workloads; every scenario in them belongs to the fixed benchmark
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub workload: Vec<PathBuf>,
}

/// Another target.
#[derive(Clone, Debug, clap::Args)]
pub struct RetargetArgs {
    /// What is locked.
    #[command(flatten)]
    pub init: InitArgs,
    /// Root of the campaign that is left
    #[arg(long, value_name = "DIR")]
    pub supersedes: PathBuf,
    /// Why
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub why: String,
}

/// Runtimes that can run the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    /// A plain agent session that deploys, measures and redeploys
    Redeploy,
    /// Humanize/RLCR in Claude Code
    Humanize,
    /// A Codex goal
    CodexGoal,
    /// A Claude Code goal
    ClaudeGoal,
}

impl Runtime {
    /// The name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Runtime::Redeploy => "redeploy",
            Runtime::Humanize => "humanize",
            Runtime::CodexGoal => "codex-goal",
            Runtime::ClaudeGoal => "claude-goal",
        }
    }
}

/// What is checked.
#[derive(Clone, Debug, clap::Args)]
pub struct PreflightArgs {
    /// Runtime that will run the loop
    #[arg(long, value_enum)]
    pub runtime: Runtime,
    /// Prove that the runtime's own loop is active now
    #[arg(long)]
    pub after_start: bool,
    /// Project that the runtime works in
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
}

/// One change.
#[derive(Clone, Debug, clap::Args)]
pub struct BeginArgs {
    /// Why it should help, and what would show that it does not
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub hypothesis: String,
    /// The one change
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub change: String,
    /// Its kind
    #[arg(long, value_parser = change_kind, value_name = "flags|env|config|patch|kernel")]
    pub kind: ChangeKind,
    /// How ours will be launched (`sota-loop.subject/1`)
    #[arg(long, value_name = "FILE")]
    pub subject: Option<PathBuf>,
    /// Effect it predicts, percent
    #[arg(long, value_name = "PCT", allow_negative_numbers = true)]
    pub predicted_pct: Option<f64>,
    /// GPU time to charge, seconds times GPUs
    #[arg(long, value_name = "SECONDS")]
    pub gpu_s: Option<f64>,
    /// Money to charge, US dollars
    #[arg(long, value_name = "USD")]
    pub spend_usd: Option<f64>,
}

/// How the attempt ended.
#[derive(Clone, Debug, clap::Args)]
pub struct EndArgs {
    /// How
    #[arg(long, value_parser = outcome, value_name = "kept|reverted|failed|interrupted")]
    pub outcome: Outcome,
    /// What was learned
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub learned: String,
    /// Processes that the attempt started and that have to be gone
    #[arg(long, value_name = "PID", num_args = 1..)]
    pub pid: Vec<u32>,
    /// Ports that it used and that have to be free
    #[arg(long, value_name = "PORT", num_args = 1..)]
    pub port: Vec<u16>,
}

/// Evidence.
#[derive(Clone, Debug, clap::Args)]
pub struct AppendArgs {
    /// Documents of any tool, history notes, root causes
    #[arg(required = true, value_name = "DOC")]
    pub documents: Vec<PathBuf>,
}

/// An idea.
#[derive(Clone, Debug, clap::Args)]
pub struct IdeaArgs {
    /// The idea
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub idea: String,
    /// Repository and number, file or paper it comes from
    #[arg(long, value_name = "SOURCE", requires = "license")]
    pub source: Option<String>,
    /// Licence of the source
    #[arg(long, value_name = "SPDX")]
    pub license: Option<String>,
    /// Rows of stored documents that make it worth trying
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    pub row: Vec<String>,
}

/// A diff.
#[derive(Clone, Debug, clap::Args)]
pub struct PatchArgs {
    /// Unified diff
    #[arg(long, value_name = "FILE")]
    pub diff: PathBuf,
    /// Commit it applies to
    #[arg(long, value_name = "COMMIT")]
    pub base_commit: Option<String>,
    /// Where a borrowed part comes from
    #[arg(long, value_name = "SOURCE=LICENSE", num_args = 1..)]
    pub provenance: Vec<String>,
    /// Tests that were run on it
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub test: Vec<String>,
}

/// Something is missing.
#[derive(Clone, Debug, clap::Args)]
pub struct BlockerArgs {
    /// The phase that cannot be done as it should
    #[arg(long, value_parser = phase, value_name = "PHASE")]
    pub phase: Phase,
    /// What is missing
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub what: String,
    /// How the command ended
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub exit_code: Option<i32>,
    /// The command that failed for it
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub failed: Vec<String>,
}

/// How much.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// At most 1,500 characters
    #[arg(long)]
    pub brief: bool,
}

/// Which phase.
#[derive(Clone, Debug, clap::Args)]
pub struct MayArgs {
    /// The phase
    #[arg(value_parser = phase, value_name = "PHASE")]
    pub phase: Phase,
}

/// The end.
#[derive(Clone, Debug, clap::Args)]
pub struct DoneArgs {
    /// End in this state, which only you can know of
    #[arg(long, value_parser = terminal, value_name = "STATE", requires = "why")]
    pub state: Option<Terminal>,
    /// Why
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub why: Option<String>,
}

/// What is watched.
#[derive(Clone, Debug, clap::Args)]
pub struct WatchArgs {
    /// Minutes without a sign of life that count as a stall
    #[arg(long, value_name = "MINUTES", default_value_t = 30.0)]
    pub stall_minutes: f64,
    /// Free disk below which to warn, GiB
    #[arg(long, value_name = "GIB", default_value_t = 5.0)]
    pub free_disk_gib: f64,
    /// Servers that have to live
    #[arg(long, value_name = "PID", num_args = 1..)]
    pub pid: Vec<u32>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    pub interval: f64,
    /// Looks; 0 is until the campaign ends or Ctrl-C
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub looks: u64,
    /// Command to run on an alarm: one JSON array of strings; the message is added as its last argument
    #[arg(long, value_name = "ARGV")]
    pub notify: Option<String>,
}

/// Since when.
#[derive(Clone, Debug, clap::Args)]
pub struct DigestArgs {
    /// A time (RFC 3339) or an age such as 12h
    #[arg(long, value_name = "TIME", default_value = "12h")]
    pub since: String,
}

/// Against what.
#[derive(Clone, Debug, clap::Args)]
pub struct VerifyArgs {
    /// Hash of an entry that was kept outside the root
    #[arg(long, value_name = "HASH")]
    pub anchor: Option<String>,
}

/// A session.
#[derive(Clone, Debug, clap::Args)]
pub struct SessionArgs {
    /// Lines of analysis, each citing NAME=VALUE of a stored document
    #[arg(long, value_name = "TEXT", num_args = 1.., required = true)]
    pub analysis: Vec<String>,
    /// What follows from it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub findings: String,
    /// The planned change
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub planned: String,
    /// Deployed configuration to keep beside it (dstack YAML)
    #[arg(long, value_name = "FILE")]
    pub deployment: Option<PathBuf>,
    /// Times in file names
    #[arg(long, value_enum, default_value_t = Iso::Basic)]
    pub iso: Iso,
    /// Folder
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

/// How times stand in file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Iso {
    /// 20260322T150000Z: portable
    Basic,
    /// 2026-03-22T15:00:00Z: as autodebug writes it
    Extended,
}

/// Which prompt.
#[derive(Clone, Debug, clap::Args)]
pub struct PromptArgs {
    /// Runtime
    #[arg(long, value_enum)]
    pub runtime: Runtime,
    /// Target file, before a campaign exists
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
}

/// Which text.
#[derive(Clone, Debug, clap::Args)]
pub struct HumanizeArgs {
    /// The text
    #[command(subcommand)]
    pub text: HumanizeText,
}

/// Texts for Humanize/RLCR.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum HumanizeText {
    /// Draft for its plan generator
    Draft,
    /// Plan for setup-rlcr-loop.sh
    Plan,
    /// round-N-contract.md
    Contract(HumanizeRoundArgs),
    /// round-N-summary.md
    Summary(HumanizeRoundArgs),
    /// Checks before the start: the same as `preflight --runtime humanize`
    Preflight(HumanizePreflightArgs),
}

/// Which round.
#[derive(Clone, Debug, clap::Args)]
pub struct HumanizeRoundArgs {
    /// Number that Humanize gave the round, from 0 [default: the attempts of the ledger, counted from 0]
    #[arg(long, value_name = "N")]
    pub round: Option<u32>,
}

/// Where Humanize works.
#[derive(Clone, Debug, clap::Args)]
pub struct HumanizePreflightArgs {
    /// Project that it works in
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
    /// Prove that its loop is active now
    #[arg(long)]
    pub after_start: bool,
}

/// Where it goes.
#[derive(Clone, Debug, clap::Args)]
pub struct PrTextArgs {
    /// Remote it is proposed to; has to be one of the target's push_remotes
    #[arg(long, value_name = "REMOTE")]
    pub remote: String,
}

/// Which hook.
#[derive(Clone, Debug, clap::Args)]
pub struct HookArgs {
    /// The hook
    #[command(subcommand)]
    pub hook: Hook,
}

/// Hooks.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Hook {
    /// Stop hook of Claude Code and Codex: the event on stdin, the answer on stdout
    Stop,
}

/// Where the page goes.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// The page; default report.html in the root
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Names of the sub-commands.
pub(crate) fn command_names() -> Vec<String> {
    let command = <Args as clap::CommandFactory>::command();
    command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect()
}

impl Cli for Args {
    const TOOL: ToolInfo = crate::TOOL;

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}
