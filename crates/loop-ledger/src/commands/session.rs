//! `session`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn session(_: &Root, _: &crate::cli::SessionArgs) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
