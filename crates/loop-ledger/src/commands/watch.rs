//! `watch`: looks every so often, and says once what a person should know.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use cli_kit::{DocumentParts, Failure, OutputArgs, Report};
use contracts::loop_ledger::watch::{self, Alarm, WatchData};
use contracts::{Exit, NextAction, Warning};
use jiff::Timestamp;

use super::attempt::is_alive;
use crate::cli::WatchArgs;
use crate::ledger::{Ledger, Root};
use crate::state::State;
use crate::watch::{Conditions, Look, Notify, Raised, conditions, newest_change};
use crate::{TOOL, disk, view};

/// How long it sleeps without looking whether it was interrupted.
const NAP: Duration = Duration::from_millis(50);
/// Time between two looks.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(86_400);

/// What was asked for.
struct Plan {
    conditions: Conditions,
    interval: Duration,
    notify: Option<Notify>,
}

pub(crate) fn watch(root: &Root, args: &WatchArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let plan = plan(args)?;
    // The first read decides whether there is anything to watch.
    let mut ledger = Ledger::read(root)?;
    cli_kit::install_interrupt().map_err(|error| {
        Failure::new(
            Exit::Internal,
            "no-interrupt",
            format!("failed to listen for Ctrl-C: {error}"),
        )
    })?;
    let spinner = cli_kit::spinner("watching", output);
    let mut raised = Raised::default();
    let mut alarms: Vec<Alarm> = Vec::new();
    let mut warnings: Vec<Warning> = Vec::new();
    let mut looks = 0;
    let (seen, has_ended) = loop {
        let state = State::now(&ledger);
        let seen = look(root, &state, &args.pid);
        looks += 1;
        spinner.set_message(progress(&seen, looks));
        let has_ended = state.stop.is_some();
        // After its end nothing has to live any more.
        let wrong = if has_ended {
            Vec::new()
        } else {
            conditions(&plan.conditions, &seen)
        };
        for wrong in raised.take_new(wrong) {
            if !output.quiet {
                spinner.suspend(|| cli_kit::say(&format!("alarm[{}]: {}", wrong.code, wrong.message)));
            }
            let notify_exit_code = match plan.notify.as_ref().map(|notify| notify.send(&wrong.message)) {
                Some(Ok(code)) => code,
                Some(Err(why)) => {
                    warnings.push(Warning {
                        code: "notify-failed".to_owned(),
                        message: format!("{}: {why}", wrong.code),
                    });
                    None
                }
                None => None,
            };
            alarms.push(Alarm {
                code: wrong.code.to_owned(),
                message: wrong.message,
                raised_at: seen.now,
                notify_exit_code,
            });
        }
        if has_ended || (args.looks > 0 && looks >= args.looks) || !nap(plan.interval) {
            break (seen, has_ended);
        }
        ledger = match Ledger::read(root) {
            Ok(ledger) => ledger,
            Err(error) => {
                // A ledger that is no longer as it was written is what a person most wants to know of.
                if let Some(notify) = &plan.notify {
                    let _ = notify.send(&format!("loop-ledger: {error}"));
                }
                return Err(error.into());
            }
        };
    };
    spinner.finish_and_clear();
    Ok(report(root, seen, looks, alarms, warnings, has_ended))
}

fn plan(args: &WatchArgs) -> Result<Plan, Failure> {
    let wrong = |flag: &str, what: &str| Failure::new(Exit::Usage, "watch-flag", format!("--{flag}: {what}"));
    let interval = Duration::try_from_secs_f64(args.interval)
        .ok()
        .filter(|interval| INTERVALS.contains(interval))
        .ok_or_else(|| wrong("interval", "seconds, 0.01 to 86400"))?;
    for (flag, value) in [
        ("stall-minutes", args.stall_minutes),
        ("free-disk-gib", args.free_disk_gib),
    ] {
        if !value.is_finite() || value < 0.0 {
            return Err(wrong(flag, "a number that is not negative"));
        }
    }
    let notify = args
        .notify
        .as_deref()
        .map(Notify::parse)
        .transpose()
        .map_err(|why| {
            wrong("notify", &format!("one JSON array of strings is needed: {why}")).hint(
                r#"for example --notify '["notify-send","campaign"]'; the message becomes its last argument"#,
            )
        })?;
    Ok(Plan {
        conditions: Conditions {
            stall_minutes: args.stall_minutes,
            free_disk_gib: args.free_disk_gib,
        },
        interval,
        notify,
    })
}

fn look(root: &Root, state: &State<'_>, pids: &[u32]) -> Look {
    let last_entry = state
        .entries
        .last()
        .map_or(state.began_at, |entry| entry.written_at);
    // What is written while it looks is a sign of life now; a time still to come is somebody's invention.
    let changed = newest_change(root.path(), Timestamp::now()).map(|changed| changed.min(state.now));
    Look {
        now: state.now,
        attempt: state.open_attempt().map(|open| open.id.to_owned()),
        last_sign_at: changed.map_or(last_entry, |changed| changed.max(last_entry)),
        free_bytes: disk::free_bytes(root.path()),
        dead: pids.iter().copied().filter(|pid| !is_alive(*pid)).collect(),
        stop_asked: state.stop_asked,
        exhausted: state.spent(),
    }
}

/// Waits for the next look; false when Ctrl-C came.
fn nap(interval: Duration) -> bool {
    let until = Instant::now() + interval;
    loop {
        if cli_kit::interrupted() {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(NAP));
    }
}

fn progress(seen: &Look, looks: u64) -> String {
    format!(
        "look {looks}, {}, last sign of life {} s ago",
        seen.attempt.as_deref().unwrap_or("no open attempt"),
        seen.now.duration_since(seen.last_sign_at).as_secs()
    )
}

fn report(
    root: &Root,
    seen: Look,
    looks: u64,
    alarms: Vec<Alarm>,
    warnings: Vec<Warning>,
    has_ended: bool,
) -> Report {
    let is_complete = !cli_kit::interrupted();
    let mut codes: Vec<&str> = alarms.iter().map(|alarm| alarm.code.as_str()).collect();
    codes.dedup();
    let how = match (has_ended, is_complete) {
        (true, _) => "The campaign has ended",
        (false, true) => "The campaign goes on",
        (false, false) => "Interrupted; the campaign goes on",
    };
    let summary = match codes.as_slice() {
        [] => format!("{how}; {looks} looks, no alarm."),
        codes => format!(
            "{how}; {looks} looks, {} alarms: {}.",
            alarms.len(),
            codes.join(", ")
        ),
    };
    let exit = match (is_complete, alarms.is_empty()) {
        (false, _) => Exit::Interrupted,
        (true, true) => Exit::Ok,
        (true, false) => Exit::GateNotMet,
    };
    let parts = DocumentParts {
        complete: is_complete,
        summary,
        warnings,
        next_actions: super::at_root(
            root,
            vec![NextAction::new(
                "where the campaign stands",
                &["loop-ledger", "status", "--brief"],
            )],
        ),
        ..DocumentParts::new(watch::SCHEMA)
    };
    let data = WatchData {
        root: root.path().display().to_string(),
        looks,
        attempt: seen.attempt,
        last_sign_at: Some(seen.last_sign_at),
        free_bytes: seen.free_bytes,
        alarms,
    };
    let document = cli_kit::document(&TOOL, parts, data);
    Report::new(&document, view::watch(&document), exit)
}
