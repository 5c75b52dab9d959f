//! Logs of an engine, limited to a window: messages grouped and counted, numbers as series.
//!
//! ```text
//! target ── file ──────── bisected by time stamp ──┐
//!        ── journald, docker, kubectl: a program ──┼──> scan ──> findings ──> incidents, series
//!        ── dstack: its server ────────────────────┘
//! ```
//! What a log says is data: it is counted, cleaned and cut, and nothing in it is followed.

mod clock;
mod dstack;
pub(crate) mod error;
mod file;
mod findings;
mod head;
mod meaning;
mod numbers;
mod profilers;
mod program;
mod sample;
mod scan;
mod shape;
mod stamp;
mod target;
mod traceback;

use std::collections::BTreeSet;
use std::path::Path;

use cli_kit::ToolError as _;
use contracts::telemetry_fetch::incident::Incident;
use contracts::telemetry_fetch::log::LogSeries;
use contracts::telemetry_fetch::source::{SourceKind, SourceReport, SourceStatus};
use contracts::{Finite, Warning};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use error::LogError;
use file::Mark;
use findings::Findings;
pub(crate) use numbers::Family;
use scan::Scan;
use target::Target;

/// From when to when, and the zone of stamps that name none.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) zone: TimeZone,
}

impl Span {
    fn ms(&self) -> (i64, i64) {
        (self.start.as_millisecond(), self.end.as_millisecond())
    }
}

/// What one pass gave, whatever it read.
#[derive(Debug, Default)]
struct Read {
    findings: Option<Findings>,
    lines: u64,
    long_lines: u64,
    /// First and last moment that the log has lines of.
    covers: Option<(i64, i64)>,
    reason: Option<String>,
    /// Where the service behind the log answers.
    service_url: Option<String>,
    warnings: Vec<Warning>,
    /// Incidents that no line says.
    incidents: Vec<Incident>,
}

impl Read {
    fn warn(&mut self, code: &str, message: String) {
        self.warnings.push(Warning::new(code, message));
    }

    fn take(&mut self, mut scan: Scan) {
        scan.findings.settle();
        self.lines = scan.lines;
        self.long_lines = scan.long_lines;
        self.covers = self.covers.or(scan.stamps);
        self.findings = Some(scan.findings);
    }
}

/// What a log says of a window.
#[derive(Clone, Debug)]
pub(crate) struct LogRead {
    pub(crate) source: SourceReport,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) series: Vec<LogSeries>,
    pub(crate) warnings: Vec<Warning>,
    /// Whether any line of it is of the window.
    pub(crate) has_lines: bool,
    /// Where the service behind it answers, where what runs it says so.
    pub(crate) service_url: Option<String>,
    /// Whose lines of numbers it has.
    pub(crate) families: BTreeSet<Family>,
}

impl LogRead {
    /// A log that could not be read, where others could.
    pub(crate) fn failed(wanted: &Wanted, error: &LogError) -> LogRead {
        let why = format!("failed to {error}");
        LogRead {
            source: SourceReport {
                kind: SourceKind::Log,
                role: None,
                url: wanted.target.shown(),
                status: SourceStatus::Partial,
                reason: Some(why.clone()),
                readings: 0,
                samples: 0,
                coverage_pct: None,
                resets: 0,
            },
            incidents: Vec::new(),
            series: Vec::new(),
            warnings: vec![Warning::new(error.code(), why)],
            has_lines: false,
            service_url: None,
            families: BTreeSet::new(),
        }
    }
}

/// A log that is asked for, and where it ended when the window began.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    target: Target,
    mark: Option<Mark>,
}

impl Wanted {
    /// Reads what was typed.
    ///
    /// # Errors
    /// When it names nothing.
    pub(crate) fn parse(text: &str) -> Result<Wanted, LogError> {
        Ok(Wanted {
            target: Target::parse(text)?,
            mark: None,
        })
    }

    /// Whether a file can be read; of other logs their programs tell.
    ///
    /// # Errors
    /// When the file is not there.
    pub(crate) fn is_there(&self) -> Result<(), LogError> {
        let Target::File(path) = &self.target else {
            return Ok(());
        };
        match std::fs::File::open(path) {
            Ok(_) => Ok(()),
            Err(source) => Err(LogError::Unreadable {
                log: self.target.shown(),
                source,
            }),
        }
    }

    /// Keeps where the log ends now: the window begins here.
    pub(crate) fn begin(&mut self) {
        if let Target::File(path) = &self.target {
            self.mark = Some(Mark::of(path));
        }
    }

    /// Reads the window.
    ///
    /// # Errors
    /// When the log is not there, or does not say when.
    pub(crate) fn read(&self, span: &Span) -> Result<LogRead, LogError> {
        let shown = self.target.shown();
        let read = match &self.target {
            Target::File(path) => file::read(Path::new(path), span, self.mark)?,
            Target::Dstack { project, run } => dstack::read(project.as_deref(), run, span)?,
            Target::Journald(_) | Target::Docker(_) | Target::Kubectl { .. } => {
                program::read(&self.target, span)?
            }
        };
        Ok(told(read, shown, span))
    }
}

/// `UTC`, `Europe/Berlin`, `+02:00`; this machine's without one.
///
/// # Errors
/// When it is no zone.
pub(crate) fn zone(text: Option<&str>) -> Result<TimeZone, LogError> {
    let Some(text) = text else {
        return Ok(TimeZone::system());
    };
    let offset = || {
        let (sign, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let seconds =
            hours.parse::<i32>().ok()?.checked_mul(3600)? + minutes.parse::<i32>().ok()?.checked_mul(60)?;
        Offset::from_seconds(sign * seconds).ok().map(TimeZone::fixed)
    };
    match text {
        "UTC" | "Z" => Some(TimeZone::UTC),
        _ => offset().or_else(|| TimeZone::get(text).ok()),
    }
    .ok_or_else(|| LogError::Zone(contracts::text::clean(text, 60)))
}

fn told(mut read: Read, shown: String, span: &Span) -> LogRead {
    let (start, end) = span.ms();
    let covered = read
        .covers
        .map_or(0, |(first, last)| (last.min(end) - first.max(start)).max(0));
    let findings = read.findings.take();
    let touches = read
        .covers
        .is_some_and(|(first, last)| first <= end && last >= start);
    if !touches && read.reason.is_none() {
        let what = match read.covers {
            Some((first, last)) => format!("it has lines from {} to {} only", moment(first), moment(last)),
            None => "it has no lines of that time".to_owned(),
        };
        read.warn(
            "log-not-of-window",
            format!("{shown} says nothing of the window: {what}; give --log-zone when its stamps are of another zone"),
        );
        read.reason = Some(what);
    }
    let mut missing: Vec<String> = read.reason.take().into_iter().collect();
    if read.long_lines > 0 {
        missing.push(format!(
            "of {} long lines only the start was looked at",
            read.long_lines
        ));
    }
    let (ungrouped, unseried, number_lines) = findings.as_ref().map_or((0, 0, 0), |found| {
        (found.ungrouped, found.unseried, found.number_lines)
    });
    if ungrouped > 0 {
        missing.push(format!("{ungrouped} messages are of more shapes than are kept"));
    }
    if unseried > 0 {
        missing.push(format!("{unseried} numbers are of more ranks than are kept"));
    }
    let mut incidents = findings
        .as_ref()
        .map_or_else(Vec::new, |found| found.incidents(&shown));
    incidents.append(&mut read.incidents);
    LogRead {
        families: findings
            .as_ref()
            .map_or_else(BTreeSet::new, |found| found.families.clone()),
        series: findings.map_or_else(Vec::new, |found| found.series(&shown)),
        incidents,
        warnings: read.warnings,
        service_url: read.service_url,
        has_lines: touches,
        source: SourceReport {
            kind: SourceKind::Log,
            role: None,
            url: shown,
            status: if missing.is_empty() {
                SourceStatus::Ok
            } else {
                SourceStatus::Partial
            },
            reason: (!missing.is_empty()).then(|| missing.join("; ")),
            readings: read.lines,
            samples: number_lines,
            coverage_pct: (end > start)
                .then(|| Finite::ratio(covered as f64 * 100.0, (end - start) as f64))
                .flatten(),
            resets: 0,
        },
    }
}

/// Looks at bytes as the lines of an engine's log, by their stamps and without; any bytes at all are fine. For the fuzz target.
#[doc(hidden)]
pub fn read_any(bytes: &[u8]) {
    let scan = |start_ms| {
        let clock = clock::LogClock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
        Scan::new(clock, start_ms, Timestamp::MAX.as_millisecond())
    };
    for mut scan in [
        scan(Timestamp::MIN.as_millisecond()),
        scan(1_767_348_000_000),
        scan(0).without_stamps(),
    ] {
        scan.read(bytes).expect("memory can be read");
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        assert!(scan.lines <= ends as u64 + 1);
        scan.findings.settle();
        let series = scan.findings.series("log");
        assert!(series.iter().all(|series| series.lines > 0));
        for incident in scan.findings.incidents("log") {
            let texts = [Some(&incident.message), incident.sample.as_ref()];
            assert!(texts.into_iter().flatten().all(|text| !text.contains('\u{1b}')));
        }
    }
}

fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_fine(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just(b"[2026-01-02 10:05:02 TP0] ".to_vec()),
                    Just(b"ERROR 01-02 10:00:00 [c.py:7] Traceback (most recent call last):\n".to_vec()),
                    Just(b"Decode batch, #running-req: 9e999, token usage: ".to_vec()),
                    Just(b"\x1b[31mCUDA out of memory\n".to_vec()),
                    proptest::collection::vec(any::<u8>(), 0..40),
                ],
                0..30,
            ),
        ) {
            read_any(&parts.concat());
        }
    }
}
