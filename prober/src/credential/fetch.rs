//! One request to a token endpoint, and what its answer means.

use super::{Tokens, jwt::Claims, lookup::lookup, secret_value, tokens::Fetching};
use crate::{announced, answer::parsed, connect, fault, proxy, tls};
use domain::{Failure, FailureKind, Layer, Proof, SecretBy};
use hyper::header::HeaderValue;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// A token endpoint may take so long, all in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// A place to ask in is waited for so long: longer than one that is silent keeps it.
const WAITS: Duration = Duration::from_secs(6);
/// What one waited for in vain, others do not ask for so long.
const SILENT_FOR: Duration = Duration::from_secs(5);
/// By so much may a time run out sooner than it says.
const TICK: Duration = Duration::from_millis(20);
/// A proxy that made no tunnel to it is asked why for so long.
const ASKED_AGAIN: Duration = Duration::from_secs(2);
/// Bytes of its answer.
const MOST_BYTES: usize = 64 * 1024;
/// The life of a token whose issuer says none.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);
/// A token lives no longer than this, whatever its issuer says (domain.md §1.4).
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// An endpoint that is down is asked again so soon, however many checks wait for it.
pub(super) const AGAIN: Duration = Duration::from_secs(1);
/// A credential that is refused is shown again so soon: some endpoints lock who fails often.
const REFUSED_AGAIN: Duration = Duration::from_secs(30);
/// `Retry-After` of one who says that we ask too often is honoured up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Of one who is down, up to this, so that its failure is seen to go on or to end while it speaks, as of an API.
const DOWN_PAUSE: Duration = Duration::from_secs(30);

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The words of RFC 6749 §5.2 and RFC 7523: others are not repeated, because an answer may quote what was sent.
const ERRORS: [&str; 8] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
];

/// A token as it came.
pub(crate) struct Issued {
    pub(super) value: HeaderValue,
    pub(super) lasts: Duration,
}

/// Why there is none.
pub(super) struct Refused {
    pub(super) failure: Failure,
    /// How long to leave the endpoint alone.
    pub(super) pause: Duration,
    /// When that was seen; by another client, too.
    pub(super) seen: Instant,
}

impl From<(Failure, Duration)> for Refused {
    fn from((failure, pause): (Failure, Duration)) -> Self {
        Self { failure, pause, seen: Instant::now() }
    }
}

/// Asks for a token.
pub(super) async fn fetch(tokens: &Tokens, by: Fetching<'_>) -> Result<Issued, Refused> {
    let url = tokens.oauth2.token_url.as_str();
    if let Some(failure) = tokens.certificate.as_ref().and_then(|own| own.over(by.clock.now())) {
        return Err((failure, AGAIN).into());
    }
    let host = &tokens.host;
    if let Some(known) = host.in_vain(url) {
        return Err(known);
    }
    let place = timeout(WAITS, by.endpoints.place(host)).await.ok().flatten();
    // Somebody who was asking meanwhile may know.
    if let Some(known) = host.in_vain(url) {
        return Err(known);
    }
    let Some(_place) = place else {
        let message = format!("no place to ask the token endpoint {url} in: too many others are being asked");
        return Err((ours(FailureKind::NoPermit, message), AGAIN).into());
    };
    let deadline = Instant::now() + PATIENCE;
    let asked = ask(tokens, by, deadline).await.map_err(Refused::from);
    match &asked {
        Err(Refused { failure, seen, .. }) if failure.layer == Layer::Token && *seen + TICK >= deadline => {
            host.kept_silent(url, failure, (*seen, SILENT_FOR));
        }
        Err(Refused { failure, .. })
            if failure.layer == Layer::Ours && failure.kind != FailureKind::CredentialRefused => {}
        Ok(_) | Err(_) => host.spoke(url),
    }
    asked
}

/// Asks by the deadline.
async fn ask(tokens: &Tokens, by: Fetching<'_>, deadline: Instant) -> Result<Issued, (Failure, Duration)> {
    let url = tokens.oauth2.token_url.as_str();
    let addresses = lookup(url, by, deadline).await.map_err(|failure| (failure, AGAIN))?;
    let form = form(tokens, by).ok_or_else(|| {
        let message = "an assertion could not be signed: this host gives no random numbers";
        (ours(FailureKind::ProbeBroke, message), AGAIN)
    })?;
    let tried: Vec<SocketAddr> = addresses.iter().flat_map(|(_, tried)| tried.clone()).collect();
    let left = deadline.saturating_duration_since(Instant::now());
    let own = tokens.certificate.as_deref();
    let (client, shows) = by.tls.client(own, by.egress, (addresses, left)).ok_or_else(|| {
        let message = "this host trusts no certificate at all; install ca-certificates, or set egress.roots";
        (ours(FailureKind::ProbeBroke, message), AGAIN)
    })?;
    let asked = client
        .post(url)
        .header(reqwest::header::USER_AGENT, by.user_agent.clone())
        .header(reqwest::header::ACCEPT, "application/json")
        .form(&form);
    let asked = match &tokens.oauth2.proof {
        Proof::Secret { value, by: SecretBy::Basic } => {
            asked.basic_auth(encoded(&tokens.oauth2.client_id), Some(encoded(value.reveal())))
        }
        Proof::Secret { by: SecretBy::Form, .. } | Proof::PrivateKeyJwt(_) | Proof::JwtBearer(_) => asked,
    };
    let answer = match asked.send().await {
        Ok(answer) => answer,
        Err(error) => {
            let mut failure = match in_the_way(url, &error, by).await {
                Some(failure) => failure,
                None => unreachable(url, &error, &shows, (&tried, by.egress.local_address)),
            };
            if let (FailureKind::NoNetwork, Some(local)) = (failure.kind, by.egress.local_address) {
                failure.message = format!("{} (from our local address {local})", failure.message);
            }
            return Err((failure, AGAIN));
        }
    };
    let retry_after = announced::retry_after(answer.headers(), by.clock.now());
    let status = answer.status();
    let body = body(answer).await.map_err(|why| (broken(url, &why), AGAIN))?;
    let json = parsed(&body).ok();
    if status.is_success() {
        return issued(json.as_ref()).map_err(|why| (broken(url, why), AGAIN));
    }
    Err(refused(url, status, (&body, json.as_ref()), retry_after))
}

/// What an answer means that holds no token, and how long to leave the endpoint alone then.
fn refused(
    url: &str,
    status: StatusCode,
    (body, json): (&[u8], Option<&Value>),
    retry_after: Option<Duration>,
) -> (Failure, Duration) {
    let number = status.as_u16();
    // A gateway before it may say more than its status.
    let by_gateway = fault::of_answer(number, body);
    if by_gateway.kind == FailureKind::RateLimited {
        let why = if number == 429 { "429".to_owned() } else { by_gateway.message };
        let failure = Failure {
            layer: Layer::Token,
            kind: FailureKind::RateLimited,
            message: format!("the token endpoint {url} says that we ask too often ({why})"),
        };
        return (failure, retry_after.map_or(REFUSED_AGAIN, |pause| pause.min(LONGEST_PAUSE)));
    }
    if by_gateway.kind == FailureKind::AccessRefused || status == StatusCode::BAD_REQUEST {
        let why = match json.and_then(error_word) {
            Some(word) => format!("{number} {word}"),
            None if matches!(number, 400 | 401 | 403) => number.to_string(),
            None => by_gateway.message,
        };
        let message = format!("the token endpoint {url} refuses our credential: {why}");
        return (ours(FailureKind::CredentialRefused, message), REFUSED_AGAIN);
    }
    if status.is_redirection() {
        let why = format!("answers {number}: it leads elsewhere, and credentials do not follow");
        return (broken(url, &why), AGAIN);
    }
    let pause = retry_after.unwrap_or(AGAIN).clamp(AGAIN, DOWN_PAUSE);
    (broken(url, &format!("answers {number}")), pause)
}

/// What is sent. `None`: nothing could be signed.
fn form(tokens: &Tokens, by: Fetching<'_>) -> Option<Vec<(&'static str, String)>> {
    let oauth2 = &tokens.oauth2;
    let audience = oauth2.audience.as_deref().unwrap_or(&oauth2.token_url);
    let claims = Claims { client_id: &oauth2.client_id, audience };
    let assertion = match &tokens.signer {
        Some(signer) => Some(signer.sign(&claims, by.clock.now())?),
        None => None,
    };
    let mut form = match (&oauth2.proof, assertion) {
        (Proof::PrivateKeyJwt(_), Some(assertion)) => vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_assertion_type", ASSERTION.to_owned()),
            ("client_assertion", assertion),
        ],
        (Proof::JwtBearer(_), Some(assertion)) => {
            vec![("grant_type", GRANT.to_owned()), ("assertion", assertion)]
        }
        (Proof::Secret { value, by: SecretBy::Form }, _) => vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", oauth2.client_id.clone()),
            ("client_secret", value.reveal().to_owned()),
        ],
        (Proof::Secret { by: SecretBy::Basic, .. }, _) => {
            vec![("grant_type", "client_credentials".to_owned())]
        }
        (Proof::PrivateKeyJwt(_) | Proof::JwtBearer(_), None) => return None,
    };
    form.extend(oauth2.scope.clone().map(|scope| ("scope", scope)));
    if let (Proof::Secret { .. }, Some(audience)) = (&oauth2.proof, &oauth2.audience) {
        form.push(("audience", audience.clone()));
    }
    Some(form)
}

/// A part of HTTP Basic as RFC 6749 §2.3.1 has it: as in a form, so that a `:` in a name does not end it.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The token of a good answer; or what is wrong with it.
pub(crate) fn issued(json: Option<&Value>) -> Result<Issued, &'static str> {
    let json = json.ok_or("answers with something that is not JSON")?;
    let token = json.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or("answers without an access_token")?;
    let kind = json.get("token_type").and_then(Value::as_str).unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") && !kind.eq_ignore_ascii_case("bearertoken") {
        return Err("gives a token that is no bearer token");
    }
    let value =
        secret_value(&format!("Bearer {token}")).map_err(|_| "gives a token that no header can hold")?;
    Ok(Issued { value, lasts: lasts(json.get("expires_in")) })
}

/// Seconds as a number or, as Apigee writes them, as text. Missing or absurd: bounded.
fn lasts(expires_in: Option<&Value>) -> Duration {
    let seconds = expires_in.and_then(|value| {
        value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse::<f64>().ok()))
    });
    let seconds = seconds.filter(|seconds| *seconds >= 1.0);
    seconds.map_or(DEFAULT_LIFE, |seconds| Duration::from_secs_f64(seconds.min(LONGEST_LIFE.as_secs_f64())))
}

fn error_word(json: &Value) -> Option<&'static str> {
    let said = json.get("error")?.as_str()?;
    ERRORS.into_iter().find(|word| *word == said)
}

async fn body(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| "breaks off in its answer".to_owned())? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(format!("answers with more than {MOST_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What the proxy says to it where there was no connection through one: the client does not tell.
async fn in_the_way(url: &str, error: &reqwest::Error, by: Fetching<'_>) -> Option<Failure> {
    let url = reqwest::Url::parse(url).ok().filter(|_| error.is_connect())?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    let (proxy, port) = (by.egress.proxy_to(host)?, url.port_or_known_default()?);
    let limit = Instant::now() + ASKED_AGAIN;
    let tunnel = proxy::tunnel(proxy, (by.egress, by.resolve), (host, port), limit);
    let failure = Box::pin(tunnel).await.err()?;
    let message = format!("no connection to the token endpoint {url}: {}", failure.message);
    Some(if failure.layer == Layer::Ours {
        ours(failure.kind, message)
    } else {
        Failure { layer: Layer::Token, kind: FailureKind::TokenUnreachable, message }
    })
}

/// Why there is no answer at all.
fn unreachable(
    url: &str,
    error: &reqwest::Error,
    shows: &tls::Shows,
    (tried, local): (&[SocketAddr], Option<IpAddr>),
) -> Failure {
    if let Some(rustls::Error::AlertReceived(alert)) = tls::cause(error)
        && shows.wanted(*alert)
    {
        return ours(
            FailureKind::ClientCertificate,
            format!("the token endpoint {url} refuses our client certificate, or wants one ({alert:?})"),
        );
    }
    if let Some(rustls::Error::InvalidCertificate(error)) = tls::cause(error) {
        return broken(url, &format!("shows a bad certificate: {}", tls::certificate(error).1));
    }
    if let Some((kind, why)) = innermost_io(error).and_then(|why| connect::ours(why, tried, local)) {
        return ours(kind, format!("no connection to the token endpoint {url}: {why}"));
    }
    let why = if error.is_timeout() {
        format!("no answer within {} s", PATIENCE.as_secs())
    } else {
        innermost(error)
    };
    Failure {
        layer: Layer::Token,
        kind: FailureKind::TokenUnreachable,
        message: format!("the token endpoint {url} cannot be reached: {why}"),
    }
}

fn broken(url: &str, why: &str) -> Failure {
    Failure {
        layer: Layer::Token,
        kind: FailureKind::TokenBroken,
        message: format!("the token endpoint {url} {why}"),
    }
}

pub(super) fn ours(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { layer: Layer::Ours, kind, message: message.into() }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| Error::source(*error))
}

fn innermost_io(error: &reqwest::Error) -> Option<&io::Error> {
    chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).last()
}

/// The innermost cause says most, and holds no address.
fn innermost(error: &reqwest::Error) -> String {
    crate::scrub::scrubbed(&chain(error).last().map(ToString::to_string).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_down_is_left_alone_for_half_a_minute_at_most() {
        for (status, asked, left) in [
            (503, None, 1),
            (503, Some(0), 1),
            (503, Some(9), 9),
            (503, Some(300), 30),
            (429, Some(900), 300),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let (_, pause) = refused("u", status, (b"", None), asked.map(Duration::from_secs));
            assert_eq!(pause, Duration::from_secs(left), "{status} {asked:?}");
        }
    }
}
