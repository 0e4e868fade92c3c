//! What every test of the world needs: a world, a clock that stands still until it is moved, and a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use simulator::{Now, World, WorldOptions};

/// Longer than anything here should take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// 2026-10-24 02:13:05 UTC, until it is moved.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_792_807_985)))
    }

    pub(crate) fn second(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || Timestamp::from_second(clock.second()).expect("a time in range"))
    }
}

/// The machine's clock: certificates are judged by it.
pub(crate) fn machine_clock() -> Now {
    #[expect(clippy::disallowed_methods, reason = "TLS clients judge certificates by the machine's clock")]
    Arc::new(Timestamp::now)
}

pub(crate) async fn world() -> World {
    World::start(WorldOptions::new(Clock::new().now())).await.expect("the world starts")
}

/// A client that opens a new connection for each request, follows nothing and gives up after `LIMIT`.
pub(crate) fn client() -> reqwest::Client {
    builder().build().expect("a client")
}

pub(crate) fn builder() -> reqwest::ClientBuilder {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(LIMIT)
}

/// Status and body of an answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) async fn get(url: &str) -> (u16, Value) {
    answer(client().get(url)).await
}

/// The errors of a failed request, from the outside in.
pub(crate) fn reasons(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// A signed token, as GOV.UK Notify wants it: header and claims as given, signed with `secret`.
pub(crate) fn jwt(header: &Value, claims: &Value, secret: &str) -> String {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let signed =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    format!("{signed}.{}", encode(ring::hmac::sign(&key, signed.as_bytes()).as_ref()))
}

/// The token a good client signs for one request.
pub(crate) fn good_token(world: &World, clock: &Clock) -> String {
    let options = world.notify().options();
    jwt(
        &serde_json::json!({"typ": "JWT", "alg": "HS256"}),
        &serde_json::json!({"iss": options.service_id, "iat": clock.second()}),
        &options.secret,
    )
}
