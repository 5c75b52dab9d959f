//! A trace file on disk: compressed or not, whatever its name says.

use std::fs::File;
use std::io::{BufReader, Cursor, Read as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::collect::{Trace, Want};
use crate::defect::{Defect, DefectKind};
use crate::read::{ReadError, read};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the trace at `path`.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened or holds no trace; damage is in [`Trace::defects`].
pub fn read_file(path: &Path, want: Want) -> Result<Trace, ReadError> {
    let mut file = File::open(path)?;
    let mut magic = Vec::with_capacity(2);
    (&mut file).take(2).read_to_end(&mut magic)?;
    let compressed = magic == GZIP_MAGIC;
    let source = BufReader::with_capacity(1 << 17, Cursor::new(magic).chain(file));
    let mut trace = if compressed {
        read(MultiGzDecoder::new(source), want)?
    } else {
        read(source, want)?
    };
    let named = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let kind = match (compressed, named) {
        (true, false) => Some(DefectKind::GzipNamedJson),
        (false, true) => Some(DefectKind::JsonNamedGzip),
        _ => None,
    };
    if let Some(kind) = kind {
        let defect = Defect {
            kind,
            offset: 0,
            count: 1,
            events_lost: 0,
        };
        trace.defects.insert(0, defect);
    }
    Ok(trace)
}
