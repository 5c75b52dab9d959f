//! From a body to the message in it: gRPC's frame and compression, both bounded.

use std::io::Read as _;

use flate2::read::{GzDecoder, ZlibDecoder};

/// Longest body, and longest message in it. The SDKs send 512 spans at once, some hundred kilobytes.
pub(super) const LONGEST: usize = 16 << 20;

/// Why a body has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than [`LONGEST`].
    TooLong,
    /// A compression that nobody here knows.
    Encoding,
    /// It is damaged.
    Damaged,
}

/// The message of an HTTP body, by its `Content-Encoding`.
pub(super) fn message(body: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, Refusal> {
    match encoding.map(str::trim).unwrap_or("identity") {
        "identity" | "" => Ok(body.to_vec()),
        "gzip" => bounded(GzDecoder::new(body)),
        "deflate" => bounded(ZlibDecoder::new(body)),
        _ => Err(Refusal::Encoding),
    }
}

/// The message of a unary gRPC call: a byte that says whether it is compressed, its length, and it.
pub(super) fn framed(body: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, Refusal> {
    let (head, rest) = body.split_first_chunk::<5>().ok_or(Refusal::Damaged)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    if rest.len() as u64 != u64::from(length) {
        return Err(Refusal::Damaged);
    }
    match head[0] {
        0 => Ok(rest.to_vec()),
        1 => message(rest, encoding),
        _ => Err(Refusal::Damaged),
    }
}

fn bounded(mut reader: impl std::io::Read) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let limit = LONGEST as u64 + 1;
    reader
        .by_ref()
        .take(limit)
        .read_to_end(&mut out)
        .map_err(|_| Refusal::Damaged)?;
    if out.len() > LONGEST {
        Err(Refusal::TooLong)
    } else {
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"spans").unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"spans").unwrap();
        assert_eq!(message(&gzip, Some("gzip")).unwrap(), b"spans");
        assert_eq!(
            message(&zlib.finish().unwrap(), Some("deflate")).unwrap(),
            b"spans"
        );
        assert_eq!(message(b"spans", None).unwrap(), b"spans");
        assert_eq!(message(b"spans", Some("gzip")), Err(Refusal::Damaged));
        assert_eq!(message(b"spans", Some("br")), Err(Refusal::Encoding));
        let mut frame = vec![1, 0, 0, 0, gzip.len() as u8];
        frame.extend(&gzip);
        assert_eq!(framed(&frame, Some("gzip")).unwrap(), b"spans");
    }

    #[test]
    fn a_small_body_that_grows_without_end_is_refused() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..17 {
            gzip.write_all(&zeros).unwrap();
        }
        assert_eq!(
            message(&gzip.finish().unwrap(), Some("gzip")),
            Err(Refusal::TooLong)
        );
    }

    #[test]
    fn a_frame_says_its_length() {
        assert_eq!(framed(&[0, 0, 0, 0, 2, 7, 8], None).unwrap(), [7, 8]);
        for bytes in [
            &[0, 0, 0][..],
            &[0, 0, 0, 0, 3, 7],
            &[0, 0, 0, 0, 1, 7, 8],
            &[2, 0, 0, 0, 1, 7],
        ] {
            assert_eq!(framed(bytes, None), Err(Refusal::Damaged), "{bytes:?}");
        }
    }
}
