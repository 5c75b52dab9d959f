//! One exchange: the connection, the request, the answer to its end, and what is known when a limit cuts it off.
//! Times come as stamps; the clock itself is `request.rs`'s.

use std::time::{Duration, Instant};

use contracts::text;
use http::uri::PathAndQuery;

use crate::connection::{Connection, Fault};
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::head;
use crate::observation::Observation;
use crate::outcome::Ending;
use crate::request::{Call, nanoseconds, now};
use crate::tally::Tally;

/// Longest body of an answer that is no stream, in bytes; what is longer is cut.
const BODY_LIMIT: usize = 1 << 20;
/// How long a server may keep the connection open after `[DONE]` before it is dropped.
const DONE_GRACE: Duration = Duration::from_secs(1);

/// The state of one request under way; what it has seen outlives the work when a limit cuts it off.
pub(crate) struct Exchange {
    pub(crate) start: Instant,
    pub(crate) tally: Tally,
    pub(crate) observation: Observation,
    pub(crate) status_text: Option<String>,
    /// Kept alive only after a clean end.
    pub(crate) connection: Option<Connection>,
}

impl Exchange {
    /// Sends the request and follows the answer; says how the exchange of bytes ended.
    pub(crate) async fn run(&mut self, endpoint: &Endpoint, header_lines: &[u8], call: &Call<'_>) -> Ending {
        let Ok(path) = PathAndQuery::try_from(endpoint.path(call.path)) else {
            return Ending::NoAnswer(format!("{} is not a path", call.path));
        };
        if let Err(error) = self.connect(endpoint).await {
            return Ending::NoAnswer(error.to_string());
        }
        let connection = self
            .connection
            .as_mut()
            .expect("connect leaves a connection or an error");
        let request = head::of_request(path.as_str(), header_lines, call.body.len());
        let reads_before = connection.last_read().read;
        let head = match connection.send(request, call.body.clone()).await {
            Ok(head) => head,
            Err(fault) if connection.last_read().read == reads_before => {
                return Ending::NoAnswer(fault.to_string());
            }
            Err(fault) => return fault.ending(),
        };
        self.observation.headers_ns = Some(connection.last_read().since(self.start).at_ns);
        self.observation.http_status = Some(head.status);
        self.observation.retry_after_s = head.retry_after_s;
        let followed = if head.status == 200 {
            self.stream().await
        } else {
            self.failure().await
        };
        followed.unwrap_or_else(|fault| fault.ending())
    }

    /// Leaves an open connection: the idle one when it lives, else a new one.
    async fn connect(&mut self, endpoint: &Endpoint) -> Result<(), ClientError> {
        if let Some(idle) = &mut self.connection {
            if idle.is_alive().await {
                return Ok(());
            }
            self.connection = None;
        }
        let before = now();
        // Boxed: a TLS handshake has a large state, and a request that finds a connection open need not carry it.
        let connection = Box::pin(Connection::open(endpoint)).await?;
        self.observation.connect_ns = Some(nanoseconds(before, now()));
        self.observation.opened_connection = true;
        self.connection = Some(connection);
        Ok(())
    }

    /// Follows a 200 answer: an event stream, or something else in one piece.
    async fn stream(&mut self) -> Result<Ending, Fault> {
        let connection = open(&mut self.connection);
        let mut is_stream = false;
        while let Some(piece) = connection.piece().await? {
            if !is_stream {
                match piece.bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    Some(b'{' | b'[' | b'<' | b'"') => {
                        let mut text = piece.bytes.to_vec();
                        let ending = match read_whole(connection, &mut text).await {
                            Ok(ending) => ending,
                            Err(fault) => fault.ending(),
                        };
                        return Ok(self.not_a_stream(&text, ending));
                    }
                    Some(_) => is_stream = true,
                    None => {}
                }
            }
            if let Err(error) = self.tally.push(piece.bytes, piece.stamp.since(self.start)) {
                return Ok(Ending::Malformed(error.to_string()));
            }
            if self.tally.is_done() {
                let rest = tokio::time::timeout(DONE_GRACE, self.drain());
                return rest.await.unwrap_or_else(|_| {
                    Ok(Ending::Broken(
                        "the connection stayed open after [DONE]".to_owned(),
                    ))
                });
            }
        }
        self.tally.finish(connection.last_read().since(self.start));
        Ok(Ending::Clean)
    }

    /// Reads what follows `[DONE]`, which should be the end of the body, so that the connection can be kept.
    async fn drain(&mut self) -> Result<Ending, Fault> {
        let connection = open(&mut self.connection);
        while let Some(piece) = connection.piece().await? {
            if let Err(error) = self.tally.push(piece.bytes, piece.stamp.since(self.start)) {
                return Ok(Ending::Malformed(error.to_string()));
            }
        }
        Ok(Ending::Clean)
    }

    /// Reads the text of an answer that is no success.
    async fn failure(&mut self) -> Result<Ending, Fault> {
        let mut text = Vec::new();
        let ending = read_whole(open(&mut self.connection), &mut text).await;
        self.status_text = Some(crate::chunk::error_body_text(&text));
        ending
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
}

fn open(connection: &mut Option<Connection>) -> &mut Connection {
    connection
        .as_mut()
        .expect("the connection lives while its answer is read")
}

/// Reads a short body to its end.
async fn read_whole(connection: &mut Connection, text: &mut Vec<u8>) -> Result<Ending, Fault> {
    while let Some(piece) = connection.piece().await? {
        let room = BODY_LIMIT.saturating_sub(text.len());
        text.extend_from_slice(&piece.bytes[..piece.bytes.len().min(room)]);
        if text.len() >= BODY_LIMIT {
            let error = format!("an answer in one piece of {BODY_LIMIT} bytes or more");
            return Ok(Ending::Malformed(error));
        }
    }
    Ok(Ending::Clean)
}
