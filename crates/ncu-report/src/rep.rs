//! `.ncu-rep`: a header, then blocks, each with a header, sources and kernels. Version 7 of the container is in every file seen,
//! from 2020.3 to 2025.3.
//!
//! ```text
//! NVR\0  u32 length  { 1: version }
//! u32 length  { block header: counts, part of the session, names of metrics, length of the payload }  payload
//! u32 length  { … }  payload
//! …
//! payload = entries, each: u32 length  { source | kernel | range }
//! ```

mod kernel;
mod metric;
mod rule;
mod session;
mod wire;

use std::collections::BTreeSet;

use crate::error::ReadError;
use crate::limits::{Budget, Limits};
use crate::model::{Form, Kernel, Report, Warning};
use crate::text::NAME_CAP;
use crate::warnings::{NON_FINITE, non_finite};

use session::Parts;
use wire::{Message, Shape};

/// What a report starts with.
pub(crate) const MAGIC: [u8; 4] = *b"NVR\0";

/// The version of the container that this was written from.
const KNOWN_VERSION: u32 = 7;

/// Reads the bytes of a report, its magic included.
pub(crate) fn read(bytes: &[u8], limits: Limits) -> Result<Report, ReadError> {
    let mut cursor = Cursor {
        bytes,
        at: MAGIC.len(),
    };
    let mut reader = Reader::new(limits);
    let header = cursor.sized("the header of the file")?;
    reader.version(header)?;
    while !cursor.is_at_end() {
        reader.block(&mut cursor)?;
    }
    reader.finish(cursor.offset())
}

/// A place in the file.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn offset(&self) -> u64 {
        self.at as u64
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// `length` bytes.
    fn take(&mut self, length: u64, what: &'static str) -> Result<Message<'a>, ReadError> {
        let offset = self.offset();
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let bytes = taken.ok_or(ReadError::Truncated {
            what,
            offset,
            wanted: length,
            left: rest.len() as u64,
        })?;
        self.at += bytes.len();
        Ok(Message { bytes, offset })
    }

    /// Bytes behind their length.
    fn sized(&mut self, what: &'static str) -> Result<Message<'a>, ReadError> {
        let length = self.take(4, what)?.bytes;
        let length = u32::from_le_bytes(length.try_into().expect("four bytes were taken"));
        self.take(length.into(), what)
    }
}

/// The header of a block.
#[derive(Default)]
struct BlockHeader {
    sources: u64,
    kernels: u64,
    ranges: u64,
    payload_bytes: u64,
}

struct Reader {
    budget: Budget,
    /// Tables of all blocks so far, one behind the other.
    names: Vec<String>,
    parts: Parts,
    version: Option<u32>,
    kernels: Vec<Kernel>,
    /// Metrics with a value that is no number.
    non_finite: BTreeSet<String>,
    ranges: u64,
}

impl Reader {
    fn new(limits: Limits) -> Self {
        Self {
            budget: Budget::new(limits),
            names: Vec::new(),
            parts: Parts::default(),
            version: None,
            kernels: Vec::new(),
            non_finite: BTreeSet::new(),
            ranges: 0,
        }
    }

    fn version(&mut self, header: Message<'_>) -> Result<(), ReadError> {
        for field in header.fields() {
            if let (1, Shape::Varint(version)) = field? {
                self.version = u32::try_from(version).ok();
            }
        }
        Ok(())
    }

    fn block(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReadError> {
        let header = self.block_header(cursor.sized("the header of a block")?)?;
        let payload = cursor.take(header.payload_bytes, "the payload of a block")?;
        // Offsets stay those of the file.
        let end = cursor.at;
        let mut entries = Cursor {
            bytes: &cursor.bytes[..end],
            at: payload.offset as usize,
        };
        for _ in 0..header.sources {
            entries.sized("a source")?;
        }
        for _ in 0..header.kernels {
            let message = entries.sized("a kernel")?;
            let mut kernel = kernel::read(message, &self.names, &mut self.budget, &mut self.non_finite)?;
            kernel.index = self.kernels.len();
            self.kernels.push(kernel);
        }
        for _ in 0..header.ranges {
            entries.sized("a range")?;
            self.ranges += 1;
        }
        if !entries.is_at_end() {
            return Err(ReadError::Corrupt {
                offset: entries.offset(),
                what: "a payload is longer than what is in it",
            });
        }
        Ok(())
    }

    fn block_header(&mut self, message: Message<'_>) -> Result<BlockHeader, ReadError> {
        let mut header = BlockHeader::default();
        for field in message.fields() {
            match field? {
                (1, Shape::Varint(count)) => header.sources = count,
                (2, Shape::Varint(count)) => header.kernels = count,
                (3, Shape::Bytes(part)) => self.parts.add(part, &mut self.budget)?,
                (4, Shape::Bytes(table)) => self.add_names(table)?,
                (5, Shape::Varint(bytes)) => header.payload_bytes = bytes,
                (6, Shape::Bytes(process)) => self.parts.add_process(process)?,
                (7, Shape::Varint(count)) => header.ranges = count,
                _ => {}
            }
        }
        Ok(header)
    }

    fn add_names(&mut self, table: Message<'_>) -> Result<(), ReadError> {
        for field in table.fields() {
            if let (1, Shape::Bytes(text)) = field? {
                let name = text.text(NAME_CAP);
                self.budget.keep::<String>(name.len())?;
                self.names.push(name);
            }
        }
        Ok(())
    }

    fn finish(self, end: u64) -> Result<Report, ReadError> {
        if self.kernels.is_empty() && self.ranges > 0 {
            return Err(ReadError::RangesOnly {
                ranges: self.ranges,
                offset: end,
            });
        }
        if self.kernels.is_empty() {
            return Err(ReadError::NoKernels { offset: end });
        }
        let mut warnings = Vec::new();
        let mut warn = |code, message| warnings.push(Warning { code, message });
        if self.version != Some(KNOWN_VERSION) {
            let version = self
                .version
                .map_or("no version".to_owned(), |version| format!("version {version}"));
            warn(
                "unknown-version",
                format!(
                    "the file has {version}; version {KNOWN_VERSION} is known, and it was read like that"
                ),
            );
        }
        if self.ranges > 0 {
            warn(
                "ranges-skipped",
                format!("{} results of ranges are not read", self.ranges),
            );
        }
        if !self.non_finite.is_empty() {
            warn(NON_FINITE, non_finite(&self.non_finite));
        }
        let mut session = self.parts.finish(self.kernels.first());
        session.file_version = self.version;
        Ok(Report {
            form: Form::Rep,
            session,
            kernels: self.kernels,
            warnings,
        })
    }
}
