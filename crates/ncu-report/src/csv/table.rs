//! Rows of a table of `ncu`: between lines of the profiler and of the program, if they were printed with it.

use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::error::ReadError;

use super::columns::Columns;
use super::record;

/// A table whose header was found.
pub(super) struct Table<'a> {
    pub(super) columns: Columns,
    reader: Reader<&'a [u8]>,
    /// What the reader reads.
    bytes: &'a [u8],
    /// Where that starts in the file.
    offset: u64,
    /// Where the row that was read last starts.
    pub(super) row_offset: u64,
    /// Lines that are no rows.
    pub(super) foreign_lines: u64,
}

impl<'a> Table<'a> {
    /// The table in `bytes`, which start at `offset` of the file, if there is one.
    pub(super) fn find(bytes: &'a [u8], offset: u64) -> Option<Self> {
        let mut at = 0;
        let mut foreign_lines = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            // One row of the header, read as the rows are: cells may be in quotes or not. It ends with its line: a search for the
            // end of each quote would go through the rest of the file for each line that opens one.
            let is_start = line.starts_with(b"\"ID\",") || line.starts_with(b"ID,");
            if is_start && Columns::are_named_in(line) && record::is_whole(line) {
                let bytes = &bytes[at..];
                let mut reader = reader(bytes);
                let mut header = ByteRecord::new();
                let is_read = reader.read_byte_record(&mut header).unwrap_or(false);
                if let Some(columns) = is_read.then(|| Columns::of(&header)).flatten() {
                    return Some(Self {
                        columns,
                        reader,
                        bytes,
                        offset: offset + at as u64,
                        row_offset: offset + at as u64,
                        foreign_lines,
                    });
                }
            }
            foreign_lines += u64::from(!line.starts_with(b"==") && !line.trim_ascii().is_empty());
            at += line.len();
        }
        None
    }

    /// The next row of a kernel, or of units: `None` at the end.
    pub(super) fn next(&mut self, row: &mut ByteRecord, cells: usize) -> Result<Option<Row>, ReadError> {
        loop {
            let start = self.reader.position().byte() as usize;
            if record::length(&self.bytes[start..]).is_none() {
                self.row_offset = self.offset + start as u64;
                return Err(self.corrupt("a row is larger than any of a page of `ncu`"));
            }
            let is_read = self
                .reader
                .read_byte_record(row)
                .map_err(|_| self.corrupt("a row cannot be read"))?;
            if !is_read {
                return Ok(None);
            }
            let position = row.position().map_or(0, csv::Position::byte);
            self.row_offset = self.offset + position;
            let kind = match self.columns.key(row) {
                Some((id, process)) => Row::Kernel { id, process },
                None if row.len() == self.columns.len() && row.get(0) == Some(b"") => Row::Units,
                None => {
                    let first = row.get(0).unwrap_or_default();
                    // The beginning of a row, and nothing that a program prints.
                    let is_row = self.bytes[position as usize..].starts_with(b"\"")
                        && first.iter().all(u8::is_ascii_digit);
                    if is_row && self.is_last() && self.ends_inside_a_line() {
                        return Err(self.cut());
                    }
                    // Lines of the profiler, and the header again, once for each process that printed one.
                    self.foreign_lines += u64::from(!first.starts_with(b"==") && first != b"ID");
                    continue;
                }
            };
            if self.is_last() && !self.is_complete(row, cells) {
                return Err(self.cut());
            }
            if row.len() < cells {
                return Err(self.corrupt("a row has fewer cells than its header"));
            }
            return Ok(Some(kind));
        }
    }

    /// Whether the last row is whole. A value that is cut would be a wrong number.
    fn is_complete(&self, row: &ByteRecord, cells: usize) -> bool {
        match self.bytes {
            [.., b'\n'] => true,
            // Only a quote that closes ends a row: one behind a comma opens.
            [.., b',', b'"'] => false,
            [.., b'"'] => row.len() >= self.columns.len(),
            [.., b'"', b','] => row.len() == cells + 1,
            _ => false,
        }
    }

    /// Whether nothing stands behind the row that was read last.
    fn is_last(&self) -> bool {
        self.reader.position().byte() >= self.bytes.len() as u64
    }

    /// Whether the file ends inside a line.
    pub(super) fn ends_inside_a_line(&self) -> bool {
        !self.bytes.ends_with(b"\n")
    }

    /// The file ends inside the row that was read last.
    pub(super) fn cut(&self) -> ReadError {
        ReadError::CsvCut {
            offset: self.row_offset,
        }
    }

    pub(super) fn corrupt(&self, what: &'static str) -> ReadError {
        ReadError::Corrupt {
            offset: self.row_offset,
            what,
        }
    }
}

/// What a row is about.
pub(super) enum Row {
    /// A kernel, by its number and process.
    Kernel {
        /// Number.
        id: u64,
        /// Process.
        process: u64,
    },
    /// Units of the columns.
    Units,
}

fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes)
}
