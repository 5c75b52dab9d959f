//! One exchange: the connection, the request, the answer to its end, and what is known when a limit cuts it off.
//! Times come as stamps; the clock itself is `request.rs`'s.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use contracts::text;
use http::header::{HeaderMap, RETRY_AFTER};
use http::{Method, Request, Uri};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::observation::Observation;
use crate::outcome::Ending;
use crate::request::{Call, Stamps};
use crate::sse::EventTooLong;
use crate::tally::{Arrival, Tally};

/// Longest body of an answer that is no stream, in bytes; what is longer is cut.
const BODY_LIMIT: usize = 1 << 20;
/// How long a server may keep the connection open after `[DONE]` before it is dropped.
const DONE_GRACE: Duration = Duration::from_secs(1);

/// The state of one request under way; what it has seen outlives the work when a limit cuts it off.
pub(crate) struct Exchange {
    pub(crate) start_ns: u64,
    pub(crate) tally: Tally,
    pub(crate) observation: Observation,
    pub(crate) status_text: Option<String>,
    /// Kept alive only after a clean end.
    pub(crate) connection: Option<Connection>,
}

impl Exchange {
    /// Sends the request and follows the answer; says how the exchange of bytes ended.
    pub(crate) async fn run(
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
        // Boxed: a TLS handshake has a large state, and a request that finds a connection open need not carry it.
        let connection = Box::pin(Connection::open(endpoint, stamps)).await?;
        self.observation.connect_ns = Some(stamps.now_ns().saturating_sub(before));
        self.observation.opened_connection = true;
        // What the handshake wrote was not the request.
        stamps.begin();
        self.connection = Some(connection);
        Ok(())
    }

    /// Follows a 200 answer: an event stream, or something else in one piece.
    async fn stream(&mut self, stamps: &Stamps, body: &mut Incoming) -> Ending {
        let Exchange {
            connection,
            tally,
            start_ns,
            ..
        } = self;
        let connection = connection
            .as_mut()
            .expect("the connection lives while its answer is read");
        let mut is_stream = false;
        let followed = connection.follow(body, |bytes| {
            if !is_stream {
                match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    Some(b'{' | b'[' | b'<' | b'"') => {
                        return ControlFlow::Break(Turn::Whole(bytes.to_vec()));
                    }
                    Some(_) => is_stream = true,
                    None => {}
                }
            }
            match tally.push(bytes, arrival(stamps, *start_ns)) {
                Err(error) => ControlFlow::Break(Turn::TooLong(error)),
                Ok(()) if tally.is_done() => ControlFlow::Break(Turn::Done),
                Ok(()) => ControlFlow::Continue(()),
            }
        });
        match followed.await {
            Ok(None) => {
                self.tally.finish(self.arrival(stamps));
                Ending::Clean
            }
            Ok(Some(Turn::Done)) => self.drain(stamps, body).await,
            Ok(Some(Turn::TooLong(error))) => Ending::Malformed(error.to_string()),
            Ok(Some(Turn::Whole(mut text))) => {
                let ending = self.read_whole(body, &mut text).await;
                self.not_a_stream(&text, ending)
            }
            Err(error) => broken(&error),
        }
    }

    /// Reads what follows `[DONE]`, which should be the end of the body, so that the connection can be kept.
    async fn drain(&mut self, stamps: &Stamps, body: &mut Incoming) -> Ending {
        let Exchange {
            connection,
            tally,
            start_ns,
            ..
        } = self;
        let connection = connection
            .as_mut()
            .expect("the connection lives while its answer is read");
        let rest = connection.follow(body, |bytes| {
            match tally.push(bytes, arrival(stamps, *start_ns)) {
                Err(error) => ControlFlow::Break(error),
                Ok(()) => ControlFlow::Continue(()),
            }
        });
        match tokio::time::timeout(DONE_GRACE, rest).await {
            Ok(Ok(None)) => Ending::Clean,
            Ok(Ok(Some(error))) => Ending::Malformed(error.to_string()),
            Ok(Err(error)) => broken(&error),
            Err(_) => Ending::Broken("the connection stayed open after [DONE]".to_owned()),
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
        let followed = connection.follow(body, |bytes| {
            text.extend_from_slice(&bytes[..bytes.len().min(BODY_LIMIT.saturating_sub(text.len()))]);
            if text.len() >= BODY_LIMIT {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        match followed.await {
            Ok(None) => Ending::Clean,
            Ok(Some(())) => {
                Ending::Malformed(format!("an answer in one piece of {BODY_LIMIT} bytes or more"))
            }
            Err(error) => broken(&error),
        }
    }

    fn arrival(&self, stamps: &Stamps) -> Arrival {
        arrival(stamps, self.start_ns)
    }
}

/// Why a stream is not followed as a stream any further.
enum Turn {
    /// It is none: this is how it begins.
    Whole(Vec<u8>),
    /// `[DONE]` has arrived.
    Done,
    /// An event outgrows the decoder.
    TooLong(EventTooLong),
}

/// When the bytes that are being looked at arrived.
fn arrival(stamps: &Stamps, start_ns: u64) -> Arrival {
    Arrival {
        at_ns: stamps.last_read_ns().saturating_sub(start_ns),
        read: stamps.reads(),
    }
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
