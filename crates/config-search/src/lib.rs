//! Bounded, fair, resumable search over launch flags.
//!
//! A plan (`plan`) becomes spaces (`space`); `strategy` says what to try next, from the trials alone; `measure` launches one
//! candidate and has it measured by `serve-bench`; `store` keeps its row; `history` turns rows into trials again, so a search
//! goes on where it stopped. `report` and `render` show what was found, `confirm` has the winner measured anew. `landscape`
//! holds the strategy against other searchers; `dstack` checks configurations of dstack offline.

pub mod cli;
pub mod landscape;
pub mod space;
pub mod strategy;

mod confirm;
mod dstack;
mod error;
mod history;
mod launcher;
mod leftover;
mod measure;
mod outcome;
mod plan;
mod prior;
mod reason;
mod render;
mod report;
mod search;
mod store;
mod subject;
mod validate;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    let output = &args.output;
    match &args.command {
        cli::Command::Validate(validate) => validate::run(validate, output),
        cli::Command::CheckConfig(check) => dstack::run(check, output),
        cli::Command::Run(run) => search::run(run, output),
        cli::Command::Status(search) => confirm::show(&search.plan, search.dir.as_deref(), output, true),
        cli::Command::Report(search) => confirm::show(&search.plan, search.dir.as_deref(), output, false),
        cli::Command::Confirm(args) => confirm::run(args, output),
    }
}
