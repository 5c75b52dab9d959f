//! `humanize`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn humanize(_: &Root, _: &crate::cli::HumanizeText) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
