//! A connection to the mail server, of which no more is read than a conversation about one mail can need. lettre looks
//! for the end of a line first and for its length then: a line without an end would fill the memory.

use super::meaning;
use crate::{Mail, MailTls, SendError};
use lettre::transport::smtp::{
    Error,
    client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters},
    extension::ClientId,
};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// A greeting, ten answers and a chain of certificates are some 20 kB.
const MOST: usize = 256 * 1024;

/// How what is said to the server is protected.
#[derive(Clone)]
pub(super) enum Protection {
    /// Not at all, as configured.
    None,
    /// From STARTTLS on.
    StartTls(TlsParameters),
    /// From the first byte.
    Tls(TlsConnector, ServerName<'static>),
}

impl Protection {
    /// As configured. Err: why it cannot be prepared.
    pub(super) fn of(settings: &Mail) -> Result<Self, String> {
        match settings.tls {
            MailTls::None => Ok(Self::None),
            MailTls::StartTls => TlsParameters::new(settings.host.clone())
                .map(Self::StartTls)
                .map_err(|error| error.to_string()),
            MailTls::Tls => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                Self::tls(&settings.host, roots)
            }
        }
    }

    fn tls(host: &str, roots: RootCertStore) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::Tls(TlsConnector::from(Arc::new(config)), name))
    }
}

/// A connection whose server has greeted us; with STARTTLS it is still to be protected.
pub(super) struct Opened {
    pub(super) connection: AsyncSmtpConnection,
    /// The server's, where it was protected from the first byte.
    certificate: Option<Vec<u8>>,
}

impl Opened {
    /// Connects, and hears the greeting. `patience`: for reaching the server; who greets late is for the caller to limit.
    pub(super) async fn to(
        (host, port): (&str, u16),
        protection: &Protection,
        hello: &ClientId,
        patience: Duration,
    ) -> Result<Self, SendError> {
        let unreached = |error: io::Error| SendError::retryable(unreached(&error));
        let stream = reach(host, port, patience).await.map_err(unreached)?;
        let peer = stream.peer_addr().map_err(unreached)?;
        let (stream, certificate): (Box<dyn AsyncTokioStream>, _) = match protection {
            Protection::None | Protection::StartTls(_) => (Box::new(Bounded::new(stream, peer)), None),
            Protection::Tls(connector, name) => {
                let stream = connector.connect(name.clone(), stream).await.map_err(|error| {
                    SendError::retryable(format!(
                        "no protected connection to the mail server ({error}): check its name, its certificate and `tls`"
                    ))
                })?;
                let certificates = stream.get_ref().1.peer_certificates();
                let certificate = certificates.and_then(<[_]>::first).map(|first| first.to_vec());
                (Box::new(Bounded::new(stream, peer)), certificate)
            }
        };
        let connection = AsyncSmtpConnection::connect_with_transport(stream, hello)
            .await
            .map_err(|error| meaning(&error, false))?;
        Ok(Self { connection, certificate })
    }

    /// STARTTLS, where it is to be. A server that does not offer it is refused.
    pub(super) async fn protect(&mut self, protection: &Protection, hello: &ClientId) -> Result<(), Error> {
        match protection {
            Protection::StartTls(parameters) => self.connection.starttls(parameters.clone(), hello).await,
            Protection::None | Protection::Tls(..) => Ok(()),
        }
    }

    /// The server's certificate, in DER.
    pub(super) fn certificate(&self) -> Option<Vec<u8>> {
        self.certificate.clone().or_else(|| self.connection.peer_certificate().ok())
    }
}

/// The first of the host's addresses that answers; each has an equal part of the time.
async fn reach(host: &str, port: u16, patience: Duration) -> io::Result<TcpStream> {
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let addresses: Vec<SocketAddr> =
        timeout(patience, lookup_host((host, port))).await.map_err(|_| late())??.collect();
    let each = patience / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for address in addresses {
        match timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = late(),
        }
    }
    Err(last)
}

fn unreached(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::TimedOut {
        return "the mail server cannot be reached in time".to_owned();
    }
    format!("the mail server cannot be reached: {error}")
}

/// A stream of which no more than [`MOST`] is read.
struct Bounded<S> {
    stream: S,
    peer: SocketAddr,
    left: usize,
}

impl<S> Bounded<S> {
    fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, left: MOST }
    }
}

impl<S> fmt::Debug for Bounded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("peer", &self.peer).field("left", &self.left).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for Bounded<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            let why = format!("it answers without end (over {} kB)", MOST / 1024);
            return Poll::Ready(Err(io::Error::other(why)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
