//! Answers as good as before.
//!
//! `run`: suite (`suite`) -> whole answers from an engine (`ask`, kept as they come in `records`) -> what they say
//! (`extract`) -> whether they are the engine's own (`checks`, `proc_net`) -> document. `judge`: two of those documents ->
//! paired answers -> interval on the ratio (`paired`) -> verdict. Beside the suite, prompts of a workload (`prompts`), whose
//! answers with their log-probabilities (`logprobs`) are held against a baseline's (`against`, `agreement`). Extraction,
//! pairs, agreement and verdict are pure.

pub mod agreement;
pub mod cli;
pub mod extract;
pub mod judge;
pub mod logprobs;
pub mod paired;
pub mod prompts;
pub mod suite;

mod against;
mod ask;
mod ask_prompts;
mod chance;
mod checks;
mod error;
mod proc_net;
mod records;
mod render;
mod run;
mod watch_net;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    match &args.command {
        cli::Command::Run(run) => run::run(run, &args.output),
        cli::Command::Judge(judge) => judge::run(judge),
    }
}
