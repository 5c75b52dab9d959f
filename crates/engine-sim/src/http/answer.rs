//! Bytes of answers: whole ones, and the head and the chunks of a stream of events.

use std::io::Write;

/// What a client that sent `Expect: 100-continue` waits for.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Ends a chunked body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Media type.
    pub(crate) content_type: &'static str,
    /// Value of `Retry-After` in seconds.
    pub(crate) retry_after_s: Option<u32>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A JSON document.
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Answer {
        Answer {
            status,
            content_type: "application/json",
            retry_after_s: None,
            body: value.to_string().into_bytes(),
        }
    }

    /// Plain text.
    pub(crate) fn text(status: u16, text: impl Into<String>) -> Answer {
        Answer {
            status,
            content_type: "text/plain; charset=utf-8",
            retry_after_s: None,
            body: text.into().into_bytes(),
        }
    }

    /// Appends head and body.
    pub(crate) fn write(&self, out: &mut Vec<u8>, keep_alive: bool) {
        let reason = reason(self.status);
        let length = self.body.len();
        let kind = self.content_type;
        let status = self.status;
        put(
            out,
            format_args!("HTTP/1.1 {status} {reason}\r\nserver: engine-sim\r\n"),
        );
        put(
            out,
            format_args!("content-type: {kind}\r\ncontent-length: {length}\r\n"),
        );
        if let Some(seconds) = self.retry_after_s {
            put(out, format_args!("retry-after: {seconds}\r\n"));
        }
        if !keep_alive {
            out.extend_from_slice(b"connection: close\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }
}

/// Appends the head of a stream of events; without `chunked` the end of the connection ends it.
pub(crate) fn event_stream_head(out: &mut Vec<u8>, chunked: bool, keep_alive: bool) {
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nserver: engine-sim\r\ncache-control: no-cache\r\n");
    out.extend_from_slice(b"content-type: text/event-stream; charset=utf-8\r\n");
    if chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    if !keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends one chunk of a chunked body, or the bare bytes for a client that knows no chunks.
pub(crate) fn push_chunk(out: &mut Vec<u8>, chunked: bool, payload: &[u8]) {
    if !chunked {
        out.extend_from_slice(payload);
        return;
    }
    put(out, format_args!("{:x}\r\n", payload.len()));
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a vector cannot fail");
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
