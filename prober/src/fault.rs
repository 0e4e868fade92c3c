//! What the gateway says when it answers for itself, and what a bad status means without it.
//!
//! Apigee's fault bodies: `{"fault": {"faultstring": …, "detail": {"errorcode": …}}}`, or the same as XML
//! (<https://docs.apigee.com/api-platform/troubleshoot/runtime/>).

use crate::xml::Xml;
use domain::{Failure, FailureKind, Layer};
use serde_json::Value;

/// Where and what a bad status is, by the gateway's own words where the body has them.
pub(crate) fn of_answer(status: u16, body: &[u8]) -> Failure {
    if let Some(code) = errorcode(body) {
        let (layer, kind, what) = of_code(&code, status);
        return Failure {
            layer,
            kind,
            message: format!("{what} (status {status}, {})", crate::scrub::scrubbed(&code)),
        };
    }
    let (layer, kind, what) = of_status(status);
    Failure { layer, kind, message: format!("status {status}: {what}") }
}

type Meaning = (Layer, FailureKind, &'static str);

const REFUSES_RATE: Meaning = (Layer::Gateway, FailureKind::RateLimited, "the gateway refuses our rate");
const REFUSES_CREDENTIAL: Meaning =
    (Layer::Gateway, FailureKind::AccessRefused, "the gateway refuses our credential or address");

/// Codes of the gateway's way to the service that are about the way to the gateway.
const OF_THE_REQUEST: [&str; 5] = [
    "applicationnotfound",
    "noroutesfound",
    "lengthrequired",
    "decompressionfailureatrequest",
    // The gateway did not get our request whole in time; the service behind was not asked.
    "requesttimeout",
];

fn of_code(code: &str, status: u16) -> Meaning {
    let code = code.to_ascii_lowercase();
    let starts = |words: &[&str]| words.iter().any(|word| code.starts_with(word));
    let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
    let rate = starts(&["policies.ratelimit.", "policies.concurrentratelimit."])
        || has(&["quotaviolation", "spikearrest"]);
    if matches!(status, 401 | 403 | 429) {
        // Whatever the words: who is refused learns nothing of the service behind.
        if rate || status == 429 { REFUSES_RATE } else { REFUSES_CREDENTIAL }
    } else if starts(&["messaging.adaptors.http.flow."]) && !has(&OF_THE_REQUEST) {
        let what = if code.ends_with("gatewaytimeout") {
            "the gateway says that the service behind it did not answer in time"
        } else {
            "the gateway says that the service behind it cannot be reached"
        };
        (Layer::Backend, FailureKind::BackendUnavailable, what)
    } else if rate {
        REFUSES_RATE
    } else if has(&[
        "oauth.v2.",
        "apikey",
        "keymanagement.",
        "steps.jwt.",
        "jws.",
        "accesscontrol.",
        "accesstoken",
        "access_token",
    ]) {
        REFUSES_CREDENTIAL
    } else {
        (Layer::Gateway, FailureKind::GatewayError, "the gateway answers for itself with an error")
    }
}

fn of_status(status: u16) -> Meaning {
    match status {
        401 => (Layer::Gateway, FailureKind::AccessRefused, "our credential is refused"),
        403 => (Layer::Gateway, FailureKind::AccessRefused, "our credential or address is refused"),
        429 => (Layer::Gateway, FailureKind::RateLimited, "our rate is refused"),
        502 => (
            Layer::Gateway,
            FailureKind::BackendUnavailable,
            "the gateway cannot reach the service behind it",
        ),
        503 => (Layer::Gateway, FailureKind::GatewayError, "not available"),
        504 => (
            Layer::Gateway,
            FailureKind::BackendUnavailable,
            "the service behind the gateway did not answer in time",
        ),
        500..=599 => (Layer::Backend, FailureKind::ServerError, "the service answers with a server error"),
        304 => (
            Layer::Contract,
            FailureKind::UnexpectedStatus,
            "not modified, though nothing was asked for that may be",
        ),
        300..=399 => (Layer::Contract, FailureKind::UnexpectedStatus, "a redirect, which is not followed"),
        _ => (Layer::Contract, FailureKind::UnexpectedStatus, "not a status that was expected"),
    }
}

/// Apigee's error code, from JSON or XML.
fn errorcode(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    // Some write a byte order mark in front.
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') {
        let body: Value = serde_json::from_str(text).ok()?;
        let code = body.pointer("/fault/detail/errorcode")?.as_str()?;
        return Some(code.to_owned());
    }
    if !text.starts_with('<') || !text.contains("fault") {
        return None;
    }
    let xml = Xml::parse(text).ok()?;
    let (_, "fault") = xml.root()? else { return None };
    let detail = xml.child(xml.find(&[])?, "detail")?;
    Some(xml.text_of(xml.child(detail, "errorcode")?).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureKind::*;

    fn json(code: &str) -> String {
        format!(r#"{{"fault":{{"faultstring":"words","detail":{{"errorcode":"{code}"}}}}}}"#)
    }

    fn xml(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<fault><faultstring>words</faultstring><detail><errorcode>{code}</errorcode></detail></fault>"
        )
    }

    #[test]
    fn a_gateways_own_words_say_where_it_is() {
        for (status, code, layer, kind) in [
            (503, "messaging.adaptors.http.flow.ServiceUnavailable", Layer::Backend, BackendUnavailable),
            (503, "messaging.adaptors.http.flow.NoActiveTargets", Layer::Backend, BackendUnavailable),
            (503, "messaging.adaptors.http.flow.SslHandshakeFailed", Layer::Backend, BackendUnavailable),
            (504, "messaging.adaptors.http.flow.GatewayTimeout", Layer::Backend, BackendUnavailable),
            (502, "messaging.adaptors.http.flow.UnexpectedEOFAtTarget", Layer::Backend, BackendUnavailable),
            (500, "messaging.adaptors.http.flow.ErrorResponseCode", Layer::Backend, BackendUnavailable),
            (429, "policies.ratelimit.QuotaViolation", Layer::Gateway, RateLimited),
            (500, "policies.ratelimit.SpikeArrestViolation", Layer::Gateway, RateLimited),
            (503, "policies.concurrentratelimit.ConcurrentRatelimtViolation", Layer::Gateway, RateLimited),
            (401, "oauth.v2.InvalidApiKey", Layer::Gateway, AccessRefused),
            (401, "oauth.v2.FailedToResolveAPIKey", Layer::Gateway, AccessRefused),
            (401, "steps.oauth.v2.FailedToResolveAPIKey", Layer::Gateway, AccessRefused),
            (401, "keymanagement.service.access_token_expired", Layer::Gateway, AccessRefused),
            (500, "steps.jwt.JwtTokenExpired", Layer::Gateway, AccessRefused),
            (403, "accesscontrol.IPDeniedAccess", Layer::Gateway, AccessRefused),
            (500, "steps.javascript.ScriptExecutionFailed", Layer::Gateway, GatewayError),
            (404, "messaging.runtime.UnableToFindRoute", Layer::Gateway, GatewayError),
            (404, "messaging.adaptors.http.flow.ApplicationNotFound", Layer::Gateway, GatewayError),
            (408, "messaging.adaptors.http.flow.RequestTimeOut", Layer::Gateway, GatewayError),
            (403, "messaging.adaptors.http.flow.ServiceUnavailable", Layer::Gateway, AccessRefused),
            (403, "policies.ratelimit.QuotaViolation", Layer::Gateway, RateLimited),
            (403, "something.new", Layer::Gateway, AccessRefused),
            (429, "something.new", Layer::Gateway, RateLimited),
        ] {
            let (marked, named) = (
                format!("\u{feff}{}", json(code)),
                xml(code).replace("<fault>", "<fault xmlns=\"urn:apigee\">"),
            );
            for body in [json(code), xml(code), marked, format!("\u{feff}{named}"), named] {
                let failure = of_answer(status, body.as_bytes());
                assert_eq!((failure.layer, failure.kind), (layer, kind), "{status} {body}");
                assert!(
                    failure.message.contains(code) && failure.message.contains(&status.to_string()),
                    "{failure:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_modified_is_no_redirect() {
        let failure = of_answer(304, b"");
        assert_eq!(failure.kind, UnexpectedStatus);
        assert!(failure.message.starts_with("status 304: not modified"), "{}", failure.message);
        assert!(of_answer(302, b"").message.contains("redirect"));
    }

    #[test]
    fn a_status_without_such_words() {
        for (status, layer, kind) in [
            (401, Layer::Gateway, AccessRefused),
            (403, Layer::Gateway, AccessRefused),
            (429, Layer::Gateway, RateLimited),
            (500, Layer::Backend, ServerError),
            (501, Layer::Backend, ServerError),
            (502, Layer::Gateway, BackendUnavailable),
            (503, Layer::Gateway, GatewayError),
            (504, Layer::Gateway, BackendUnavailable),
            (505, Layer::Backend, ServerError),
            (302, Layer::Contract, UnexpectedStatus),
            (404, Layer::Contract, UnexpectedStatus),
            (418, Layer::Contract, UnexpectedStatus),
            (204, Layer::Contract, UnexpectedStatus),
        ] {
            for body in [
                "",
                "<html><h1>Bad Gateway</h1></html>",
                "{}",
                "{\"fault\":{}}",
                "{\"fault\":{\"detail\":{\"errorcode\":5}}}",
                "<fault></fault>",
                "\u{0}",
            ] {
                let failure = of_answer(status, body.as_bytes());
                assert_eq!((failure.layer, failure.kind), (layer, kind), "{status} {body}");
            }
        }
    }
}
