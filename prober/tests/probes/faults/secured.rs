//! TLS: the handshake, the certificate, and what comes over it.

use super::Fault;
use crate::{
    certificates::{Authority, Keyed},
    servers::{Server, answer, head, ok},
    setting::expect,
};
use domain::{FailureKind::*, Layer, Verdict};
use rustls::{
    ServerConfig,
    version::{TLS12, TLS13},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

const HANDSHAKE: &str = "dns connect tls";
const HEAD: &str = "dns connect tls first_byte";
const ALL: &str = "dns connect tls first_byte body";

fn at(name: &'static str, server: Server) -> Fault {
    let url = format!("https://localhost:{}", server.address.port());
    Fault::at(name, &url, server).with(|check| check.timeout = Duration::from_secs(9))
}

/// Says this to a client hello, raw, and then closes or (`cut`) cuts.
async fn raw(name: &'static str, sent: &'static [u8], cut: bool) -> Fault {
    let server = Server::start(move |mut stream: TcpStream| async move {
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.ok();
        let mut rest = vec![0; usize::from(u16::from_be_bytes([hello[3], hello[4]]))];
        stream.read_exact(&mut rest).await.ok();
        stream.write_all(sent).await.ok();
        if cut {
            stream.set_zero_linger().unwrap();
        } else {
            stream.shutdown().await.ok();
        }
    })
    .await;
    at(name, server).fails(Layer::Tls, Handshake).marks(HANDSHAKE)
}

/// How an answer over TLS ends.
#[derive(Clone, Copy)]
enum Ends {
    /// With a goodbye.
    Well,
    /// The connection alone ends.
    WithoutGoodbye,
    /// It is cut.
    Cut,
    /// Never.
    Hangs,
}

/// Reads a request over TLS, says this and ends so.
async fn over(name: &'static str, config: ServerConfig, sent: &'static [u8], ends: Ends) -> Fault {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream): Result<TlsStream<TcpStream>, _> = acceptor.accept(stream).await else {
                return;
            };
            head(&mut stream).await;
            stream.write_all(sent).await.ok();
            stream.flush().await.ok();
            match ends {
                Ends::Well => drop(stream.shutdown().await),
                Ends::WithoutGoodbye => drop(stream.into_inner().0.shutdown().await),
                Ends::Cut => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    stream.get_ref().0.set_zero_linger().unwrap();
                }
                Ends::Hangs => std::future::pending().await,
            }
        }
    })
    .await;
    at(name, server)
}

pub(super) async fn all(authority: &Authority) -> Vec<Fault> {
    let mut all = handshakes().await;
    all.extend(certificates(authority).await);
    all.extend(answers(authority).await);
    all
}

async fn handshakes() -> Vec<Fault> {
    let silent = Server::start(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    vec![
        at("no handshake", silent).hangs().fails(Layer::Tls, TlsTimeout).marks(HANDSHAKE),
        raw("closed in the handshake", b"", false).await,
        raw("cut in the handshake", b"", true).await,
        raw("plain HTTP where TLS is agreed", b"HTTP/1.1 400 Bad Request\r\n\r\n", false).await,
        raw("half a record, then closed", &[0x16, 3, 3, 1, 0, 2, 0], false).await,
        raw("a record larger than any", &[0x16, 3, 3, 0xff, 0xff, 2, 0], false).await,
        // RFC 8446 §6: a fatal alert, 70 for the version and 40 for no common ground.
        raw("a server of an older TLS", &[0x15, 3, 1, 0, 2, 2, 70], false).await,
        raw("no common ground", &[0x15, 3, 3, 0, 2, 2, 40], false).await,
    ]
}

async fn certificates(authority: &Authority) -> Vec<Fault> {
    let stranger = Authority::new();
    let of = |name, keyed: Keyed, kind| async move {
        at(name, keyed.serves().await).fails(Layer::Tls, kind).marks(HANDSHAKE)
    };
    let mut all = vec![
        of("a certificate that is over", authority.signs(&["localhost"], 2024, 2026), CertificateExpired)
            .await,
        of(
            "a certificate that is too early",
            authority.signs(&["localhost"], 2027, 2029),
            CertificateNotYetValid,
        )
        .await,
        of(
            "a certificate for another name",
            authority.signs(&["other.example"], 2026, 2027),
            CertificateName,
        )
        .await,
        of("a certificate of a stranger", stranger.signs(&["localhost"], 2026, 2028), CertificateUntrusted)
            .await,
        of("a certificate signed by itself", Keyed::by_itself("localhost"), CertificateUntrusted).await,
        at(
            "a certificate that ends sooner than agreed",
            authority.signs(&["localhost"], 2026, 2027).serves().await,
        )
        .with(|check| expect(check).certificate_days = Some(90))
        .fails(Layer::Contract, CertificateEndsSoon)
        .marks(ALL),
    ];
    for (name, version, marks) in [
        ("a certificate of ours is wanted, over TLS 1.2", &TLS12, HANDSHAKE),
        // There the handshake is over for us before the server looks at what we sent.
        ("a certificate of ours is wanted, over TLS 1.3", &TLS13, HEAD),
    ] {
        let config = authority.signs(&["localhost"], 2026, 2027).wants_ours(authority, version);
        let fault = over(name, config, b"", Ends::Well).await;
        all.push(fault.is(Verdict::Inconclusive, Layer::Ours, ClientCertificate).marks(marks));
    }
    let mut config = authority.signs(&["localhost"], 2026, 2027).wants_ours(authority, &TLS13);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let fault =
        over("a certificate of ours is wanted, over HTTP/2 and TLS 1.3", config, b"", Ends::Well).await;
    all.push(fault.is(Verdict::Inconclusive, Layer::Ours, ClientCertificate).marks(HEAD));
    for (name, said) in [
        ("nginx wants a certificate of ours", "400 No required SSL certificate was sent"),
        ("nginx refuses a certificate of ours", "400 The SSL certificate error"),
    ] {
        let page = answer("400 Bad Request", &format!("<html><head><title>{said}</title></head></html>"));
        let config = authority.signs(&["localhost"], 2026, 2027).asks_for_ours(authority);
        let fault = over(name, config, page.leak().as_bytes(), Ends::Well).await;
        all.push(fault.is(Verdict::Inconclusive, Layer::Ours, ClientCertificate).marks(ALL));
    }
    // One who says so without having asked is no server that wants it.
    let page = answer("400 Bad Request", "No required SSL certificate was sent");
    let config = authority.signs(&["localhost"], 2026, 2027).config(rustls::DEFAULT_VERSIONS, &[]);
    let fault = over(
        "words of nginx from one who asked for no certificate",
        config,
        page.leak().as_bytes(),
        Ends::Well,
    )
    .await;
    all.push(fault.fails(Layer::Contract, UnexpectedStatus).marks(ALL));
    all
}

async fn answers(authority: &Authority) -> Vec<Fault> {
    let config = || authority.signs(&["localhost"], 2026, 2027).config(rustls::DEFAULT_VERSIONS, &[]);
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    let endless = b"HTTP/1.1 200 OK\r\n\r\nabc";
    vec![
        over("a goodbye instead of an answer", config(), b"", Ends::Well)
            .await
            .fails(Layer::Backend, ClosedEarly)
            .marks(HEAD),
        over("the end instead of an answer", config(), b"", Ends::WithoutGoodbye)
            .await
            .fails(Layer::Backend, ClosedEarly)
            .marks(HEAD),
        over("cut instead of an answer", config(), b"", Ends::Cut)
            .await
            .fails(Layer::Backend, ClosedEarly)
            .marks(HEAD),
        over("a handshake, then silence", config(), b"", Ends::Hangs)
            .await
            .hangs()
            .fails(Layer::Backend, FirstByteTimeout)
            .marks(HEAD),
        over("not HTTP over TLS", config(), b"220 mail ESMTP\r\n", Ends::Well)
            .await
            .fails(Layer::Backend, NotHttp)
            .marks(HEAD),
        over("a body over TLS that is cut", config(), short, Ends::Cut)
            .await
            .fails(Layer::Backend, BodyTruncated)
            .marks(ALL),
        over("a body over TLS that ends without a goodbye", config(), endless, Ends::WithoutGoodbye)
            .await
            .fails(Layer::Backend, BodyTruncated)
            .marks(ALL),
        over("a body over TLS, then silence", config(), short, Ends::Hangs)
            .await
            .hangs()
            .fails(Layer::Backend, BodyTimeout)
            .marks(ALL),
        over(
            "a good answer, and TLS cut behind it",
            config(),
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            Ends::Cut,
        )
        .await
        .marks(ALL),
        at("well over TLS", authority.signs(&["localhost"], 2026, 2027).says(ok("{}").as_bytes()).await)
            .marks(ALL),
    ]
}
