//! What the engine says of exactly the window of a benchmark, in one document with one vocabulary.
//!
//! read (`source`, `snapshot`, `watch`) -> readings on their side, a column a series (`history`) -> rows and ratios (`fold`,
//! `vocabulary`) -> checks against the benchmark (`audit`) -> document and view (`report`, `summary`, `render`). Everything
//! between reading and emitting is pure.
//!
//! # How a source is added
//! A module `source/<kind>.rs` that turns what it reads into `Reading`s: points of the vocabulary at one
//! moment, with the process's birth and the lead of its clock where they are known. A kind in
//! `contracts::telemetry_fetch::source::SourceKind`, its names in `vocabulary/terms.rs`, its flag in `cli.rs`, and its place in
//! `snapshot::read` or `watch`. A source that has a past (a store, a log) gives many readings at once; the fold is the same. What
//! has no numbers (errors of a log, rows of a profile) becomes incidents or a list of its own beside `data.metrics`.

pub mod cli;

mod audit;
mod benchmark;
mod beside;
mod clock;
mod engine;
mod error;
mod fold;
mod history;
mod limit;
mod observed;
mod past;
mod plan;
mod render;
mod report;
mod snapshot;
mod source;
mod summary;
mod vocabulary;
mod warnings;
mod watch;
mod window;

use cli_kit::{Failure, Report};

#[doc(hidden)]
pub use source::log::read_any as read_any_log;
#[doc(hidden)]
pub use source::otlp::read_any as read_any_spans;

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    let output = args.output;
    match args.command {
        cli::Command::Snapshot(args) => snapshot::run(&args, &output),
        cli::Command::Window(args) => window::run(plan::WindowPlan::try_from(*args)?, &output),
    }
}
