//! The token that proves to Notify who asks: a JWT with two claims, signed for each request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Secret;
use jiff::Timestamp;
use ring::hmac;

const UUID: usize = 36;

/// A service's id and secret, from its API key.
pub(super) struct Key {
    service: String,
    secret: hmac::Key,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

impl Key {
    /// Reads `{name}-{service id}-{secret}`: the name may hold anything, so it is read from its end.
    pub(super) fn parse(api_key: &Secret) -> Option<Self> {
        let key = api_key.reveal().trim();
        let ids = key.get(key.len().checked_sub(2 * UUID + 1)?..)?;
        let (service, secret) = (ids.get(..UUID)?, ids.get(UUID + 1..)?);
        uuid::Uuid::try_parse(service).ok()?;
        uuid::Uuid::try_parse(secret).ok()?;
        (ids.get(UUID..=UUID) == Some("-")).then(|| Self {
            service: service.to_owned(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        })
    }

    /// A token for a request made now.
    pub(super) fn sign(&self, now: Timestamp) -> String {
        let claims = format!(r#"{{"iss":"{}","iat":{}}}"#, self.service, now.as_second());
        jwt(r#"{"typ":"JWT","alg":"HS256"}"#, &claims, &self.secret)
    }
}

fn jwt(header: &str, claims: &str, key: &hmac::Key) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_7515_appendix_a_1() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &URL_SAFE_NO_PAD.decode(key).unwrap());
        let header = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
        let claims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        let token = jwt(header, claims, &key);
        assert!(token.ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "{token}");
    }

    #[test]
    fn a_key_is_read_from_its_end_and_names_only_issuer_and_time() {
        let whole = "my-team-key-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0";
        let key = Key::parse(&Secret::new(whole)).unwrap();
        let token = key.sign("2026-11-21T03:14:00Z".parse().unwrap());
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims = String::from_utf8(claims).unwrap();
        assert_eq!(claims, r#"{"iss":"26785a09-ab16-4eb0-8407-a37497a57506","iat":1795230840}"#);
        assert!(Key::parse(&Secret::new("my-team-key-26785a09")).is_none());
        assert!(Key::parse(&Secret::new(format!("{whole}x"))).is_none());
        assert_eq!(format!("{key:?}"), "Key(***)");
    }
}
