//! Bytes or a file in, a report out. What it is says its content, never its name.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::ReadError;
use crate::limits::Limits;
use crate::model::{Form, Report};
use crate::{csv, rep, zstd};

/// Reads a report, or a CSV export of one.
///
/// # Errors
/// [`ReadError`] says what is wrong, and where.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Report, ReadError> {
    let length = bytes.len() as u64;
    if length > limits.file_bytes {
        return Err(ReadError::TooLarge {
            bytes: length,
            limit: limits.file_bytes,
        });
    }
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    if bytes.starts_with(&rep::MAGIC) {
        return rep::read(bytes, limits);
    }
    if zstd::is_compressed(bytes) {
        let content = zstd::decompress(bytes, limits)?;
        if !content.starts_with(&rep::MAGIC) {
            return Err(ReadError::NotRecognised {
                start: start(&content),
            });
        }
        return Ok(Report {
            form: Form::Repz,
            ..rep::read(&content, limits)?
        });
    }
    csv::read(bytes, limits).unwrap_or_else(|| Err(ReadError::NotRecognised { start: start(bytes) }))
}

/// Reads the report at `path`, within [`Limits::default`].
///
/// # Errors
/// [`ReadError`] when the file cannot be opened, and as [`read`].
pub fn read_file(path: &Path) -> Result<Report, ReadError> {
    let limits = Limits::default();
    let unreadable = |source| ReadError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > limits.file_bytes {
        return Err(ReadError::TooLarge {
            bytes: length,
            limit: limits.file_bytes,
        });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // A pipe has no length, and a file may grow: one byte more than is read tells.
    file.take(limits.file_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    read(&bytes, limits)
}

/// The first bytes, in hexadecimal.
fn start(bytes: &[u8]) -> String {
    let bytes = bytes.iter().take(8).map(|byte| format!("{byte:02x}"));
    bytes.collect::<Vec<_>>().join(" ")
}
