//! `pr-text`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn pr_text(_: &Root, _: &str) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
