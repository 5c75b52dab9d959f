//! One pass over bytes of a log: lines that mean something are looked at, all others are only counted.
//!
//! ```text
//! block of 1 MiB ── needles ──> line with one ── take apart ──> stamp ── in the window? ──> numbers | traceback | meaning
//!                └─ newlines counted                            none: the stamp of the line before
//! ```
//! While a traceback is open every line is looked at, until it is whole.

use std::io::{ErrorKind, Read};

use aho_corasick::AhoCorasick;
use contracts::telemetry_fetch::incident::IncidentKind;
use memchr::{memchr, memchr_iter, memrchr};

use super::clock::LogClock;
use super::findings::Findings;
use super::head::{Line, take_apart};
use super::meaning::{Meaning, NEEDLES, meaning};
use super::numbers::numbers;
use super::traceback::Traceback;

/// Read at once.
const BLOCK: usize = 1 << 20;
/// Longest line that is looked at whole; of a longer one its start is.
const LINE_CAP: usize = 16 << 10;
/// How far back the stamp of a line without one is looked for.
const LOOK_BACK: usize = 64 << 10;
/// Most tracebacks that are open at once: one a rank.
const MOST_OPEN: usize = 16;
/// A stream in order is left this long after the window's end.
const GRACE_MS: i64 = 60_000;

/// A pass.
pub(crate) struct Scan {
    pub(crate) findings: Findings,
    clock: LogClock,
    start_ms: i64,
    end_ms: i64,
    needles: AhoCorasick,
    open: Vec<Traceback>,
    /// The last stamp that was seen, or the window itself for a log without any.
    last: Option<(i64, i64)>,
    /// First and last stamp among the lines that were looked at and the ends of blocks.
    pub(crate) stamps: Option<(i64, i64)>,
    pub(crate) lines: u64,
    /// Lines of which only the start was looked at.
    pub(crate) long_lines: u64,
    /// Leave a stream when it is past the window.
    pub(crate) is_in_order: bool,
    /// What carries the log stamps every line, those within a message too.
    pub(crate) is_carried: bool,
}

impl Scan {
    /// A pass over lines of a window.
    pub(crate) fn new(clock: LogClock, start_ms: i64, end_ms: i64) -> Scan {
        Scan {
            findings: Findings::new(start_ms, end_ms),
            clock,
            start_ms,
            end_ms,
            needles: AhoCorasick::new(NEEDLES).expect("few short needles"),
            open: Vec::new(),
            last: None,
            stamps: None,
            lines: 0,
            long_lines: 0,
            is_in_order: false,
            is_carried: false,
        }
    }

    /// Takes lines without a stamp as of the window: their place in the log says so.
    pub(crate) fn without_stamps(mut self) -> Scan {
        self.last = Some((self.start_ms, self.end_ms));
        self
    }

    /// Takes lines without a stamp as written right before the window.
    pub(crate) fn all_before(mut self) -> Scan {
        let right_before = self.start_ms.saturating_sub(1);
        self.last = Some((right_before, right_before));
        self
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the reader fails.
    pub(crate) fn read(&mut self, mut reader: impl Read) -> std::io::Result<()> {
        let mut block = vec![0_u8; BLOCK];
        let mut kept = 0;
        let mut is_in_long_line = false;
        loop {
            let read = match reader.read(&mut block[kept..]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let filled = kept + read;
            let Some(newline) = memrchr(b'\n', &block[kept..filled]) else {
                kept = filled;
                if kept == BLOCK {
                    if !is_in_long_line {
                        self.region(&block[..LINE_CAP]);
                        self.lines += 1;
                        self.long_lines += 1;
                    }
                    is_in_long_line = true;
                    kept = 0;
                }
                continue;
            };
            let end = kept + newline + 1;
            let mut start = 0;
            if is_in_long_line {
                start = memchr(b'\n', &block[..end]).expect("one was found") + 1;
                is_in_long_line = false;
            }
            self.region(&block[start..end]);
            block.copy_within(end..filled, 0);
            kept = filled - end;
            if self.is_in_order
                && self
                    .last
                    .is_some_and(|last| last.0 > self.end_ms.saturating_add(GRACE_MS))
            {
                kept = 0;
                break;
            }
        }
        if kept > 0 && !is_in_long_line {
            self.lines += 1;
            let rest = block[..kept].to_vec();
            self.region(&rest);
        }
        for traceback in std::mem::take(&mut self.open) {
            self.whole(&traceback);
        }
        Ok(())
    }

    /// A line with the time that what carries it gave to it.
    pub(crate) fn event(&mut self, at_ms: i64, text: &[u8]) {
        // Lines inside have the event's time, whatever stamp stands in them.
        self.last = Some((at_ms, at_ms));
        self.seen((at_ms, at_ms));
        for line in text.split(|byte| *byte == b'\n') {
            self.lines += 1;
            let line = &line[..line.len().min(LINE_CAP)];
            if !self.open.is_empty() || self.needles.is_match(line) {
                self.line(&take_apart(line), (at_ms, at_ms));
            }
        }
    }

    /// The end of a stream of events.
    pub(crate) fn finish(&mut self) {
        for traceback in std::mem::take(&mut self.open) {
            self.whole(&traceback);
        }
    }

    /// Whole lines.
    fn region(&mut self, region: &[u8]) {
        self.lines += memchr_iter(b'\n', region).count() as u64;
        let mut at = 0;
        while at < region.len() {
            let start = if self.open.is_empty() {
                let Some(found) = self.needles.find(&region[at..]) else {
                    break;
                };
                let hit = at + found.start();
                at + memrchr(b'\n', &region[at..hit]).map_or(0, |newline| newline + 1)
            } else {
                at
            };
            let end = memchr(b'\n', &region[start..]).map_or(region.len(), |newline| start + newline);
            let raw = &region[start..end.min(start + LINE_CAP)];
            if end - start > LINE_CAP {
                self.long_lines += 1;
            }
            let line = take_apart(raw);
            let own = line.stamp.and_then(|stamp| self.clock.span_ms(&stamp));
            let span = own.or_else(|| self.stamp_before(&region[start.saturating_sub(LOOK_BACK)..start]));
            if let Some(own) = own {
                self.seen(own);
            }
            if let Some(span) = span.or(self.last) {
                self.last = Some(span);
                self.line(&line, span);
            }
            at = end + 1;
        }
        // How far the log has come, also where nothing was to be looked at.
        if let Some(span) = self.stamp_before(&region[region.len().saturating_sub(LOOK_BACK)..]) {
            self.seen(span);
            self.last = Some(span);
        }
    }

    /// The last stamp of some lines.
    fn stamp_before(&mut self, lines: &[u8]) -> Option<(i64, i64)> {
        let mut end = lines.len();
        while end > 0 {
            let start = memrchr(b'\n', &lines[..end - 1]).map_or(0, |newline| newline + 1);
            let line = take_apart(&lines[start..end - 1]);
            if let Some(span) = line.stamp.and_then(|stamp| self.clock.span_ms(&stamp)) {
                return Some(span);
            }
            end = start;
        }
        None
    }

    fn seen(&mut self, span: (i64, i64)) {
        let (first, last) = self.stamps.unwrap_or(span);
        self.stamps = Some((first.min(span.0), last.max(span.0)));
    }

    fn line(&mut self, line: &Line<'_>, span: (i64, i64)) {
        let text = String::from_utf8_lossy(line.body);
        if self.goes_on(line, &text) {
            return;
        }
        if span.0 > self.end_ms {
            return;
        }
        if span.1 < self.start_ms {
            self.findings
                .earlier(meaning(line, &text), line.rank, span.0, &text);
            return;
        }
        // A stamp of whole seconds may begin before the window: a message of it is shown, a number would count for the window.
        let begins_before = span.0 < self.start_ms;
        let at_ms = span.0.clamp(self.start_ms, self.end_ms);
        if let Some(numbers) = numbers(&text) {
            if !begins_before {
                self.findings.numbers(&numbers, line.rank, at_ms);
            }
        } else if Traceback::begins(&text) {
            if self.open.len() >= MOST_OPEN {
                let oldest = self.open.remove(0);
                self.whole(&oldest);
            }
            self.open.push(Traceback::new(line.rank, (at_ms, at_ms)));
        } else if let Some(meaning) = meaning(line, &text) {
            self.findings.message(meaning, at_ms, &text);
        }
    }

    /// Whether the line goes on with an open traceback; ends the one that it does not go on with.
    fn goes_on(&mut self, line: &Line<'_>, text: &str) -> bool {
        let is_new = line.stamps > u8::from(self.is_carried);
        let by_rank = |open: &Traceback| open.rank.as_deref() == line.rank;
        let position = if is_new || line.rank.is_some() {
            self.open.iter().rposition(by_rank)
        } else {
            self.open.len().checked_sub(1)
        };
        let Some(position) = position else {
            return false;
        };
        // The one that was written last stands last: a line without a name goes on with it.
        let mut traceback = self.open.remove(position);
        if traceback.takes(line, is_new, text) {
            self.open.push(traceback);
            true
        } else {
            self.whole(&traceback);
            false
        }
    }

    fn whole(&mut self, traceback: &Traceback) {
        let message = traceback.message();
        let line = Line {
            stamp: None,
            stamps: 0,
            rank: None,
            level: None,
            body: &[],
        };
        let kind = match meaning(&line, traceback.exception.as_deref().unwrap_or_default()) {
            Some(Meaning {
                kind: kind @ IncidentKind::OutOfMemory,
                ..
            }) => kind,
            _ => IncidentKind::Traceback,
        };
        let meaning = Meaning {
            kind,
            invalidates: kind == IncidentKind::OutOfMemory,
        };
        self.findings.message(meaning, traceback.at_ms.0, &message);
    }
}
