//! Requests from bytes, however they are split: the same bytes give the same requests.

use super::body::Chunks;
use super::head::{Framing, Head, parse};

/// One complete request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    /// Method as sent.
    pub(crate) method: String,
    /// Path without query.
    pub(crate) path: String,
    /// True for a client that knows no chunked answers.
    pub(crate) http10: bool,
    /// False when the connection ends with the answer.
    pub(crate) keep_alive: bool,
    /// Token of an `Authorization` field.
    pub(crate) bearer: Option<String>,
    /// The body, decoded.
    pub(crate) body: Vec<u8>,
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    /// More bytes are needed.
    Incomplete,
    /// More bytes are needed, and the client waits for `100 Continue` before it sends them.
    AwaitsContinue,
    /// A request; more may follow in the bytes already pushed.
    Complete(Request),
}

/// Why bytes are not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRequest {
    /// The head is not HTTP/1.
    Head,
    /// The head is longer than any sane one.
    HeadTooLarge,
    /// The length is not a number, or ambiguous.
    Length,
    /// A chunk is malformed.
    Chunk,
    /// The body is larger than is accepted.
    BodyTooLarge,
}

impl BadRequest {
    /// Status and reason for the client.
    pub(crate) fn status(self) -> (u16, &'static str) {
        match self {
            BadRequest::Head => (400, "the request head is not HTTP/1"),
            BadRequest::HeadTooLarge => (431, "the request head is longer than 64 KiB"),
            BadRequest::Length => (400, "the length of the body is not a number, or ambiguous"),
            BadRequest::Chunk => (400, "a chunk of the body is malformed"),
            BadRequest::BodyTooLarge => (413, "the body is larger than 64 MiB"),
        }
    }
}

/// Incremental reader of one connection.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    bytes: Vec<u8>,
    head: Option<Head>,
    chunks: Option<Chunks>,
    continued: bool,
}

impl Reader {
    /// Adds bytes from the socket.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that are held and not yet part of a request.
    pub(crate) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// The next request.
    pub(crate) fn next(&mut self) -> Result<Received, BadRequest> {
        if self.head.is_none() {
            let Some(head) = parse(&self.bytes)? else {
                return Ok(Received::Incomplete);
            };
            self.bytes.drain(..head.bytes);
            self.chunks = (head.framing == Framing::Chunked).then(Chunks::new);
            self.continued = !head.expects_continue;
            self.head = Some(head);
        }
        let Some(body) = self.body()? else {
            let first_time = !std::mem::replace(&mut self.continued, true);
            return Ok(if first_time {
                Received::AwaitsContinue
            } else {
                Received::Incomplete
            });
        };
        let head = self.head.take().expect("a head was parsed above");
        Ok(Received::Complete(Request {
            method: head.method,
            path: head.path,
            http10: head.http10,
            keep_alive: head.keep_alive,
            bearer: head.bearer,
            body,
        }))
    }

    fn body(&mut self) -> Result<Option<Vec<u8>>, BadRequest> {
        if let Some(chunks) = &mut self.chunks {
            let used = chunks.push(&self.bytes)?;
            self.bytes.drain(..used);
            return Ok(chunks.finished());
        }
        let Some(Framing::Length(length)) = self.head.as_ref().map(|head| head.framing) else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(|_| BadRequest::BodyTooLarge)?;
        if self.bytes.len() < length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(length);
        Ok(Some(std::mem::replace(&mut self.bytes, rest)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All requests in the bytes, and the error that ended them, if any.
    fn requests(pieces: &[&[u8]]) -> (Vec<Request>, Option<BadRequest>) {
        let mut reader = Reader::default();
        let mut found = Vec::new();
        for piece in pieces {
            reader.push(piece);
            loop {
                match reader.next() {
                    Ok(Received::Complete(request)) => found.push(request),
                    Ok(Received::AwaitsContinue) => {}
                    Ok(Received::Incomplete) => break,
                    Err(error) => return (found, Some(error)),
                }
            }
        }
        (found, None)
    }

    const TWO: &[u8] = b"POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n\
        Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n\
        POST /x HTTP/1.0\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\nConnection: close\r\n\r\n";

    #[test]
    fn reads_chunked_and_measured_bodies() {
        let (found, error) = requests(&[TWO]);
        assert_eq!(error, None);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].path, "/v1/chat/completions");
        assert_eq!(found[0].body, b"abcde");
        assert_eq!(found[0].bearer.as_deref(), Some("k"));
        assert!(found[0].keep_alive);
        assert_eq!(found[1].body, b"body");
        assert!(found[1].http10 && !found[1].keep_alive);
        assert!(!found[2].keep_alive);
    }

    #[test]
    fn refuses_what_is_ambiguous_or_too_large() {
        let bad = |text: &str| requests(&[text.as_bytes()]).1;
        assert_eq!(bad("\x16\x03\x01\x02\x00"), Some(BadRequest::Head));
        assert_eq!(
            bad("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            Some(BadRequest::Length)
        );
        assert_eq!(
            bad("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
            Some(BadRequest::BodyTooLarge)
        );
        assert_eq!(
            bad("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\n"),
            Some(BadRequest::Chunk)
        );
        let long = format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(70_000));
        assert_eq!(bad(&long), Some(BadRequest::HeadTooLarge));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_requests(cuts in prop::collection::vec(0..TWO.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&TWO[from..cut]);
                from = cut;
            }
            pieces.push(&TWO[from..]);
            prop_assert_eq!(requests(&pieces), requests(&[TWO]));
        }

        #[test]
        fn any_bytes_end_without_a_panic(
            start in 0..TWO.len(),
            noise in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0..400usize,
        ) {
            let mut bytes = TWO[..start].to_vec();
            bytes.extend(noise);
            let cut = cut.min(bytes.len());
            prop_assert_eq!(requests(&[&bytes[..cut], &bytes[cut..]]), requests(&[&bytes]));
        }
    }
}
