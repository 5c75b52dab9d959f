//! The chunked body of a request, decoded as it arrives.

use super::head::BODY_CAP;
use super::reader::BadRequest;

/// Longest line of a chunk size with its extensions, or of a trailer field.
const LINE_CAP: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
}

/// Decoder of `Transfer-Encoding: chunked`.
#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    body: Vec<u8>,
}

impl Chunks {
    pub(super) fn new() -> Chunks {
        Chunks {
            state: State::Size,
            body: Vec::new(),
        }
    }

    /// Takes what it can from `input` and returns how many bytes that was.
    pub(super) fn push(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        let mut used = 0;
        while self.state != State::Done {
            let rest = &input[used..];
            if let State::Data(left) = self.state {
                if rest.is_empty() {
                    break;
                }
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                self.body.extend_from_slice(&rest[..take]);
                used += take;
                let left = left - take as u64;
                self.state = if left == 0 {
                    State::DataEnd
                } else {
                    State::Data(left)
                };
                continue;
            }
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                if rest.len() > LINE_CAP {
                    return Err(BadRequest::Chunk);
                }
                break;
            };
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            self.state = self.line(line)?;
            used += end + 1;
        }
        Ok(used)
    }

    fn line(&self, line: &[u8]) -> Result<State, BadRequest> {
        match self.state {
            State::Size => {
                let digits = line.split(|&byte| byte == b';').next().unwrap_or(line);
                let digits = std::str::from_utf8(digits).map_err(|_| BadRequest::Chunk)?.trim();
                let size = match digits.starts_with('+') {
                    true => None,
                    false => u64::from_str_radix(digits, 16).ok(),
                };
                match size.ok_or(BadRequest::Chunk)? {
                    0 => Ok(State::Trailer),
                    size if size.saturating_add(self.body.len() as u64) > BODY_CAP => {
                        Err(BadRequest::BodyTooLarge)
                    }
                    size => Ok(State::Data(size)),
                }
            }
            State::DataEnd if line.is_empty() => Ok(State::Size),
            State::Trailer if line.is_empty() => Ok(State::Done),
            State::Trailer => Ok(State::Trailer),
            _ => Err(BadRequest::Chunk),
        }
    }

    /// The body, once the last chunk and its trailer were seen.
    pub(super) fn finished(&mut self) -> Option<Vec<u8>> {
        (self.state == State::Done).then(|| std::mem::take(&mut self.body))
    }
}
