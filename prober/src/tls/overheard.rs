//! A secured connection whose alerts are kept: HTTP/2 tells that it is over, and not why.

use super::{Witness, cause};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection, and who is told what the server says when it breaks off.
pub(crate) struct Overheard<IO> {
    io: IO,
    witness: Option<Arc<Witness>>,
}

impl<IO> Overheard<IO> {
    pub(crate) const fn new(io: IO, witness: Option<Arc<Witness>>) -> Self {
        Self { io, witness }
    }

    fn hears<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            && let Some(witness) = &self.witness
            && let Some(rustls::Error::AlertReceived(alert)) = cause(error)
        {
            witness.alert.get_or_init(|| *alert);
        }
        done
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Overheard<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = ready!(Pin::new(&mut self.io).poll_read(context, buffer));
        Poll::Ready(self.hears(done))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Overheard<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = ready!(Pin::new(&mut self.io).poll_write(context, bytes));
        Poll::Ready(self.hears(done))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = ready!(Pin::new(&mut self.io).poll_flush(context));
        Poll::Ready(self.hears(done))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = ready!(Pin::new(&mut self.io).poll_shutdown(context));
        Poll::Ready(self.hears(done))
    }
}
