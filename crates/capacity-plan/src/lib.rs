//! A start-up log, a running server or a config.json to memory, KV budget and request capacity.
//!
//! read (`startup_log`, `live`) -> what the engine says (`facts`) -> what follows from it (`memory`, `pools`, `kv`,
//! `kv_dtype`, `capacity_rows`, `headroom`, `advice`, `caveats`, `benchmark`) -> document and view
//! (`report`, `summary`, `render`). The formulas are those of the crate `capacity`; an estimate has them alone
//! (`estimate`). Everything between reading and emitting is pure.

pub mod cli;
pub mod facts;
pub mod size;
pub mod startup_log;

mod advice;
mod benchmark;
mod bytes;
mod capacity_rows;
mod caveats;
mod error;
mod estimate;
mod hashing;
mod headroom;
mod kv;
mod kv_dtype;
mod live;
mod load;
mod memory;
mod model;
mod pools;
mod render;
mod report;
mod summary;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    match &args.command {
        cli::Command::Log(log) => report::log(log, &args.output),
        cli::Command::Live(live) => live::run(live, &args.output),
        cli::Command::Estimate(estimate) => estimate::run(estimate, &args.output),
    }
}
