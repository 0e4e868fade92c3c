//! One request and its answer over a connection that is there: HTTP/1.1 or HTTP/2, read up to its limits.

use crate::{Limits, tls};
use bytes::{Bytes, BytesMut};
use domain::{Failure, FailureKind, Layer, Phases};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response, Version,
    body::{Body, Incoming},
    client::conn::{http1, http2},
    rt::Executor,
};
use hyper_util::rt::TokioIo;
use std::{
    error::Error as _,
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::{Instant, timeout_at},
};

/// What came over the wire.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    /// As much as came and was to be kept.
    pub(crate) body: Bytes,
    /// Bytes of body that came.
    pub(crate) bytes: u64,
    /// Why the body is not whole.
    pub(crate) broke_off: Option<Failure>,
}

/// How an exchange is bounded and what of it is kept.
pub(crate) struct Terms<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) deadline: Instant,
    /// Whether the body of an answer with this status is kept.
    pub(crate) keeps_body: &'a (dyn Fn(u16) -> bool + Sync),
    pub(crate) witness: Option<&'a tls::Witness>,
}

type Message = Request<Full<Bytes>>;

/// Over HTTP/1.1.
pub(crate) async fn http1<IO>(
    io: IO,
    request: Message,
    terms: &Terms<'_>,
    phases: &mut Phases,
) -> Result<Received, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(terms.limits.head)
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| terms.no_head(&error))?;
    let answer = sender.send_request(request);
    alongside(connection, receive(answer, terms, phases)).await
}

/// Over HTTP/2.
pub(crate) async fn http2<IO>(
    io: IO,
    request: Message,
    terms: &Terms<'_>,
    phases: &mut Phases,
) -> Result<Received, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let tasks = Tasks::default();
    let _ended = Ended(&tasks);
    let (mut sender, connection) = http2::Builder::new(tasks.clone())
        .max_header_list_size(u32::try_from(terms.limits.head).unwrap_or(u32::MAX))
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| terms.no_head(&error))?;
    let answer = sender.send_request(request);
    alongside(connection, receive(answer, terms, phases)).await
}

/// The tasks that hyper starts for an HTTP/2 connection: they end with the probe.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

/// Ends them: they hold the set that holds them, so dropping the set would not.
struct Ended<'a>(&'a Tasks);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Drives a connection for as long as it takes to `talk` over it, within the probe's own task.
async fn alongside<C: Future, T: Future>(connection: C, talk: T) -> T::Output {
    let mut connection = pin!(connection);
    let mut talk = pin!(talk);
    let mut over = false;
    std::future::poll_fn(move |context| {
        if let Poll::Ready(said) = talk.as_mut().poll(context) {
            return Poll::Ready(said);
        }
        // What went wrong with the connection is told by the talk.
        over = over || connection.as_mut().poll(context).is_ready();
        talk.as_mut().poll(context)
    })
    .await
}

async fn receive(
    answer: impl Future<Output = hyper::Result<Response<Incoming>>>,
    terms: &Terms<'_>,
    phases: &mut Phases,
) -> Result<Received, Failure> {
    let sent = Instant::now();
    let answer = timeout_at(terms.deadline, answer).await;
    let head = Instant::now();
    phases.first_byte = Some(head - sent);
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(terms.no_head(&error)),
        Err(_) => {
            return Err(Failure {
                layer: Layer::Backend,
                kind: FailureKind::FirstByteTimeout,
                message: format!("connected, but no whole head of an answer within {:.1?}", head - sent),
            });
        }
    };
    let (head_of, body) = answer.into_parts();
    let mut received = Received {
        status: head_of.status.as_u16(),
        version: head_of.version,
        headers: head_of.headers,
        body: Bytes::new(),
        bytes: 0,
        broke_off: None,
    };
    let read = timeout_at(terms.deadline, terms.body(body, &mut received)).await;
    let took = head.elapsed();
    phases.body = Some(took);
    received.broke_off = match read {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(_) => Some(Failure {
            layer: Layer::Backend,
            kind: FailureKind::BodyTimeout,
            message: format!("the body did not end within {took:.1?}: {} bytes came", received.bytes),
        }),
    };
    Ok(received)
}

impl Terms<'_> {
    async fn body(&self, body: Incoming, received: &mut Received) -> Result<(), Failure> {
        let limit = u64::try_from(self.limits.body).unwrap_or(u64::MAX);
        let too_large = || Failure {
            layer: Layer::Contract,
            kind: FailureKind::TooLarge,
            message: format!("the body is larger than {limit} bytes"),
        };
        if body.size_hint().lower() > limit {
            return Err(too_large());
        }
        let keeps = (self.keeps_body)(received.status);
        let mut many = BytesMut::new();
        let mut body = pin!(body);
        let read = loop {
            let frame = match body.as_mut().frame().await {
                None => break Ok(()),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => break Err(broken_body(&error, received.bytes)),
            };
            let Ok(piece) = frame.into_data() else { continue };
            received.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if received.bytes > limit {
                break Err(too_large());
            }
            if !keeps {
                continue;
            }
            // Most bodies come in one piece, which need not be copied.
            if received.body.is_empty() && many.is_empty() {
                received.body = piece;
            } else {
                many.extend_from_slice(&std::mem::take(&mut received.body));
                many.extend_from_slice(&piece);
            }
        };
        if !many.is_empty() {
            received.body = many.freeze();
        }
        read
    }

    /// Why no head came.
    fn no_head(&self, error: &hyper::Error) -> Failure {
        let asked = self.witness.is_some_and(tls::Witness::asked_for_ours);
        if let Some(rustls::Error::AlertReceived(alert)) = tls::cause(error)
            && self.witness.is_some_and(|witness| tls::wants_ours(*alert, witness))
        {
            return tls::client_certificate();
        }
        if error.is_parse_too_large() {
            return Failure {
                layer: Layer::Contract,
                kind: FailureKind::TooLarge,
                message: format!(
                    "the head is larger than {} bytes, or has more than 100 lines",
                    self.limits.head
                ),
            };
        }
        if error.is_parse() {
            return Failure {
                layer: Layer::Contract,
                kind: FailureKind::NotHttp,
                message: format!("the answer is not HTTP: {}", innermost(error)),
            };
        }
        let hint =
            if asked { "; the server had asked for a client certificate, and we have none" } else { "" };
        Failure {
            layer: Layer::Backend,
            kind: FailureKind::ClosedEarly,
            message: format!("the connection was closed before an answer: {}{hint}", innermost(error)),
        }
    }
}

fn broken_body(error: &hyper::Error, bytes: u64) -> Failure {
    let malformed = io_kind(error)
        .is_some_and(|kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
    if error.is_parse() || malformed {
        return Failure {
            layer: Layer::Contract,
            kind: FailureKind::NotHttp,
            message: format!(
                "after {bytes} bytes of body the answer is not HTTP any more: {}",
                innermost(error)
            ),
        };
    }
    Failure {
        layer: Layer::Backend,
        kind: FailureKind::BodyTruncated,
        message: format!("the body broke off after {bytes} bytes: {}", innermost(error)),
    }
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        next = error.source();
    }
    None
}

/// The innermost cause says most.
fn innermost(error: &hyper::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        told = error.to_string();
        next = error.source();
    }
    crate::scrub::scrubbed(&told)
}
