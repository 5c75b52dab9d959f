//! What a runtime needs before it runs the loop, looked at and never changed. No secret is read: a login is there when its
//! file or its variable is.

mod git;
mod humanize;
mod login;
mod place;
mod session;
mod started;
mod tools;

use std::path::{Path, PathBuf};
use std::time::Duration;

use contracts::loop_ledger::preflight::{Check, CheckStatus};

use crate::cli::Runtime;
use crate::ledger::{Ledger, Root};

/// Longest time that one program may take to answer.
const LIMIT: Duration = Duration::from_secs(15);

/// Where is looked.
pub(crate) struct Context<'a> {
    /// Runtime that will run the loop.
    pub(crate) runtime: Runtime,
    /// Folder that it works in.
    pub(crate) project: &'a Path,
    /// Artifact root.
    pub(crate) root: &'a Root,
    /// The campaign, if it has begun.
    pub(crate) ledger: Option<&'a Ledger>,
}

impl Context<'_> {
    fn uses_claude(&self) -> bool {
        matches!(self.runtime, Runtime::Humanize | Runtime::ClaudeGoal)
    }

    fn uses_codex(&self) -> bool {
        matches!(self.runtime, Runtime::Humanize | Runtime::CodexGoal)
    }

    /// First word of the declared deployment.
    fn deploys_with(&self) -> Option<&str> {
        let campaign = self.ledger?.lock.target.campaign.as_ref()?;
        campaign.initial_deployment.first().map(String::as_str)
    }
}

/// Every check before the start.
pub(crate) fn before_start(context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![campaign(context)];
    checks.extend(tools::checks(context));
    checks.extend(login::checks(context));
    checks.push(place::gpus(context));
    checks.push(place::disk(context));
    checks.extend(place::sandbox(context));
    checks.extend(session::checks(context));
    if context.runtime == Runtime::Humanize {
        checks.extend(git::checks(context));
        checks.extend(humanize::checks(context));
    }
    checks
}

/// Every check after it.
pub(crate) fn after_start(context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![campaign(context)];
    checks.extend(started::checks(context));
    checks
}

fn campaign(context: &Context<'_>) -> Check {
    match context.ledger {
        Some(ledger) => passed(
            "campaign",
            format!("{} entries, head {}", ledger.entries().len(), ledger.chain.head()),
        ),
        None => warning(
            "campaign",
            "none has begun here".to_owned(),
            "`loop-ledger init --target FILE --workload FILE`, and LOOP_LEDGER_ROOT or --root to name its folder",
        ),
    }
}

fn check(name: &str, status: CheckStatus, found: String, fix: Option<&str>) -> Check {
    Check {
        name: name.to_owned(),
        status,
        found: contracts::text::clean(&found, 300),
        fix: fix.map(str::to_owned),
    }
}

fn passed(name: &str, found: String) -> Check {
    check(name, CheckStatus::Passed, found, None)
}

fn failed(name: &str, found: String, fix: &str) -> Check {
    check(name, CheckStatus::Failed, found, Some(fix))
}

fn warning(name: &str, found: String, fix: &str) -> Check {
    check(name, CheckStatus::Warning, found, Some(fix))
}

fn not_checked(name: &str, found: String) -> Check {
    check(name, CheckStatus::NotChecked, found, None)
}

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}

/// A folder below the home folder, or where a variable puts it.
fn home_folder(variable_name: &str, below_home: &str) -> Option<PathBuf> {
    variable(variable_name)
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(below_home)))
}
