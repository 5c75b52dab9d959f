//! Bytes to a [`Trace`]: one pass, a window of the stream in memory, and every damaged place passed over and counted.

use std::io::Read;

use memchr::memchr;

use crate::collect::{Collector, Trace, Want};
use crate::defect::DefectKind;
use crate::lex::{Cursor, Leniency, Stop};
use crate::record::record;
use crate::window::{Fill, Window};

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// It is no torch-profiler trace.
    #[error("it is no torch-profiler trace: {0}")]
    NotATrace(String),
}

/// Reads a trace from decompressed bytes, salvaging what damage leaves.
///
/// # Errors
/// [`ReadError`] when the stream fails or holds no trace at all; damage inside a trace is in [`Trace::defects`].
pub fn read(source: impl Read, want: Want) -> Result<Trace, ReadError> {
    let mut reader = Reader {
        window: Window::new(source),
        collector: Collector::new(want),
    };
    let found = reader.document()?;
    let Reader {
        window,
        mut collector,
    } = reader;
    let end = window.read_bytes();
    if let Some(kind) = window.broken {
        collector.defects.add(kind, end, 1, 0);
    }
    if !found {
        return Err(if end == 0 {
            ReadError::Empty
        } else {
            ReadError::NotATrace("it has no `traceEvents`".to_owned())
        });
    }
    collector.trace.bytes = end;
    Ok(collector.finish())
}

struct Reader<R> {
    window: Window<R>,
    collector: Collector,
}

/// How a piece ended.
enum Piece<T> {
    Read(T),
    /// The stream ends inside it.
    Cut,
    /// It fits no JSON.
    Bad,
}

impl<R: Read> Reader<R> {
    /// Reads a piece at the start of the window, asking for more bytes until it is whole.
    fn piece<T>(
        &mut self,
        read: impl Fn(&mut Cursor<'_>, &mut Collector) -> Result<T, Stop>,
    ) -> Result<Piece<T>, ReadError> {
        loop {
            let mut cursor = Cursor::new(self.window.bytes(), 0);
            match read(&mut cursor, &mut self.collector) {
                Ok(value) => {
                    let at = cursor.at;
                    self.window.take(at);
                    return Ok(Piece::Read(value));
                }
                Err(Stop::Bad(_)) => return Ok(Piece::Bad),
                Err(Stop::End) => match self.window.fill()? {
                    Fill::More => {}
                    Fill::End => return Ok(Piece::Cut),
                    Fill::TooLong => return Ok(Piece::Bad),
                },
            }
        }
    }

    /// Returns whether there was an array of events.
    fn document(&mut self) -> Result<bool, ReadError> {
        self.window.fill()?;
        if self.window.bytes().starts_with(b"\xef\xbb\xbf") {
            self.window.take(3);
        }
        match self.piece(|cursor, _| cursor.peek())? {
            Piece::Read(b'[') => {
                self.window.take(1);
                self.events()?;
                return Ok(self.collector.trace.events > 0);
            }
            Piece::Read(b'{') => self.window.take(1),
            Piece::Cut => return Ok(false),
            Piece::Read(_) | Piece::Bad => {
                return Err(ReadError::NotATrace(
                    "it begins with neither `{` nor `[`".to_owned(),
                ));
            }
        }
        let mut first = true;
        let mut found = false;
        loop {
            let member = self.piece(|cursor, collector| {
                let mut first = first;
                let Some(key) = cursor.key(&mut first)? else {
                    return Ok(Member::None);
                };
                if key == b"traceEvents" && cursor.peek()? == b'[' {
                    cursor.at += 1;
                    return Ok(Member::Events);
                }
                let start = {
                    cursor.peek()?;
                    cursor.at
                };
                cursor.value()?;
                collector.trace.header.take(key, &cursor.bytes[start..cursor.at]);
                Ok(Member::Other)
            })?;
            first = false;
            match member {
                Piece::Read(Member::None) => return Ok(found),
                Piece::Read(Member::Events) => {
                    found = true;
                    if !self.events()? {
                        return Ok(true);
                    }
                }
                Piece::Read(Member::Other) => {}
                Piece::Cut | Piece::Bad if found => {
                    self.defect(DefectKind::Truncated, 1, 0);
                    return Ok(true);
                }
                Piece::Cut => return Ok(false),
                // Damage in the head: the events are what matters.
                Piece::Bad => {
                    self.defect(DefectKind::MalformedEvent, 1, 0);
                    if !self.seek_events()? {
                        return Ok(false);
                    }
                    self.events()?;
                    return Ok(true);
                }
            }
        }
    }

    /// Goes to behind the bracket of `"traceEvents": [`.
    fn seek_events(&mut self) -> Result<bool, ReadError> {
        const KEY: &[u8] = b"\"traceEvents\"";
        loop {
            let bytes = self.window.bytes();
            if let Some(at) = memchr::memmem::find(bytes, KEY) {
                self.window.take(at + KEY.len());
                return Ok(matches!(
                    self.piece(|cursor, _| {
                        cursor.expect(b':')?;
                        cursor.expect(b'[')
                    })?,
                    Piece::Read(())
                ));
            }
            self.window.take(bytes.len().saturating_sub(KEY.len()));
            if self.window.fill()? != Fill::More {
                return Ok(false);
            }
        }
    }

    /// Reads the elements behind `[`. Returns whether the array ended as it should.
    fn events(&mut self) -> Result<bool, ReadError> {
        let mut first = true;
        loop {
            let end = self.run(&mut first);
            match end {
                Run::Closed => return Ok(true),
                Run::Needs => match self.window.fill()? {
                    Fill::More => {}
                    Fill::End => {
                        let cut_event = self.window.bytes().contains(&b'{');
                        self.defect(DefectKind::Truncated, 1, u64::from(cut_event));
                        return Ok(false);
                    }
                    Fill::TooLong => {
                        self.defect(DefectKind::MalformedEvent, 1, 1);
                        self.window.take(1);
                        if !self.resync()? {
                            return Ok(false);
                        }
                        first = true;
                    }
                },
                Run::Bad(kind, at) => {
                    self.defect(kind, 1, 1);
                    self.window.take(at);
                    if !self.resync()? {
                        return Ok(false);
                    }
                    first = true;
                }
            }
        }
    }

    /// Reads whole events from the window, without asking for bytes.
    fn run(&mut self, first: &mut bool) -> Run {
        let base = self.window.offset();
        let bytes = self.window.bytes();
        let mut cursor = Cursor::new(bytes, 0);
        let mut taken = 0;
        let end = loop {
            let comma = *first;
            match cursor.more(first, b']') {
                Ok(true) => {}
                Ok(false) => {
                    taken = cursor.at;
                    break Run::Closed;
                }
                Err(Stop::End) => {
                    *first = comma;
                    break Run::Needs;
                }
                Err(Stop::Bad(at)) if bytes[at] == b'{' => {
                    self.collector
                        .defects
                        .add(DefectKind::MissingComma, base + at as u64, 1, 0);
                }
                Err(Stop::Bad(at)) => {
                    taken = at;
                    break Run::Bad(DefectKind::MalformedEvent, 1);
                }
            }
            let Ok(start) = cursor.peek().map(|_| cursor.at) else {
                *first = comma;
                break Run::Needs;
            };
            match record(&mut cursor) {
                Ok(event) => {
                    let offset = base + start as u64;
                    if std::str::from_utf8(&bytes[start..cursor.at]).is_err() {
                        self.collector.defects.add(DefectKind::BadUtf8, offset, 1, 0);
                    }
                    if cursor.leniency != Leniency::default() {
                        note(&mut self.collector, std::mem::take(&mut cursor.leniency), offset);
                    }
                    self.collector.take(&event, offset);
                    taken = cursor.at;
                }
                Err(Stop::End) => {
                    *first = comma;
                    break Run::Needs;
                }
                Err(Stop::Bad(at)) => {
                    taken = start;
                    break Run::Bad(blame(bytes, at), at.saturating_sub(start).max(1));
                }
            }
        };
        if cursor.leniency.trailing_commas > 0 {
            note(&mut self.collector, cursor.leniency, base + taken as u64);
        }
        self.window.take(taken);
        end
    }

    /// Goes to the next place that begins an event.
    fn resync(&mut self) -> Result<bool, ReadError> {
        loop {
            let bytes = self.window.bytes();
            let mut from = 0;
            while let Some(at) = memchr(b'{', &bytes[from..]).map(|found| from + found) {
                if begins_event(bytes, at) {
                    self.window.take(at);
                    return Ok(true);
                }
                from = at + 1;
            }
            // The last bytes may hold the beginning of an event whose fields are not here yet.
            let keep = bytes.len().min(256);
            self.window.take(bytes.len() - keep);
            if self.window.fill()? != Fill::More {
                return Ok(false);
            }
        }
    }

    fn defect(&mut self, kind: DefectKind, count: u64, lost: u64) {
        self.collector
            .defects
            .add(kind, self.window.offset(), count, lost);
    }
}

enum Member {
    None,
    Events,
    Other,
}

/// Why a run over the window ended.
enum Run {
    /// At the closing bracket.
    Closed,
    /// More bytes are needed.
    Needs,
    /// At an event that is broken; so far into it.
    Bad(DefectKind, usize),
}

fn note(collector: &mut Collector, found: Leniency, offset: u64) {
    let defects = &mut collector.defects;
    defects.add(DefectKind::NonFiniteNumber, offset, found.non_finite.into(), 0);
    defects.add(DefectKind::BigInteger, offset, found.big_integers.into(), 0);
    defects.add(DefectKind::TrailingComma, offset, found.trailing_commas.into(), 0);
    defects.add(DefectKind::StringNumber, offset, found.string_numbers.into(), 0);
}

/// A letter right behind a closing quote: the quote was part of the text.
fn blame(bytes: &[u8], at: usize) -> DefectKind {
    let before = bytes[..at].iter().rev().find(|byte| **byte > b' ');
    if before == Some(&b'"') {
        DefectKind::UnescapedQuote
    } else {
        DefectKind::MalformedEvent
    }
}

/// Whether the brace at `at` opens an event: profilers write `ph` first, or the event reads whole and has one.
fn begins_event(bytes: &[u8], at: usize) -> bool {
    let mut cursor = Cursor::new(bytes, at + 1);
    let mut first = true;
    if cursor.key(&mut first) == Ok(Some(b"ph")) {
        return true;
    }
    record(&mut Cursor::new(bytes, at)).is_ok_and(|event| event.ph != 0)
}
