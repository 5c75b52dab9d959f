//! Verdicts with a known error rate: results of two engines to gap, decision and next action.
//!
//! read ([`cli`], `load`) -> contract (`contract_check`) -> validity (`validity`) -> statistics (`effect`, [`verdict`])
//! -> decision (`decision`) -> document and view. Everything between reading and emitting is pure.

pub mod calibrate;
pub mod campaign;
pub mod cli;
pub mod effect;
pub mod error;
pub mod noise;
pub mod plan;
pub mod verdict;

mod contract_check;
mod decide;
mod decision;
mod evidence;
mod forecast;
mod load;
mod measure_argv;
mod next_action;
mod physical_limit;
mod rank;
mod render;
mod scenario;
mod slo;
mod summary;
mod validity;
mod warnings;
mod within_run;

use cli_kit::{Cli as _, Failure, Report};

/// Runs the tool: decides a gap, calibrates, or ranks candidates.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    let top = args.output().top;
    match plan::Plan::try_from(args)? {
        plan::Plan::Decide(plan) => decide::run(&plan, top),
        plan::Plan::Calibrate(plan) => calibrate::run(&plan),
        plan::Plan::Rank(args) => rank::run(&args, top),
    }
}
