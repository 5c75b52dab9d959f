//! `selftest`: the scripted server of engine-sim on this machine, every awkward stream, and the server's own record
//! of the truth beside what we report.

mod accuracy;
mod bare;
mod bench;
mod first_byte;
mod scripted;
mod traps;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::selftest::{SCHEMA, SelftestData};
use contracts::{Exit, NextAction, Warning};

use crate::cli::{Args, SelftestArgs};
use traps::Matrix;

/// A measurement that Ctrl-C did not end: of the rest nothing is known.
fn whole<T>(measured: T) -> Option<T> {
    (!cli_kit::interrupted()).then_some(measured)
}

pub(crate) fn selftest(args: &SelftestArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let Matrix { traps, not_run } = traps::run_all(output)?;
    let mut levels = Vec::new();
    for (concurrency, requests) in [(4, 40), (64, 256)] {
        if !cli_kit::interrupted() {
            levels.extend(whole(accuracy::measure(concurrency, requests, output)?));
        }
    }
    let mut bench = Vec::new();
    if args.bench
        && !cli_kit::interrupted()
        && let Some((accuracy, lines)) = whole(bench::run(output)?)
    {
        levels.push(accuracy);
        bench = lines;
    }
    let complete = !cli_kit::interrupted();
    let failed_traps = traps.iter().filter(|trap| !trap.passed).count();
    let failed_levels = levels.iter().filter(|level| level.passed == Some(false)).count();
    let failed_lines = bench.iter().filter(|line| line.passed == Some(false)).count();
    let busy = levels.iter().any(|level| level.machine_busy);
    let passed = complete && failed_traps + failed_levels == 0;

    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = true;
    parts.complete = complete;
    parts.environment = cli_kit::environment();
    parts.summary = format!(
        "{}{} of {} traps passed; timing {}{}",
        if complete { "" } else { "interrupted: " },
        traps.len() - failed_traps,
        traps.len(),
        if levels.is_empty() {
            "was not measured"
        } else if failed_levels > 0 {
            "is NOT within its limits"
        } else if busy {
            "cannot be judged, the machine is busy"
        } else {
            "is within its limits"
        },
        match (bench.len(), failed_lines) {
            (0, _) => String::new(),
            (lines, failed) => format!("; {} of {lines} cost figures within their limits", lines - failed),
        }
    );
    for name in not_run {
        parts.warnings.push(Warning::new(
            "trap-not-run",
            format!("{name}: this machine has no IPv6"),
        ));
    }
    if busy {
        parts.warnings.push(Warning::new(
            "machine-busy",
            "the client's heartbeat was late by 1 ms or more at p99: other work on this machine, not the client, sets the timing errors",
        ));
        parts.next_actions.push(NextAction::new(
            "see what keeps the machine busy",
            &["serve-bench", "doctor"],
        ));
    }
    let exit = match (passed, busy, failed_lines) {
        _ if !complete => Exit::Interrupted,
        (false, ..) | (true, false, 1..) => Exit::GateNotMet,
        (true, true, _) => Exit::Undecided,
        (true, false, 0) => Exit::Ok,
    };
    let data = SelftestData {
        passed,
        traps,
        accuracy: levels,
        bench,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    Ok(Report::new(&document, crate::view::selftest(&document), exit))
}
