//! TLS and certificates.

use crate::{
    servers::{Server, head, ok},
    setting::{check, expect, failed, message, noon, request, settings},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Check, FailureKind::*, Layer, Outcome, Secret};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use prober::{Error, Prober};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

/// An authority that the prober trusts (when it is among the roots).
pub(crate) struct Authority {
    pub(crate) der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn signs(&self, names: &[&str], from: i32, to: i32) -> Keyed {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Keyed { chain: vec![certificate.der().clone(), self.der.clone()], key }
    }

    /// A server that answers only to clients whose certificate is signed by this authority.
    pub(crate) async fn wants(&self, version: &'static rustls::SupportedProtocolVersion) -> Server {
        let config = self.signs(&["localhost"], 2026, 2027).wants_ours(self, version);
        says(config, ok("{}").as_bytes()).await
    }

    /// The same over TLS 1.3 and what of these the client prefers.
    pub(crate) async fn wants_over(&self, alpn: &[&str]) -> Server {
        let keyed = self.signs(&["localhost"], 2026, 2027);
        let mut config = keyed.wants_ours(self, &rustls::version::TLS13);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        says(config, ok("{}").as_bytes()).await
    }

    /// Shakes hands as `localhost`, until the new year of 2027.
    pub(crate) fn acceptor(&self, alpn: &[&str]) -> TlsAcceptor {
        let keyed = self.signs(&["localhost"], 2026, 2027);
        TlsAcceptor::from(Arc::new(keyed.config(rustls::DEFAULT_VERSIONS, alpn)))
    }

    pub(crate) fn prober(&self) -> Prober {
        let mut settings = settings();
        settings.roots = vec![self.der.clone()];
        Prober::new(settings).unwrap()
    }
}

/// A chain and its key.
pub(crate) struct Keyed {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Keyed {
    pub(crate) fn config(
        self,
        versions: &[&'static rustls::SupportedProtocolVersion],
        alpn: &[&str],
    ) -> ServerConfig {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(versions)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(self.chain, key)
                .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config
    }

    /// Signed by itself.
    pub(crate) fn by_itself(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2029, 1, 1));
        Self { chain: vec![params.self_signed(&key).unwrap().der().clone()], key }
    }

    /// Serves nobody who has no certificate of the authority's.
    pub(crate) fn wants_ours(
        self,
        authority: &Authority,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> ServerConfig {
        self.asks(authority, version, false)
    }

    /// Asks for one, and hears those out who have none, as nginx does.
    pub(crate) fn asks_for_ours(self, authority: &Authority) -> ServerConfig {
        self.asks(authority, &rustls::version::TLS13, true)
    }

    fn asks(
        self,
        authority: &Authority,
        version: &'static rustls::SupportedProtocolVersion,
        hears_all: bool,
    ) -> ServerConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let clients = if hears_all { clients.allow_unauthenticated() } else { clients };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(self.chain, key)
            .unwrap()
    }

    /// As ours, for those who ask.
    pub(crate) fn shown(&self) -> domain::ClientCertificate {
        let pem = |der: &CertificateDer<'_>| {
            let lines = STANDARD.encode(der);
            format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
        };
        let chain: String = self.chain.iter().take(1).map(pem).collect();
        domain::ClientCertificate {
            chain: Secret::new(chain),
            key: Secret::new(self.key.serialize_pem()),
            ends: None,
        }
    }

    pub(crate) async fn serves(self) -> Server {
        self.says(ok("{}").as_bytes()).await
    }

    /// Says this to every request.
    pub(crate) async fn says(self, answer: &[u8]) -> Server {
        says(self.config(rustls::DEFAULT_VERSIONS, &[]), answer).await
    }

    /// Speaks HTTP/2 and says what it was asked.
    pub(crate) async fn h2(self) -> Server {
        let config = self.config(rustls::DEFAULT_VERSIONS, &["h2"]);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Server::start(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(echo))
                    .await
                    .ok();
            }
        })
        .await
    }
}

async fn says(config: ServerConfig, answer: &[u8]) -> Server {
    let (acceptor, answer) = (TlsAcceptor::from(Arc::new(config)), Arc::new(answer.to_vec()));
    Server::start(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            if head(&mut stream).await.is_empty() {
                return;
            }
            stream.write_all(&answer).await.ok();
            stream.shutdown().await.ok();
        }
    })
    .await
}

pub(crate) fn secure(server: &Server, host: &str) -> Check {
    check(&format!("https://{host}:{}", server.address.port()))
}

pub(crate) async fn probed(authority: &Authority, check: &Check) -> Outcome {
    authority.prober().probe(check, noon(), false).await
}

fn ends(outcome: &Outcome) -> Option<Timestamp> {
    outcome.certificate.as_ref().map(|certificate| certificate.not_after)
}

fn new_year(year: i32) -> Timestamp {
    format!("{year}-01-01T00:00:00Z").parse().unwrap()
}

#[tokio::test]
async fn a_prober_that_takes_over_trusts_whom_it_is_told_to() {
    let authority = Authority::new();
    let server = authority.signs(&["localhost"], 2026, 2027).serves().await;
    let check = secure(&server, "localhost");
    let old = Prober::new(settings()).unwrap();
    let refused = failed(&old.probe(&check, noon(), false).await);
    assert_eq!(refused, Some((Layer::Tls, CertificateUntrusted)));
    let mut told = settings();
    told.roots = vec![authority.der.clone()];
    let new = old.again(told).unwrap();
    assert_eq!(failed(&new.probe(&check, noon(), false).await), None);
}

#[tokio::test]
async fn a_good_certificate_with_all_five_phases() {
    let authority = Authority::new();
    let server = authority.signs(&["localhost"], 2026, 2027).serves().await;
    let outcome = probed(&authority, &secure(&server, "localhost")).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(ends(&outcome), Some(new_year(2027)), "the leaf ends before its authority");
    assert_eq!(outcome.certificate.unwrap().fingerprint.len(), 64);
    let phases = outcome.phases;
    assert!(
        [phases.dns, phases.connect, phases.tls, phases.first_byte, phases.body].iter().all(Option::is_some)
    );
}

#[tokio::test]
async fn a_certificate_for_an_address() {
    let authority = Authority::new();
    let server = authority.signs(&["127.0.0.1"], 2026, 2027).serves().await;
    assert_eq!(failed(&probed(&authority, &secure(&server, "127.0.0.1")).await), None);
}

#[tokio::test]
async fn tls_1_2_is_spoken_and_tls_1_3_too() {
    let authority = Authority::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = authority.signs(&["localhost"], 2026, 2027).config(&[version], &[]);
        let server = says(config, ok("{}").as_bytes()).await;
        let outcome = probed(&authority, &secure(&server, "localhost")).await;
        assert_eq!(failed(&outcome), None, "{version:?}: {}", message(&outcome));
    }
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_still_looked_at() {
    let authority = Authority::new();
    for (names, from, to, kind, words) in [
        (["localhost"], 2024, 2026, CertificateExpired, "the certificate ended on 2026-01-01T00:00:00Z"),
        (["localhost"], 2027, 2029, CertificateNotYetValid, "not valid before 2027-01-01T00:00:00Z"),
        (["another.example"], 2026, 2027, CertificateName, "not for localhost but for"),
    ] {
        let server = authority.signs(&names, from, to).serves().await;
        let outcome = probed(&authority, &secure(&server, "localhost")).await;
        assert_eq!(failed(&outcome), Some((Layer::Tls, kind)), "{}", message(&outcome));
        assert!(message(&outcome).contains(words), "{}", message(&outcome));
        assert_eq!(ends(&outcome), Some(new_year(to)), "{kind:?}");
        assert!(outcome.phases.tls.is_some() && outcome.phases.first_byte.is_none());
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_a_failure_when_days_were_agreed() {
    let authority = Authority::new();
    // Noon of 20 November to New Year are 41½ days.
    for (days, kind) in [(41, None), (42, Some((Layer::Contract, CertificateEndsSoon)))] {
        let server = authority.signs(&["localhost"], 2026, 2027).serves().await;
        let mut check = secure(&server, "localhost");
        expect(&mut check).certificate_days = Some(days);
        let outcome = probed(&authority, &check).await;
        assert_eq!(failed(&outcome), kind, "{days} days");
        assert_eq!(outcome.expectations.last().unwrap().seen, "41 days left");
    }
}

#[tokio::test]
async fn one_that_is_over_and_not_needed_says_nothing() {
    let authority = Authority::new();
    let old = || Authority::new().signs(&["an old cross-sign"], 2018, 2024).chain.remove(0);
    let mut keyed = authority.signs(&["localhost"], 2026, 2027);
    keyed.chain.push(old());
    let outcome = probed(&authority, &secure(&keyed.serves().await, "localhost")).await;
    assert_eq!((failed(&outcome), ends(&outcome)), (None, Some(new_year(2027))), "{}", message(&outcome));

    let mut keyed = authority.signs(&["localhost"], 2024, 2026);
    keyed.chain.push(old());
    let outcome = probed(&authority, &secure(&keyed.serves().await, "localhost")).await;
    assert_eq!(failed(&outcome), Some((Layer::Tls, CertificateExpired)));
    assert_eq!(ends(&outcome), Some(new_year(2026)), "its own has to be replaced");
}

#[tokio::test]
async fn what_was_found_good_vouches_for_no_other_name_and_no_other_chain() {
    let authority = Authority::new();
    let prober = authority.prober();
    let server = authority.signs(&["localhost"], 2026, 2027).serves().await;
    let stranger = Keyed::by_itself("localhost").serves().await;
    let refused = |kind| Some((Layer::Tls, kind));
    for _ in 0..2 {
        for (server, host, refused, ends_in) in [
            (&server, "localhost", None, 2027),
            (&server, "a.localhost", refused(CertificateName), 2027),
            (&stranger, "localhost", refused(CertificateUntrusted), 2029),
        ] {
            let outcome = prober.probe(&secure(server, host), noon(), false).await;
            assert_eq!(failed(&outcome), refused, "{host}: {}", message(&outcome));
            assert_eq!(ends(&outcome), Some(new_year(ends_in)), "{host}");
        }
    }
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_does() {
    let authority = Authority::new();
    let server = authority.signs(&["localhost"], 2026, 2027).h2().await;
    let mut check = secure(&server, "localhost");
    request(&mut check).headers = vec![("host".to_owned(), "ignored.example".to_owned())];
    expect(&mut check).text = vec![domain::Matches::Contains(format!(
        "GET https://localhost:{}/ping x-request-id accept user-agent",
        server.address.port()
    ))];
    let prober = authority.prober();
    let outcome = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().version, "HTTP/2");

    request(&mut check).path = "/large".to_owned();
    expect(&mut check).text = vec![domain::Matches::Exists];
    let outcome = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&outcome), Some((Layer::Contract, TooLarge)), "{}", message(&outcome));

    // What is not sent is not too large.
    request(&mut check).method = domain::Method::Head;
    expect(&mut check).text = Vec::new();
    let outcome = prober.probe(&check, noon(), false).await;
    assert_eq!(failed(&outcome), None, "{}", message(&outcome));
    assert_eq!(outcome.http.unwrap().bytes, 0);
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<bytes::Bytes>>, std::convert::Infallible> {
    if request.method() == hyper::Method::HEAD {
        let answer = Response::builder().header("content-length", 20_000_000).body(Full::default());
        return Ok(answer.unwrap());
    }
    if request.uri().path() == "/large" {
        return Ok(Response::new(Full::from(vec![b'x'; 3 * 1024 * 1024])));
    }
    let sent = ["x-request-id", "accept", "user-agent"];
    let sent: Vec<&str> = sent.into_iter().filter(|name| request.headers().contains_key(*name)).collect();
    Ok(Response::new(Full::from(format!("{} {} {}", request.method(), request.uri(), sent.join(" ")))))
}

#[test]
fn a_root_that_cannot_be_trusted_is_named() {
    for bad in [vec![], vec![1, 2, 3]] {
        let mut settings = settings();
        settings.roots = vec![Authority::new().der, CertificateDer::from(bad)];
        let error = Prober::new(settings).unwrap_err();
        assert!(matches!(error, Error::Root { number: 2, .. }), "{error}");
        assert!(error.to_string().starts_with("extra root certificate 2 cannot be trusted"), "{error}");
    }
}
