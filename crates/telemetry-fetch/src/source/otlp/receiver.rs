//! The port that an engine sends its spans to. HTTP/1.1 and HTTP/2 are told apart by the first bytes of a connection; gRPC is
//! one POST over HTTP/2 whose status stands in the trailers, which needs no framework of its own.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::body::{LONGEST, Refusal, framed, message};
use super::{Ledger, Received};

/// Where OTLP over HTTP is sent to.
const HTTP_PATH: &str = "/v1/traces";
/// The same as a gRPC method.
const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// A frame around a message of the greatest length.
const LONGEST_BODY: usize = LONGEST + 5;
/// An engine has one exporter for each of its processes.
const MOST_CONNECTIONS: usize = 256;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_OK: HeaderValue = HeaderValue::from_static("0");

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// A port that takes spans until it is dropped or finished.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// Listens on this machine only; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken or not allowed.
    pub(crate) async fn open(port: u16) -> io::Result<Receiver> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&ledger)));
        Ok(Receiver {
            address,
            ledger,
            accepting,
        })
    }

    /// What came in, for a window.
    pub(crate) fn finish(self, start_at: Timestamp, end_at: Timestamp) -> Received {
        self.accepting.abort();
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        Received {
            address: self.address,
            ledger: std::mem::take(&mut *ledger),
            start_at,
            end_at,
        }
    }
}

async fn accept(listener: TcpListener, ledger: Arc<Mutex<Ledger>>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        // An error of one connection, or no file left for it: the next one may fare better.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            serve(stream, ledger).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, ledger: Arc<Mutex<Ledger>>) {
    let service = service_fn(move |request| {
        let ledger = Arc::clone(&ledger);
        async move { Ok::<_, Infallible>(answer(request, &ledger).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    // A peer that breaks off, or speaks something else, has nobody to be told.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, ledger: &Mutex<Ledger>) -> Answer {
    let of = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = of(CONTENT_TYPE).unwrap_or_default();
    let is_grpc = content_type.starts_with("application/grpc");
    let encoding = of(if is_grpc { GRPC_ENCODING } else { CONTENT_ENCODING }).map(str::to_owned);
    let refused = match (is_grpc, request.uri().path(), request.method()) {
        (true, GRPC_PATH, &Method::POST) => None,
        (true, ..) => return grpc_refusal(12, "only traces are taken"),
        (false, HTTP_PATH, &Method::POST) if content_type.starts_with("application/x-protobuf") => None,
        (false, HTTP_PATH, &Method::POST) => Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send http/protobuf")),
        (false, HTTP_PATH, _) => Some((StatusCode::METHOD_NOT_ALLOWED, "post to it")),
        (false, ..) => Some((StatusCode::NOT_FOUND, "only /v1/traces is taken")),
    };
    if let Some((status, why)) = refused {
        if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).malformed += 1;
        }
        return http_answer(status, why);
    }
    let read = Limited::new(request.into_body(), LONGEST_BODY).collect().await;
    let taken = match read {
        Ok(body) => taken(&body.to_bytes(), is_grpc, encoding.as_deref(), ledger),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refusal::TooLong),
        Err(_) => Err(Refusal::Damaged),
    };
    match (taken, is_grpc) {
        (Ok(()), true) => grpc_success(),
        (Ok(()), false) => http_answer(StatusCode::OK, ""),
        (Err(Refusal::TooLong), true) => grpc_refusal(8, "too long"),
        (Err(Refusal::TooLong), false) => http_answer(StatusCode::PAYLOAD_TOO_LARGE, "too long"),
        (Err(Refusal::Encoding), true) => grpc_refusal(12, "unknown compression"),
        (Err(Refusal::Encoding), false) => {
            http_answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown compression")
        }
        (Err(Refusal::Damaged), true) => grpc_refusal(3, "no trace request"),
        (Err(Refusal::Damaged), false) => http_answer(StatusCode::BAD_REQUEST, "no trace request"),
    }
}

fn taken(body: &[u8], is_grpc: bool, encoding: Option<&str>, ledger: &Mutex<Ledger>) -> Result<(), Refusal> {
    let message = if is_grpc {
        framed(body, encoding)
    } else {
        message(body, encoding)
    };
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let message = message.inspect_err(|_| ledger.malformed += 1)?;
    ledger.take(&message).map_err(|_| Refusal::Damaged)
}

fn http_answer(status: StatusCode, text: &'static str) -> Answer {
    let kind = if status == StatusCode::OK {
        "application/x-protobuf"
    } else {
        "text/plain"
    };
    let mut answer = Response::new(Full::from(text).boxed());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An empty message, and the status behind it.
fn grpc_success() -> Answer {
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, GRPC_OK)]);
    let frame = Full::from(&[0_u8; 5][..]).with_trailers(ready(Some(Ok(trailers))));
    grpc(frame.boxed())
}

/// A status without a message stands in the head.
fn grpc_refusal(status: u8, why: &'static str) -> Answer {
    let mut answer = grpc(Empty::new().boxed());
    answer
        .headers_mut()
        .insert(GRPC_STATUS, HeaderValue::from(u16::from(status)));
    answer
        .headers_mut()
        .insert("grpc-message", HeaderValue::from_static(why));
    answer
}

fn grpc(body: BoxBody<Bytes, Infallible>) -> Answer {
    let mut answer = Response::new(body);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    answer
}
