//! The body of an API's answer: whole, cut short, or without end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// What is sent after the headers.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// All of it.
    Whole(Option<Bytes>),
    /// The first half, then the connection breaks.
    HalfThenBreak(Option<Bytes>, Pin<Box<Sleep>>),
    /// Chunks as fast as they are read, with a breath in between, for ever.
    Endless(Pin<Box<Sleep>>),
}

impl AnswerBody {
    pub(crate) fn endless() -> Self {
        Self::Endless(Box::pin(tokio::time::sleep(Duration::ZERO)))
    }

    pub(crate) fn half_then_break(all: Bytes) -> Self {
        Self::HalfThenBreak(Some(all), Box::pin(tokio::time::sleep(BREATH)))
    }
}

const FILLER: &[u8] = &[b' '; 16 * 1024];
const BREATH: Duration = Duration::from_millis(5);

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::HalfThenBreak(bytes, breath) => match bytes.take() {
                Some(all) => Poll::Ready(Some(Ok(Frame::data(all.slice(..all.len() / 2))))),
                // The first half goes out while this waits: an error at once would break the connection before the headers.
                None => {
                    breath.as_mut().poll(context).map(|()| Some(Err(io::ErrorKind::ConnectionReset.into())))
                }
            },
            Self::Endless(breath) => match breath.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(()) => {
                    breath.as_mut().reset(Instant::now() + BREATH);
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(FILLER)))))
                }
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // The headers promise all of it; that is the lie.
            Self::Whole(Some(bytes)) | Self::HalfThenBreak(Some(bytes), _) => {
                SizeHint::with_exact(bytes.len() as u64)
            }
            Self::Whole(None) => SizeHint::with_exact(0),
            Self::HalfThenBreak(None, _) | Self::Endless(_) => SizeHint::default(),
        }
    }
}
