//! One request and its answer over a connection that is there: HTTP/1.1 or HTTP/2, read up to its limits.

use crate::{
    Limits, body,
    memory::{Held, Memory},
    prober::add,
    tls,
    unpack::{self, Coding},
};
use bytes::Bytes;
use domain::{Failure, FailureKind, Layer, Phases};
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Response, Version,
    body::Incoming,
    client::conn::{http1, http2},
    rt::Executor,
};
use hyper_util::rt::TokioIo;
use std::{
    error::Error as _,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::{Instant, timeout_at},
};

/// What came over the wire.
pub(crate) struct Received<'a> {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    /// As much as came and was to be kept.
    pub(crate) body: Bytes,
    /// Bytes of body that came.
    pub(crate) bytes: u64,
    /// Bytes of the body, unpacked.
    pub(crate) size: u64,
    /// Why the body is not whole.
    pub(crate) broke_off: Option<Failure>,
    /// Our certificate is missing or refused, by the words of a server that says so in an answer.
    pub(crate) wants_ours: Option<Failure>,
    /// The memory that the body takes.
    pub(crate) held: Held<'a>,
}

/// How an exchange is bounded and what of it is kept.
pub(crate) struct Terms<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) memory: &'a Memory,
    pub(crate) deadline: Instant,
    /// What is wanted of the body of an answer with this status.
    pub(crate) wanted: &'a (dyn Fn(u16) -> Wanted + Sync),
    pub(crate) witness: Option<Arc<tls::Witness>>,
}

/// What is wanted of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It is looked into.
    Words,
    /// How large it is, unpacked.
    Size,
    /// That it comes.
    End,
}

/// What nginx answers to those whose certificate it does not like.
const BAD_REQUEST: u16 = 400;

/// The least that hyper reads into.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// Bytes that an HTTP/2 server may send before we have read what came before.
const WINDOW: u32 = 64 * 1024;

/// Bytes of a request that wait to be sent over HTTP/2.
const SEND_BUFFER: usize = 64 * 1024;

pub(crate) type Message = Request<Full<Bytes>>;

/// Over HTTP/1.1.
pub(crate) async fn http1<'a, IO>(
    io: IO,
    request: Message,
    terms: &Terms<'a>,
    phases: &mut Phases,
) -> Result<Received<'a>, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = shake_http1(io, terms).await?;
    let (connection, answer) = (pin!(connection), pin!(sender.send_request(request)));
    alongside(connection, pin!(receive(answer, terms, phases))).await
}

/// Begins HTTP/1.1 on a connection.
pub(crate) async fn shake_http1<IO>(
    io: IO,
    terms: &Terms<'_>,
) -> Result<(http1::SendRequest<Full<Bytes>>, http1::Connection<TokioIo<IO>, Full<Bytes>>), Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    http1::Builder::new()
        .max_header_size(terms.limits.head)
        // What comes in is handed on at once: the buffer need not hold more than the head.
        .max_buf_size(terms.limits.head.max(SMALLEST_BUFFER))
        // Some older servers still fold them (RFC 9112 §5.2).
        .allow_obsolete_multiline_headers_in_responses(true)
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| terms.no_head(&error))
}

/// Over HTTP/2.
pub(crate) async fn http2<'a, IO>(
    io: IO,
    request: Message,
    terms: &Terms<'a>,
    phases: &mut Phases,
) -> Result<Received<'a>, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection, _tasks) = shake_http2(io, terms).await?;
    let (connection, answer) = (pin!(connection), pin!(sender.send_request(request)));
    alongside(connection, pin!(receive(answer, terms, phases))).await
}

type Http2<IO> = (
    http2::SendRequest<Full<Bytes>>,
    http2::Connection<TokioIo<tls::Overheard<IO>>, Full<Bytes>, Tasks>,
    Ended,
);

/// Begins HTTP/2 on a connection; hyper's tasks for it end with the last of the three.
pub(crate) async fn shake_http2<IO>(io: IO, terms: &Terms<'_>) -> Result<Http2<IO>, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let tasks = Tasks::default();
    let ended = Ended(tasks.clone());
    let (sender, connection) = http2::Builder::new(tasks)
        .max_header_list_size(u32::try_from(terms.limits.head).unwrap_or(u32::MAX))
        // What a server may send unasked stays in memory until it is read.
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .handshake(TokioIo::new(tls::Overheard::new(io, terms.witness.clone())))
        .await
        .map_err(|error| terms.no_head(&error))?;
    Ok((sender, connection, ended))
}

/// The tasks that hyper starts for an HTTP/2 connection: they end with the probe, or with the connection that is kept.
#[derive(Clone, Default)]
pub(crate) struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

/// Ends them: they hold the set that holds them, so dropping the set would not.
pub(crate) struct Ended(Tasks);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Drives a connection for as long as it takes to `talk` over it, within the probe's own task.
pub(crate) async fn alongside<C: Future, T: Future>(
    mut connection: Pin<&mut C>,
    mut talk: Pin<&mut T>,
) -> T::Output {
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

pub(crate) async fn receive<'a>(
    answer: Pin<&mut impl Future<Output = hyper::Result<Response<Incoming>>>>,
    terms: &Terms<'a>,
    phases: &mut Phases,
) -> Result<Received<'a>, Failure> {
    let sent = Instant::now();
    let answer = timeout_at(terms.deadline, answer).await;
    let head = Instant::now();
    add(&mut phases.first_byte, head - sent);
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
        size: 0,
        broke_off: None,
        wants_ours: None,
        held: Held::default(),
    };
    let wanted = (terms.wanted)(received.status);
    // How it is packed matters only to who wants to know what is in it, or how much.
    let coding = if wanted == Wanted::End { Ok(None) } else { unpack::coding(&received.headers) };
    let packed = !matches!(coding, Ok(None));
    let limit = if wanted == Wanted::Words { terms.limits.body } else { terms.limits.counted };
    let how = (wanted == Wanted::Words || packed, limit);
    let read = timeout_at(terms.deadline, body::read(body, how, terms.memory, &mut received)).await;
    let took = head.elapsed();
    add(&mut phases.body, took);
    received.broke_off = match read {
        Ok(Ok(())) if packed && received.bytes > 0 => received.unpack(coding, wanted, terms).err(),
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(_) => Some(Failure {
            layer: Layer::Backend,
            kind: FailureKind::BodyTimeout,
            message: format!("the body did not end within {took:.1?}: {} bytes came", received.bytes),
        }),
    };
    received.wants_ours = terms.wants_ours(&received);
    Ok(received)
}

impl<'a> Received<'a> {
    /// Puts what was packed in the place of what came; where only its size is wanted, nothing.
    fn unpack(
        &mut self,
        coding: Result<Option<Coding>, Failure>,
        wanted: Wanted,
        terms: &Terms<'a>,
    ) -> Result<(), Failure> {
        let packed = std::mem::take(&mut self.body);
        let Some(coding) = coding? else { return Ok(()) };
        let size = if wanted == Wanted::Words {
            let unpacked = unpack::unpack(coding, &packed, terms.limits.body)?;
            terms.memory.hold(&mut self.held, unpacked.len())?;
            self.body = unpacked.into();
            self.body.len()
        } else {
            let size = unpack::size(coding, &packed, terms.limits.counted)?;
            self.held = Held::default();
            size
        };
        self.size = u64::try_from(size).unwrap_or(u64::MAX);
        Ok(())
    }
}

/// What nginx says to those whose certificate is missing or refused, once it has shaken hands with them.
const OF_NGINX: [&[u8]; 2] = [b"No required SSL certificate was sent", b"The SSL certificate error"];

impl Terms<'_> {
    /// Whether an answer is about our certificate, where the server had asked for one.
    fn wants_ours(&self, received: &Received<'_>) -> Option<Failure> {
        let witness = self.witness.as_ref().filter(|witness| witness.asked_for_ours())?;
        let says = |words: &[u8]| received.body.windows(words.len()).any(|part| part == words);
        let said = received.status == BAD_REQUEST && OF_NGINX.into_iter().any(says);
        said.then(|| tls::client_certificate(witness))
    }

    /// Why no head came.
    fn no_head(&self, error: &hyper::Error) -> Failure {
        if wants_http1(error) {
            self.witness.iter().for_each(|witness| witness.heard_http1());
        }
        let asked =
            self.witness.as_ref().is_some_and(|witness| witness.asked_for_ours() && !witness.shows_ours());
        let alert = match tls::cause(error) {
            Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
            _ => self.witness.as_ref().and_then(|witness| witness.alert()),
        };
        if let (Some(alert), Some(witness)) = (alert, &self.witness)
            && tls::wants_ours(alert, witness)
        {
            return tls::client_certificate(witness);
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
                layer: Layer::Backend,
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

/// Whether a server that took HTTP/2 says that this must be asked over HTTP/1.1 (RFC 9113 §7).
fn wants_http1(error: &hyper::Error) -> bool {
    let h2 = error.source().and_then(|inside| inside.downcast_ref::<h2::Error>());
    h2.and_then(h2::Error::reason) == Some(h2::Reason::HTTP_1_1_REQUIRED)
}

pub(crate) fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
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
pub(crate) fn innermost(error: &hyper::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        told = error.to_string();
        next = error.source();
    }
    crate::scrub::scrubbed(&told)
}
