//! Twilio's Calls resource of the API 2010-04-01, and its signature: strict about what it takes. Nobody is rung up: the test is
//! whoever answers. Made from the documentation; not compared with the real service.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ring::hmac;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::trouble::Trouble;
use crate::world::Now;

const NEVER: std::time::Duration = std::time::Duration::from_mins(2);
/// The longest markup that is taken with a call.
const LONGEST: usize = 4_000;

/// A call that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub sid: String,
    /// Who is rung up.
    pub to: String,
    /// By whom.
    pub from: String,
    /// What is said, in Twilio's markup.
    pub words: String,
    /// Where it is told what became of it.
    pub status_callback: Option<String>,
    /// How it stands: `queued` until the test says otherwise.
    pub status: String,
    /// When it was asked for.
    pub at: Timestamp,
}

struct Exchange {
    now: Now,
    calls: Vec<Call>,
    trouble: Trouble,
}

/// Twilio.
#[derive(Clone)]
pub struct Twilio(Arc<Mutex<Exchange>>);

impl std::fmt::Debug for Twilio {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Twilio").finish_non_exhaustive()
    }
}

impl Twilio {
    /// The account's SID.
    pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
    /// The API key that it knows.
    pub const KEY: &str = "SK00000000000000000000000000000001";
    /// That key's secret.
    pub const SECRET: &str = "the-secret-of-a-simulated-key";
    /// What it signs with.
    pub const AUTH_TOKEN: &str = "the-auth-token-of-a-simulated-account";
    /// The account's number.
    pub const FROM: &str = "+441632960001";

    /// One that nobody has asked for anything.
    pub fn new(now: Now) -> Self {
        Self(Arc::new(Mutex::new(Exchange { now, calls: Vec::new(), trouble: Trouble::None })))
    }

    /// To be served.
    pub fn router(&self) -> axum::Router {
        axum::Router::new().fallback(receive).with_state(self.clone())
    }

    /// All that were asked for, in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.with(|exchange| exchange.calls.clone())
    }

    /// What is wrong from now on.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.with(|exchange| exchange.trouble = trouble);
    }

    /// How a call stands from now on.
    pub fn set_status(&self, sid: &str, status: &str) {
        self.with(|exchange| {
            for call in exchange.calls.iter_mut().filter(|call| call.sid == sid) {
                status.clone_into(&mut call.status);
            }
        });
    }

    /// `X-Twilio-Signature` of a callback to `url` that posts this form.
    pub fn sign(url: &str, form: &[(&str, &str)]) -> String {
        let mut form = form.to_vec();
        form.sort_unstable();
        let said: String = form.into_iter().flat_map(|(name, value)| [name, value]).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, Self::AUTH_TOKEN.as_bytes());
        STANDARD.encode(hmac::sign(&key, format!("{url}{said}").as_bytes()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Exchange) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn route(&self, method: &Method, uri: &Uri, body: &[u8]) -> Answer {
        let ours = format!("/2010-04-01/Accounts/{}", Self::ACCOUNT);
        match (method, uri.path().strip_prefix(&ours)) {
            (&Method::GET, Some(".json")) => Answer::json(
                200,
                &json!({"sid": Self::ACCOUNT, "friendly_name": "Curiad", "status": "active"}),
            ),
            (&Method::GET, Some("/Calls.json")) => self.list(uri.query().unwrap_or_default()),
            (&Method::POST, Some("/Calls.json")) => self.place(body),
            _ => failure(404, 20_404),
        }
    }

    fn list(&self, query: &str) -> Answer {
        let asked = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let to = asked("To");
        let since = asked("StartTime>").map(|since| since.parse::<Timestamp>());
        let Ok(since) = since.transpose() else { return failure(400, 20_001) };
        let calls = self.calls();
        let fits = |call: &&Call| {
            to.as_ref().is_none_or(|to| *to == call.to) && since.is_none_or(|since| call.at >= since)
        };
        let found: Vec<Value> = calls.iter().rev().filter(fits).map(shown).collect();
        Answer::json(200, &json!({ "calls": found, "page": 0, "page_size": 50 }))
    }

    fn place(&self, body: &[u8]) -> Answer {
        let form: Vec<_> = url::form_urlencoded::parse(body).collect();
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_string());
        let (Some(to), Some(from), Some(words)) = (value("To"), value("From"), value("Twiml")) else {
            return failure(400, 21_201);
        };
        let is_number = |text: &str| text.strip_prefix('+').is_some_and(|rest| rest.len() > 7);
        let status_callback = value("StatusCallback");
        let is_told = status_callback.as_ref().is_none_or(|url| url::Url::parse(url).is_ok());
        if from != Self::FROM {
            return failure(400, 21_210);
        }
        if !is_number(&to) || !is_told || words.len() > LONGEST || !words.starts_with("<Response>") {
            return failure(400, 21_211);
        }
        self.with(|exchange| {
            let sid = format!("CA{:032}", exchange.calls.len() + 1);
            let at = (exchange.now)();
            let call = Call { sid, to, from, words, status_callback, status: "queued".to_owned(), at };
            let answer = Answer::json(201, &shown(&call));
            exchange.calls.push(call);
            answer
        })
    }
}

fn shown(call: &Call) -> Value {
    let created = rfc2822::to_string(&call.at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
    json!({
        "sid": call.sid, "account_sid": Twilio::ACCOUNT, "to": call.to, "from": call.from,
        "status": call.status, "date_created": created, "start_time": null, "direction": "outbound-api",
    })
}

fn failure(status: u16, code: u32) -> Answer {
    Answer::json(status, &json!({"code": code, "message": "It is not so", "more_info": "", "status": status}))
}

async fn receive(
    State(twilio): State<Twilio>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let trouble = twilio.with(|exchange| exchange.trouble);
    let known = format!("Basic {}", STANDARD.encode(format!("{}:{}", Twilio::KEY, Twilio::SECRET)));
    let is_known = headers.get("authorization").is_some_and(|given| given.as_bytes() == known.as_bytes());
    let answer = if trouble == Trouble::RateLimited {
        failure(429, 20_429)
    } else if trouble == Trouble::ServerError {
        failure(500, 20_500)
    } else if is_known && trouble != Trouble::Unauthorised {
        twilio.route(&method, &uri, &body)
    } else {
        failure(401, 20_003)
    };
    if trouble == Trouble::AcceptThenTimeOut && method == Method::POST {
        tokio::time::sleep(NEVER).await;
    }
    answer.into_response()
}
