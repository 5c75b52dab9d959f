//! Kernel A/B evidence to a verdict.
//!
//! read (`ledger`, `row_set`, `dispatch`, `import`) -> what was measured of each row (`times`, `measured`) -> what is wrong
//! or missing (`validity`, `row_validity`, `claimed`, `calls`, `correctness`, `proofs`, `row_proofs`, `roofline`, and of what is put
//! beside it `beside`, `setup`, `aa`, `rerun`) -> classes, means and verdict (`classify`, `headline`, `confirmed`, `dispatched`,
//! `amdahl`, `decide`, put together by `judge`; its numbers in `thresholds`) -> document and view (`report`, `next_steps`,
//! `summary`, `render`). Everything between reading and emitting is pure.

pub mod amdahl;
mod beside;
pub mod cli;
pub mod dispatch;
pub mod import;
pub mod judge;
pub mod ledger;
pub mod row_set;
pub mod thresholds;

mod aa;
mod calls;
mod claimed;
mod classify;
mod confirmed;
mod correctness;
mod decide;
mod dispatched;
mod error;
mod freeze;
mod headline;
mod idle;
mod measured;
mod next_steps;
mod plan;
mod proofs;
mod reasons;
mod render;
mod report;
mod rerun;
mod roofline;
mod row_proofs;
mod row_validity;
mod setup;
mod summary;
mod times;
mod validity;

use cli_kit::{Failure, Report};

/// Runs the tool.
///
/// # Errors
/// Every documented exit that prints no document.
pub fn run(args: cli::Args) -> Result<Report, Failure> {
    match &args.command {
        cli::Command::Judge(judge) => report::run(judge, &args.output),
        cli::Command::Import(import) => import::run(import, &args.output),
        cli::Command::Freeze(freeze) => freeze::run(freeze, &args.output),
        cli::Command::Plan(plan) => plan::run(plan, &args.output),
    }
}
