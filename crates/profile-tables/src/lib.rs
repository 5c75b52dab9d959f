//! Torch-profiler traces to tables: where GPU time goes, what overlaps, what could be fused.
//!
//! read (`load`, crate `torch-trace`) -> derive (`kernels`, `origin`, `stages`) -> fold (`fold`, `idle`, `critical`, `align`, `graph`, `ranks`)
//! -> rows (`tables`) -> document and view (`report`, `render`). Everything between reading and emitting is pure.
//! `diff` lays the same sums of two engines side by side, `rows` lists what kernels are called with. `capture` stands apart: it makes a server write the traces.

pub mod cli;
pub mod fuse;

mod align;
mod capture;
mod critical;
mod diff;
mod error;
mod fold;
mod fusions;
mod graph;
mod idle;
mod layers;
mod levers;
mod next;
mod plan;
mod ranks;
mod render;
mod report;
mod rows;
mod server;
mod sites;
mod summary;
mod tables;
mod traces;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    match args.command {
        Some(cli::Command::Capture(capture)) => capture::run(&capture, &args.output),
        Some(cli::Command::Diff(diff)) => diff::run(&plan::DiffPlan::try_from(diff)?, &args.output),
        Some(cli::Command::Rows(rows)) => rows::run(&plan::RowsPlan::try_from(rows)?, &args.output),
        None => report::run(&plan::Plan::try_from(args.tables)?, &args.output),
    }
}
