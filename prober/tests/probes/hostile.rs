//! Targets that misbehave on purpose, or as if: each is one exact outcome, in time, and nobody else notices.

use crate::{
    certificates::Authority,
    servers::{Server, head, ok},
    setting::{check, failed, impatient, message, noon, probe, request, settings},
};
use domain::{Dialect, FailureKind, FailureKind::*, Layer, Outcome};
use prober::{Limits, Prober};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Says `first` once and then `again` for as long as anybody listens, with a breath of `pause` in between.
async fn without_end(first: &'static str, again: &'static str, pause: Duration) -> Server {
    Server::start(move |mut stream| async move {
        head(&mut stream).await;
        stream.write_all(first.as_bytes()).await.ok();
        while stream.write_all(again.as_bytes()).await.is_ok() {
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await
}

const NONE: Duration = Duration::ZERO;
const BEAT: Duration = Duration::from_millis(10);

#[tokio::test]
async fn what_goes_on_without_end_ends_with_the_probes_time() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (what, first, again, pause, kind) in [
        ("interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n", NONE, FirstByteTimeout),
        ("early hints", "", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", BEAT, FirstByteTimeout),
        ("a head, a byte at a time", HEAD, "x", BEAT, FirstByteTimeout),
        ("a head, a line at a time", HEAD, "x: y\r\n", BEAT, FirstByteTimeout),
        ("a body, a byte at a time", "HTTP/1.1 200 OK\r\n\r\n", "x", BEAT, BodyTimeout),
        ("chunks, a byte at a time", CHUNKED, "1\r\nx\r\n", BEAT, BodyTimeout),
        ("a chunk's length, a digit at a time", CHUNKED, "0", BEAT, BodyTimeout),
    ] {
        let server = without_end(first, again, pause).await;
        let outcome = probe(&impatient(&server.url())).await;
        // Too many lines or digits may be noticed before the time is up: on a fast machine.
        let early = [Some((Layer::Contract, TooLarge)), Some((Layer::Contract, NotHttp))];
        let seen = failed(&outcome);
        assert!(
            seen == Some((Layer::Backend, kind)) || early.contains(&seen),
            "{what}: {seen:?} {}",
            message(&outcome)
        );
        assert!(outcome.total < Duration::from_secs(2), "{what}: {:?}", outcome.total);
    }
}

#[tokio::test]
async fn what_is_too_large_or_malformed_is_said_so() {
    let bomb =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\nx\r\n", "e".repeat(1 << 20));
    let trailers = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n{}\r\n",
        "X-Many: y\r\n".repeat(100_000)
    );
    for (what, sent, layer, kind) in [
        ("a chunk extension without end", bomb.as_bytes(), Layer::Contract, NotHttp),
        ("trailers without end", trailers.as_bytes(), Layer::Contract, NotHttp),
        ("bytes that no header may hold", b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n", Layer::Contract, NotHttp),
        ("a header without a name", b"HTTP/1.1 200 OK\r\n: b\r\n\r\n", Layer::Contract, NotHttp),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            Layer::Contract,
            NotHttp,
        ),
        (
            "a length that is no number",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nxx",
            Layer::Contract,
            NotHttp,
        ),
        (
            "a chunk longer than any body",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
            Layer::Contract,
            NotHttp,
        ),
        (
            "another protocol from here on",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc",
            Layer::Contract,
            UnexpectedStatus,
        ),
        ("nothing at all", b"", Layer::Backend, ClosedEarly),
        ("half a head", b"HTTP/1.1 200 OK\r\nx", Layer::Backend, ClosedEarly),
        (
            "more than was announced",
            b"HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nxyz",
            Layer::Backend,
            ServerError,
        ),
    ] {
        let server = Server::says(sent).await;
        let outcome = probe(&check(&server.url())).await;
        assert_eq!(failed(&outcome), Some((layer, kind)), "{what}: {}", message(&outcome));
    }
}

#[tokio::test]
async fn what_is_packed_is_counted_as_it_comes_and_never_unpacked() {
    let packed = vec![0x1f; 1_000];
    let mut sent = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n".to_vec();
    sent.extend_from_slice(&packed);
    let server = Server::says(sent).await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().bytes, 1_000);
}

#[tokio::test]
async fn a_redirect_to_itself_is_one_request() {
    let server = Server::says("HTTP/1.1 302 Found\r\nLocation: /ping\r\nContent-Length: 0\r\n\r\n").await;
    let outcome = probe(&check(&server.url())).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, UnexpectedStatus)));
    assert_eq!(server.accepted(), 1);
}

/// An HTTP/2 frame of RFC 9113 §4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A server that has agreed to speak HTTP/2: says `first` once, then `again` for as long as anybody listens.
async fn two(authority: &Authority, first: Vec<u8>, again: Vec<u8>) -> Server {
    let keyed = authority.signs(&["localhost"], 2020, 2040);
    let acceptor = TlsAcceptor::from(Arc::new(keyed.config(rustls::DEFAULT_VERSIONS, &["h2"])));
    Server::start(move |stream: TcpStream| {
        let (acceptor, first, again) = (acceptor.clone(), first.clone(), again.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let (mut reads, mut writes): (_, tokio::io::WriteHalf<TlsStream<TcpStream>>) =
                tokio::io::split(stream);
            let talk = async {
                writes.write_all(&first).await.ok();
                writes.flush().await.ok();
                if again.is_empty() {
                    std::future::pending::<()>().await;
                }
                while writes.write_all(&again).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            };
            let listen = async {
                let mut buffer = [0; 4096];
                while reads.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
            };
            tokio::join!(talk, listen);
        }
    })
    .await
}

/// What a probe sees of it, with half a second of patience.
async fn seen_over_two(first: Vec<u8>, again: Vec<u8>) -> Outcome {
    let authority = Authority::new();
    let server = two(&authority, first, again).await;
    let mut trusting = settings();
    trusting.roots = vec![authority.der];
    let mut check = check(&format!("https://localhost:{}", server.address.port()));
    check.timeout = Duration::from_millis(1_500);
    Prober::new(trusting).unwrap().probe(&check, noon(), false).await
}

/// What it is, what is said first and then for ever, and which kinds of failure may come of it.
type Flood<'a> = (&'a str, Vec<u8>, Vec<u8>, &'a [FailureKind]);

#[tokio::test]
async fn floods_over_http_2_end_with_the_probe() {
    let settings = frame(4, 0, 0, &[]);
    let with = |more: Vec<u8>| [settings.clone(), more].concat();
    // `:status 200` of the static table, then a literal header that is never indexed.
    let mut large = vec![0x88, 0x10, 1, b'x', 0x7f, 0x81, 0x7e];
    large.extend(vec![b'y'; 16_000]);
    let cases: [Flood<'_>; 8] = [
        ("pings", settings.clone(), frame(6, 0, 0, &[0; 8]).repeat(64), &[FirstByteTimeout, ClosedEarly]),
        ("settings", settings.clone(), settings.repeat(64), &[FirstByteTimeout, ClosedEarly]),
        (
            "windows of nothing",
            with(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])),
            frame(8, 0, 0, &[0, 0, 0, 1]).repeat(64),
            &[FirstByteTimeout, ClosedEarly, NotHttp],
        ),
        ("resets", settings.clone(), frame(3, 0, 1, &[0, 0, 0, 8]).repeat(64), &[ClosedEarly]),
        (
            "continuations",
            with(frame(1, 0, 1, &[0x88])),
            frame(9, 0, 1, &large),
            &[ClosedEarly, TooLarge, FirstByteTimeout],
        ),
        ("a goodbye at once", with(frame(7, 0, 0, &[0; 8])), Vec::new(), &[ClosedEarly, FirstByteTimeout]),
        (
            "what is no frame",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            Vec::new(),
            &[ClosedEarly, NotHttp],
        ),
        ("silence", settings.clone(), Vec::new(), &[FirstByteTimeout]),
    ];
    for (what, first, again, kinds) in cases {
        let outcome = seen_over_two(first, again).await;
        let (layer, kind) = failed(&outcome).unwrap_or_else(|| panic!("{what}: passed"));
        assert!(kinds.contains(&kind), "{what}: {kind:?} {}", message(&outcome));
        assert!(matches!(layer, Layer::Backend | Layer::Contract), "{what}: {layer}");
        assert!(outcome.total < Duration::from_secs(4), "{what}: {:?}", outcome.total);
    }
}

#[tokio::test]
async fn a_body_that_finds_the_memory_used_up_is_our_own_trouble() {
    let mut small = settings();
    small.limits = Limits { bodies: 64 * 1024, ..Limits::default() };
    let prober = Arc::new(Prober::new(small).unwrap());
    let half = "x".repeat(70_000);
    let hangs =
        Server::says_and_hangs(format!("HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n{half}")).await;
    let mut looks_in = check(&hangs.url());
    request(&mut looks_in).dialect = Dialect::Health;
    looks_in.timeout = Duration::from_secs(3);
    let mut holds = JoinSet::new();
    let (first, patient) = (prober.clone(), looks_in.clone());
    holds.spawn(async move { first.probe(&patient, noon(), false).await });
    // Until the first holds it, a second one is told what it would be told without it.
    let short = domain::Check { timeout: Duration::from_millis(300), ..looks_in.clone() };
    loop {
        let outcome = prober.probe(&short, noon(), false).await;
        if failed(&outcome) == Some((Layer::Ours, NoMemory)) {
            assert!(message(&outcome).starts_with("the memory budget for bodies is used up"));
            break;
        }
        assert_eq!(failed(&outcome), Some((Layer::Backend, BodyTimeout)));
        assert!(holds.try_join_next().is_none(), "never while the first held it");
    }
    // What is short is read all the same.
    let well = Server::says(ok(r#"{"status":"UP"}"#)).await;
    let mut healthy = check(&well.url());
    request(&mut healthy).dialect = Dialect::Health;
    assert_eq!(failed(&prober.probe(&healthy, noon(), false).await), None);
    let first = holds.join_next().await.unwrap().unwrap();
    assert_eq!(failed(&first), Some((Layer::Backend, BodyTimeout)));
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn five_hundred_bodies_without_end_at_once_take_a_bounded_part_of_the_memory() {
    const MIB: u64 = 1024 * 1024;
    let piece = Arc::new(vec![b'x'; 4 * 1024]);
    let server = Server::start(move |mut stream| {
        let piece = piece.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok();
            // A little at a time, so that each of them gets its share of a thread that all share.
            while stream.write_all(&piece).await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    let mut wide = settings();
    // Bodies may be so large that only the budget stops them.
    wide.limits = Limits { per_host: 500, body: 1 << 30, bodies: 4 << 20, ..Limits::default() };
    let prober = Arc::new(Prober::new(wide).unwrap());
    let mut endless = check(&server.url());
    request(&mut endless).dialect = Dialect::Health;
    endless.timeout = Duration::from_secs(9);
    let before = resident();
    let mut flying = JoinSet::new();
    for _ in 0..500 {
        let (prober, check) = (prober.clone(), endless.clone());
        flying.spawn(async move { prober.probe(&check, noon(), false).await });
    }
    let mut most = before;
    let (mut ended, mut refused) = (0, 0_u32);
    while let Some(outcome) = flying.join_next().await {
        let outcome = outcome.unwrap();
        let seen = failed(&outcome);
        // A busy machine may be late to take a connection, or to give its first byte.
        let kinds = [
            Some((Layer::Ours, NoMemory)),
            Some((Layer::Backend, BodyTimeout)),
            Some((Layer::Backend, FirstByteTimeout)),
            Some((Layer::Connect, ConnectTimeout)),
        ];
        assert!(kinds.contains(&seen), "{seen:?} {}", message(&outcome));
        most = most.max(resident());
        ended += 1;
        refused += u32::from(seen == kinds[0]);
    }
    assert_eq!(ended, 500);
    assert!(refused > 0, "the budget was never used up");
    let grown = (most - before) / MIB;
    println!("500 endless bodies at once: {grown} MiB more resident");
    // The budget, twice while a body grows; 16 KiB and two buffers of 64 KiB for each connection, ours and the server's.
    assert!(grown < 2 * 4 + 500 * 144 / 1024 + 40, "{grown} MiB");
}
