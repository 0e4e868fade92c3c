//! An API in an environment: its own port, which speaks HTTP and HTTPS, and its own fault.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::api::{self, Call, Drafts, Scene};
use crate::body::AnswerBody;
use crate::change::Kept;
use crate::door::{Door, Serve, Tasks};
use crate::estate::{Api, Kind};
use crate::fault::{Dependency, Fault};
use crate::http::BODY_LIMIT;
use crate::latency::Dice;
use crate::mllp;
use crate::neighbourhood::Neighbourhood;
use crate::talk::Talk;

/// The first byte of a TLS handshake record; no HTTP method begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// What changes about an instance while it runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mood {
    pub(crate) fault: Fault,
    pub(crate) requests: u64,
    /// Those that asked for a token.
    pub(crate) tokens: u64,
    pub(crate) asked_at: Option<Timestamp>,
}

/// One API in one environment.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) api: Arc<Api>,
    pub(crate) environment: String,
    pub(crate) mood: Kept<Mood>,
    dice: Kept<Dice>,
    drafts: Drafts,
    world: Weak<Neighbourhood>,
    tasks: Tasks,
}

impl Instance {
    pub(crate) fn new(
        api: Arc<Api>,
        environment: String,
        world: Weak<Neighbourhood>,
        moods: (Kept<Mood>, Kept<Dice>),
        tasks: Tasks,
    ) -> Self {
        Self { api, environment, mood: moods.0, dice: moods.1, drafts: Drafts::default(), world, tasks }
    }

    pub(crate) fn open(self: &Arc<Self>, address: SocketAddr) -> io::Result<Door> {
        let instance = Arc::clone(self);
        let serve: Serve = Arc::new(move |stream| {
            let instance = Arc::clone(&instance);
            Box::pin(async move {
                if let Err(error) = instance.receive(stream).await {
                    tracing::debug!(api = %instance.api.id, environment = %instance.environment, %error, "connection ended early");
                }
            })
        });
        Door::open(address, &self.tasks, serve)
    }

    fn fault(&self) -> Fault {
        self.mood.read(|mood| mood.fault)
    }

    async fn receive(self: &Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        let fault = self.fault();
        if fault == Fault::Hang {
            return std::future::pending().await;
        }
        if fault == Fault::Reset {
            // Once the request has come, so that the caller has seen the connection work.
            if stream.read(&mut [0; 1024]).await? > 0 {
                self.note_request();
            }
            return stream.set_zero_linger();
        }
        let mut first = [0; 1];
        if stream.peek(&mut first).await? == 0 {
            // Whoever only wants to know whether it takes connections has asked as well.
            if self.api.kind == Kind::Hl7 {
                self.note_request();
            }
            return Ok(());
        }
        if first == [mllp::START] {
            return self.acknowledge(stream).await;
        }
        if first != [TLS_HANDSHAKE] {
            return self.speak(stream, false).await;
        }
        let Some(world) = self.world.upgrade() else {
            return Ok(());
        };
        let config = world.certificates.presented(fault);
        let secure = TlsAcceptor::from(config).accept(stream).await?;
        let newer = secure.get_ref().1.alpn_protocol() == Some(b"h2");
        self.speak(secure, newer).await
    }

    async fn speak<S>(self: &Arc<Self>, mut stream: S, newer: bool) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let fault = self.fault();
        if fault == Fault::SlowLoris {
            return self.trickle(&mut stream).await;
        }
        if let Some(talk) = Talk::of(fault) {
            if stream.read(&mut [0; 1024]).await? > 0 {
                self.note_request();
            }
            return talk.say(&mut stream).await;
        }
        let instance = Arc::clone(self);
        let service = service_fn(move |request| {
            let instance = Arc::clone(&instance);
            async move { instance.respond(request).await }
        });
        let io = TokioIo::new(stream);
        if newer {
            let executor = Executor(self.tasks.clone());
            hyper::server::conn::http2::Builder::new(executor)
                .timer(TokioTimer::new())
                .max_concurrent_streams(100)
                .serve_connection(io, service)
                .await
                .map_err(io::Error::other)
        } else {
            hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_mins(1))
                .serve_connection(io, service)
                .await
                .map_err(io::Error::other)
        }
    }

    /// Each message that comes, until no more do.
    async fn acknowledge(&self, mut stream: TcpStream) -> io::Result<()> {
        while let Some(message) = mllp::hear(&mut stream).await? {
            self.note_request();
            let Some(world) = self.world.upgrade() else { return Ok(()) };
            let fault = self.fault();
            if let Some(talk) = Talk::of(fault) {
                return talk.say(&mut stream).await;
            }
            self.take_time(&world, fault).await;
            let Some(said) = mllp::acknowledgement(&message, fault, (world.now)()) else { return Ok(()) };
            mllp::say(&mut stream, &said, fault).await?;
            if fault == Fault::Truncated {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn take_time(&self, world: &Neighbourhood, fault: Fault) {
        let mut wait = self.dice.change(|dice| world.latency.draw(dice));
        if let Fault::Slow(by) = fault {
            wait += by;
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// An answer so slow that no time limit on silence ever strikes: a byte each 200 ms.
    async fn trickle(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
        if stream.read(&mut [0; 1024]).await? == 0 {
            return Ok(());
        }
        self.note_request();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{\"status\":\"UP\"";
        for byte in answer.iter().copied().chain(std::iter::repeat_n(b' ', 4_000)) {
            stream.write_all(&[byte]).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    fn note_request(&self) {
        let now = self.world.upgrade().map(|world| (world.now)());
        self.mood.change(|mood| {
            mood.requests += 1;
            mood.asked_at = now;
        });
    }

    async fn respond(&self, request: Request<Incoming>) -> io::Result<Response<AnswerBody>> {
        self.note_request();
        let (head, body) = request.into_parts();
        if head.uri.path().ends_with("/oauth2/token") {
            self.mood.change(|mood| mood.tokens += 1);
        }
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                return wire(
                    &Answer::problem(413, "Content Too Large", "at most 1 MiB"),
                    &head.headers,
                    Fault::None,
                );
            }
        };
        let Some(world) = self.world.upgrade() else {
            return Err(io::ErrorKind::ConnectionAborted.into());
        };
        let fault = self.fault();
        self.take_time(&world, fault).await;
        let prefix = format!("/{}/{}", self.environment, self.api.id);
        let path =
            head.uri.path().strip_prefix(&prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let answer = match path {
            Some(path) => self.answer(&world, fault, (path, &head, &body)),
            None => Answer::problem(404, "Not Found", &format!("this instance is at {prefix}")),
        };
        wire(&answer, &head.headers, fault)
    }

    fn answer(
        &self,
        world: &Neighbourhood,
        fault: Fault,
        asked: (&str, &hyper::http::request::Parts, &Bytes),
    ) -> Answer {
        if let Some(answer) = at_the_gate(fault) {
            return answer;
        }
        let (path, head, body) = asked;
        let dependencies = world.dependencies(self);
        let scene = Scene {
            api: &self.api,
            environment: &self.environment,
            now: (world.now)(),
            fault,
            dependencies: &dependencies,
            tokens: &world.tokens,
            client_key: &world.client_key,
            drafts: &self.drafts,
        };
        let call = Call {
            method: &head.method,
            path,
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            body,
        };
        api::answer(&scene, &call)
    }

    /// How this instance looks to those that depend on it.
    pub(crate) fn as_dependency(&self) -> (String, Dependency) {
        (self.api.id.clone(), self.fault().as_dependency())
    }
}

/// What the gateway itself answers, whatever was asked.
fn at_the_gate(fault: Fault) -> Option<Answer> {
    if let Fault::Status(status) = fault {
        return Some(plain_status(status));
    }
    if fault == Fault::RedirectLoop {
        return Some(Answer::new(302, "text/plain", "").with("Location", "?"));
    }
    if fault == Fault::Quota {
        let words = "Rate limit quota violation. Quota limit exceeded. Identifier : curiad";
        return Some(
            Answer::gateway(429, words, "policies.ratelimit.QuotaViolation").with("Retry-After", "30"),
        );
    }
    if fault == Fault::SpikeArrest {
        let words = "Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, periodInMicroseconds=1000000}";
        return Some(Answer::gateway(429, words, "policies.ratelimit.SpikeArrestViolation"));
    }
    (fault == Fault::NotJson).then(|| {
        Answer::new(
            200,
            "text/html; charset=utf-8",
            "<!doctype html><title>Sign in</title><p>Please sign in.",
        )
    })
}

fn plain_status(status: u16) -> Answer {
    let answer = match status {
        401 => Answer::gateway(401, "Invalid ApiKey", "oauth.v2.InvalidApiKey")
            .with("WWW-Authenticate", "Bearer"),
        403 => Answer::gateway(403, "Access denied for client ip", "accesscontrol.IPDeniedAccess"),
        _other => Answer::json(status, &serde_json::json!({"status": status, "message": "simulated"})),
    };
    if matches!(status, 429 | 503) { answer.with("Retry-After", "15") } else { answer }
}

/// Puts an answer on the wire, broken as the fault says.
fn wire(answer: &Answer, asked: &HeaderMap, fault: Fault) -> io::Result<Response<AnswerBody>> {
    let mut builder =
        Response::builder().status(answer.status).header(header::CONTENT_TYPE, answer.content_type);
    for (name, value) in &answer.headers {
        builder = builder.header(*name, value);
    }
    for name in ["x-request-id", "x-correlation-id"] {
        if let Some(value) = asked.get(name) {
            builder = builder.header(name, value);
        }
    }
    let body = if fault == Fault::Endless {
        AnswerBody::endless()
    } else if fault == Fault::Truncated {
        builder = builder.header(header::CONTENT_LENGTH, answer.body.len());
        AnswerBody::half_then_break(answer.body.clone())
    } else {
        AnswerBody::Whole(Some(answer.body.clone()))
    };
    builder.body(body).map_err(io::Error::other)
}

/// Runs HTTP/2's own tasks among the world's, so that they end with it.
#[derive(Clone)]
struct Executor(Tasks);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        self.0.run(work);
    }
}
