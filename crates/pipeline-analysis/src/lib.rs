//! Torch-profiler traces to passes, layers, their kinds, and the kernels of each.
//!
//! read (crates `torch-trace`, `model-config`) -> the stream to cut (`stream`) -> layers (crate `trace-layers`) -> passes
//! (`spans`, `passes`), which is a `cut` of each rank's trace (`ranks`) -> layers and clusters of one pass of the slowest
//! (`layers`, `clusters`), an `analysis` -> kernels of layers (`flow`, `compare`) -> document and view (`report`,
//! `caveats`, `summary`, `next`, `render`). Everything between reading and emitting is pure.

pub mod cli;

mod analysis;
mod caveats;
mod clusters;
mod compare;
mod config;
mod cut;
mod diffusers;
mod error;
mod flow;
mod layers;
mod names;
mod next;
mod outliers;
mod passes;
mod plan;
mod ranks;
mod render;
mod report;
mod spans;
mod stream;
mod summary;
mod times;
mod traces;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    let output = args.output.clone();
    let plan = plan::Plan::try_from(args)?;
    report::run(&plan, &output)
}
