//! `hook`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn hook(_: &Root, _: &crate::cli::Hook) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
