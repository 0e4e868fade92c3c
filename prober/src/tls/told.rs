//! What went wrong with a handshake, in words.

use super::{Witness, cause};
use domain::{Failure, FailureKind, Layer};
use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError, pki_types::UnixTime};
use std::io;

/// Why a handshake failed.
pub(crate) fn failure(error: &io::Error, witness: &Witness) -> Failure {
    let tls = |kind, message: String| Failure { layer: Layer::Tls, kind, message };
    match cause(error) {
        Some(rustls::Error::InvalidCertificate(error)) => {
            let (kind, message) = certificate(error);
            tls(kind, message)
        }
        Some(rustls::Error::AlertReceived(alert)) if wants_ours(*alert, witness) => {
            client_certificate(witness)
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            tls(FailureKind::Handshake, format!("the server broke off the handshake: {alert:?}"))
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            tls(FailureKind::Handshake, "the server does not speak TLS on this port".to_owned())
        }
        Some(error) => tls(FailureKind::Handshake, format!("the handshake broke: {error}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            tls(FailureKind::Handshake, "the server closed the connection during the handshake".to_owned())
        }
        None if error.kind() == io::ErrorKind::ConnectionReset => {
            tls(FailureKind::Handshake, "the server cut the connection during the handshake".to_owned())
        }
        None => tls(FailureKind::Handshake, format!("the handshake broke: {error}")),
    }
}

/// Whether an alert means that a certificate of ours is missing, or not liked.
pub(crate) fn wants_ours(alert: AlertDescription, witness: &Witness) -> bool {
    // TLS 1.2 has no alert of its own for this: servers send one of the general ones after they asked. Whatever a server
    // says of certificates is about ours: its own it does not judge.
    alert == AlertDescription::CertificateRequired || (witness.asked_for_ours() && is_about_ours(alert))
}

/// Whether an alert, of one who asked for a certificate of ours, is about that.
pub(super) fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::NoCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}

/// Our credential is missing or refused: our own trouble, not the API's (invariant 4).
pub(crate) fn client_certificate(witness: &Witness) -> Failure {
    let message = if witness.ours.is_some() {
        "the server refuses our client certificate"
    } else {
        "the server wants a client certificate and we have none"
    };
    Failure { layer: Layer::Ours, kind: FailureKind::ClientCertificate, message: message.to_owned() }
}

/// What is wrong with a certificate.
pub(crate) fn certificate(error: &CertificateError) -> (FailureKind, String) {
    let day = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |time| time.to_string())
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other reasons, also new ones, are reasons not to trust it"
    )]
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (FailureKind::CertificateExpired, format!("the certificate ended on {}", day(not_after)))
        }
        CertificateError::Expired => {
            (FailureKind::CertificateExpired, "the certificate's time is over".to_owned())
        }
        CertificateError::NotValidYetContext { not_before, .. } => (
            FailureKind::CertificateNotYetValid,
            format!("the certificate is not valid before {}", day(not_before)),
        ),
        CertificateError::NotValidYet => {
            (FailureKind::CertificateNotYetValid, "the certificate's time has not come".to_owned())
        }
        CertificateError::NotValidForNameContext { expected, presented } => (
            FailureKind::CertificateName,
            format!("the certificate is not for {} but for {}", expected.to_str(), names(presented)),
        ),
        CertificateError::NotValidForName => {
            (FailureKind::CertificateName, "the certificate is for another name".to_owned())
        }
        CertificateError::UnknownIssuer => (
            FailureKind::CertificateUntrusted,
            "the certificate is signed by nobody we trust, or its chain is not complete".to_owned(),
        ),
        other => {
            let why = match other {
                CertificateError::Other(inner) => inner.to_string(),
                _ => format!("{other:?}"),
            };
            (FailureKind::CertificateUntrusted, format!("the certificate is not trusted: {}", in_words(&why)))
        }
    }
}

/// The name of an error, `CaUsedAsEndEntity { … }`, as words: it has no others.
fn in_words(error: &str) -> String {
    let name: String = error.chars().take_while(char::is_ascii_alphanumeric).collect();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The names of a certificate, which come as `DnsName("a.example")` and the like.
fn names(presented: &[String]) -> String {
    let mut names: Vec<&str> = presented.iter().map(|name| plain(name)).collect();
    names.dedup();
    match names.as_slice() {
        [] => "no name at all".to_owned(),
        names => crate::scrub::scrubbed(&names.join(", ")),
    }
}

fn plain(name: &str) -> &str {
    let Some((kind, inside)) = name.strip_suffix(')').and_then(|name| name.split_once('(')) else {
        return "a name of another kind";
    };
    match kind {
        "DnsName" | "IpAddress" | "UniformResourceIdentifier" => inside.trim_matches('"'),
        _ => "a name of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;

    #[test]
    fn certificates_are_told_in_plain_words() {
        let presented =
            ["DnsName(\"a.example\")", "IpAddress(10.0.0.1)", "Unsupported(0x01)", "DirectoryName"];
        let named = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("b.example").unwrap(),
            presented: presented.map(str::to_owned).to_vec(),
        };
        let purpose = CertificateError::InvalidPurpose;
        for (error, told) in [
            (
                named,
                "the certificate is not for b.example but for a.example, 10.0.0.1, a name of another kind",
            ),
            (purpose, "the certificate is not trusted: invalid purpose"),
            (CertificateError::Revoked, "the certificate is not trusted: revoked"),
        ] {
            assert_eq!(certificate(&error).1, told);
        }
    }
}
