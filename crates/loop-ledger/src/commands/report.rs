//! `report`.

use cli_kit::{Failure, Report};

use crate::ledger::Root;

pub(crate) fn report(_: &Root, _: Option<&std::path::Path>) -> Result<Report, Failure> {
    Err(Failure::new(
        contracts::Exit::Internal,
        "not-built",
        "this command is being written",
    ))
}
