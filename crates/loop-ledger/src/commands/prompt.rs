//! `prompt`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn prompt(_: &Root, _: &crate::cli::PromptArgs) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
