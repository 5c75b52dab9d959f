//! `hook`, for callers of the library. The binary answers a hook before arguments are parsed.

use cli_kit::{Failure, Report};

use super::prompt::text_report;
use crate::cli;
use crate::hook::{self, Call};
use crate::ledger::Root;

pub(crate) fn hook(root: &Root, hook: &cli::Hook) -> Result<Report, Failure> {
    let call = Call {
        root: Some(root.path().to_owned()),
        hook: Some(match hook {
            cli::Hook::Stop => "stop".to_owned(),
        }),
    };
    let answer = hook::answer(&call).to_json();
    let text = answer.map_or_else(String::new, |object| format!("{object}\n"));
    Ok(text_report("hook stop", text, None, Vec::new()))
}
