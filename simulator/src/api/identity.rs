//! OAuth 2 client credentials: `/oauth2/token`, by secret or by signed assertion.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use jiff::Timestamp;
use ring::{hmac, signature};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;

use super::{Call, Scene};
use crate::answer::Answer;

/// The client that every environment's identity API knows.
pub(crate) const CLIENT_ID: &str = "curiad";
/// Its secret.
pub(crate) const CLIENT_SECRET: &str = "a-secret-of-the-simulated-world";

/// The private key that signs the client's assertions, and its public half.
#[derive(Debug)]
pub(crate) struct ClientKey {
    /// PKCS#8, in PEM.
    pub(crate) private: String,
    public: Vec<u8>,
}

impl ClientKey {
    /// The id of its public half.
    pub(crate) const ID: &str = "curiad-1";

    pub(crate) fn generate() -> io::Result<Self> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).map_err(io::Error::other)?;
        Ok(Self { private: pair.serialize_pem(), public: pair.public_key_raw().to_vec() })
    }

    fn signed(&self, message: &str, signature: &[u8]) -> bool {
        let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, &self.public);
        key.verify(message.as_bytes(), signature).is_ok()
    }
}

/// Makes and recognises access tokens without remembering them.
#[derive(Debug)]
pub(crate) struct TokenKey {
    key: hmac::Key,
    life: i64,
}

impl TokenKey {
    /// `life`: how long its tokens are good.
    pub(crate) fn new(seed: u64, life: Duration) -> Self {
        let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()), life }
    }

    fn issue(&self, environment: &str, now: Timestamp) -> String {
        self.sign(environment, now.as_second() + self.life)
    }

    fn sign(&self, environment: &str, until: i64) -> String {
        let claim = format!("{environment}.{until}");
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, claim.as_bytes()));
        format!("{claim}.{signature}")
    }

    /// True for a token that this key made for this environment and that has not run out.
    pub(crate) fn knows(&self, token: &str, environment: &str, now: Timestamp) -> bool {
        let until = token.split('.').nth(1).and_then(|until| until.parse::<i64>().ok());
        until.is_some_and(|until| until > now.as_second() && self.sign(environment, until) == token)
    }
}

pub(super) fn answer(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    match call.path {
        "/oauth2/token" if call.method == Method::POST => token(scene, call),
        "/oauth2/token" => refuse(405, "invalid_request", "ask by POST"),
        "/.well-known/jwks.json" if call.is_read() => Answer::json(200, &json!({"keys": []})),
        _ => refuse(404, "not_found", "no such path"),
    }
}

fn refuse(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": error, "error_description": description}))
}

fn token(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    if !call.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        return refuse(415, "invalid_request", "content type must be application/x-www-form-urlencoded");
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(call.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match field("grant_type") {
        None => return refuse(400, "invalid_request", "grant_type is missing"),
        Some("client_credentials") => {}
        Some(_) => {
            return refuse(400, "unsupported_grant_type", "grant_type must be client_credentials");
        }
    }
    let known = match field("client_assertion") {
        Some(assertion) => {
            if field("client_assertion_type")
                != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            {
                return refuse(400, "invalid_request", "Missing or invalid client_assertion_type");
            }
            is_ours(assertion, scene)
        }
        None => credentials(call, &field) == Some((CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned())),
    };
    if !known {
        return refuse(401, "invalid_client", "the client is not known, or its credential is wrong");
    }
    let token = scene.tokens.issue(scene.environment, scene.now);
    Answer::json(
        200,
        &json!({"access_token": token, "expires_in": scene.tokens.life.to_string(), "token_type": "Bearer"}),
    )
    .with("Cache-Control", "no-store")
}

fn credentials<'f>(call: &Call<'_>, field: &impl Fn(&str) -> Option<&'f str>) -> Option<(String, String)> {
    if let Some(basic) = call.header("authorization").and_then(|value| value.strip_prefix("Basic ")) {
        let text = base64::engine::general_purpose::STANDARD.decode(basic).ok()?;
        let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
        return Some((id.to_owned(), secret.to_owned()));
    }
    Some((field("client_id")?.to_owned(), field("client_secret")?.to_owned()))
}

/// The client signed it, for this endpoint, and `exp` lies within the next five minutes.
fn is_ours(assertion: &str, scene: &Scene<'_>) -> bool {
    let Some((signed, signature)) = assertion.rsplit_once('.') else { return false };
    let Some((header, claims)) = signed.split_once('.') else { return false };
    let json =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (Some(header), Some(claims)) = (json(header), json(claims)) else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let until = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    let here = format!("/{}/{}/oauth2/token", scene.environment, scene.api.id);
    let now = scene.now.as_second();
    scene.client_key.signed(signed, &signature)
        && header.get("alg").and_then(Value::as_str) == Some("ES384")
        && header.get("kid").and_then(Value::as_str) == Some(ClientKey::ID)
        && text("iss") == Some(CLIENT_ID)
        && text("sub") == Some(CLIENT_ID)
        && text("aud").is_some_and(|audience| audience.ends_with(&here))
        && text("jti").is_some()
        && (now..=now + 300).contains(&until)
}
