//! A log in a file: the part of it that is of the window, found by bisection, and nothing else read.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use memchr::{memchr, memrchr};

use super::clock::LogClock;
use super::error::LogError;
use super::findings::Findings;
use super::head::take_apart;
use super::scan::Scan;
use super::stamp::Stamp;
use super::{Read, Span};

/// Read to find a stamp.
const PROBE: usize = 64 << 10;
/// Longest way to the next stamp; behind it the log has none.
const REACH: u64 = 64 << 20;
/// Ranks write their lines a little out of order.
const SLACK_MS: i64 = 5_000;
/// Places at which the order is looked at.
const PLACES: u64 = 33;
/// How much of the beginning is read for what the engine said when it started.
const STARTUP: u64 = 8 << 20;
/// How much is read right before the window for what holds in it: a profiler that runs, a backend that fell back.
const BEFORE: u64 = 32 << 20;

/// How far a file was written at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    len: u64,
    file: (u64, u64),
}

impl Mark {
    /// Where the file ends now; one that is not there yet begins later.
    pub(crate) fn of(path: &Path) -> Mark {
        let at = |metadata: Metadata| Mark {
            len: metadata.len(),
            file: (metadata.dev(), metadata.ino()),
        };
        std::fs::metadata(path).map_or(Mark { len: 0, file: (0, 0) }, at)
    }
}

/// Reads the window out of a file. `mark` is where the file ended when the window began.
///
/// # Errors
/// When the file cannot be read, or nothing in it says when.
pub(super) fn read(path: &Path, span: &Span, mark: Option<Mark>) -> Result<Read, LogError> {
    let shown = contracts::text::clean(&path.display().to_string(), 300);
    let failed = |source| LogError::Unreadable {
        log: shown.clone(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    is_text(&file, &shown)?;
    let mut log = Log {
        len: metadata.len(),
        file: &file,
        clock: LogClock::new(span.zone.clone(), span.start),
    };
    let mut read = Read::default();
    let Some(first) = log.next_stamp(0, log.len).map_err(failed)? else {
        return without_stamps(file, &metadata, span, mark, shown);
    };
    if let Stamp::Elapsed(_) = first.stamp {
        log.anchor(&metadata).map_err(failed)?;
        read.warn(
            "log-clock-elapsed",
            format!(
                "{shown} counts from its process's start: its last line is taken as written when the file was"
            ),
        );
    }
    let (start_ms, end_ms) = span.ms();
    let mut scan = Scan::new(log.clock.clone(), start_ms, end_ms);
    let (from, to) = if log.is_in_order().map_err(failed)? {
        let from = log.first_at(start_ms.saturating_sub(SLACK_MS)).map_err(failed)?;
        let to = log
            .first_at(end_ms.saturating_add(SLACK_MS + 1))
            .map_err(failed)?;
        (from, to)
    } else {
        read.warn(
            "log-not-in-order",
            format!("the stamps of {shown} are not in order: all of it was read"),
        );
        (0, log.len)
    };
    let last_ms = log.last_ms().map_err(failed)?;
    let first_ms = log.clock.span_ms(&first.stamp).map(|span| span.0);
    if from > 0 {
        let earlier = Scan::new(log.clock.clone(), start_ms, end_ms);
        scan.findings
            .begin_with(before(&file, from, earlier).map_err(failed)?);
    }
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    scan.read((&file).take(to - from)).map_err(failed)?;
    read.covers = first_ms.zip(last_ms);
    read.take(scan);
    Ok(read)
}

/// What a log says before the byte at which its window begins: at its start, and right before.
fn before(mut file: &File, from: u64, mut earlier: Scan) -> std::io::Result<Findings> {
    let parts = match from.checked_sub(STARTUP + BEFORE) {
        Some(left_out) if left_out > 0 => vec![(0, STARTUP), (from - BEFORE, from)],
        _ => vec![(0, from)],
    };
    for (begin, end) in parts {
        file.seek(SeekFrom::Start(begin))?;
        earlier.read(file.take(end - begin))?;
    }
    Ok(earlier.findings)
}

/// A log whose lines say no time: what was written since the mark is of the window.
fn without_stamps(
    mut file: File,
    metadata: &Metadata,
    span: &Span,
    mark: Option<Mark>,
    shown: String,
) -> Result<Read, LogError> {
    let mut read = Read::default();
    if metadata.len() == 0 && mark.is_none() {
        read.reason = Some("it is empty".to_owned());
        return Ok(read);
    }
    let Some(mark) = mark else {
        return Err(LogError::NoStamps { log: shown });
    };
    let is_same = mark.file == (metadata.dev(), metadata.ino()) && mark.len <= metadata.len();
    if !is_same && mark.file != (0, 0) {
        read.warn(
            "log-rotated",
            format!("{shown} was rotated or truncated inside the window: what it held before is missing"),
        );
    }
    let from = if is_same { mark.len } else { 0 };
    let failed = |source| LogError::Unreadable {
        log: shown.clone(),
        source,
    };
    let (start_ms, end_ms) = span.ms();
    let clock = LogClock::new(span.zone.clone(), span.start);
    let mut scan = Scan::new(clock.clone(), start_ms, end_ms).without_stamps();
    if from > 0 {
        let earlier = Scan::new(clock, start_ms, end_ms).all_before();
        scan.findings
            .begin_with(before(&file, from, earlier).map_err(failed)?);
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
    }
    scan.read(&file).map_err(failed)?;
    read.covers = Some((start_ms, end_ms));
    read.warn(
        "log-without-time-stamps",
        format!(
            "{shown} has no time stamps: what was appended while the command ran is taken as of the window"
        ),
    );
    read.take(scan);
    Ok(read)
}

/// Whether it is a text at all.
fn is_text(file: &File, shown: &str) -> Result<(), LogError> {
    let mut head = [0_u8; 8 << 10];
    let len = file
        .read_at(&mut head, 0)
        .map_err(|source| LogError::Unreadable {
            log: shown.to_owned(),
            source,
        })?;
    let what = match &head[..len] {
        [0x1f, 0x8b, ..] => "compressed with gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "compressed with zstd",
        head if memchr(0, head).is_some() => "binary",
        _ => return Ok(()),
    };
    Err(LogError::Binary {
        log: shown.to_owned(),
        what,
    })
}

/// A stamp and the line that has it.
struct Stamped {
    stamp: Stamp,
    /// Where the line begins.
    at: u64,
}

struct Log<'a> {
    file: &'a File,
    len: u64,
    clock: LogClock,
}

impl Log<'_> {
    /// The first line with a stamp that begins at `from` or behind it, and before `until`.
    fn next_stamp(&self, from: u64, until: u64) -> std::io::Result<Option<Stamped>> {
        let mut buffer = vec![0_u8; PROBE];
        // In the middle of the file a line has begun before.
        let mut is_inside_line = from > 0;
        let mut at = from.saturating_sub(u64::from(is_inside_line));
        let last = until.min(from.saturating_add(REACH));
        while at < last {
            let len = self.file.read_at(&mut buffer, at)?;
            if len == 0 {
                break;
            }
            let block = &buffer[..len];
            let mut line_at = 0;
            if is_inside_line {
                let Some(newline) = memchr(b'\n', block) else {
                    at += len as u64;
                    continue;
                };
                line_at = newline + 1;
                is_inside_line = false;
            }
            loop {
                let newline = memchr(b'\n', &block[line_at..]);
                let end = newline.map_or(len, |newline| line_at + newline);
                // A line that the buffer cuts is read again whole, unless it began the buffer: its stamp stands at its start.
                let is_whole = newline.is_some() || line_at == 0 || at + len as u64 >= self.len;
                if is_whole && let Some(stamp) = take_apart(&block[line_at..end]).stamp {
                    let at = at + line_at as u64;
                    return Ok((at < last).then_some(Stamped { stamp, at }));
                }
                match newline {
                    Some(newline) => line_at += newline + 1,
                    None if line_at == 0 => {
                        is_inside_line = true;
                        at += len as u64;
                        break;
                    }
                    None if at + len as u64 >= self.len => return Ok(None),
                    None => {
                        at += line_at as u64;
                        break;
                    }
                }
                if line_at >= len {
                    at += line_at as u64;
                    break;
                }
            }
        }
        Ok(None)
    }

    /// When the log ends.
    fn last_ms(&mut self) -> std::io::Result<Option<i64>> {
        let mut clock = self.clock.clone();
        Ok(self
            .last_stamp()?
            .and_then(|stamp| clock.span_ms(&stamp))
            .map(|span| span.1))
    }

    fn last_stamp(&self) -> std::io::Result<Option<Stamp>> {
        let mut buffer = vec![0_u8; PROBE];
        // Behind the last stamp there is a traceback at most.
        for back in [1_u64, 4, 16] {
            let from = self.len.saturating_sub(back * PROBE as u64);
            buffer.resize((self.len - from) as usize, 0);
            let len = self.file.read_at(&mut buffer, from)?;
            let mut end = len;
            while end > 0 {
                let start = memrchr(b'\n', &buffer[..end - 1]).map_or(0, |newline| newline + 1);
                let line = buffer[start..end]
                    .strip_suffix(b"\n")
                    .unwrap_or(&buffer[start..end]);
                if (start > 0 || from == 0)
                    && let Some(stamp) = take_apart(line).stamp
                {
                    return Ok(Some(stamp));
                }
                end = start;
            }
        }
        Ok(None)
    }

    /// Lays the last elapsed stamp on the time at which the file was written last.
    fn anchor(&mut self, metadata: &Metadata) -> std::io::Result<()> {
        if let Some(Stamp::Elapsed(last)) = self.last_stamp()? {
            let written = metadata.mtime().saturating_mul(1000) + metadata.mtime_nsec() / 1_000_000;
            self.clock.began_ms = Some(written.saturating_sub(last));
        }
        Ok(())
    }

    fn at(&mut self, from: u64, until: u64) -> std::io::Result<Option<(i64, u64)>> {
        let mut from = from;
        // A stamp that means no moment (30 February) is passed over.
        while let Some(found) = self.next_stamp(from, until)? {
            if let Some(span) = self.clock.span_ms(&found.stamp) {
                return Ok(Some((span.0, found.at)));
            }
            from = found.at + 1;
        }
        Ok(None)
    }

    /// Whether stamps at places all over the file rise.
    fn is_in_order(&mut self) -> std::io::Result<bool> {
        let mut highest = i64::MIN;
        for place in 0..PLACES {
            let from = self.len / PLACES * place;
            if let Some((ms, _)) = self.at(from, self.len)? {
                if ms < highest.saturating_sub(SLACK_MS) {
                    return Ok(false);
                }
                highest = highest.max(ms);
            }
        }
        Ok(true)
    }

    /// Where the first line at or after a moment begins.
    fn first_at(&mut self, ms: i64) -> std::io::Result<u64> {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at(middle, high)? {
                Some((found, at)) if found < ms => low = at + 1,
                _ => high = middle,
            }
        }
        // `low` lies behind the last earlier stamp: the line that follows it is the one, with what belongs to it.
        Ok(self.at(low, self.len)?.map_or(self.len, |(_, at)| at))
    }
}
