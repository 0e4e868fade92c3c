//! The world's certificates: an authority to trust, good ones, and every kind of bad one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::fault::Fault;

const DAY: u64 = 86_400;
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What the TLS side of an instance presents.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    /// The authority's certificate, in PEM.
    pub(crate) authority: String,
    good: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
    wrong_host: Arc<ServerConfig>,
    untrusted: Arc<ServerConfig>,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

impl Certificates {
    pub(crate) fn new(now: Timestamp) -> io::Result<Self> {
        let trusted = authority("Curiad simulated authority", now)?;
        let stranger = authority("An authority nobody trusts", now)?;
        Ok(Self {
            authority: trusted.pem(),
            good: server(&trusted, &HERE, Some(now))?,
            expired: server(&trusted, &HERE, None)?,
            wrong_host: server(&trusted, &["other.example.wales"], Some(now))?,
            untrusted: server(&stranger, &HERE, Some(now))?,
        })
    }

    /// What an instance with this fault presents.
    pub(crate) fn presented(&self, fault: Fault) -> Arc<ServerConfig> {
        let config = if fault == Fault::ExpiredCertificate {
            &self.expired
        } else if fault == Fault::WrongHost {
            &self.wrong_host
        } else if fault == Fault::Untrusted {
            &self.untrusted
        } else {
            &self.good
        };
        Arc::clone(config)
    }
}

/// A certificate that begins yesterday and lasts `days`; without a present, one that ended in 2021.
fn last(params: &mut CertificateParams, now: Option<Timestamp>, days: u64) {
    if let Some(now) = now {
        let yesterday = u64::try_from(now.as_second()).unwrap_or_default().saturating_sub(DAY);
        params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(yesterday);
        params.not_after = params.not_before + Duration::from_secs(days * DAY);
    } else {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
}

fn authority(name: &str, now: Timestamp) -> io::Result<Authority> {
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    last(&mut params, Some(now), 3_650);
    // An expired leaf must fail for its own date, not its issuer's.
    params.not_before = date_time_ymd(2019, 1, 1);
    let key = KeyPair::generate().map_err(io::Error::other)?;
    CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)
}

fn server(issuer: &Authority, names: &[&str], now: Option<Timestamp>) -> io::Result<Arc<ServerConfig>> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let common_name = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    last(&mut params, now, 397);
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let leaf = params.signed_by(&key, issuer).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![leaf.der().clone(), issuer.der().clone()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
