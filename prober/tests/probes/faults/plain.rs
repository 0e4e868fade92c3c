//! HTTP/1.1: from the request to the last byte.

use super::Fault;
use crate::servers::{Server, head};
use domain::{FailureKind::*, Layer};
use std::{sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const BEAT: Duration = Duration::from_millis(10);

/// Says this to a request, and then: closes.
async fn says(name: &'static str, sent: impl Into<Vec<u8>>) -> Fault {
    let server = Server::says(sent).await;
    Fault::at(name, &server.url(), server)
}

/// … says no more.
async fn hangs(name: &'static str, sent: &str) -> Fault {
    let server = Server::says_and_hangs(sent).await;
    Fault::at(name, &server.url(), server).hangs()
}

/// … cuts the connection.
async fn resets(name: &'static str, sent: &'static str) -> Fault {
    let server = Server::start(move |mut stream| async move {
        head(&mut stream).await;
        stream.write_all(sent.as_bytes()).await.ok();
        // What was sent is on its way before the end overtakes it.
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    Fault::at(name, &server.url(), server)
}

/// … says this again and again, with a breath in between.
async fn repeats(
    name: &'static str,
    first: &'static str,
    again: impl Into<Vec<u8>>,
    pause: Duration,
) -> Fault {
    let again = Arc::new(again.into());
    let server = Server::start(move |mut stream| {
        let again = again.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(first.as_bytes()).await.ok();
            while stream.write_all(&again).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await;
    Fault::at(name, &server.url(), server)
}

pub(super) async fn all() -> Vec<Fault> {
    let mut all = heads().await;
    all.extend(malformed().await);
    all.extend(bodies().await);
    all
}

async fn heads() -> Vec<Fault> {
    const HEAD: &str = "connect first_byte";
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    let unread = Server::start(|stream| async move { drop(stream) }).await;
    let at_once = Fault::at("closed before the request is read", &unread.url(), unread);
    let large = format!("{OK}X-Long: {}\r\n\r\n", "y".repeat(10 * 1024 * 1024));
    let many = format!("{OK}{}\r\n", "X-Many: y\r\n".repeat(100_000));
    let floods = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(40);
    vec![
        at_once.fails(Layer::Backend, ClosedEarly).or(Layer::Connect, Reset).marks(HEAD),
        says("closed without a word", "").await.fails(Layer::Backend, ClosedEarly).marks(HEAD),
        resets("cut without a word", "").await.fails(Layer::Backend, ClosedEarly).marks(HEAD),
        hangs("silence", "").await.fails(Layer::Backend, FirstByteTimeout).marks(HEAD),
        says("half a head, then closed", "HTTP/1.1 200 OK\r\nX-Y")
            .await
            .fails(Layer::Backend, ClosedEarly)
            .marks(HEAD),
        resets("half a head, then cut", "HTTP/1.1 200 OK\r\nX-Y")
            .await
            .fails(Layer::Backend, ClosedEarly)
            .marks(HEAD),
        hangs("half a head, then silence", "HTTP/1.1 200 OK\r\nX-Y")
            .await
            .fails(Layer::Backend, FirstByteTimeout)
            .marks(HEAD),
        repeats("a head, a byte at a time", OK, "x", BEAT)
            .await
            .hangs()
            .fails(Layer::Backend, FirstByteTimeout)
            .marks(HEAD),
        repeats("interim answers without end", "", floods, BEAT)
            .await
            .hangs()
            .fails(Layer::Backend, FirstByteTimeout)
            .marks(HEAD),
        repeats("early hints without end", "", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", BEAT)
            .await
            .hangs()
            .fails(Layer::Backend, FirstByteTimeout)
            .marks(HEAD),
        says("a head of ten megabytes", large).await.fails(Layer::Contract, TooLarge).marks(HEAD),
        says("a hundred thousand headers", many).await.fails(Layer::Contract, TooLarge).marks(HEAD),
    ]
}

async fn malformed() -> Vec<Fault> {
    let mut all = Vec::new();
    for (name, sent) in [
        ("SSH", "SSH-2.0-OpenSSH_9.2p1\r\n"),
        ("SMTP", "220 mail.example ESMTP\r\n"),
        ("zeros and ones", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n"),
        ("HTTP/0.9", "<html>hello</html>\r\n\r\n"),
        ("a status that is no number", "HTTP/1.1 9x9 no\r\n\r\n"),
        ("a zero byte in a header", "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n"),
        ("a header without a name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n"),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        ("a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nxx"),
        ("a length below nothing", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nxx"),
    ] {
        all.push(says(name, sent).await.fails(Layer::Backend, NotHttp).marks("connect first_byte"));
    }
    let extension = format!("{CHUNKED}1;{}\r\nx\r\n", "e".repeat(1 << 20));
    let trailers = format!("{CHUNKED}1\r\nx\r\n0\r\n{}\r\n", "X-Many: y\r\n".repeat(100_000));
    for (name, sent) in [
        ("a chunk whose length is no number", format!("{CHUNKED}zz\r\n")),
        ("a chunk longer than any body", format!("{CHUNKED}ffffffffffffffffff\r\nx")),
        ("a chunk extension without end", extension),
        ("trailers without end", trailers),
    ] {
        all.push(says(name, sent).await.fails(Layer::Backend, NotHttp));
    }
    all
}

async fn bodies() -> Vec<Fault> {
    vec![
        says("shorter than announced", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            .await
            .fails(Layer::Backend, BodyTruncated),
        resets("shorter than announced, then cut", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            .await
            .fails(Layer::Backend, BodyTruncated),
        hangs("shorter than announced, then silence", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            .await
            .fails(Layer::Backend, BodyTimeout),
        says("longer than announced", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz").await,
        says("a chunk that breaks off", format!("{CHUNKED}5\r\nab"))
            .await
            .fails(Layer::Backend, BodyTruncated),
        says("chunks without the last", format!("{CHUNKED}3\r\nabc\r\n"))
            .await
            .fails(Layer::Backend, BodyTruncated),
        hangs("chunks, then silence", &format!("{CHUNKED}3\r\nabc\r\n"))
            .await
            .fails(Layer::Backend, BodyTimeout),
        repeats("a body, a byte at a time", "HTTP/1.1 200 OK\r\n\r\n", "x", BEAT)
            .await
            .hangs()
            .fails(Layer::Backend, BodyTimeout),
        repeats("chunks, a byte at a time", CHUNKED, "1\r\nx\r\n", BEAT)
            .await
            .hangs()
            .fails(Layer::Backend, BodyTimeout),
        repeats("a body without end", "HTTP/1.1 200 OK\r\n\r\n", vec![b'x'; 64 * 1024], Duration::ZERO)
            .await
            .fails(Layer::Contract, TooLarge),
        hangs("a body that announces too much", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
            .await
            .fails(Layer::Contract, TooLarge),
    ]
}
