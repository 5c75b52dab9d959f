//! `doctor`: a look at the machine before anything is measured.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::doctor::{CheckStatus, DoctorData, SCHEMA};
use contracts::{Exit, NextAction};

use crate::cli::{Args, DoctorArgs};
use crate::doctor::{DoctorPlan, run_checks};
use crate::view;

pub(crate) fn doctor(args: &DoctorArgs, _output: &OutputArgs) -> Result<Report, Failure> {
    let (checks, servers) = run_checks(&DoctorPlan::new(args.concurrency));
    let with = |status| checks.iter().filter(|check| check.status == status).count();
    let (failed, warned) = (with(CheckStatus::Fail), with(CheckStatus::Warn));
    let mut parts = DocumentParts::new(SCHEMA);
    parts.environment = cli_kit::environment();
    parts.simulated = servers.iter().any(|server| server.simulated);
    parts.summary = format!(
        "{} server(s) on loopback; {failed} check(s) failed, {warned} warn, {} not checked",
        servers.len(),
        with(CheckStatus::NotChecked)
    );
    for server in &servers {
        parts.next_actions.push(NextAction::new(
            format!("measure {}", server.engine.kind.name()),
            &["serve-bench", "run", "--url", &server.url, "-o", "result.json"],
        ));
    }
    let document = cli_kit::document(&Args::TOOL, parts, DoctorData { checks, servers });
    let exit = if failed > 0 { Exit::GateNotMet } else { Exit::Ok };
    Ok(Report::new(&document, view::doctor(&document), exit))
}
