//! A service desk that speaks `ServiceNow`'s Table API, as strictly and as treacherously as the real one.

mod desk;
mod directory;
mod office;
mod query;
mod table;
mod ticket;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

use crate::answer::{Answer, HangUp, web_page};
use crate::trouble::Trouble;

pub use desk::Desk;
pub use directory::Entry;
pub use office::DeskOptions;
pub(crate) use office::Office;
pub use ticket::{Note, Ticket};

/// How long a request that is accepted and never answered is held; any caller gives up before.
const NEVER: std::time::Duration = std::time::Duration::from_mins(2);
/// How much longer a slow answer takes.
const SLOWER: std::time::Duration = std::time::Duration::from_secs(5);

pub(crate) fn routes(office: Arc<Office>) -> axum::Router {
    axum::Router::new().fallback(receive).with_state(office)
}

async fn receive(
    State(office): State<Arc<Office>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let writes = matches!(method, Method::POST | Method::PATCH | Method::PUT);
    let is_token = uri.path() == "/oauth_token.do";
    let trouble = office.meet(writes && !is_token);
    if trouble == Trouble::Slow {
        tokio::time::sleep(SLOWER).await;
    }
    if trouble == Trouble::Hang {
        tokio::time::sleep(NEVER).await;
    }
    let answer = match trouble {
        Trouble::RateLimited | Trouble::DailyLimit => rate_limited(&office),
        Trouble::ServerError => failure(500, "Internal Server Error", "the instance is not well"),
        Trouble::Unauthorised => not_authenticated(),
        Trouble::WebPage => web_page(200, "Sign in"),
        Trouble::Maintenance | Trouble::Hang => {
            web_page(503, "Undergoing maintenance").with("Retry-After", "30")
        }
        Trouble::None
        | Trouble::Refuse
        | Trouble::AcceptThenTimeOut
        | Trouble::AcceptThenHangUp
        | Trouble::Slow => {
            let asked = Asked { method: &method, uri: &uri, headers: &headers, body: &body };
            if is_token { token(&office, &asked) } else { table_request(&office, &asked) }
        }
    };
    let mut answer = answer.into_response();
    if trouble == Trouble::AcceptThenTimeOut && writes && !is_token {
        tokio::time::sleep(NEVER).await;
    }
    if trouble == Trouble::AcceptThenHangUp && writes && !is_token {
        answer.extensions_mut().insert(HangUp);
    }
    answer
}

/// One request, whole.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Asked<'_> {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn says(&self, name: &str) -> bool {
        self.parameter(name).as_deref() == Some("true")
    }
}

fn failure(status: u16, message: &str, detail: &str) -> Answer {
    Answer::json(status, &json!({"error": {"message": message, "detail": detail}, "status": "failure"}))
}

fn not_authenticated() -> Answer {
    failure(401, "User Not Authenticated", "Required to provide Auth information")
        .with("WWW-Authenticate", "BASIC realm=\"Service-now\"")
}

fn rate_limited(office: &Office) -> Answer {
    let reset = office.now().as_second() + 3;
    failure(429, "Rate limit exceeded", "Rejected request due to rate limit")
        .with("Retry-After", "3")
        .with("X-RateLimit-Limit", "1000")
        .with("X-RateLimit-Reset", reset.to_string())
        .with("X-RateLimit-Rule", "incident integration")
}

/// `POST /oauth_token.do`: client credentials, and a password where it is still allowed.
fn token(office: &Office, asked: &Asked<'_>) -> Answer {
    let refuse = |status, error: &str, description: &str| {
        Answer::json(status, &json!({"error": error, "error_description": description}))
    };
    if asked.method != Method::POST {
        return refuse(405, "invalid_request", "ask by POST");
    }
    if !asked.header("content-type").starts_with("application/x-www-form-urlencoded") {
        return refuse(400, "invalid_request", "Missing or invalid content type");
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(asked.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if field("grant_type") != Some("client_credentials") {
        return refuse(400, "unsupported_grant_type", "only client_credentials is allowed on this instance");
    }
    let options = &office.options;
    let known = field("client_id") == Some(options.client_id.as_str())
        && field("client_secret") == Some(options.client_secret.as_str());
    if !known {
        return refuse(401, "server_error", "access_denied");
    }
    let (token, lifetime) = office.issue_token();
    Answer::json(
        200,
        &json!({"access_token": token, "scope": "useraccount", "token_type": "Bearer", "expires_in": lifetime}),
    )
}

fn is_authenticated(office: &Office, asked: &Asked<'_>) -> bool {
    let offered = asked.header("authorization");
    if let Some(token) = offered.strip_prefix("Bearer ") {
        return office.knows_token(token);
    }
    let Some(basic) = offered.strip_prefix("Basic ") else {
        return false;
    };
    let expected = format!("{}:{}", office.options.user, office.options.password);
    STANDARD.decode(basic).is_ok_and(|text| text == expected.as_bytes())
}

fn table_request(office: &Office, asked: &Asked<'_>) -> Answer {
    if !is_authenticated(office, asked) {
        return not_authenticated();
    }
    let accept = asked.header("accept");
    if !(accept.is_empty() || accept.contains("json") || accept.contains("*/*")) {
        return failure(406, "Not acceptable", "this stand-in answers application/json alone");
    }
    let segments: Vec<&str> = asked.uri.path().trim_matches('/').split('/').collect();
    let (["api", "now", "table", rest @ ..] | ["api", "now", "v1" | "v2", "table", rest @ ..]) =
        segments.as_slice()
    else {
        return failure(400, "Requested URI does not represent any resource", asked.uri.path());
    };
    match (asked.method, rest) {
        (&Method::GET, ["incident"]) => table::find(office, asked),
        (&Method::POST, ["incident"]) => table::create(office, asked),
        (&Method::GET, ["incident", sys_id]) => table::read(office, asked, sys_id),
        (&Method::PATCH | &Method::PUT, ["incident", sys_id]) => table::update(office, asked, sys_id),
        (&Method::GET, ["sys_journal_field"]) => table::journal(office, asked),
        (&Method::GET, [table]) if directory::TABLES.contains(table) => directory::find(office, asked, table),
        (_, ["incident" | "sys_journal_field", ..]) => {
            failure(405, "Method not supported", asked.method.as_str())
        }
        (_, [other, ..]) => failure(400, &format!("Invalid table {other}"), ""),
        (_, []) => failure(400, "Requested URI does not represent any resource", asked.uri.path()),
    }
}
