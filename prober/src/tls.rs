//! TLS that keeps what it saw: the peer's chain also when it is refused, and why.

mod chain;
mod overheard;
mod told;

pub(crate) use chain::fingerprint;
pub(crate) use overheard::Overheard;
pub(crate) use told::{certificate, client_certificate, failure, wants_ours};

use crate::{Error, Settings, credential::OwnCertificate};
use chain::{Chain, GoodChains, Validity};
use domain::{Certificate, Clock, Egress};
use jiff::Timestamp;
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        ResolvesClientCert, Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
    time_provider::TimeProvider,
};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// When a certificate ends; `None`: it cannot be read.
pub fn ends(der: &CertificateDer<'_>) -> Option<Timestamp> {
    Validity::of(der)?.until()
}

/// Whether a certificate is in time; one that cannot be read is not out of it.
pub(crate) fn is_in_time(der: &CertificateDer<'_>, now: Timestamp) -> bool {
    Validity::of(der).is_none_or(|validity| validity.covers(now))
}

/// What all probes share.
pub(crate) struct Tls {
    config: ClientConfig,
    /// `None`: nobody is trusted, because this host has no certificate store.
    judge: Option<Arc<Judge>>,
}

/// Tells whom probes trust.
#[derive(Debug)]
struct Judge {
    verifier: Arc<WebPkiServerVerifier>,
    found: GoodChains,
}

impl Judge {
    fn witness(self: &Arc<Self>, ours: Option<Arc<CertifiedKey>>) -> Witness {
        Witness {
            judge: Arc::clone(self),
            chain: OnceLock::new(),
            judged: OnceLock::new(),
            asked_for_ours: AtomicBool::new(false),
            wants_http1: AtomicBool::new(false),
            alert: OnceLock::new(),
            ours,
        }
    }
}

/// The time that certificates are judged by.
#[derive(Debug)]
struct Now(Clock);

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// What is spoken over a secured connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// HTTP/2 or HTTP/1.1, as the server prefers.
    Http,
    /// HTTP/1.1 alone.
    Http1,
    /// Something else: the handshake names nothing, because a server may break off at a name that it does not know.
    Other,
}

/// What one handshake saw.
#[derive(Debug)]
pub(crate) struct Witness {
    judge: Arc<Judge>,
    chain: OnceLock<Arc<Chain>>,
    /// When it was judged, and whether it was found good.
    judged: OnceLock<(Timestamp, bool)>,
    asked_for_ours: AtomicBool,
    /// Whether the server took HTTP/2 and then wanted HTTP/1.1.
    wants_http1: AtomicBool,
    /// What the server said when it broke off.
    alert: OnceLock<AlertDescription>,
    /// What it is shown then.
    ours: Option<Arc<CertifiedKey>>,
}

impl Witness {
    /// The certificate of the peer's chain that ends first, of those that matter.
    pub(crate) fn certificate(&self) -> Option<Certificate> {
        self.chain.get()?.first_to_end(self.judged.get().copied())
    }

    /// What the peer sent, its own certificate first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        self.chain.get().map_or(&[], |chain| chain.certificates.as_slice())
    }

    /// Whether the server wanted a certificate of ours.
    pub(crate) fn asked_for_ours(&self) -> bool {
        self.asked_for_ours.load(Ordering::Relaxed)
    }

    /// What the server said when it broke off, after the handshake too.
    pub(crate) fn alert(&self) -> Option<AlertDescription> {
        self.alert.get().copied()
    }

    pub(crate) fn wants_http1(&self) -> bool {
        self.wants_http1.load(Ordering::Relaxed)
    }

    /// The server says that what is asked must be asked over HTTP/1.1.
    pub(crate) fn heard_http1(&self) {
        self.wants_http1.store(true, Ordering::Relaxed);
    }

    /// Whether it gets one.
    pub(crate) fn shows_ours(&self) -> bool {
        self.ours.is_some()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let at = i64::try_from(now.as_secs()).ok().and_then(|now| Timestamp::from_second(now).ok());
        let Judge { verifier, found } = &*self.judge;
        if let Some(at) = at
            && let Some(chain) = found.good(server_name, end_entity, intermediates, at)
        {
            self.chain.get_or_init(|| chain);
            self.judged.get_or_init(|| (at, true));
            return Ok(ServerCertVerified::assertion());
        }
        let chain = Arc::new(Chain::new(end_entity, intermediates));
        self.chain.get_or_init(|| Arc::clone(&chain));
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Some(at) = at {
            self.judged.get_or_init(|| (at, verified.is_ok()));
            if verified.is_ok() {
                found.keep(server_name, &chain, at);
            }
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.verifier.supported_verify_schemes()
    }
}

impl ResolvesClientCert for Witness {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked_for_ours.store(true, Ordering::Relaxed);
        self.ours.clone()
    }

    fn has_certs(&self) -> bool {
        self.ours.is_some()
    }
}

/// Shows our certificate, if there is one, to whoever asks; and knows whether somebody did.
#[derive(Debug)]
pub(crate) struct Shows {
    ours: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Shows {
    /// Whether an alert is about our certificate: missing, or not liked.
    pub(crate) fn wanted(&self, alert: AlertDescription) -> bool {
        alert == AlertDescription::CertificateRequired
            || (self.asked.load(Ordering::Relaxed) && told::is_about_ours(alert))
    }
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.ours.clone()
    }

    fn has_certs(&self) -> bool {
        self.ours.is_some()
    }
}

impl Tls {
    /// Trusts the host's store and the extra roots; TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, every handshake a full one.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        // A store with a broken file in it still holds the good ones.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for (index, certificate) in settings.roots.iter().enumerate() {
            let error = |reason: String| Error::Root { number: index + 1, reason };
            roots.add(certificate.clone()).map_err(|e| error(e.to_string()))?;
        }
        let mut provider = rustls::crypto::ring::default_provider();
        // As browsers do: its hash is one that processors have an instruction for.
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
        let provider = Arc::new(provider);
        let time = Arc::new(Now(settings.clock.clone()));
        let judge = judge(&roots, &provider);
        let mut config = ClientConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self { config, judge })
    }

    /// One who sees what one handshake sees; `None` on a host that trusts nobody.
    pub(crate) fn witness(&self) -> Option<Arc<Witness>> {
        self.witness_with(None)
    }

    /// The same, with a certificate of ours for those who ask.
    pub(crate) fn witness_with(&self, ours: Option<&OwnCertificate>) -> Option<Arc<Witness>> {
        let ours = ours.map(|own| Arc::clone(&own.key));
        Some(Arc::new(self.judge.as_ref()?.witness(ours)))
    }

    /// For requests beside probes, to addresses that were looked up before: no redirects, no proxy but the vantage's, no cookies, nothing tried twice. Made anew for each, so that
    /// it trusts whom probes trust now. `None`: nobody is trusted.
    pub(crate) fn client(
        &self,
        ours: Option<&OwnCertificate>,
        egress: &Egress,
        (addresses, patience): (Option<(String, Vec<SocketAddr>)>, Duration),
    ) -> Option<(reqwest::Client, Arc<Shows>)> {
        self.judge.as_ref()?;
        let ours = ours.map(|own| Arc::clone(&own.key));
        let shows = Arc::new(Shows { ours, asked: AtomicBool::new(false) });
        let mut config = self.config.clone();
        config.client_auth_cert_resolver = shows.clone();
        // HTTP/2 keeps to itself what a server says when it breaks off.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut builder = reqwest::Client::builder().no_proxy();
        if let Some(proxy) = &egress.proxy {
            builder = builder.proxy(crate::proxy::of_requests(proxy)?);
        }
        if let Some((name, addresses)) = addresses {
            builder = builder.resolve_to_addrs(&name, &addresses);
        }
        let client = builder
            .tls_backend_preconfigured(config)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .local_address(egress.local_address)
            .timeout(patience)
            .build()
            .ok()?;
        Some((client, shows))
    }

    /// A handshake over a fresh connection.
    pub(crate) async fn handshake(
        &self,
        witness: Arc<Witness>,
        name: ServerName<'static>,
        stream: TcpStream,
        speaks: Speaks,
    ) -> io::Result<Box<TlsStream<TcpStream>>> {
        // A copy of the configuration costs a fraction of a per cent of the handshake.
        let mut config = self.config.clone();
        match speaks {
            Speaks::Http => {}
            Speaks::Http1 => config.alpn_protocols.retain(|protocol| protocol != b"h2"),
            Speaks::Other => config.alpn_protocols.clear(),
        }
        config.client_auth_cert_resolver = witness.clone();
        config.dangerous().set_certificate_verifier(witness);
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(Box::new)
    }
}

fn judge(roots: &RootCertStore, provider: &Arc<CryptoProvider>) -> Option<Arc<Judge>> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots.clone()), provider.clone());
    Some(Arc::new(Judge { verifier: verifier.build().ok()?, found: GoodChains::default() }))
}

/// The TLS error in an error's chain.
pub(crate) fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    #[test]
    fn a_chain_that_was_found_good_is_not_looked_at_again() {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&key).unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(authority, key)).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let judge = judge(&roots, &Arc::new(rustls::crypto::ring::default_provider())).unwrap();
        let here = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_790_000_000));
        let chain = || {
            let witness = judge.witness(None);
            witness.verify_server_cert(own.der(), &[], &here, &[], now).unwrap();
            assert!(witness.certificate().is_some() && witness.judged.get().unwrap().1);
            witness.chain.get().unwrap().clone()
        };
        let first = chain();
        assert!(Arc::ptr_eq(&first, &chain()), "it is the one of before");
    }
}
