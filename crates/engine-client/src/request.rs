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
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contracts::text;
use http::header::{HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::cancel::Cancel;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::headers::Headers;
use crate::observation::Observation;
use crate::outcome::{Ending, Facts, decide};
use crate::relay::Relay;
use crate::tally::{Arrival, Tally};

/// Counts the tokens of a text.
pub type CountTokens<'a> = &'a (dyn Fn(&str) -> usize + Send + Sync);

/// Longest body of an answer that is no stream, in bytes; what is longer is cut.
const BODY_LIMIT: usize = 1 << 20;
/// How long a server may keep the connection open after `[DONE]` before it is dropped.
const DONE_GRACE: Duration = Duration::from_secs(1);

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
    limits: Arc<Relay>,
    limits_waker: Waker,
    opened: u64,
}

impl Slot {
    /// A slot without a connection; the first request opens one.
    pub fn new(endpoint: Endpoint, headers: Headers) -> Slot {
        let mut map = headers.map().clone();
        if let Ok(host) = HeaderValue::from_str(endpoint.authority()) {
            map.insert(HOST, host);
        }
        let limits = Arc::new(Relay::default());
        let limits_waker = Waker::from(Arc::clone(&limits));
        Slot {
            endpoint,
            headers,
            map,
            stamps: Stamps::new(),
            idle: None,
            limits,
            limits_waker,
            opened: 0,
        }
    }

    /// Connections opened so far.
    pub fn connections_opened(&self) -> u64 {
        self.opened
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
        let ending = {
            let work = exchange.run(&self.endpoint, &self.map, &self.stamps, call);
            limited(work, call, &self.limits, &self.limits_waker).await
        };
        exchange.observation.ended_ns = self.stamps.now_ns().saturating_sub(exchange.start_ns);
        self.opened += u64::from(exchange.observation.opened_connection);
        if ending == Ending::Clean {
            self.idle = exchange.connection.take();
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

/// The state of one request under way; what it has seen outlives the work when a limit cuts it off.
struct Exchange {
    start_ns: u64,
    tally: Tally,
    observation: Observation,
    status_text: Option<String>,
    /// Kept alive only after a clean end.
    connection: Option<Connection>,
}

impl Exchange {
    async fn run(
        &mut self,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        stamps: &Stamps,
        call: &Call<'_>,
    ) -> Ending {
        let Ok(uri) = Uri::try_from(endpoint.path(call.path)) else {
            return Ending::NoAnswer(format!("{} is not a path", call.path));
        };
        if let Err(error) = self.connect(endpoint, stamps).await {
            return Ending::NoAnswer(error.to_string());
        }
        let connection = self
            .connection
            .as_mut()
            .expect("connect leaves a connection or an error");
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers.clone();
        let reads_before = stamps.reads();
        let answer = match connection.head(request).await {
            Ok(answer) => answer,
            Err(error) if stamps.reads() == reads_before => return Ending::NoAnswer(describe(&error)),
            Err(error) => return broken(&error),
        };
        self.observation.headers_ns = Some(self.arrival(stamps).at_ns);
        self.observation.http_status = Some(answer.status().as_u16());
        self.observation.retry_after_s = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok());
        let is_ok = answer.status().as_u16() == 200;
        let mut body = answer.into_body();
        if is_ok {
            self.stream(stamps, &mut body).await
        } else {
            let mut text = Vec::new();
            let ending = self.read_whole(&mut body, &mut text).await;
            self.status_text = Some(crate::chunk::error_body_text(&text));
            ending
        }
    }

    /// Leaves an open connection: the idle one when it lives, else a new one.
    async fn connect(&mut self, endpoint: &Endpoint, stamps: &Stamps) -> Result<(), ClientError> {
        if let Some(idle) = &mut self.connection {
            if idle.is_alive().await {
                return Ok(());
            }
            self.connection = None;
        }
        let before = stamps.now_ns();
        let connection = Connection::open(endpoint, stamps).await?;
        self.observation.connect_ns = Some(stamps.now_ns().saturating_sub(before));
        self.observation.opened_connection = true;
        // What the handshake wrote was not the request.
        stamps.begin();
        self.connection = Some(connection);
        Ok(())
    }

    /// Follows a 200 answer: an event stream, or something else in one piece.
    async fn stream(&mut self, stamps: &Stamps, body: &mut Incoming) -> Ending {
        let mut is_stream = false;
        loop {
            let next = {
                let connection = self
                    .connection
                    .as_mut()
                    .expect("the connection lives while its answer is read");
                let next = connection.next(body);
                if self.tally.is_done() {
                    match tokio::time::timeout(DONE_GRACE, next).await {
                        Ok(next) => next,
                        Err(_) => {
                            return Ending::Broken("the connection stayed open after [DONE]".to_owned());
                        }
                    }
                } else {
                    next.await
                }
            };
            let bytes = match next {
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => return broken(&error),
                None => {
                    self.tally.finish(self.arrival(stamps));
                    return Ending::Clean;
                }
            };
            if !is_stream {
                match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    Some(b'{' | b'[' | b'<' | b'"') => {
                        let mut text = bytes.to_vec();
                        let ending = self.read_whole(body, &mut text).await;
                        return self.not_a_stream(&text, ending);
                    }
                    Some(_) => is_stream = true,
                    None => {}
                }
            }
            let arrival = self.arrival(stamps);
            if let Err(error) = self.tally.push(&bytes, arrival) {
                return Ending::Malformed(error.to_string());
            }
        }
    }

    fn not_a_stream(&mut self, body: &[u8], ending: Ending) -> Ending {
        let is_json = self.tally.take_body(body);
        match ending {
            // An error object is an outcome of its own, and leaves the connection usable.
            Ending::Clean if self.tally.error().is_some() => Ending::Clean,
            Ending::Clean if is_json => Ending::NotAStream(
                "the server answered in one piece although a stream was asked for".to_owned(),
            ),
            Ending::Clean => Ending::NotAStream(format!(
                "the answer is neither an event stream nor JSON: {}",
                text::clean_bytes(body, 200)
            )),
            other => other,
        }
    }

    /// Reads a short body to its end.
    async fn read_whole(&mut self, body: &mut Incoming, text: &mut Vec<u8>) -> Ending {
        let connection = self
            .connection
            .as_mut()
            .expect("the connection lives while its answer is read");
        while let Some(next) = connection.next(body).await {
            match next {
                Ok(bytes) => text.extend_from_slice(&bytes),
                Err(error) => return broken(&error),
            }
            if text.len() > BODY_LIMIT {
                text.truncate(BODY_LIMIT);
                return Ending::Malformed(format!("an answer in one piece of more than {BODY_LIMIT} bytes"));
            }
        }
        Ending::Clean
    }

    fn arrival(&self, stamps: &Stamps) -> Arrival {
        Arrival {
            at_ns: stamps.last_read_ns().saturating_sub(self.start_ns),
            read: stamps.reads(),
        }
    }
}

/// Runs `work` until it ends, the time limit passes or the switch is thrown; the limits are looked at only when they
/// woke the task, not for every chunk.
async fn limited(
    work: impl Future<Output = Ending>,
    call: &Call<'_>,
    relay: &Arc<Relay>,
    waker: &Waker,
) -> Ending {
    let mut work = pin!(work);
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
        if relay.take_wake(context.waker()) || std::mem::take(&mut is_first) {
            let limits = &mut Context::from_waker(waker);
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

/// An error in the middle of an answer: bytes that HTTP does not allow, or a connection that broke.
fn broken(error: &hyper::Error) -> Ending {
    let mut is_malformed = error.is_parse();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            // What hyper's chunk decoder says of bad framing; a broken connection has other kinds.
            is_malformed |= matches!(
                cause.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            );
        }
        source = cause.source();
    }
    if is_malformed {
        Ending::Malformed(describe(error))
    } else {
        Ending::Broken(describe(error))
    }
}

/// An error and its causes.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
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
    fn begin(&self) {
        self.inner.last_write_ns.store(0, Ordering::Relaxed);
        self.inner.sent_ns.store(0, Ordering::Relaxed);
    }

    fn ns(&self, at: Instant) -> u64 {
        // 584 years fit.
        u64::try_from(at.saturating_duration_since(self.inner.base).as_nanos()).unwrap_or(u64::MAX)
    }

    fn now_ns(&self) -> u64 {
        self.ns(Instant::now())
    }

    fn last_read_ns(&self) -> u64 {
        self.inner.last_read_ns.load(Ordering::Relaxed)
    }

    fn reads(&self) -> u64 {
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
