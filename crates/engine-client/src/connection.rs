//! One HTTP/1.1 connection that belongs to one slot. Nothing is spawned, so nothing reads ahead of the request that is
//! being measured; the body's bytes are handed out from the buffer into which the socket read them; and dropping the
//! slot closes the connection.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::ReadBuf;

use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::framing::{Body, Malformed, Step};
use crate::head::{HEAD_LIMIT, Head};
use crate::outcome::Ending;
use crate::request::Stamp;
use crate::transport::Transport;

/// Room for one read; more only while a long head arrives.
const BUFFER: usize = 16 << 10;

/// An open connection.
pub(crate) struct Connection {
    transport: Transport,
    /// The request, until all of it is written.
    unsent: Option<Unsent>,
    /// When the last byte of the last request was written.
    sent_at: Option<Instant>,
    /// What was read and is not used yet lies at `start..end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    body: Body,
    /// What the last answer said of the connection.
    keeps_open: bool,
}

struct Unsent {
    head: Vec<u8>,
    body: Bytes,
    written: usize,
}

/// A part of the body.
pub(crate) struct Piece<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stamp: Stamp,
}

/// Why an answer cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the server closed the connection {0}")]
    Closed(&'static str),
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Fault {
    pub(crate) fn ending(&self) -> Ending {
        match self {
            // What TLS does not allow.
            Fault::Broken(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ending::Malformed(self.to_string())
            }
            Fault::Malformed(_) => Ending::Malformed(self.to_string()),
            Fault::Closed(_) | Fault::Broken(_) => Ending::Broken(self.to_string()),
        }
    }
}

impl Connection {
    /// Connects, with TLS where the endpoint asks for it.
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Connection, ClientError> {
        Ok(Connection {
            transport: Transport::open(endpoint).await?,
            unsent: None,
            sent_at: None,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            body: Body::ended(),
            keeps_open: true,
        })
    }

    /// When the last byte of the last request was written.
    pub(crate) fn sent_at(&self) -> Option<Instant> {
        self.sent_at
    }

    /// The last read that brought something.
    pub(crate) fn last_read(&self) -> Stamp {
        self.transport.socket().last_read()
    }

    /// Whether request and answer are over and leave the connection ready for the next.
    pub(crate) fn is_idle(&self) -> bool {
        self.keeps_open && self.unsent.is_none() && self.body.has_ended() && self.start == self.end
    }

    /// Whether an idle connection can take a request, as far as one look at the socket tells. A server that closed it
    /// meanwhile is noticed here, before anything is written.
    pub(crate) async fn is_alive(&mut self) -> bool {
        let look = poll_fn(|context| Poll::Ready(self.poll_disturbed(context).is_pending()));
        // A task that has used up its share of the executor's time would see nothing.
        tokio::task::unconstrained(look).await
    }

    /// Whether the server closes an idle connection within this time.
    pub(crate) async fn closes_within(&mut self, wait: Duration) -> bool {
        let disturbed = poll_fn(|context| self.poll_disturbed(context));
        tokio::time::timeout(wait, disturbed).await.is_ok()
    }

    /// Ready when the server closes an idle connection or says something unasked, which is as bad.
    fn poll_disturbed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_idle() {
            return Poll::Ready(());
        }
        self.transport
            .poll_read(context, &mut ReadBuf::new(&mut self.buffer))
            .map(drop)
    }

    /// Sends the request and waits for the head of the answer.
    pub(crate) async fn send(&mut self, head: Vec<u8>, body: Bytes) -> Result<Head, Fault> {
        self.sent_at = None;
        self.keeps_open = false;
        self.unsent = Some(Unsent {
            head,
            body,
            written: 0,
        });
        loop {
            if let Some((head, length)) = Head::read(&self.buffer[self.start..self.end])? {
                self.start += length;
                if head.is_interim() {
                    continue;
                }
                self.body = head.body;
                self.keeps_open = head.keeps_open;
                return Ok(head);
            }
            if !self.fill().await? {
                return Err(Fault::Closed(if self.end == 0 {
                    "without an answer"
                } else {
                    "in the head of its answer"
                }));
            }
        }
    }

    /// The next part of the body; `None` when it has ended.
    pub(crate) async fn piece(&mut self) -> Result<Option<Piece<'_>>, Fault> {
        loop {
            match self.body.step(&self.buffer[self.start..self.end])? {
                Step::Data(range) => {
                    let begin = self.start;
                    self.start += range.end;
                    return Ok(Some(Piece {
                        bytes: &self.buffer[begin + range.start..begin + range.end],
                        stamp: self.last_read(),
                    }));
                }
                Step::End(length) => {
                    self.start += length;
                    return Ok(None);
                }
                Step::More => self.start = self.end,
            }
            if !self.fill().await? {
                self.keeps_open = false;
                return if self.body.may_end_by_close() {
                    Ok(None)
                } else {
                    Err(Fault::Closed("inside its answer"))
                };
            }
        }
    }

    /// Reads once, and writes what of the request is left; false when the server has closed the connection.
    async fn fill(&mut self) -> Result<bool, Fault> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            // Only a head, of which less than its limit is here, has to lie in one piece.
            self.buffer.drain(..self.start);
            (self.start, self.end) = (0, self.end - self.start);
            self.buffer.resize(HEAD_LIMIT, 0);
        }
        poll_fn(|context| {
            // A server may answer, and even hang up, before it has taken the whole request; so a write that waits or
            // fails is no reason not to read, and reading tells more.
            let _ = self.poll_write(context);
            let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
            ready!(self.transport.poll_read(context, &mut room))?;
            let read = room.filled().len();
            self.end += read;
            Poll::Ready(Ok(read > 0))
        })
        .await
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(Unsent { head, body, written }) = &mut self.unsent else {
            return Poll::Ready(Ok(()));
        };
        while *written < head.len() + body.len() {
            let slices = [
                IoSlice::new(head.get(*written..).unwrap_or_default()),
                IoSlice::new(&body[written.saturating_sub(head.len())..]),
            ];
            *written += match ready!(self.transport.poll_write_vectored(context, &slices))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => more,
            };
        }
        ready!(self.transport.poll_flush(context))?;
        self.unsent = None;
        self.sent_at = Some(self.transport.socket().last_write());
        Poll::Ready(Ok(()))
    }
}
