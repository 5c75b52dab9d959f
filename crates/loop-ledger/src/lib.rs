//! `loop-ledger`: the loop that cannot drift. An immutable contract, a chained ledger, gates that are exit codes,
//! budgets, and everything that is rendered from them.
//!
//! ```text
//! command -> ledger (read, checked) -> state (pure fold) -> rules (pure) -> entry (locked, fsynced) -> document
//! ```

pub mod accept;
pub mod cli;
mod commands;
mod digest;
mod disk;
pub mod error;
mod gpu;
mod hook;
mod humanize;
pub mod ledger;
mod names;
pub mod precedent;
mod preflight;
mod probe;
mod prompt;
mod render;
pub mod rules;
mod session;
pub mod state;
mod view;
mod watch;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use cli_kit::{Failure, Report, ToolInfo};
use contracts::loop_ledger as documents;

use cli::{Args, Command};
use ledger::Root;

/// What the binary is.
pub const TOOL: ToolInfo = ToolInfo {
    name: "loop-ledger",
    version: env!("CARGO_PKG_VERSION"),
    skill: include_str!("../../../skills/loop-ledger/SKILL.md"),
    schemas: &[
        ("", documents::status::SCHEMA),
        ("status", documents::status::SCHEMA),
        ("may", documents::status::SCHEMA),
        ("init", documents::receipt::SCHEMA),
        ("retarget", documents::receipt::SCHEMA),
        ("begin", documents::receipt::SCHEMA),
        ("end", documents::receipt::SCHEMA),
        ("append", documents::receipt::SCHEMA),
        ("idea", documents::receipt::SCHEMA),
        ("patch", documents::receipt::SCHEMA),
        ("blocker", documents::receipt::SCHEMA),
        ("recover", documents::receipt::SCHEMA),
        ("best", documents::best::SCHEMA),
        ("digest", documents::digest::SCHEMA),
        ("done", documents::done::SCHEMA),
        ("preflight", documents::preflight::SCHEMA),
        ("verify", documents::verify::SCHEMA),
        ("watch", documents::watch::SCHEMA),
        ("prompt", documents::text::SCHEMA),
        ("humanize", documents::text::SCHEMA),
        ("report", documents::text::SCHEMA),
        ("render", documents::text::SCHEMA),
        ("pr-text", documents::text::SCHEMA),
        ("session", documents::receipt::SCHEMA),
        ("entry", documents::entry::SCHEMA),
        ("history", documents::history::SCHEMA),
        ("root-cause", documents::root_cause::SCHEMA),
        ("target-lock", documents::lock::SCHEMA),
        ("target", contracts::target::Target::SCHEMA),
        ("subject", contracts::subject::Subject::SCHEMA),
    ],
    examples: "  loop-ledger init --root runs/qwen3 --target target.yaml --workload chat.jsonl\n  loop-ledger status --root runs/qwen3 --brief\n  loop-ledger append --root runs/qwen3 round0.compare.json round0.gap.json\n",
};

/// The process: hooks answer in their own way, everything else is a tool like the others.
pub fn main() -> ExitCode {
    let argv: Vec<std::ffi::OsString> = std::env::args_os().collect();
    hook::main(&argv).unwrap_or_else(|| cli_kit::main::<Args>(run))
}

/// Runs one command.
///
/// # Errors
/// Every reason why a command is refused, with its exit code.
pub fn run(args: Args) -> Result<Report, Failure> {
    let root = Root::new(&args.root.root);
    command(&root, args).map_err(|mut failure| {
        let actions = std::mem::take(&mut failure.document.next_actions);
        failure.document.next_actions = commands::at_root(&root, actions);
        failure
    })
}

fn command(root: &Root, args: Args) -> Result<Report, Failure> {
    ledger::root::refuse_file(root.path())?;
    ledger::root::refuse_network(root.path(), args.root.allow_nfs)?;
    match args.command {
        Command::Init(init) => commands::init::init(root, &init),
        Command::Retarget(retarget) => commands::init::retarget(root, &retarget),
        Command::Begin(begin) => commands::attempt::begin(root, &begin),
        Command::End(end) => commands::attempt::end(root, &end),
        Command::Append(append) => commands::append::append(root, &append),
        Command::Idea(idea) => commands::note::idea(root, idea),
        Command::Patch(patch) => commands::note::patch(root, &patch),
        Command::Blocker(blocker) => commands::note::blocker(root, blocker),
        Command::Status(status) => commands::status::status(root, status.brief),
        Command::May(may) => commands::status::may(root, may.phase),
        Command::Best => commands::best::best(root),
        Command::Done(done) => commands::done::done(root, &done),
        Command::Verify(verify) => commands::verify::verify(root, verify.anchor.as_deref()),
        Command::Recover => commands::verify::recover(root),
        Command::Preflight(preflight) => commands::preflight::preflight(root, &preflight),
        Command::Watch(watch) => commands::watch::watch(root, &watch, &args.output),
        Command::Digest(digest) => commands::digest::digest(root, &digest.since),
        Command::Render => commands::render::render(root),
        Command::Session(session) => commands::session::session(root, &session),
        Command::Prompt(prompt) => commands::prompt::prompt(root, &prompt),
        Command::Humanize(humanize) => commands::humanize::humanize(root, &humanize.text),
        Command::PrText(text) => commands::pr_text::pr_text(root, &text.remote),
        Command::Hook(hook) => commands::hook::hook(root, &hook.hook),
        Command::Report(report) => commands::report::report(root, report.html.as_deref()),
    }
}
