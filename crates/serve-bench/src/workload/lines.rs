//! Lines of a file, one at a time, each of bounded length, with their numbers.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::error::WorkloadError;

/// Longest line: a request of four million words has about 26 MB.
pub(super) const LINE_CAP: u64 = 64 << 20;

/// The lines of a file.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    buffer: Vec<u8>,
    number: u64,
}

/// A line without its end.
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
    /// Whether a line feed ended it; the last line of a cut file has none.
    pub(super) ended: bool,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Lines, WorkloadError> {
        let file = File::open(path).map_err(|source| WorkloadError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Ok(Lines {
            path: path.to_owned(),
            reader: BufReader::with_capacity(1 << 16, file),
            buffer: Vec::new(),
            number: 0,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of the line read last, from 1; 0 before the first.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line; none at the end of the file.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'_>>, WorkloadError> {
        self.buffer.clear();
        let read = self
            .reader
            .by_ref()
            .take(LINE_CAP)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|source| WorkloadError::Unreadable {
                path: self.path.clone(),
                source,
            })?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.buffer.last() == Some(&b'\n');
        if !ended && read as u64 == LINE_CAP {
            return Err(WorkloadError::DatasetRow {
                path: self.path.clone(),
                line: self.number,
                reason: format!("longer than {LINE_CAP} bytes"),
            });
        }
        let bytes = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        Ok(Some(Line {
            number: self.number,
            bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
            ended,
        }))
    }
}
