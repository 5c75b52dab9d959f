//! Where the body of an answer lies and where it ends (RFC 9112, sections 6 and 7): in chunks, by length, until the
//! connection closes, or nowhere. Bytes in, ranges out; no clock, no I/O.
//!
//! What leaves open where the body ends is malformed, not guessed at: the next answer would be read out of this one.

use std::ops::Range;

/// Most bytes between the data of two chunks: sizes with their extensions, and at the end the trailers.
const BETWEEN_DATA_LIMIT: usize = 16 << 10;

/// Bytes that HTTP does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the head of the answer is not HTTP: {0}")]
    Head(httparse::Error),
    #[error("the head of the answer is longer than {limit} bytes")]
    HeadTooLong { limit: usize },
    #[error("the answer has both a Content-Length and a Transfer-Encoding")]
    TwoFramings,
    #[error("the answer has a Content-Length that is not one number")]
    ContentLength,
    #[error("the answer has a Transfer-Encoding other than chunked")]
    TransferEncoding,
    #[error("a chunk of the answer has a size that is not a hexadecimal number")]
    ChunkSize,
    #[error("a chunk of the answer does not end where its size says")]
    ChunkEnd,
    #[error("the answer has more than {BETWEEN_DATA_LIMIT} bytes between two chunks or after the last one")]
    BetweenChunks,
}

/// The decoder of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    state: State,
    /// Bytes since the data of the last chunk.
    between: usize,
}

/// What a step found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Data of the body lies here; what stands before it is used up.
    Data(Range<usize>),
    /// All bytes are used up, and the body goes on.
    More,
    /// The body has ended after so many bytes.
    End(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes are left.
    Length(u64),
    UntilClose,
    /// A chunk begins.
    SizeStart,
    /// At least one digit of its size has been read.
    Size(u64),
    /// Blanks behind the size.
    SizeBlank(u64),
    Extension(u64),
    SizeLf(u64),
    /// So many bytes of the chunk are left.
    Chunk(u64),
    ChunkCr,
    ChunkLf,
    /// Behind the last chunk, at the start of a line.
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
    Ended,
}

impl Body {
    /// The body that a head announces. `has_chunks` is false for HTTP/1.0, which knows none.
    pub(crate) fn announced(
        status: u16,
        has_chunks: bool,
        headers: &[httparse::Header<'_>],
    ) -> Result<Body, Malformed> {
        let named = |name: &'static str| {
            headers
                .iter()
                .filter(move |header| header.name.eq_ignore_ascii_case(name))
                .map(|header| header.value)
        };
        let mut encodings = named("transfer-encoding");
        let encoding = encodings.next();
        let length = content_length(named("content-length"))?;
        let state = match (encoding, length) {
            _ if matches!(status, 100..=199 | 204 | 304) => State::Ended,
            (Some(_), Some(_)) => return Err(Malformed::TwoFramings),
            (Some(encoding), None) => {
                let is_chunked = encoding.trim_ascii().eq_ignore_ascii_case(b"chunked");
                if !is_chunked || !has_chunks || encodings.next().is_some() {
                    return Err(Malformed::TransferEncoding);
                }
                State::SizeStart
            }
            (None, Some(0)) => State::Ended,
            (None, Some(length)) => State::Length(length),
            (None, None) => State::UntilClose,
        };
        Ok(Body::new(state))
    }

    /// A body without a byte.
    pub(crate) fn ended() -> Body {
        Body::new(State::Ended)
    }

    fn new(state: State) -> Body {
        Body { state, between: 0 }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether a connection that closes here ends the body, rather than cutting it.
    pub(crate) fn may_end_by_close(&self) -> bool {
        matches!(self.state, State::UntilClose | State::Ended)
    }

    /// Looks at the next bytes as far as the first data among them. Not to be asked again after an error.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        for (at, byte) in bytes.iter().enumerate() {
            let (left, then) = match self.state {
                State::Ended => return Ok(Step::End(at)),
                State::UntilClose => return Ok(Step::Data(at..bytes.len())),
                State::Length(left) => (left, State::Ended),
                State::Chunk(left) => (left, State::ChunkCr),
                between => {
                    self.between += 1;
                    if self.between > BETWEEN_DATA_LIMIT {
                        return Err(Malformed::BetweenChunks);
                    }
                    self.state = after(between, *byte)?;
                    continue;
                }
            };
            let here = bytes.len() - at;
            let used = usize::try_from(left).unwrap_or(usize::MAX).min(here);
            self.between = 0;
            self.state = match (left - used as u64, self.state) {
                (0, _) => then,
                (left, State::Length(_)) => State::Length(left),
                (left, _) => State::Chunk(left),
            };
            return Ok(Step::Data(at..at + used));
        }
        Ok(if self.has_ended() {
            Step::End(bytes.len())
        } else {
            Step::More
        })
    }
}

/// The state after one byte between the data of two chunks.
fn after(state: State, byte: u8) -> Result<State, Malformed> {
    Ok(match (state, byte) {
        (State::SizeStart, _) => State::Size(digit(byte)?),
        (State::Size(size) | State::SizeBlank(size) | State::Extension(size), b'\r') => State::SizeLf(size),
        (State::Size(size) | State::SizeBlank(size), b';') => State::Extension(size),
        (State::Size(size) | State::SizeBlank(size), b' ' | b'\t') => State::SizeBlank(size),
        (State::Size(size), _) => {
            let digit = digit(byte)?;
            State::Size(size.checked_mul(16).ok_or(Malformed::ChunkSize)? | digit)
        }
        (State::Extension(size), _) if byte != b'\n' => State::Extension(size),
        (State::SizeLf(0), b'\n') => State::TrailerStart,
        (State::SizeLf(size), b'\n') => State::Chunk(size),
        (State::ChunkCr, b'\r') => State::ChunkLf,
        (State::ChunkLf, b'\n') => State::SizeStart,
        (State::TrailerStart, b'\r') => State::LastLf,
        (State::Trailer, b'\r') => State::TrailerLf,
        (State::TrailerStart | State::Trailer, _) if byte != b'\n' => State::Trailer,
        (State::TrailerLf, b'\n') => State::TrailerStart,
        (State::LastLf, b'\n') => State::Ended,
        (State::SizeBlank(_) | State::Extension(_) | State::SizeLf(_), _) => {
            return Err(Malformed::ChunkSize);
        }
        _ => return Err(Malformed::ChunkEnd),
    })
}

fn digit(byte: u8) -> Result<u64, Malformed> {
    let digit = char::from(byte).to_digit(16).ok_or(Malformed::ChunkSize)?;
    Ok(u64::from(digit))
}

/// The one number that all Content-Length headers say; several that agree are allowed.
fn content_length<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<u64>, Malformed> {
    let mut length = None;
    for value in values.flat_map(|value| value.split(|byte| *byte == b',')) {
        let text = std::str::from_utf8(value.trim_ascii()).map_err(|_| Malformed::ContentLength)?;
        // `parse` would take a sign.
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed::ContentLength);
        }
        let number: u64 = text.parse().map_err(|_| Malformed::ContentLength)?;
        if length.is_some_and(|known| known != number) {
            return Err(Malformed::ContentLength);
        }
        length = Some(number);
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How a decoder ended: the body's data, and the bytes used when it has ended.
    type Decoded = (Vec<u8>, Result<Option<usize>, Malformed>);

    fn decode(mut body: Body, pieces: &[&[u8]]) -> Decoded {
        let (mut data, mut used) = (Vec::new(), 0);
        for piece in pieces {
            let mut rest = *piece;
            loop {
                match body.step(rest) {
                    Ok(Step::Data(range)) => {
                        assert!(!range.is_empty() && range.end <= rest.len());
                        data.extend_from_slice(&rest[range.clone()]);
                        used += range.end;
                        rest = &rest[range.end..];
                    }
                    Ok(Step::More) => {
                        used += rest.len();
                        break;
                    }
                    Ok(Step::End(last)) => return (data, Ok(Some(used + last))),
                    Err(error) => return (data, Err(error)),
                }
            }
        }
        (data, Ok(None))
    }

    fn chunked() -> Body {
        Body::new(State::SizeStart)
    }

    /// Chunked coding as the grammar has it, on the whole text and with none of the decoder's states: `None` where it
    /// is cut or malformed.
    fn reference(mut text: &[u8]) -> (Vec<u8>, Option<usize>) {
        let whole = text.len();
        let line = |text: &mut &[u8]| {
            let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
            let (line, rest) = text.split_at(end);
            *text = rest.strip_prefix(b"\r\n")?;
            Some(line.to_vec())
        };
        let mut data = Vec::new();
        let end = (|| {
            loop {
                let size = line(&mut text)?;
                let digits = size.split(|byte| *byte == b';').next()?;
                let blank = digits
                    .iter()
                    .position(|byte| matches!(byte, b' ' | b'\t'))
                    .unwrap_or(digits.len());
                let (digits, blanks) = digits.split_at(blank);
                let is_bad = !blanks.iter().all(|byte| matches!(byte, b' ' | b'\t'))
                    || !digits.iter().all(u8::is_ascii_hexdigit);
                if is_bad {
                    return None;
                }
                let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
                if size == 0 {
                    while !line(&mut text)?.is_empty() {}
                    return Some(whole - text.len());
                }
                let here = usize::try_from(size).unwrap_or(usize::MAX).min(text.len());
                data.extend_from_slice(&text[..here]);
                text = text[here..].strip_prefix(b"\r\n")?;
            }
        })();
        (data, end)
    }

    fn announced(status: u16, has_chunks: bool, headers: &[(&str, &str)]) -> Result<Body, Malformed> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| httparse::Header {
                name,
                value: value.as_bytes(),
            })
            .collect();
        Body::announced(status, has_chunks, &headers)
    }

    #[test]
    fn the_head_says_how_the_body_ends() {
        let length = |value| announced(200, true, &[("Content-Length", value)]);
        assert_eq!(announced(200, true, &[]), Ok(Body::new(State::UntilClose)));
        assert_eq!(length("7"), Ok(Body::new(State::Length(7))));
        assert_eq!(length("7, 7"), Ok(Body::new(State::Length(7))));
        assert_eq!(length("0"), Ok(Body::ended()));
        for bad in ["", "+7", "-1", "0x7", "7 7", "7,8", "18446744073709551616"] {
            assert_eq!(length(bad), Err(Malformed::ContentLength), "{bad}");
        }
        let two = [("content-length", "5"), ("CONTENT-LENGTH", "6")];
        assert_eq!(announced(200, true, &two), Err(Malformed::ContentLength));
        let chunks = ("Transfer-Encoding", "Chunked");
        assert_eq!(announced(200, true, &[chunks]), Ok(chunked()));
        assert_eq!(
            announced(200, true, &[chunks, ("content-length", "5")]),
            Err(Malformed::TwoFramings)
        );
        for bad in [
            &[("transfer-encoding", "gzip, chunked")][..],
            &[("transfer-encoding", "identity")],
            &[chunks, chunks],
        ] {
            assert_eq!(
                announced(200, true, bad),
                Err(Malformed::TransferEncoding),
                "{bad:?}"
            );
        }
        assert_eq!(announced(200, false, &[chunks]), Err(Malformed::TransferEncoding));
        for status in [100, 204, 304] {
            assert_eq!(announced(status, true, &[chunks]), Ok(Body::ended()), "{status}");
        }
    }

    #[test]
    fn takes_extensions_blanks_and_trailers_and_stops_where_the_body_ends() {
        let text =
            b"3;a=\"b c\"\r\nabc\r\n0000a \t\r\n0123456789\r\n0 ;x\r\nDigest: 1\r\nb: 2\r\n\r\nHTTP/1.1";
        assert_eq!(
            decode(chunked(), &[text]),
            (b"abc0123456789".to_vec(), Ok(Some(text.len() - 8)))
        );
        let body = Body::new(State::Length(3));
        assert_eq!(decode(body, &[b"ab", b"cd"]), (b"abc".to_vec(), Ok(Some(3))));
        let close = Body::new(State::UntilClose);
        assert_eq!(decode(close, &[b"ab", b"cd"]), (b"abcd".to_vec(), Ok(None)));
    }

    #[test]
    fn bad_framing_is_malformed_and_says_where() {
        for (bad, why) in [
            (&b"zz\r\n"[..], Malformed::ChunkSize),
            (b"\r\n", Malformed::ChunkSize),
            (b"-1\r\n", Malformed::ChunkSize),
            (b"3\n", Malformed::ChunkSize),
            (b"3 4\r\n", Malformed::ChunkSize),
            (b"3;a\nb\r\n", Malformed::ChunkSize),
            (b"3\rx", Malformed::ChunkSize),
            (b"10000000000000000\r\n", Malformed::ChunkSize),
            (b"3\r\nabcd", Malformed::ChunkEnd),
            (b"3\r\nabc\n", Malformed::ChunkEnd),
            (b"0\r\na: b\n", Malformed::ChunkEnd),
            (b"0\r\n\rx", Malformed::ChunkEnd),
        ] {
            let (_, end) = decode(chunked(), &[bad]);
            assert_eq!(end, Err(why), "{}", bad.escape_ascii());
        }
        assert_eq!(
            decode(chunked(), &[b"ffffffffffffffff\r\na"]),
            (b"a".to_vec(), Ok(None)),
            "the largest size there is"
        );
    }

    #[test]
    fn lines_that_do_not_end_are_cut_off() {
        for start in [&b"1;"[..], b"0", b"0\r\na: b\r\n", b"0\r\n"] {
            let endless = [start, &vec![b'0'; BETWEEN_DATA_LIMIT]].concat();
            assert_eq!(decode(chunked(), &[&endless]).1, Err(Malformed::BetweenChunks));
        }
        let lines = [&b"0\r\n"[..], &b"a: b\r\n".repeat(BETWEEN_DATA_LIMIT / 6 + 1)].concat();
        assert_eq!(decode(chunked(), &[&lines]).1, Err(Malformed::BetweenChunks));
        let many_chunks = b"1;extension\r\na\r\n".repeat(BETWEEN_DATA_LIMIT);
        assert_eq!(decode(chunked(), &[&many_chunks]).1, Ok(None), "each is short");
    }

    /// Text made of the parts that matter, so that random cases meet them.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            6 => (proptest::collection::vec(any::<u8>(), 1..20), "[ \t]{0,2}(;[a-z=\"; ]{0,5})?", any::<bool>()).prop_map(
                |(data, extension, is_upper)| {
                    let size = if is_upper { format!("{:X}", data.len()) } else { format!("{:02x}", data.len()) };
                    [size.as_bytes(), extension.as_bytes(), b"\r\n", &data, b"\r\n"].concat()
                }
            ),
            2 => Just(b"0\r\n".to_vec()),
            1 => Just(b"a: b\r\n".to_vec()),
            2 => Just(b"\r\n".to_vec()),
            1 => proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'3'), any::<u8>()], 0..4),
        ];
        proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    fn pieces<'a>(text: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_body(text in text(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let whole = decode(chunked(), &[&text]);
            prop_assert_eq!(&whole, &decode(chunked(), &text.chunks(1).collect::<Vec<_>>()));
            prop_assert_eq!(&whole, &decode(chunked(), &pieces(&text, &cuts)));
            for cut in 0..=text.len() {
                let (head, tail) = text.split_at(cut);
                prop_assert_eq!(&whole, &decode(chunked(), &[head, tail]));
            }
        }

        #[test]
        fn decodes_as_the_grammar_says(text in text()) {
            let (data, end) = decode(chunked(), &[&text]);
            let (expected, expected_end) = reference(&text);
            prop_assert_eq!(data, expected);
            prop_assert_eq!(end.unwrap_or(None), expected_end);
        }

        #[test]
        fn what_is_encoded_comes_back(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..10), after in proptest::collection::vec(any::<u8>(), 0..5)) {
            let mut text = Vec::new();
            for part in &parts {
                text.extend([format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
            }
            text.extend(b"0\r\n\r\n");
            let end = text.len();
            text.extend(after);
            prop_assert_eq!(decode(chunked(), &[&text]), (parts.concat(), Ok(Some(end))));
        }

        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), length in 1..u64::MAX) {
            for state in [State::SizeStart, State::Length(length), State::Length(1 + length % 400), State::UntilClose, State::TrailerStart] {
                let (data, _) = decode(Body::new(state), &bytes.chunks(7).collect::<Vec<_>>());
                prop_assert!(data.len() <= bytes.len());
            }
        }
    }
}
