//! A hostile mail server, at each moment of a conversation: what it says is read to a bound, and no further.

use super::*;
use lettre::transport::smtp::client::{Certificate, TlsParametersBuilder};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Reached only by a test that fails.
const LIMIT: Duration = Duration::from_secs(30);
/// What the system keeps between two programs on loopback, and the books of TLS.
const ON_THE_WAY: usize = 16 * 1024 * 1024;

/// When the server goes on without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endless {
    Greeting,
    Hello,
    UnderStartTls,
    UnderTls,
    /// In many lines, each of a length that is allowed.
    Lines,
}

fn identity() -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("an identity");
    (cert.der().clone(), Arc::new(config))
}

/// Says `start`, and then `more` until nobody takes it.
async fn on_and_on(mut stream: impl AsyncWrite + Unpin, start: &[u8], more: &[u8], said: &AtomicUsize) {
    if stream.write_all(start).await.is_err() {
        return;
    }
    while stream.write_all(more).await.is_ok() && stream.flush().await.is_ok() {
        said.fetch_add(more.len(), Ordering::Relaxed);
        assert!(said.load(Ordering::Relaxed) < 2 * ON_THE_WAY, "it is read without end");
    }
}

async fn line(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = String::new();
    BufReader::with_capacity(1, stream).take(1_024).read_line(&mut text).await.expect("a line");
    text
}

async fn serve(listener: TcpListener, endless: Endless, tls: Arc<ServerConfig>, said: &AtomicUsize) {
    let (mut stream, _) = listener.accept().await.expect("a client");
    let much = vec![b'a'; 64 * 1024];
    match endless {
        Endless::Greeting => on_and_on(stream, b"220-", &much, said).await,
        Endless::Lines => {
            let lines = format!("220-{}\r\n", "a".repeat(500)).repeat(100);
            on_and_on(stream, b"", lines.as_bytes(), said).await;
        }
        Endless::Hello => {
            stream.write_all(b"220 mail\r\n").await.expect("said");
            line(&mut stream).await;
            on_and_on(stream, b"250-", &much, said).await;
        }
        Endless::UnderStartTls => {
            stream.write_all(b"220 mail\r\n").await.expect("said");
            line(&mut stream).await;
            stream.write_all(b"250-mail\r\n250 STARTTLS\r\n").await.expect("said");
            line(&mut stream).await;
            stream.write_all(b"220 go on\r\n").await.expect("said");
            let stream = TlsAcceptor::from(tls).accept(stream).await.expect("TLS");
            on_and_on(stream, b"250-", &much, said).await;
        }
        Endless::UnderTls => {
            let stream = TlsAcceptor::from(tls).accept(stream).await.expect("TLS");
            on_and_on(stream, b"220-", &much, said).await;
        }
    }
}

#[tokio::test]
async fn a_server_that_answers_without_end_is_left() {
    for endless in
        [Endless::Greeting, Endless::Lines, Endless::Hello, Endless::UnderStartTls, Endless::UnderTls]
    {
        let (certificate, tls) = identity();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let said = AtomicUsize::new(0);
        let server = serve(listener, endless, tls, &said);
        let protection = match endless {
            Endless::Greeting | Endless::Lines | Endless::Hello => Protection::None,
            Endless::UnderStartTls => {
                let root = Certificate::from_der(certificate.to_vec()).expect("a root");
                let builder = TlsParametersBuilder::new("localhost".to_owned()).add_root_certificate(root);
                Protection::StartTls(builder.build_rustls().expect("TLS"))
            }
            Endless::UnderTls => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate).expect("a root");
                Protection::tls("localhost", roots).expect("TLS")
            }
        };
        let hello = ClientId::default();
        let talk = async {
            let mut opened = Opened::to(("127.0.0.1", port), &protection, &hello, LIMIT).await?;
            opened.protect(&protection, &hello).await.map_err(|error| meaning(&error, false))
        };
        let both = timeout(LIMIT, async { tokio::join!(talk, server) }).await;
        let (ended, ()) =
            both.unwrap_or_else(|_| panic!("{endless:?}: it ends, and the server finds itself left"));
        let why = ended.expect_err("a refusal").why().to_owned();
        // lettre itself bounds the lines, and what they add up to.
        let expected = if endless == Endless::Lines { "too large" } else { "without end (over 256 kB)" };
        assert!(why.contains(expected), "{endless:?}: {why}");
        assert!(said.load(Ordering::Relaxed) < ON_THE_WAY, "{endless:?}: {said:?}");
    }
}

#[tokio::test]
async fn under_tls_from_the_first_byte_the_server_is_heard_and_its_certificate_known() {
    let (certificate, tls) = identity();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = async {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut stream = TlsAcceptor::from(tls).accept(stream).await.expect("TLS");
        stream.write_all(b"220 mail\r\n").await.expect("said");
        assert!(line(&mut stream).await.starts_with("EHLO "));
        stream.write_all(b"250 mail\r\n").await.expect("said");
        assert_eq!(line(&mut stream).await, "QUIT\r\n");
        stream.write_all(b"221 until then\r\n").await.expect("said");
    };
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let protection = Protection::tls("localhost", roots).expect("TLS");
    let client = async {
        let opened = Opened::to(("127.0.0.1", port), &protection, &ClientId::default(), LIMIT).await;
        let Ok(mut opened) = opened else { panic!("not heard") };
        assert_eq!(opened.certificate().as_deref(), Some(certificate.as_ref()));
        opened.connection.quit().await.expect("a goodbye");
    };
    timeout(LIMIT, async { tokio::join!(server, client) }).await.expect("in time");

    // Whom nobody we trust vouches for is not spoken to.
    let (_, stranger) = identity();
    let server = async {
        let (stream, _) = listener.accept().await.expect("a client");
        assert!(TlsAcceptor::from(stranger).accept(stream).await.is_err());
    };
    let client = async {
        let opened = Opened::to(("127.0.0.1", port), &protection, &ClientId::default(), LIMIT).await;
        let Err(error) = opened else { panic!("trusted") };
        assert!(error.why().contains("no protected connection"), "{error:?}");
    };
    timeout(LIMIT, async { tokio::join!(server, client) }).await.expect("in time");
}
