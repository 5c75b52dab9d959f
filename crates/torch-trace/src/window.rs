//! A sliding part of the decompressed bytes: what an event needs lies in one piece, the rest is never in memory.

use std::io::{ErrorKind, Read};

use crate::defect::DefectKind;

/// Bytes asked for at a time.
const CHUNK: usize = 1 << 20;
/// An event, or a value of the head, that is longer is treated as damage.
const MAX_PIECE: usize = 64 << 20;

/// Bytes of the stream that are in memory.
pub(crate) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the stream before the buffer.
    passed: u64,
    finished: bool,
    /// Why the stream ended before its end.
    pub(crate) broken: Option<DefectKind>,
}

/// What asking for more bytes gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// There are more than before.
    More,
    /// The stream is at its end.
    End,
    /// The piece at the start of the window is too long.
    TooLong,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            passed: 0,
            finished: false,
            broken: None,
        }
    }

    /// The bytes not yet taken.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Place of the first of them in the stream.
    pub(crate) fn offset(&self) -> u64 {
        self.passed + self.start as u64
    }

    /// Bytes read so far.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.passed + self.end as u64
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Reads on, keeping what is not yet taken.
    pub(crate) fn fill(&mut self) -> std::io::Result<Fill> {
        if self.finished {
            return Ok(Fill::End);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.passed += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= MAX_PIECE {
                return Ok(Fill::TooLong);
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let before = self.end;
        // Short reads are usual; a window that is refilled for every one of them would be slow.
        while self.end < self.buffer.len() && self.end - before < CHUNK {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.finished = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.broken = Some(DefectKind::GzipCut);
                    self.finished = true;
                    break;
                }
                Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
                    self.broken = Some(DefectKind::GzipCorrupt);
                    self.finished = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(if self.end > before { Fill::More } else { Fill::End })
    }
}
