//! Our own certificate, for those who ask for one in the handshake.

use crate::tls;
use domain::{ClientCertificate, Failure, FailureKind, Layer};
use jiff::Timestamp;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use std::sync::Arc;

/// A certificate of ours and its key.
pub(crate) struct OwnCertificate {
    pub(crate) key: Arc<CertifiedKey>,
    /// When the first certificate of its chain ends.
    ends: Timestamp,
}

impl OwnCertificate {
    pub(crate) fn new(certificate: &ClientCertificate) -> Result<Self, &'static str> {
        let chain = chain(certificate.chain.reveal())?;
        let ends = first_end(&chain)?;
        let key = PrivateKeyDer::from_pem_slice(certificate.key.reveal().as_bytes())
            .map_err(|_| "there is no PEM private key in it: PKCS#8, PKCS#1 or SEC1, without a passphrase")?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(_)) {
                "this key is not the certificate's"
            } else {
                "this key is of no use to TLS here: RSA of 2048 bits or more, P-256, P-384 or Ed25519"
            }
        })?;
        Ok(Self { key: Arc::new(key), ends })
    }

    /// Why it is of no use any more, if so: our own trouble, whatever is asked with it (invariant 4).
    pub(crate) fn over(&self, now: Timestamp) -> Option<Failure> {
        (self.ends <= now).then(|| Failure {
            layer: Layer::Ours,
            kind: FailureKind::ClientCertificate,
            message: format!("our own client certificate ended on {}: it has to be renewed", self.ends),
        })
    }
}

/// Whether a certificate and its key can be used; an error says why not, without quoting them.
pub fn check_client_certificate(certificate: &ClientCertificate) -> Result<(), &'static str> {
    OwnCertificate::new(certificate).map(drop)
}

/// When the first certificate of a chain (PEM) ends.
pub fn certificate_ends(pem: &str) -> Result<Timestamp, &'static str> {
    first_end(&chain(pem)?)
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err("there is no PEM certificate in it"),
        Ok(chain) => Ok(chain),
        Err(_) => Err("this is not PEM"),
    }
}

fn first_end(chain: &[CertificateDer<'_>]) -> Result<Timestamp, &'static str> {
    let ends: Option<Vec<Timestamp>> = chain.iter().map(tls::ends).collect();
    ends.and_then(|ends| ends.into_iter().min()).ok_or("its certificate cannot be read")
}
