//! The head of one request: method, path, and the few header fields that matter to a server of tokens.

use super::reader::BadRequest;

/// Longest head that is read, in bytes.
pub(super) const HEAD_CAP: usize = 64 << 10;
/// Largest body that is read, in bytes.
pub(super) const BODY_CAP: u64 = 64 << 20;
/// Most header fields.
const FIELDS: usize = 100;

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// A parsed head and how many bytes it took.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) http10: bool,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
    pub(super) bearer: Option<String>,
    pub(super) framing: Framing,
    pub(super) bytes: usize,
}

/// Parses the head at the start of `bytes`; `None` while it is incomplete.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, BadRequest> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(bytes) {
        // The same limit whether the head came in one piece or in many.
        Ok(httparse::Status::Complete(length)) if length > HEAD_CAP => return Err(BadRequest::HeadTooLarge),
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() > HEAD_CAP => return Err(BadRequest::HeadTooLarge),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(BadRequest::Head),
    };
    let target = request.path.unwrap_or("/");
    let http10 = request.version == Some(0);
    let mut head = Head {
        method: request.method.unwrap_or("GET").to_owned(),
        path: target.split(['?', '#']).next().unwrap_or("/").to_owned(),
        http10,
        keep_alive: !http10,
        expects_continue: false,
        bearer: None,
        framing: Framing::Length(0),
        bytes: length,
    };
    let mut declared = None;
    let mut chunked = false;
    for field in request.headers.iter() {
        let Ok(value) = std::str::from_utf8(field.value) else {
            continue;
        };
        match field.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length: u64 = value.trim().parse().map_err(|_| BadRequest::Length)?;
                // Two different lengths are how requests are smuggled.
                if declared.replace(length).is_some_and(|other| other != length) {
                    return Err(BadRequest::Length);
                }
            }
            "transfer-encoding" => chunked = value.to_ascii_lowercase().contains("chunked"),
            "connection" => {
                let value = value.to_ascii_lowercase();
                head.keep_alive =
                    (head.keep_alive || value.contains("keep-alive")) && !value.contains("close");
            }
            "expect" => head.expects_continue = value.eq_ignore_ascii_case("100-continue"),
            "authorization" => {
                head.bearer = value.split_once(' ').map(|(_, token)| token.trim().to_owned());
            }
            _ => {}
        }
    }
    head.framing = match (chunked, declared) {
        (true, Some(_)) => return Err(BadRequest::Length),
        (true, None) => Framing::Chunked,
        (false, length) => Framing::Length(length.unwrap_or(0)),
    };
    if matches!(head.framing, Framing::Length(length) if length > BODY_CAP) {
        return Err(BadRequest::BodyTooLarge);
    }
    Ok(Some(head))
}
