//! What an API answers when its instance lets it: `_ping` and `_status` for all, the rest by kind.

mod fhir;
mod graphql;
mod identity;
mod rest;
mod soap;

use hyper::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::estate::{Api, Kind, Vocabulary};
use crate::fault::{Dependency, Fault};

pub(crate) use identity::{CLIENT_ID, CLIENT_SECRET, ClientKey, TokenKey};
pub(crate) use rest::Drafts;

/// One request to an instance, its prefix taken off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// Where and when the request is answered, and how things stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) api: &'a Api,
    pub(crate) environment: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) fault: Fault,
    /// What this API depends on, when trouble there is allowed to show here.
    pub(crate) dependencies: &'a [(String, Dependency)],
    pub(crate) tokens: &'a TokenKey,
    pub(crate) client_key: &'a ClientKey,
    /// What callers have put there.
    pub(crate) drafts: &'a Drafts,
}

impl Scene<'_> {
    /// An error in the words of this API's kind.
    fn error(&self, status: u16, code: &str, detail: &str) -> Answer {
        match self.api.kind {
            Kind::Fhir => Answer::outcome(status, code, detail),
            Kind::Soap => soap::fault(status, detail),
            Kind::Rest | Kind::Hl7 => Answer::problem(status, code, detail),
            Kind::Graphql => graphql::error(status, code, detail),
            Kind::Identity => Answer::json(status, &json!({"error": code, "error_description": detail})),
        }
    }
}

/// Answers one request.
pub(crate) fn answer(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    match (scene.fault, call.path) {
        (_, "/_ping") if call.is_read() => ping(scene),
        (Fault::Backend(status), _) => scene.error(status, "exception", "the backend failed"),
        (Fault::GatewayUnavailable, _) => Answer::gateway(
            503,
            "The Service is temporarily unavailable",
            "messaging.adaptors.http.flow.ServiceUnavailable",
        ),
        (Fault::GatewayTimeout, _) => {
            Answer::gateway(504, "Gateway Timeout", "messaging.adaptors.http.flow.GatewayTimeout")
        }
        (Fault::TokenRefused, _) => {
            Answer::gateway(401, "Invalid Access Token", "keymanagement.service.invalid_access_token")
        }
        (Fault::NoTokens, "/oauth2/token") => {
            scene.error(503, "temporarily_unavailable", "no tokens can be issued")
        }
        (_, "/_status") if call.is_read() => unknown_token(scene, call).unwrap_or_else(|| status(scene)),
        (Fault::WrongResource, _) => wrong_resource(scene.api.kind),
        _ => business(scene, call),
    }
}

fn business(scene: &Scene<'_>, call: &Call<'_>) -> Answer {
    if scene.api.needs_request_id && scene.environment != "sandbox" {
        let id = call.header("x-request-id").map(uuid::Uuid::try_parse);
        if !matches!(id, Some(Ok(_))) {
            return scene.error(400, "value", "Invalid value - X-Request-ID must be a UUID");
        }
    }
    if let Some(refused) = unknown_token(scene, call) {
        return refused;
    }
    if scene.api.needs_token && call.header("authorization").is_none() {
        return Answer::gateway(401, "Invalid access token", "oauth.v2.InvalidAccessToken");
    }
    if let Some((name, _)) = scene.dependencies.iter().find(|(_, state)| *state == Dependency::Down) {
        return scene.error(503, "transient", &format!("cannot validate the caller: {name} does not answer"));
    }
    match scene.api.kind {
        Kind::Fhir => fhir::answer(scene, call),
        Kind::Soap => soap::answer(scene, call),
        Kind::Rest => rest::answer(scene, call),
        Kind::Identity => identity::answer(scene, call),
        Kind::Graphql => graphql::answer(call),
        Kind::Hl7 => Answer::problem(404, "Not Found", "messages come over MLLP, to the same port"),
    }
}

/// What the gateway answers to a token that was not issued here, or has run out.
fn unknown_token(scene: &Scene<'_>, call: &Call<'_>) -> Option<Answer> {
    let token = call.header("authorization")?.strip_prefix("Bearer ").unwrap_or_default();
    // Who asks for a token shows something else.
    let known = scene.api.kind == Kind::Identity || scene.tokens.knows(token, scene.environment, scene.now);
    (!known)
        .then(|| Answer::gateway(401, "Invalid Access Token", "keymanagement.service.invalid_access_token"))
}

fn ping(scene: &Scene<'_>) -> Answer {
    let version = &scene.api.version;
    match scene.api.vocabulary {
        Vocabulary::Dhcw => {
            Answer::json(200, &json!({"message": "pong", "timestamp": scene.now.to_string()}))
        }
        Vocabulary::NhsEngland => Answer::json(
            200,
            &json!({"version": version, "revision": "41", "releaseId": format!("{version}-41"), "commitId": "8f5a8e0"}),
        ),
    }
}

fn status(scene: &Scene<'_>) -> Answer {
    let own = if scene.fault == Fault::SaysFail {
        Dependency::Down
    } else if scene.fault == Fault::SaysDegraded {
        Dependency::Degraded
    } else {
        Dependency::Up
    };
    let worst =
        scene.dependencies.iter().map(|(_, state)| *state).chain([own]).max().unwrap_or(Dependency::Up);
    let mut parts = scene.dependencies.to_vec();
    parts.push(("database".to_owned(), own));
    match scene.api.vocabulary {
        Vocabulary::Dhcw => {
            let dependencies: Map<String, Value> =
                parts.into_iter().map(|(name, state)| (name, up_or_down(state).into())).collect();
            Answer::json(
                200,
                &json!({
                    "status": up_or_down(worst),
                    "version": scene.api.version,
                    "timestamp": scene.now.to_string(),
                    "dependencies": dependencies,
                }),
            )
        }
        Vocabulary::NhsEngland => {
            let checks: Map<String, Value> =
                parts.into_iter().map(|(name, state)| check(&name, state)).collect();
            let version = &scene.api.version;
            Answer::json(
                200,
                &json!({
                    "status": pass_or_fail(worst),
                    "version": version,
                    "revision": "41",
                    "releaseId": format!("{version}-41"),
                    "commitId": "8f5a8e0",
                    "checks": checks,
                }),
            )
        }
    }
}

fn check(name: &str, state: Dependency) -> (String, Value) {
    let down = state == Dependency::Down;
    let code = if down { Value::Null } else { 200.into() };
    let said = json!([{
        "status": pass_or_fail(state),
        "timeout": if down { "true" } else { "false" },
        "responseCode": code,
        "outcome": if down { "no answer" } else { "OK" },
        "links": {"self": format!("https://{name}.internal.example.wales/health")},
    }]);
    (format!("{name}:status"), said)
}

fn up_or_down(state: Dependency) -> &'static str {
    match state {
        Dependency::Up => "UP",
        Dependency::Degraded => "DEGRADED",
        Dependency::Down => "DOWN",
    }
}

fn pass_or_fail(state: Dependency) -> &'static str {
    match state {
        Dependency::Up => "pass",
        Dependency::Degraded => "warn",
        Dependency::Down => "fail",
    }
}

fn wrong_resource(kind: Kind) -> Answer {
    match kind {
        Kind::Fhir => Answer::fhir(200, &json!({"resourceType": "Basic", "id": "not-what-was-asked"})),
        Kind::Soap => soap::envelope("<Other xmlns=\"urn:example:other\"/>", false),
        Kind::Rest | Kind::Identity | Kind::Graphql | Kind::Hl7 => {
            Answer::json(200, &json!({"notWhatWasAsked": true}))
        }
    }
}
