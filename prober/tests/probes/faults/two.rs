//! HTTP/2, frame by frame (RFC 9113).

use super::Fault;
use crate::{
    certificates::Authority,
    servers::{Server, head, ok},
};
use domain::{Connection, FailureKind::*, Layer};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

const HEAD: &str = "dns connect tls first_byte";
const ALL: &str = "dns connect tls first_byte body";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_HEADERS: u8 = 4;

/// A frame of RFC 9113 §4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A server that has agreed to speak HTTP/2: waits for the request, says `first`, then `again` with a breath in between;
/// without an `again`, it closes or (`hangs`) says no more.
async fn speaks(
    name: &'static str,
    authority: &Authority,
    first: Vec<u8>,
    again: Option<Vec<u8>>,
    hangs: bool,
) -> Fault {
    let keyed = authority.signs(&["localhost"], 2020, 2040);
    let acceptor = TlsAcceptor::from(Arc::new(keyed.config(rustls::DEFAULT_VERSIONS, &["h2"])));
    let server = Server::start(move |stream: TcpStream| {
        let (acceptor, first, again) = (acceptor.clone(), first.clone(), again.clone());
        async move {
            let Ok(mut stream): Result<TlsStream<TcpStream>, _> = acceptor.accept(stream).await else {
                return;
            };
            if stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.is_err() {
                return;
            }
            stream.flush().await.ok();
            wait_for_headers(&mut stream).await;
            stream.write_all(&first).await.ok();
            stream.flush().await.ok();
            let (mut reads, mut writes) = tokio::io::split(stream);
            let talk = async {
                if let Some(again) = again {
                    while writes.write_all(&again).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                } else if hangs {
                    std::future::pending::<()>().await;
                } else {
                    writes.shutdown().await.ok();
                }
            };
            let listen = async {
                let mut buffer = [0; 4096];
                while reads.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
            };
            tokio::join!(talk, listen);
        }
    })
    .await;
    let url = format!("https://localhost:{}", server.address.port());
    let fault = Fault::at(name, &url, server).marks(HEAD);
    if hangs { fault.hangs() } else { fault.with(|check| check.timeout = Duration::from_secs(9)) }
}

/// A server that takes HTTP/2, and then says that this must be asked over HTTP/1.1, as IIS does.
async fn wants_one(name: &'static str, authority: &Authority) -> Fault {
    let keyed = authority.signs(&["localhost"], 2020, 2040);
    let config = keyed.config(rustls::DEFAULT_VERSIONS, &["h2", "http/1.1"]);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |stream: TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream): Result<TlsStream<TcpStream>, _> = acceptor.accept(stream).await else {
                return;
            };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok();
                wait_for_headers(&mut stream).await;
                stream.write_all(&frame(RST_STREAM, 0, 1, &[0, 0, 0, 0x0d])).await.ok();
                stream.flush().await.ok();
                std::future::pending::<()>().await;
            } else {
                head(&mut stream).await;
                stream.write_all(ok("{}").as_bytes()).await.ok();
                stream.shutdown().await.ok();
            }
        }
    })
    .await;
    let url = format!("https://localhost:{}", server.address.port());
    Fault::at(name, &url, server).marks(ALL)
}

/// Reads the preface and then frames, up to the one that holds the request.
async fn wait_for_headers(stream: &mut TlsStream<TcpStream>) {
    let mut preface = [0; 24];
    if stream.read_exact(&mut preface).await.is_err() {
        return;
    }
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).await.is_err() {
            return;
        }
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]).try_into().unwrap()];
        if stream.read_exact(&mut payload).await.is_err() || head[3] == HEADERS {
            return;
        }
    }
}

pub(super) async fn all(authority: &Authority) -> Vec<Fault> {
    // `:status: 200` and `:status: 500` of the static table.
    let ok = frame(HEADERS, END_HEADERS, 1, &[0x88]);
    let (some, with) = (frame(DATA, 0, 1, b"abc"), |more: Vec<u8>| [ok.clone(), more].concat());
    let (refused, cancelled, broken) = ([0, 0, 0, 7], [0, 0, 0, 8], [0, 0, 0, 2]);
    let goodbye = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]);
    let one = |name, first, hangs| speaks(name, authority, first, None, hangs);
    let mut all = vec![
        one("HTTP/2: the end instead of an answer", Vec::new(), false)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: silence", Vec::new(), true).await.fails(Layer::Backend, FirstByteTimeout),
        one("HTTP/2: a goodbye instead of an answer", goodbye.clone(), false)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: the stream is refused", frame(RST_STREAM, 0, 1, &refused), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: the stream is cancelled", frame(RST_STREAM, 0, 1, &cancelled), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: HTTP/1.1 instead of frames", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: a header block that cannot be read", frame(HEADERS, END_HEADERS, 1, &[0xff; 8]), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: an answer without a status", frame(HEADERS, END_HEADERS, 1, &[]), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: a body before its head", some.clone(), true).await.fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: a stream that nobody asked for", frame(HEADERS, END_HEADERS, 2, &[0x88]), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: settings of a wrong size", frame(SETTINGS, 0, 0, &[0; 5]), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one("HTTP/2: a frame larger than agreed", frame(DATA, 0, 1, &vec![0; 20_000]), true)
            .await
            .fails(Layer::Backend, ClosedEarly),
        one(
            "HTTP/2: a push that nobody allowed",
            frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]),
            true,
        )
        .await
        .fails(Layer::Backend, ClosedEarly),
        one(
            "HTTP/2: a window beyond all bounds",
            frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            true,
        )
        .await
        .fails(Layer::Backend, ClosedEarly),
    ];
    let bodies = vec![
        one("HTTP/2: the end in the body", with(some.clone()), false)
            .await
            .fails(Layer::Backend, BodyTruncated),
        one("HTTP/2: silence in the body", with(some.clone()), true).await.fails(Layer::Backend, BodyTimeout),
        one(
            "HTTP/2: the stream breaks in the body",
            with([some.clone(), frame(RST_STREAM, 0, 1, &broken)].concat()),
            true,
        )
        .await
        .fails(Layer::Backend, BodyTruncated),
        one("HTTP/2: a goodbye in the body", with([some.clone(), goodbye].concat()), false)
            .await
            .fails(Layer::Backend, BodyTruncated),
    ];
    all.extend(bodies.into_iter().map(|fault| fault.marks(ALL)));
    all.push(wants_one("HTTP/2, where HTTP/1.1 is wanted", authority).await);
    let warm = wants_one("HTTP/2 that is kept, where HTTP/1.1 is wanted", authority).await;
    all.push(warm.asks(|request| request.connection = Connection::Warm));
    // A literal header that is never indexed, 16 kB of it.
    let mut large = vec![0x10, 1, b'x', 0x7f, 0x81, 0x7e];
    large.extend(vec![b'y'; 16_000]);
    let flood = |name, first, again: Vec<u8>| speaks(name, authority, first, Some(again), true);
    all.extend([
        flood("HTTP/2: pings without end", Vec::new(), frame(PING, 0, 0, &[0; 8]).repeat(16))
            .await
            .fails(Layer::Backend, FirstByteTimeout)
            .or(Layer::Backend, ClosedEarly),
        flood("HTTP/2: settings without end", Vec::new(), frame(SETTINGS, 0, 0, &[]).repeat(16))
            .await
            .fails(Layer::Backend, FirstByteTimeout)
            .or(Layer::Backend, ClosedEarly),
        flood("HTTP/2: a head without end", frame(HEADERS, 0, 1, &[0x88]), frame(CONTINUATION, 0, 1, &large))
            .await
            .fails(Layer::Backend, ClosedEarly)
            .or(Layer::Contract, TooLarge),
    ]);
    all
}
