//! One streaming request on the measured path, and the clock. No other file of this crate reads the clock.
//!
//! ```text
//! start          connected   sent      head     first token chunk          last token chunk   ended
//!   |---connect---|---write---|---------|---------------|------- … ---------------|-------------|
//! ```
//! Bytes are stamped in the socket read that brings them, before HTTP, TLS or JSON look at them; whatever is decoded
//! from one read shares its stamp. A request is sent once: there is no retry and no reconnect.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contracts::text;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;

use crate::cancel::Cancel;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::exchange::Exchange;
use crate::head;
use crate::headers::Headers;
use crate::observation::Observation;
use crate::outcome::{Ending, Facts, decide};
use crate::tally::{Arrival, Tally};

/// Counts the tokens of a text.
pub type CountTokens<'a> = &'a (dyn Fn(&str) -> usize + Send + Sync);

/// One request to send.
#[derive(Clone)]
pub struct Call<'a> {
    /// Path below the base URL, for example `/v1/chat/completions`.
    pub path: &'a str,
    /// JSON body; it has to ask for a stream.
    pub body: Bytes,
    /// Limit from the start to the end of the answer, connecting included.
    pub timeout: Option<Duration>,
    /// Whether the body asks to ignore the end-of-sequence token.
    pub ignore_eos: bool,
    /// Tokens asked for.
    pub requested_output_tokens: Option<u64>,
    /// Counts tokens where the server does not say them chunk by chunk. Called after the request has ended.
    pub count_tokens: Option<CountTokens<'a>>,
    /// Ends the request when thrown.
    pub cancel: Option<&'a Cancel>,
}

/// One place for one request at a time, with a connection of its own that is kept alive between requests.
pub struct Slot {
    endpoint: Endpoint,
    headers: Headers,
    /// `headers` as they are sent.
    header_lines: Vec<u8>,
    idle: Option<Connection>,
    opened: u64,
}

impl Slot {
    /// A slot without a connection; the first request opens one.
    pub fn new(endpoint: Endpoint, headers: Headers) -> Slot {
        Slot {
            header_lines: head::shared_lines(endpoint.authority(), headers.map()),
            endpoint,
            headers,
            idle: None,
            opened: 0,
        }
    }

    /// Connections opened so far.
    pub fn connections_opened(&self) -> u64 {
        self.opened
    }

    /// Opens the connection ahead of the first request, so that a burst of first requests is not a burst of connects.
    /// A failure is left for the request to meet and report.
    pub async fn open(&mut self) {
        if self.idle.is_none()
            && let Ok(connection) = Box::pin(Connection::open(&self.endpoint)).await
        {
            self.idle = Some(connection);
            self.opened += 1;
        }
    }

    /// Sends one request and follows the answer to its end.
    ///
    /// A connection that is known to be dead before anything is written is replaced; after the first byte, whatever
    /// happens is the outcome. Dropping the future closes the connection.
    pub async fn send(&mut self, call: &Call<'_>) -> Observation {
        let start = now();
        let mut exchange = Exchange {
            start,
            tally: Tally::new(call.requested_output_tokens, call.count_tokens.is_some()),
            observation: Observation::new(start),
            status_text: None,
            connection: self.idle.take(),
        };
        // A switch that was thrown before lets nothing out.
        let ending = if call.cancel.is_some_and(Cancel::is_cancelled) {
            Ending::Cancelled
        } else {
            limited(exchange.run(&self.endpoint, &self.header_lines, call), call).await
        };
        exchange.observation.ended_ns = nanoseconds(start, now());
        exchange.observation.request_sent_ns = exchange
            .connection
            .as_ref()
            .and_then(Connection::sent_at)
            // What was sent before is another request.
            .filter(|sent_at| *sent_at >= start)
            .map(|sent_at| nanoseconds(start, sent_at));
        self.opened += u64::from(exchange.observation.opened_connection);
        if ending == Ending::Clean
            && let Some(mut connection) = exchange.connection.take()
            && connection.is_idle()
            && self.endpoint.keeps_open(&mut connection).await
        {
            self.idle = Some(connection);
        }
        self.conclude(exchange, ending, call)
    }

    /// Decides the outcome and completes the observation.
    fn conclude(&self, exchange: Exchange, ending: Ending, call: &Call<'_>) -> Observation {
        let Exchange {
            tally,
            mut observation,
            status_text,
            ..
        } = exchange;
        let (source, output_tokens, chunk_tokens) = tally.count(call.count_tokens);
        let (outcome, error) = decide(&Facts {
            ending,
            http_status: observation.http_status,
            status_text: status_text.as_deref(),
            in_band_error: tally.error(),
            finish_reason: tally.finish_reason(),
            has_token: tally.has_token(),
            has_usage: tally.has_usage(),
            is_done: tally.is_done(),
            output_tokens,
            requested_output_tokens: call.requested_output_tokens,
            ignore_eos: call.ignore_eos,
        });
        observation.outcome = outcome;
        observation.error = error.map(|error| {
            // Cleaned first, so that no escape sequence hides a secret; capped last, so that no half of one is left.
            text::clean(
                &self.headers.without_secrets(&text::clean(&error, 8192)),
                text::FOREIGN_TEXT_CAP,
            )
        });
        observation.token_source = source;
        observation.output_tokens = output_tokens;
        observation.chunk_tokens = chunk_tokens;
        tally.fill(&mut observation);
        observation
    }
}

/// Runs `work` until it ends, the time limit passes or the switch is thrown.
async fn limited(work: impl Future<Output = Ending>, call: &Call<'_>) -> Ending {
    let thrown = async {
        match call.cancel {
            Some(cancel) => cancel.cancelled().await,
            None => pending().await,
        }
    };
    let passed = async {
        match call.timeout {
            Some(limit) => tokio::time::sleep(limit).await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        ending = work => ending,
        // Unconstrained: a stream that never pauses uses up the task's share of the executor's time, and what is
        // polled then sees nothing.
        () = unconstrained(thrown) => Ending::Cancelled,
        () = unconstrained(passed) => Ending::TimedOut,
    }
}

/// The clock.
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn nanoseconds(from: Instant, to: Instant) -> u64 {
    // 584 years fit.
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}

/// A read of a socket that brought something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    at: Instant,
    /// Number of the read, from 1 in each connection.
    pub(crate) read: u64,
}

impl Stamp {
    /// The same for a request that started at `start`.
    pub(crate) fn since(self, start: Instant) -> Arrival {
        Arrival {
            at_ns: nanoseconds(start, self.at),
            read: self.read,
        }
    }
}

/// A TCP stream that stamps its reads and writes.
pub(crate) struct Stamped {
    stream: TcpStream,
    last_read: Stamp,
    last_write: Instant,
}

impl Stamped {
    pub(crate) fn new(stream: TcpStream) -> Stamped {
        let at = now();
        Stamped {
            stream,
            last_read: Stamp { at, read: 0 },
            last_write: at,
        }
    }

    pub(crate) fn last_read(&self) -> Stamp {
        self.last_read
    }

    pub(crate) fn last_write(&self) -> Instant {
        self.last_write
    }

    fn stamp_write(&mut self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.last_write = now();
        }
        polled
    }
}

impl AsyncRead for Stamped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.last_read = Stamp {
                at: now(),
                read: self.last_read.read + 1,
            };
        }
        polled
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.stamp_write(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.stamp_write(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_never_pauses_does_not_hide_the_limits() {
        let thrown = Cancel::new();
        thrown.cancel();
        for (timeout, cancel, expected) in [
            (Some(Duration::from_millis(10)), None, Ending::TimedOut),
            (None, Some(&thrown), Ending::Cancelled),
        ] {
            let call = Call {
                path: "/",
                body: Bytes::new(),
                timeout,
                ignore_eos: false,
                requested_output_tokens: None,
                count_tokens: None,
                cancel,
            };
            let busy = async {
                let start = now();
                while start.elapsed() < Duration::from_secs(2) {
                    tokio::task::consume_budget().await;
                }
                Ending::Clean
            };
            assert_eq!(limited(busy, &call).await, expected);
        }
    }
}
