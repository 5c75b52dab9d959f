//! What carries a connection's bytes: TCP, or TLS above it. The socket stamps below TLS, where the bytes arrive.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::request::Stamped;

pub(crate) enum Transport {
    Plain(Stamped),
    Tls(Box<TlsStream<Stamped>>),
}

impl Transport {
    /// Connects, with TLS where the endpoint asks for it.
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Transport, ClientError> {
        let failed = |error: io::Error| ClientError::of_io(endpoint, &error);
        let socket = Stamped::new(connect(endpoint).await.map_err(failed)?);
        if !endpoint.is_tls() {
            return Ok(Transport::Plain(socket));
        }
        let name = rustls::pki_types::ServerName::try_from(endpoint.host().to_owned()).map_err(|_| {
            ClientError::BadUrl {
                url: endpoint.to_string(),
                reason: "TLS has no such host name",
            }
        })?;
        let tls = endpoint.tls().connect(name, socket).await.map_err(failed)?;
        Ok(Transport::Tls(Box::new(tls)))
    }

    pub(crate) fn socket(&self) -> &Stamped {
        match self {
            Transport::Plain(socket) => socket,
            Transport::Tls(tls) => tls.get_ref().0,
        }
    }

    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Transport::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Transport::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Transport::Plain(socket) => Pin::new(socket).poll_write_vectored(context, slices),
            Transport::Tls(tls) => Pin::new(tls).poll_write_vectored(context, slices),
        }
    }

    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Transport::Plain(socket) => Pin::new(socket).poll_flush(context),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }
}

async fn connect(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in endpoint.addresses().await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is written at once; waiting for more would delay it.
                stream.set_nodelay(true)?;
                endpoint.remember(address);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
