//! A Nsight Compute report to one page and one next edit, and a baseline against a candidate.
//!
//! read (`read`) -> facts of a capture and of each kernel (`capture`, `kernel`, `fields`, `roofline`, `stalls`, `sections`,
//! `names`, `numbers`) -> what follows (`bound`, `groups`, and `edits` by `symptoms` of what is `seen` and `declared`, with
//! `thresholds`) -> two captures (`matching`, `controls`, `noise`, `comparison`) -> what is decided, or refused (`decided`,
//! `refusal`) -> document and view (`digest`, `summary`, `render`, `written`). Everything between reading and emitting is pure.
//! Beside it stand `metrics` with `glob`, and `command` with `collect`.

pub mod cli;

mod bound;
mod capture;
mod collect;
mod command;
mod comparison;
mod controls;
mod decided;
mod declared;
mod digest;
mod edits;
mod error;
mod fields;
mod glob;
mod groups;
mod kernel;
mod matching;
mod metrics;
mod names;
mod noise;
mod numbers;
mod read;
mod refusal;
mod render;
mod roofline;
mod sections;
mod seen;
mod stalls;
mod summary;
mod symptoms;
mod thresholds;
mod written;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    match &args.command {
        Some(cli::Command::Metrics(metrics)) => metrics::run(metrics, &args.output),
        Some(cli::Command::Command(command)) => command::run(command),
        None => digest::run(&args.digest, &args.output),
    }
}
