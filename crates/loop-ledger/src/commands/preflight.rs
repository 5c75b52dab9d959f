//! `preflight`: may a runtime start here, and after its start: does its loop run.

use cli_kit::{DocumentParts, Failure, Report};
use contracts::loop_ledger::event::{Event, Preflight};
use contracts::loop_ledger::preflight::{self, CheckStatus, PreflightData};
use contracts::{Exit, NextAction};

use crate::cli::PreflightArgs;
use crate::error::LedgerError;
use crate::ledger::{Ledger, Root, Writer};
use crate::preflight::{Context, after_start, before_start};
use crate::{TOOL, view};

pub(crate) fn preflight(root: &Root, args: &PreflightArgs) -> Result<Report, Failure> {
    let ledger = match Ledger::read(root) {
        Ok(ledger) => Some(ledger),
        Err(LedgerError::NoCampaign(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let context = Context {
        runtime: args.runtime,
        project: &args.project,
        root,
        ledger: ledger.as_ref(),
    };
    let checks = if args.after_start {
        after_start(&context)
    } else {
        before_start(&context)
    };
    let names = |status: CheckStatus| -> Vec<String> {
        checks
            .iter()
            .filter(|check| check.status == status)
            .map(|check| check.name.clone())
            .collect()
    };
    let failed = names(CheckStatus::Failed);
    let passed = failed.is_empty();
    if ledger.is_some() {
        let event = Event::Preflight(Preflight {
            runtime: args.runtime.name().to_owned(),
            after_start: args.after_start,
            passed,
            failed: failed.clone(),
        });
        Writer::open(root)?.append(None, event, Vec::new())?;
    }
    let summary = match (passed, args.after_start) {
        (true, false) => format!(
            "Ready: {} can start; {} of {} checks passed, {} warnings.",
            args.runtime.name(),
            names(CheckStatus::Passed).len(),
            checks.len(),
            names(CheckStatus::Warning).len()
        ),
        (true, true) if names(CheckStatus::NotChecked).is_empty() => {
            format!("The loop of {} is active.", args.runtime.name())
        }
        (true, true) => format!(
            "Nothing speaks against the loop of {}, and not everything can be seen from here.",
            args.runtime.name()
        ),
        (false, _) => format!("Not ready: {}.", failed.join(", ")),
    };
    let parts = DocumentParts {
        summary,
        next_actions: super::at_root(root, next(args, passed, ledger.is_some())),
        ..DocumentParts::new(preflight::SCHEMA)
    };
    let data = PreflightData {
        runtime: args.runtime.name().to_owned(),
        after_start: args.after_start,
        passed,
        checks,
    };
    let document = cli_kit::document(&TOOL, parts, data);
    let exit = if passed { Exit::Ok } else { Exit::GateNotMet };
    Ok(Report::new(&document, view::preflight(&document), exit))
}

fn next(args: &PreflightArgs, passed: bool, has_campaign: bool) -> Vec<NextAction> {
    let runtime = args.runtime.name();
    match (passed, args.after_start) {
        (false, _) => Vec::new(),
        (true, true) => vec![NextAction::new(
            "where it stands",
            &["loop-ledger", "status", "--brief"],
        )],
        (true, false) if has_campaign => vec![NextAction::new(
            "the text that starts it",
            &["loop-ledger", "prompt", "--runtime", runtime],
        )],
        (true, false) => Vec::new(),
    }
}
