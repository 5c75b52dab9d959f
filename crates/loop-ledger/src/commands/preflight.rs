//! `preflight`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn preflight(_: &Root, _: &crate::cli::PreflightArgs) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
