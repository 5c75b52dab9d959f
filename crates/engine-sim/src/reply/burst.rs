//! One write to a socket: what it carries, and what follows it.

use crate::http::push_chunk;

/// How the body of an answer is delimited on this connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Framing {
    /// False for HTTP/1.0.
    pub(crate) chunked: bool,
    /// False when the connection ends with the answer.
    pub(crate) keep_alive: bool,
}

/// What happens to the connection after the last write of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// It takes the next request, unless the client asked otherwise.
    Keep,
    /// It is closed.
    Shut,
    /// It is reset.
    Reset,
    /// It stays open and silent.
    Hang,
}

/// One write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Burst {
    /// When it was due.
    pub(crate) due_ns: u64,
    /// Tokens that are complete with it.
    pub(crate) tokens: u32,
    /// Events with tokens that are complete with it.
    pub(crate) chunks: u32,
    /// Set by the last write.
    pub(crate) close: Option<Close>,
}

/// Events on their way into chunks.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// The events, one after the other.
    pub(crate) bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Events {
    /// Forgets what was framed.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Declares everything since the last mark one piece of the body.
    pub(crate) fn mark(&mut self) {
        if self.ends.last().copied().unwrap_or(0) < self.bytes.len() {
            self.ends.push(self.bytes.len());
        }
    }

    /// Every piece as a chunk of its own, as engines send their events.
    pub(crate) fn frame(&self, chunked: bool, out: &mut Vec<u8>) {
        let mut from = 0;
        for &end in &self.ends {
            push_chunk(out, chunked, &self.bytes[from..end]);
            from = end;
        }
    }

    /// The same, torn into two at a byte: two vectors, and two chunks where there was one.
    pub(crate) fn frame_torn(&self, chunked: bool, at: usize, first: &mut Vec<u8>, second: &mut Vec<u8>) {
        let mut from = 0;
        for &end in &self.ends {
            let cut = at.clamp(from, end);
            if cut > from {
                push_chunk(first, chunked, &self.bytes[from..cut]);
            }
            if end > cut {
                push_chunk(second, chunked, &self.bytes[cut..end]);
            }
            from = end;
        }
    }
}
