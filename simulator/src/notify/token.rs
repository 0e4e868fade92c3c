//! GOV.UK Notify's check of a caller's token: a JWT signed anew for each request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Map, Value};

/// How far the caller's clock may be from ours, in seconds.
const BOUND: i64 = 30;

/// Why a caller is not let in: the HTTP status and Notify's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

const NOT_VALID: Refusal = Refusal(403, "Invalid token: signature, api token is not valid");

/// Checks the `Authorization` header of a request.
pub(super) fn check(
    header: Option<&str>,
    service: &str,
    secret: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(header) = header else {
        return Err(Refusal(401, "Unauthorized: authentication token must be provided"));
    };
    let Some((scheme, token)) = header.split_once(' ') else {
        return Err(Refusal(401, "Unauthorized: authentication bearer scheme must be used"));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal(401, "Unauthorized: authentication bearer scheme must be used"));
    }
    let mut parts = token.split('.');
    let (Some(head), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(NOT_VALID);
    };
    let fields = object(claims).ok_or(NOT_VALID)?;
    match fields.get("iss").map(Value::as_str) {
        None => return Err(Refusal(403, "Invalid token: iss field not provided")),
        Some(Some(issuer)) if uuid::Uuid::try_parse(issuer).is_err() => {
            return Err(Refusal(403, "Invalid token: service id is not the right data type"));
        }
        Some(issuer) if issuer != Some(service) => {
            return Err(Refusal(403, "Invalid token: service not found"));
        }
        Some(_) => {}
    }
    let head = object(head).ok_or(NOT_VALID)?;
    if head.get("alg").and_then(Value::as_str) != Some("HS256") {
        return Err(Refusal(403, "Invalid token: algorithm used is not HS256"));
    }
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| NOT_VALID)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, signed.as_bytes(), &signature)
        .map_err(|_| Refusal(403, "Invalid token: API key not found"))?;
    let issued = fields.get("iat").and_then(Value::as_i64).ok_or(NOT_VALID)?;
    if (now.as_second() - issued).abs() > BOUND {
        return Err(Refusal(403, "Error: Your system clock must be accurate to within 30 seconds"));
    }
    // The documentation has two claims. The real service looks closer at some others (`aud`, `exp`) and refuses what it
    // finds in them: here a third claim is refused whatever it is.
    if fields.len() != 2 {
        return Err(NOT_VALID);
    }
    Ok(())
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
