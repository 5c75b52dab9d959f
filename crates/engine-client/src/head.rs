//! The heads of the two messages: the request's as bytes, the answer's read from bytes. No clock, no I/O.

use std::io::Write as _;

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};

use crate::framing::{Body, Malformed};

/// Longest head of an answer, in bytes.
pub(crate) const HEAD_LIMIT: usize = 64 << 10;
/// Most headers of an answer.
const MOST_HEADERS: usize = 100;

/// The header lines that all requests to one server have in common.
pub(crate) fn shared_lines(authority: &str, headers: &HeaderMap) -> Vec<u8> {
    let mut lines = format!("host: {authority}\r\n").into_bytes();
    for (name, value) in headers {
        // The host is the server's, and the framing is ours.
        if ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            lines.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    lines
}

/// The head of one request.
pub(crate) fn of_request(path: &str, shared_lines: &[u8], body_length: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(path.len() + shared_lines.len() + 64);
    write!(head, "POST {path} HTTP/1.1\r\ncontent-length: {body_length}\r\n")
        .expect("a vector takes what is written");
    head.extend_from_slice(shared_lines);
    head.extend_from_slice(b"\r\n");
    head
}

/// What the head of an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// `Retry-After`, where it is a number of seconds.
    pub(crate) retry_after_s: Option<u64>,
    /// Whether the server means to take another request on this connection.
    pub(crate) keeps_open: bool,
    pub(crate) body: Body,
}

impl Head {
    /// Reads the head at the start of `bytes` and says how long it is; `None` while its end has not arrived.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let length = match answer.parse(bytes).map_err(Malformed::Head)? {
            httparse::Status::Complete(length) if length <= HEAD_LIMIT => length,
            httparse::Status::Partial if bytes.len() < HEAD_LIMIT => return Ok(None),
            _ => return Err(Malformed::HeadTooLong { limit: HEAD_LIMIT }),
        };
        let status = answer.code.expect("a complete head has a status");
        let is_newest = answer.version == Some(1);
        let says = |word: &str| connection_says(answer.headers, word);
        let head = Head {
            status,
            retry_after_s: answer
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case("retry-after"))
                .and_then(|header| std::str::from_utf8(header.value).ok())
                .and_then(|value| value.trim().parse().ok()),
            // HTTP/1.0 closes unless it says otherwise. After 101 the bytes are no longer HTTP.
            keeps_open: status != 101 && !says("close") && (is_newest || says("keep-alive")),
            body: Body::announced(status, is_newest, answer.headers)?,
        };
        Ok(Some((head, length)))
    }

    /// Whether the answer proper follows (`100 Continue` and its like).
    pub(crate) fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199) && self.status != 101
    }
}

fn connection_says(headers: &[httparse::Header<'_>], word: &str) -> bool {
    headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("connection"))
        .flat_map(|header| header.value.split(|byte| *byte == b','))
        .any(|said| said.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Head {
        let (head, length) = Head::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(length, text.len());
        head
    }

    #[test]
    fn a_request_has_one_host_and_one_length() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (HOST, "elsewhere"),
            (CONTENT_LENGTH, "9"),
            (TRANSFER_ENCODING, "chunked"),
            (http::header::ACCEPT, "a/b"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let head = of_request("/v1/x?y", &shared_lines("here:1", &headers), 2);
        assert_eq!(
            String::from_utf8(head).unwrap(),
            "POST /v1/x?y HTTP/1.1\r\ncontent-length: 2\r\nhost: here:1\r\naccept: a/b\r\n\r\n"
        );
    }

    #[test]
    fn says_whether_the_connection_stays() {
        for (text, keeps_open) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 200\r\nconnection: keep-alive\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n", false),
            (
                "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nconnection: close\r\n\r\n",
                false,
            ),
            ("HTTP/1.0 200 OK\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", false),
        ] {
            assert_eq!(read(text).keeps_open, keeps_open, "{text}");
        }
    }

    #[test]
    fn reads_status_and_retry_after() {
        let head = read("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\ncontent-length: 3\r\n\r\n");
        assert_eq!((head.status, head.retry_after_s), (429, Some(7)));
        assert!(!head.is_interim() && read("HTTP/1.1 100 Continue\r\n\r\n").is_interim());
        let date = "HTTP/1.1 503 x\r\nretry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        assert_eq!(read(date).retry_after_s, None);
    }

    #[test]
    fn a_head_is_bounded() {
        let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(HEAD_LIMIT));
        let too_long = Err(Malformed::HeadTooLong { limit: HEAD_LIMIT });
        assert_eq!(Head::read(long.as_bytes()), too_long);
        assert_eq!(Head::read(format!("{long}\r\n\r\n").as_bytes()), too_long);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS + 1));
        let too_many = Err(Malformed::Head(httparse::Error::TooManyHeaders));
        assert_eq!(Head::read(many.as_bytes()), too_many);
    }

    proptest! {
        #[test]
        fn a_head_is_complete_only_as_a_whole(headers in proptest::collection::vec("[a-z-]{1,9}: [ -~]{0,20}\r\n", 0..9), status in 200u16..600) {
            let headers: String = headers.into_iter().filter(|line| !line.starts_with("content") && !line.starts_with("transfer")).collect();
            let text = format!("HTTP/1.1 {status} x\r\n{headers}\r\n");
            for end in 0..text.len() {
                prop_assert_eq!(Head::read(&text.as_bytes()[..end]), Ok(None));
            }
            let (head, length) = Head::read(format!("{text}data").as_bytes()).unwrap().unwrap();
            prop_assert_eq!((head.status, length), (status, text.len()));
        }

        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Head::read(&bytes);
            let _ = Head::read(&[b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat());
        }
    }
}
