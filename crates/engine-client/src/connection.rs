//! One HTTP/1.1 connection that belongs to one slot, driven by the task that uses it: nothing is spawned, so nothing
//! reads ahead of the request that is being measured, and dropping the slot closes the connection.

use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::relay::Relay;
use crate::request::{Stamped, Stamps};

type Driver = http1::Connection<TokioIo<Transport>, Full<Bytes>>;

/// An open connection.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once hyper has finished with the connection.
    driver: Option<Driver>,
    relay: Relay,
}

impl Connection {
    /// Connects, with TLS where the endpoint asks for it.
    pub(crate) async fn open(endpoint: &Endpoint, stamps: &Stamps) -> Result<Connection, ClientError> {
        let stream = connect(endpoint).await?;
        let stamped = Stamped::new(stream, stamps.clone());
        let transport = if endpoint.is_tls() {
            let name = rustls::pki_types::ServerName::try_from(endpoint.host().to_owned()).map_err(|_| {
                ClientError::BadUrl {
                    url: endpoint.to_string(),
                    reason: "TLS has no such host name",
                }
            })?;
            let tls = endpoint.tls().connect(name, stamped).await;
            Transport::Tls(Box::new(
                tls.map_err(|error| ClientError::of_io(endpoint, &error))?,
            ))
        } else {
            Transport::Plain(stamped)
        };
        let (sender, driver) =
            http1::handshake(TokioIo::new(transport))
                .await
                .map_err(|error| ClientError::Unreachable {
                    url: endpoint.to_string(),
                    reason: error.to_string(),
                })?;
        Ok(Connection {
            sender,
            driver: Some(driver),
            relay: Relay::new(),
        })
    }

    /// Whether the connection can take a request, as far as one look at the socket tells. A server that closed it
    /// while it was idle is noticed here, before anything is written.
    pub(crate) async fn is_alive(&mut self) -> bool {
        std::future::poll_fn(|context| {
            let _ = self.poll(context, |_, _| Poll::<Option<()>>::Pending);
            Poll::Ready(())
        })
        .await;
        self.driver.is_some() && !self.sender.is_closed()
    }

    /// Whether the server closes the connection within this time.
    pub(crate) async fn closes_within(&mut self, wait: std::time::Duration) -> bool {
        let closed = std::future::poll_fn(|context| {
            self.poll(context, |sender, _| {
                if sender.is_closed() {
                    Poll::Ready(Some(()))
                } else {
                    Poll::Pending
                }
            })
        });
        tokio::time::timeout(wait, closed).await.is_ok()
    }

    /// Sends the request and waits for the head of the answer.
    pub(crate) async fn head(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        std::future::poll_fn(|context| {
            self.poll(context, |sender, context| sender.poll_ready(context).map(Some))
        })
        .await?;
        let mut answer = std::pin::pin!(self.sender.send_request(request));
        let (driver, relay) = (&mut self.driver, &mut self.relay);
        std::future::poll_fn(|context| {
            relay.poll(context, |context| {
                drive(driver, context);
                answer.as_mut().poll(context).map(Some)
            })
        })
        .await
    }

    /// Hands every piece of the body to `on_piece` as it arrives, until the body ends (`None`) or `on_piece` breaks.
    pub(crate) async fn follow<B>(
        &mut self,
        body: &mut Incoming,
        mut on_piece: impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> Result<Option<B>, hyper::Error> {
        std::future::poll_fn(|context| {
            self.poll(context, |_, context| {
                let frame = match std::task::ready!(Pin::new(&mut *body).poll_frame(context)) {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(Some(Ok(None))),
                };
                // Trailers say nothing that is measured.
                let flow = frame.data_ref().map(|bytes| on_piece(bytes));
                match flow {
                    Some(ControlFlow::Break(value)) => Poll::Ready(Some(Ok(Some(value)))),
                    Some(ControlFlow::Continue(())) | None => Poll::Ready(None),
                }
            })
        })
        .await
    }

    fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut http1::SendRequest<Full<Bytes>>, &mut Context<'_>) -> Poll<Option<T>>,
    ) -> Poll<T> {
        let (sender, driver) = (&mut self.sender, &mut self.driver);
        self.relay.poll(context, |context| {
            drive(driver, context);
            poll(sender, context)
        })
    }
}

fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    if let Some(running) = driver
        && Pin::new(running).poll(context).is_ready()
    {
        // What went wrong, if anything, reaches the answer or its body.
        *driver = None;
    }
}

async fn connect(endpoint: &Endpoint) -> Result<TcpStream, ClientError> {
    let addresses = endpoint
        .addresses()
        .await
        .map_err(|error| ClientError::of_io(endpoint, &error))?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is written at once; waiting for more would delay it.
                stream
                    .set_nodelay(true)
                    .map_err(|error| ClientError::of_io(endpoint, &error))?;
                endpoint.remember(address);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(ClientError::of_io(endpoint, &last))
}

/// Plain or TLS. The stamps lie below TLS, where the bytes arrive.
enum Transport {
    Plain(Stamped),
    Tls(Box<tokio_rustls::client::TlsStream<Stamped>>),
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
