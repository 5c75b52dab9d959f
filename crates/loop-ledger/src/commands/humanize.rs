//! `humanize`: the texts of Humanize/RLCR, from the ledger.

use cli_kit::{Failure, Report};

use super::prompt::text_report;
use crate::cli::{HumanizeText, PreflightArgs, Runtime};
use crate::humanize as texts;
use crate::ledger::{Ledger, Root};
use crate::state::State;

pub(crate) fn humanize(root: &Root, text: &HumanizeText) -> Result<Report, Failure> {
    if let HumanizeText::Preflight(args) = text {
        let args = PreflightArgs {
            runtime: Runtime::Humanize,
            after_start: args.after_start,
            project: args.project.clone(),
        };
        return super::preflight::preflight(root, &args);
    }
    let ledger = Ledger::read(root)?;
    let state = State::now(&ledger);
    let head = ledger.chain.head();
    let absolute = std::path::absolute(root.path()).unwrap_or_else(|_| root.path().to_owned());
    let (kind, rendered) = match text {
        HumanizeText::Draft => ("humanize draft", texts::draft(&state)),
        HumanizeText::Contract(args) => ("humanize contract", texts::contract(&state, head, args.round)),
        HumanizeText::Summary(args) => ("humanize summary", texts::summary(&state, head, args.round)),
        HumanizeText::Plan | HumanizeText::Preflight(_) => ("humanize plan", texts::plan(&state, &absolute)),
    };
    Ok(text_report(kind, rendered, Some(head.to_owned()), Vec::new()))
}
