//! The proxy that cuts connections, between a client and a server that echoes.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use simulator::{Blow, Proxy, Saying, Toward, When};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::LIMIT;

/// Answers every byte with itself, until the client is done.
async fn echo(tasks: &mut JoinSet<()>) -> SocketAddr {
    echo_after(0, tasks).await
}

/// The same once it has swallowed so many bytes.
async fn echo_after(bytes: usize, tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    tasks.spawn(async move {
        let mut calls = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            calls.spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(from.read_exact(&mut vec![0; bytes]).await);
                // A connection that is cut ends here.
                drop(tokio::io::copy(&mut from, &mut to).await);
            });
        }
    });
    address
}

async fn said(stream: &mut TcpStream, words: &[u8]) -> Vec<u8> {
    stream.write_all(words).await.expect("it is sent");
    let mut heard = vec![0; words.len()];
    stream.read_exact(&mut heard).await.expect("it is answered");
    heard
}

/// All that comes until the end, and how it ends.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut heard = Vec::new();
    let end = tokio::time::timeout(LIMIT, stream.read_to_end(&mut heard)).await.expect("it ends");
    (heard, end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn everything_passes_both_ways_until_it_is_told_otherwise() {
    let mut tasks = JoinSet::new();
    let proxy = Proxy::start(echo(&mut tasks).await).await.expect("it starts");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects");
    let long = vec![42_u8; 100_000];
    let (mut from, mut to) = stream.split();
    let mut heard = vec![0; long.len()];
    let (sent, read) = tokio::join!(to.write_all(&long), from.read_exact(&mut heard));
    sent.expect("all is sent");
    read.expect("all comes back");
    assert!(heard == long);
    stream.shutdown().await.expect("the client is done");
    assert_eq!(rest(&mut stream).await, (Vec::new(), None), "the end passes too");
    let traffic = proxy.until(LIMIT, |traffic| traffic.open == 0).await.expect("it is over");
    assert_eq!((traffic.accepted, traffic.to_server, traffic.to_client), (1, 100_000, 100_000));
    assert_eq!(traffic.blows, 0);
    proxy.stop().await;
}

#[tokio::test]
async fn it_cuts_after_so_many_bytes_in_either_direction_by_a_reset_or_in_order() {
    let mut tasks = JoinSet::new();
    let server = echo(&mut tasks).await;
    for (blow, end) in [(Blow::Reset, Some(ErrorKind::ConnectionReset)), (Blow::Close, None)] {
        let proxy = Proxy::start(server).await.expect("it starts");
        let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects");
        assert_eq!(said(&mut stream, b"before").await, b"before");

        proxy.plan(When::Bytes(Toward::Client, 4), blow);
        stream.write_all(b"0123456789").await.expect("it is sent");
        let (heard, ended) = rest(&mut stream).await;
        assert_eq!(ended, end, "{blow:?}");
        // A reset may overtake what was passed on.
        assert!(b"0123".starts_with(&heard), "{heard:?}");
        assert!(blow == Blow::Reset || heard == b"0123");
        assert_eq!(proxy.until_struck(LIMIT).await.unwrap(), "after 4 bytes to the client, on connection 1");

        proxy.plan(When::Bytes(Toward::Server, 3), blow);
        let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects again");
        stream.write_all(b"abcdef").await.expect("it is sent");
        let (heard, ended) = rest(&mut stream).await;
        assert_eq!(ended, end, "{blow:?}");
        assert!(b"abc".starts_with(&heard), "{heard:?}");
        proxy.until_struck(LIMIT).await.unwrap();
        assert_eq!(proxy.traffic().to_server, 6 + 10 + 3, "three of the last six");

        let mut stream = TcpStream::connect(proxy.address()).await.expect("a plan strikes once");
        assert_eq!(said(&mut stream, b"all of it").await, b"all of it");
        proxy.stop().await;
    }
}

#[tokio::test]
async fn while_it_stalls_connections_stay_and_nothing_passes_and_then_everything_does() {
    let mut tasks = JoinSet::new();
    let proxy = Proxy::start(echo(&mut tasks).await).await.expect("it starts");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects");
    proxy.plan(When::Bytes(Toward::Server, 5), Blow::Stall);
    stream.write_all(b"onetwothree").await.expect("it is sent");
    proxy.until_struck(LIMIT).await.unwrap();
    let mut other = TcpStream::connect(proxy.address()).await.expect("new ones are taken too");
    other.write_all(b"hello").await.expect("it is sent");
    assert_eq!(proxy.traffic().to_server, 5);
    assert_eq!(proxy.traffic().to_client, 0, "nothing comes back");

    proxy.pass().await;
    let mut heard = [0; 11];
    stream.read_exact(&mut heard).await.expect("it passes now");
    assert_eq!(&heard, b"onetwothree");
    other.read_exact(&mut heard[..5]).await.expect("it passes now");

    proxy.strike(Blow::Stall).await;
    stream.write_all(b"!").await.expect("it is sent");
    proxy.strike(Blow::Reset).await;
    assert_eq!(proxy.traffic().open, 0, "what is stalled can be cut");
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));
    proxy.stop().await;
}

#[tokio::test]
async fn it_refuses_new_connections_and_takes_them_again() {
    let mut tasks = JoinSet::new();
    let proxy = Proxy::start(echo(&mut tasks).await).await.expect("it starts");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects");
    assert_eq!(said(&mut stream, b"1").await, b"1");
    proxy.refuse().await;
    let refused = TcpStream::connect(proxy.address()).await.expect_err("it is refused");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(said(&mut stream, b"2").await, b"2", "who is in stays in");
    proxy.strike(Blow::Close).await;
    assert_eq!(rest(&mut stream).await, (Vec::new(), None));

    proxy.pass().await;
    proxy.delay(Duration::from_millis(1));
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects again");
    assert_eq!(said(&mut stream, b"3").await, b"3");
    proxy.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_looks_like_a_connection_that_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gone = listener.local_addr().expect("it has an address");
    drop(listener);
    let proxy = Proxy::start(gone).await.expect("it starts");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects");
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));
    proxy.stop().await;
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short");
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

/// What a client of PostgreSQL says first.
fn start_up() -> Vec<u8> {
    let body = [&196_608_u32.to_be_bytes()[..], b"user\0curiad\0\0"].concat();
    let length = u32::try_from(body.len() + 4).expect("short");
    [&length.to_be_bytes()[..], &body].concat()
}

#[tokio::test]
async fn it_cuts_before_or_after_a_message_of_postgresql() {
    let mut tasks = JoinSet::new();
    let proxy = Proxy::postgres(echo_after(start_up().len(), &mut tasks).await).await.expect("it starts");
    let open = async || {
        let mut stream = TcpStream::connect(proxy.address()).await.expect("it connects");
        stream.write_all(&start_up()).await.expect("it is sent");
        stream
    };
    let (begin, commit) = (message(b'Q', b"BEGIN\0"), message(b'Q', b"COMMIT\0"));

    proxy.plan(When::before_commit(), Blow::Reset);
    let mut stream = open().await;
    let before = proxy.traffic().to_server;
    stream.write_all(&[&begin[..], &commit].concat()).await.expect("it is sent");
    assert_eq!(
        proxy.until_struck(LIMIT).await.unwrap(),
        "before message 1: Query to the server, on connection 1"
    );
    assert!(proxy.traffic().to_server - before <= (begin.len() + start_up().len()) as u64, "no COMMIT");
    assert_eq!(rest(&mut stream).await.1, Some(ErrorKind::ConnectionReset));

    proxy.plan(When::After(Saying::to_server(b'Q').with("commit"), 2), Blow::Close);
    let before = proxy.traffic().to_server;
    let mut stream = open().await;
    for part in [&commit, &begin, &commit, &begin] {
        // Byte by byte: a message is known however it arrives.
        for byte in part.chunks(1) {
            if stream.write_all(byte).await.is_err() {
                break;
            }
        }
    }
    proxy.until_struck(LIMIT).await.unwrap();
    let passed = (start_up().len() + commit.len() * 2 + begin.len()) as u64;
    assert_eq!(proxy.traffic().to_server - before, passed, "the second COMMIT whole, and nothing after it");
    drop(stream);

    // The frame is the same both ways: what the client calls Close comes back as a CommandComplete.
    proxy.plan(When::commit_unanswered(), Blow::Reset);
    let mut stream = open().await;
    let (committed, answered) = (proxy.traffic().to_server, proxy.traffic().to_client);
    stream.write_all(&message(b'C', b"COMMIT\0")).await.expect("it is sent");
    assert_eq!(rest(&mut stream).await, (Vec::new(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(
        proxy.until_struck(LIMIT).await.unwrap(),
        "before message 1: CommandComplete to the client, on connection 3"
    );
    assert!(proxy.traffic().to_server > committed, "it has reached the server");
    assert_eq!(proxy.traffic().to_client, answered, "its answer has not come back");

    let big = message(b'B', &vec![0; 60_000]);
    proxy.plan(When::Before(Saying::toward(Toward::Server), 3), Blow::Stall);
    let mut stream = open().await;
    let before = proxy.traffic().to_server;
    stream.write_all(&big).await.expect("it is sent");
    proxy.until(LIMIT, |traffic| traffic.to_server - before >= big.len() as u64).await.expect("it passes");
    stream.write_all(&commit).await.expect("it is sent");
    assert!(proxy.until_struck(LIMIT).await.unwrap().starts_with("before message 3: Query"));
    proxy.stop().await;
}
