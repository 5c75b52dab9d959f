//! One streaming request on the measured path, and the clock. No other file of this crate reads the clock.
//!
//! ```text
//! start          connected   sent      head     first token chunk          last token chunk   ended
//!   |---connect---|---write---|---------|---------------|------- … ---------------|-------------|
//! ```
//! Bytes are stamped in the socket read that brings them, before HTTP, TLS or JSON look at them; whatever is decoded
//! from one read shares its stamp. A request is sent once: there is no retry and no reconnect.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contracts::text;
use http::header::{HOST, HeaderMap, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::cancel::Cancel;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::observation::Observation;
use crate::outcome::{Ending, Facts, decide};
use crate::relay::Relay;
use crate::tally::Tally;

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
    /// `headers` and `Host`, as sent.
    map: HeaderMap,
    stamps: Stamps,
    idle: Option<Connection>,
    /// Tells a wake-up by the time limit or the switch from one by the socket.
    limits: Relay,
    opened: u64,
}

impl Slot {
    /// A slot without a connection; the first request opens one.
    pub fn new(endpoint: Endpoint, headers: Headers) -> Slot {
        let mut map = headers.map().clone();
        if let Ok(host) = HeaderValue::from_str(endpoint.authority()) {
            map.insert(HOST, host);
        }
        Slot {
            endpoint,
            headers,
            map,
            stamps: Stamps::new(),
            idle: None,
            limits: Relay::new(),
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
            && let Ok(connection) = Box::pin(Connection::open(&self.endpoint, &self.stamps)).await
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
        let start = Instant::now();
        self.stamps.begin();
        let mut exchange = Exchange {
            start_ns: self.stamps.ns(start),
            tally: Tally::new(call.requested_output_tokens, call.count_tokens.is_some()),
            observation: Observation::new(start),
            status_text: None,
            connection: self.idle.take(),
        };
        // A switch that was thrown before lets nothing out.
        let ending = if call.cancel.is_some_and(Cancel::is_cancelled) {
            Ending::Cancelled
        } else {
            let work = pin!(exchange.run(&self.endpoint, &self.map, &self.stamps, call));
            limited(work, call, &mut self.limits).await
        };
        exchange.observation.ended_ns = self.stamps.now_ns().saturating_sub(exchange.start_ns);
        self.opened += u64::from(exchange.observation.opened_connection);
        if ending == Ending::Clean
            && let Some(mut connection) = exchange.connection.take()
            && self.endpoint.keeps_open(&mut connection).await
        {
            self.idle = Some(connection);
        }
        self.conclude(exchange, ending, call)
    }

    /// Decides the outcome and completes the observation.
    fn conclude(&self, exchange: Exchange, ending: Ending, call: &Call<'_>) -> Observation {
        let Exchange {
            start_ns,
            tally,
            mut observation,
            status_text,
            ..
        } = exchange;
        observation.request_sent_ns = self.stamps.sent_ns().map(|sent| sent.saturating_sub(start_ns));
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

/// Runs `work` until it ends, the time limit passes or the switch is thrown; the limits are looked at only when they
/// woke the task, not for every chunk.
async fn limited(
    mut work: Pin<&mut impl Future<Output = Ending>>,
    call: &Call<'_>,
    relay: &mut Relay,
) -> Ending {
    let mut timer = pin!(async {
        match call.timeout {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    });
    let mut switch = pin!(async {
        match call.cancel {
            Some(cancel) => cancel.cancelled().await,
            None => std::future::pending().await,
        }
    });
    let mut is_first = true;
    std::future::poll_fn(|context| {
        if let Poll::Ready(ending) = work.as_mut().poll(context) {
            return Poll::Ready(ending);
        }
        if relay.take_wake(context) || std::mem::take(&mut is_first) {
            let limits = &mut Context::from_waker(relay.waker());
            if switch.as_mut().poll(limits).is_ready() {
                return Poll::Ready(Ending::Cancelled);
            }
            if timer.as_mut().poll(limits).is_ready() {
                return Poll::Ready(Ending::TimedOut);
            }
        }
        Poll::Pending
    })
    .await
}

/// The times of one connection's reads and writes, shared by the socket and the slot that owns it. Both live in one
/// task, so the order of the atomics does not matter.
#[derive(Clone)]
pub(crate) struct Stamps {
    inner: Arc<StampsInner>,
}

struct StampsInner {
    base: Instant,
    last_read_ns: AtomicU64,
    reads: AtomicU64,
    /// 0 until something is written.
    last_write_ns: AtomicU64,
    /// The last write before a flush: hyper flushes when all it has is written. 0 until then.
    sent_ns: AtomicU64,
}

impl Stamps {
    fn new() -> Stamps {
        Stamps {
            inner: Arc::new(StampsInner {
                base: Instant::now(),
                last_read_ns: AtomicU64::new(0),
                reads: AtomicU64::new(0),
                last_write_ns: AtomicU64::new(0),
                sent_ns: AtomicU64::new(0),
            }),
        }
    }

    /// Forgets what was written before.
    pub(crate) fn begin(&self) {
        self.inner.last_write_ns.store(0, Ordering::Relaxed);
        self.inner.sent_ns.store(0, Ordering::Relaxed);
    }

    fn ns(&self, at: Instant) -> u64 {
        // 584 years fit.
        u64::try_from(at.saturating_duration_since(self.inner.base).as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.ns(Instant::now())
    }

    pub(crate) fn last_read_ns(&self) -> u64 {
        self.inner.last_read_ns.load(Ordering::Relaxed)
    }

    pub(crate) fn reads(&self) -> u64 {
        self.inner.reads.load(Ordering::Relaxed)
    }

    fn sent_ns(&self) -> Option<u64> {
        Some(self.inner.sent_ns.load(Ordering::Relaxed)).filter(|sent| *sent != 0)
    }

    fn mark_read(&self) {
        self.inner.last_read_ns.store(self.now_ns(), Ordering::Relaxed);
        self.inner.reads.fetch_add(1, Ordering::Relaxed);
    }

    fn mark_write(&self) {
        self.inner.last_write_ns.store(self.now_ns(), Ordering::Relaxed);
    }

    fn mark_flush(&self) {
        self.inner.sent_ns.store(
            self.inner.last_write_ns.load(Ordering::Relaxed),
            Ordering::Relaxed,
        );
    }
}

/// A TCP stream that stamps its reads and writes.
pub(crate) struct Stamped {
    stream: TcpStream,
    stamps: Stamps,
}

impl Stamped {
    pub(crate) fn new(stream: TcpStream, stamps: Stamps) -> Stamped {
        Stamped { stream, stamps }
    }

    fn stamp_write(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.stamps.mark_write();
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
            self.stamps.mark_read();
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
        self.stamps.mark_flush();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
