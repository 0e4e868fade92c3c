//! What is written down of an exchange for people to read: certificates, and the headers on a list.

use crate::{scrub::scrubbed, tls::fingerprint};
use domain::ChainCertificate;
use hyper::{HeaderMap, header::HeaderName};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

/// Headers that say who answered and how, and nothing of anybody: no cookie, no address, no credential.
const LISTED: [&str; 22] = [
    "age",
    "allow",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "deprecation",
    "etag",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "request-id",
    "retry-after",
    "server",
    "sunset",
    "transfer-encoding",
    "vary",
    "via",
    "www-authenticate",
    "x-correlation-id",
    "x-request-id",
];

/// Headers that are kept; and names of a certificate.
const KEPT: usize = 32;
const NAMES: usize = 16;

/// Whether a header is one whose value may be said.
pub(crate) fn is_listed(name: &HeaderName) -> bool {
    LISTED.contains(&name.as_str())
}

/// The headers on the list.
pub(crate) fn headers(all: &HeaderMap) -> Vec<(String, String)> {
    let listed = all.iter().filter(|(name, _)| is_listed(name));
    listed
        .take(KEPT)
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let said = if is_a_time(name, &value) { value.into_owned() } else { scrubbed(&value) };
            (name.as_str().to_owned(), said)
        })
        .collect()
}

/// Whether it is the time of RFC 9745, `@1688169599`, whose ten digits are nobody's number.
fn is_a_time(name: &HeaderName, value: &str) -> bool {
    let digits = value.strip_prefix('@').filter(|digits| digits.len() <= 11);
    name.as_str() == "deprecation"
        && digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What one certificate of a chain says of itself; `None`: it cannot be read.
pub(crate) fn certificate(der: &CertificateDer<'_>) -> Option<ChainCertificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let time = |seconds| Timestamp::from_second(seconds).ok();
    let validity = certificate.validity();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name_of);
    Some(ChainCertificate {
        subject: called(certificate.subject()),
        issuer: called(certificate.issuer()),
        names: names.take(NAMES).collect(),
        not_before: time(validity.not_before.timestamp())?,
        not_after: time(validity.not_after.timestamp())?,
        fingerprint: fingerprint(der),
    })
}

/// The common name, or else all that there is.
fn called(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|common| common.as_str().ok());
    scrubbed(&common.map_or_else(|| name.to_string(), str::to_owned))
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(name) = name {
        return Some(scrubbed(name));
    }
    let GeneralName::IPAddress(bytes) = name else { return None };
    let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
    let ip = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
    ip.ok().map(|ip| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn only_what_is_listed_is_kept_and_no_number_of_a_patient() {
        let mut all = HeaderMap::new();
        for (name, value) in [
            ("server", "nginx"),
            ("set-cookie", "session=secret"),
            ("location", "/Patient/9434765919"),
            ("x-request-id", "for 9434765919"),
        ] {
            all.append(name, HeaderValue::from_static(value));
        }
        let kept = headers(&all);
        let pairs: Vec<(&str, &str)> =
            kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("server", "nginx"), ("x-request-id", "for [number removed]")]);
        for (value, kept) in [
            ("@1688169599", "@1688169599"),
            ("1688169599", "[number removed]"),
            ("@9434765919 9434765919", "@"),
        ] {
            let all = HeaderMap::from_iter([(
                HeaderName::from_static("deprecation"),
                HeaderValue::from_static(value),
            )]);
            let headers = headers(&all);
            assert!(headers[0].1.starts_with(kept) && !headers[0].1.contains("9434765919"), "{headers:?}");
        }
    }
}
