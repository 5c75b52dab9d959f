//! `.ncu-repz`: a report as one zstd stream. Its frames and its content are bounded before they cost time or memory, and checksums
//! are checked. A stream is a row of frames; those that hold no content, which writers in parallel put between the others, are
//! passed over.

use std::io::Read as _;

use ruzstd::decoding::StreamingDecoder;

use crate::error::ReadError;
use crate::limits::Limits;

/// What a frame with content starts with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What a frame without content starts with, behind a first byte of `5x` (RFC 8878, 3.1.2).
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// Most frames: of the longest content that is read, each would hold 16 KB.
const MAX_FRAMES: usize = 1 << 16;

/// Whether the bytes start as zstd data.
pub(crate) fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) || is_skippable(bytes)
}

fn is_skippable(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, rest @ ..] if rest.starts_with(&SKIPPABLE))
}

/// The content of all frames.
pub(crate) fn decompress(bytes: &[u8], limits: Limits) -> Result<Vec<u8>, ReadError> {
    let mut rest = bytes;
    let mut content = Vec::new();
    let mut frames = 0;
    while !rest.is_empty() {
        let frame_offset = (bytes.len() - rest.len()) as u64;
        frames += 1;
        if frames > MAX_FRAMES {
            return Err(ReadError::Corrupt {
                offset: frame_offset,
                what: "more frames of compressed data than a report has",
            });
        }
        let result = if is_skippable(rest) {
            skip(&mut rest)
        } else {
            frame(&mut rest, &mut content, limits)
        };
        let at_end = rest.is_empty();
        result.map_err(|failure| match failure {
            Failure::TooLarge => ReadError::TooLarge {
                bytes: content.len() as u64,
                limit: limits.file_bytes,
            },
            Failure::Broken if at_end => ReadError::CompressedCut {
                offset: bytes.len() as u64,
            },
            Failure::Broken => ReadError::Corrupt {
                offset: (bytes.len() - rest.len()) as u64,
                what: "the compressed data is broken before it",
            },
            Failure::Checksum => ReadError::Corrupt {
                offset: frame_offset,
                what: "the checksum of the compressed data does not match",
            },
        })?;
    }
    Ok(content)
}

enum Failure {
    TooLarge,
    Broken,
    Checksum,
}

/// Takes a frame without content off `rest`.
fn skip(rest: &mut &[u8]) -> Result<(), Failure> {
    let after = rest.get(4..8).and_then(|length| {
        let length = u32::from_le_bytes(length.try_into().expect("four bytes were taken"));
        rest.get(8..)?.get(usize::try_from(length).ok()?..)
    });
    *rest = after.unwrap_or_default();
    after.map(|_| ()).ok_or(Failure::Broken)
}

/// Adds the content of the next frame, which is taken off `rest`.
fn frame(rest: &mut &[u8], content: &mut Vec<u8>, limits: Limits) -> Result<(), Failure> {
    let mut decoder = StreamingDecoder::new(rest).map_err(|_| Failure::Broken)?;
    let room = limits.file_bytes - content.len() as u64;
    let read = (&mut decoder)
        .take(room + 1)
        .read_to_end(content)
        .map_err(|_| Failure::Broken)?;
    if read as u64 > room {
        return Err(Failure::TooLarge);
    }
    let stored = decoder.decoder.get_checksum_from_data();
    if stored.is_some() && stored != decoder.decoder.get_calculated_checksum() {
        return Err(Failure::Checksum);
    }
    Ok(())
}
