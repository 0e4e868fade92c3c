//! What is told over HTTP beside the desk and the carriers: Microsoft Teams' workflows, `PagerDuty`'s Events API v2, and programs that
//! take signed webhooks. Each is strict about what it takes. Teams and `PagerDuty` are made from the documentation; not compared
//! with the real services.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::hmac;
use serde_json::{Value, json};

use crate::answer::{Answer, HangUp, web_page};
use crate::trouble::Trouble;
use crate::world::Now;

const NEVER: Duration = Duration::from_mins(2);
const SLOWER: Duration = Duration::from_secs(5);
/// The largest message that Microsoft Teams takes, in bytes.
const LARGEST_CARD: usize = 28 * 1024;
/// The largest event that `PagerDuty` takes, in bytes.
const LARGEST_EVENT: usize = 512 * 1024;
/// How far a webhook's time may be off, in seconds.
const TOLERANCE: i64 = 300;

/// An alert at `PagerDuty`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerAlert {
    /// `triggered`, `acknowledged` or `resolved`.
    pub state: &'static str,
    /// Its summary.
    pub summary: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// How often somebody was paged for it.
    pub paged: u32,
}

/// An event that a program took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookEvent {
    /// Its `webhook-id`.
    pub id: String,
    /// What it says.
    pub body: Value,
    /// How often it came.
    pub times: u32,
}

struct Told {
    now: Now,
    trouble: Trouble,
    /// So many requests are troubled; `None`: all.
    troubled: Option<u32>,
    asked: u32,
    cards: Vec<Value>,
    alerts: BTreeMap<String, PagerAlert>,
    events: Vec<HookEvent>,
}

/// A team's and a person's own systems, behind one address.
#[derive(Clone)]
pub struct Programs(Arc<Mutex<Told>>);

impl std::fmt::Debug for Programs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Programs").finish_non_exhaustive()
    }
}

impl Programs {
    /// What a webhook is signed with.
    pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    /// The integration key of the one service at `PagerDuty`.
    pub const ROUTING_KEY: &str = "R0123456789ABCDEFabcdef012345678";
    /// Where the workflow is, on the address: its signature is the secret.
    pub const WORKFLOW: &str =
        "/workflows/01/triggers/manual/paths/invoke?api-version=1&sig=the-signature-of-a-workflow";
    /// Where signed webhooks go.
    pub const HOOK: &str = "/hook";

    /// Nobody has told them anything.
    pub fn new(now: Now) -> Self {
        Self(Arc::new(Mutex::new(Told {
            now,
            trouble: Trouble::None,
            troubled: None,
            asked: 0,
            cards: Vec::new(),
            alerts: BTreeMap::new(),
            events: Vec::new(),
        })))
    }

    /// To be served.
    pub fn router(&self) -> axum::Router {
        axum::Router::new().fallback(receive).with_state(self.clone())
    }

    /// The cards that were posted to the chat, in their order.
    pub fn cards(&self) -> Vec<Value> {
        self.told().cards.clone()
    }

    /// `PagerDuty`'s alerts, by their key.
    pub fn alerts(&self) -> BTreeMap<String, PagerAlert> {
        self.told().alerts.clone()
    }

    /// The events that a program took, each once, in their order.
    pub fn events(&self) -> Vec<HookEvent> {
        self.told().events.clone()
    }

    /// How often any of them was asked.
    pub fn asked(&self) -> u32 {
        self.told().asked
    }

    /// What is wrong from now on.
    pub fn set_trouble(&self, trouble: Trouble) {
        let mut told = self.told();
        (told.trouble, told.troubled) = (trouble, None);
    }

    /// What is wrong with so many of the next requests.
    pub fn set_trouble_for(&self, trouble: Trouble, requests: u32) {
        let mut told = self.told();
        (told.trouble, told.troubled) = (trouble, Some(requests));
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet(&self) -> Trouble {
        let mut told = self.told();
        told.asked += 1;
        match &mut told.troubled {
            Some(0) => Trouble::None,
            Some(left) => {
                *left -= 1;
                told.trouble
            }
            None => told.trouble,
        }
    }

    fn route(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        if method != Method::POST {
            return Answer::json(405, &json!({"error": "method not allowed"}));
        }
        match path {
            Self::WORKFLOW => self.card(headers, body),
            Self::HOOK => self.hook(headers, body),
            "/v2/enqueue" => self.event(body),
            other if other.starts_with("/workflows/") => Answer::json(
                401,
                &json!({"error": {"code": "DirectApiAuthorizationRequired", "message": "The request must be authenticated only by Shared Access scheme."}}),
            ),
            _ => Answer::json(404, &json!({"error": "not found"})),
        }
    }

    /// A card, as Microsoft Teams wants it in a workflow that posts it to a channel.
    fn card(&self, headers: &HeaderMap, body: &[u8]) -> Answer {
        let refused = |why: &str| {
            Answer::json(400, &json!({"error": {"code": "TriggerInputSchemaMismatch", "message": why}}))
        };
        if headers.get("content-type").is_none_or(|kind| !kind.as_bytes().starts_with(b"application/json")) {
            return refused("the content type is not application/json");
        }
        if body.len() > LARGEST_CARD {
            return Answer::json(
                413,
                &json!({"error": {"code": "RequestEntityTooLarge", "message": "28 KB at the most"}}),
            );
        }
        let Ok(message) = serde_json::from_slice::<Value>(body) else { return refused("no JSON") };
        let attachment = at(&message, "/attachments/0");
        let content = at(attachment, "/content");
        let is_card = *at(&message, "/type") == "message"
            && *at(attachment, "/contentType") == "application/vnd.microsoft.card.adaptive"
            && *at(content, "/type") == "AdaptiveCard"
            && ["1.2", "1.3", "1.4", "1.5"].iter().any(|version| *at(content, "/version") == **version);
        let known = ["TextBlock", "RichTextBlock", "Container", "FactSet"];
        let items = at(content, "/body").as_array();
        let fits = items.is_some_and(|items| {
            !items.is_empty()
                && items.iter().all(|item| known.iter().any(|kind| *at(item, "/type") == **kind))
        });
        let opens = |action: &Value| {
            *at(action, "/type") == "Action.OpenUrl"
                && at(action, "/url").as_str().is_some_and(|url| url::Url::parse(url).is_ok())
        };
        let actions = at(content, "/actions").as_array().is_none_or(|all| all.iter().all(opens));
        if !is_card || !fits || !actions {
            return refused("no message with an adaptive card");
        }
        self.told().cards.push(message);
        // The trigger says that it has it, not that it is posted.
        Answer::new(202, "text/plain", "")
    }

    fn event(&self, body: &[u8]) -> Answer {
        let refused = |errors: &[&str]| {
            Answer::json(
                400,
                &json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors}),
            )
        };
        if body.len() > LARGEST_EVENT {
            return Answer::json(413, &json!({"status": "invalid event", "message": "too large"}));
        }
        let Ok(event) = serde_json::from_slice::<Value>(body) else {
            return refused(&["JSON cannot be read"]);
        };
        let text = |value: &Value, most: usize| {
            value.as_str().filter(|text| !text.is_empty() && text.chars().count() <= most).map(str::to_owned)
        };
        if *at(&event, "/routing_key") != Self::ROUTING_KEY {
            return refused(&["Invalid routing key"]);
        }
        let Some(key) = text(at(&event, "/dedup_key"), 255) else {
            return refused(&["'dedup_key' is wrong"]);
        };
        let mut told = self.told();
        match at(&event, "/event_action").as_str() {
            Some("trigger") => {
                let payload = at(&event, "/payload");
                let severity = text(at(payload, "/severity"), 10)
                    .filter(|severity| ["critical", "error", "warning", "info"].contains(&severity.as_str()));
                let when = at(payload, "/timestamp").as_str().map(str::parse::<jiff::Timestamp>);
                let (Some(summary), Some(_), Some(severity), None | Some(Ok(_))) = (
                    text(at(payload, "/summary"), 1_024),
                    text(at(payload, "/source"), 1_024),
                    severity,
                    when,
                ) else {
                    return refused(&["'payload' is wrong"]);
                };
                let known = told.alerts.get(&key);
                if known.is_none_or(|alert| alert.state == "resolved") {
                    let paged = known.map_or(0, |alert| alert.paged) + 1;
                    let alert = PagerAlert { state: "triggered", summary, severity, paged };
                    told.alerts.insert(key.clone(), alert);
                }
            }
            // Of what is not there, or over, it makes nothing.
            Some("acknowledge") => {
                if let Some(alert) = told.alerts.get_mut(&key).filter(|alert| alert.state == "triggered") {
                    alert.state = "acknowledged";
                }
            }
            Some("resolve") => {
                if let Some(alert) = told.alerts.get_mut(&key) {
                    alert.state = "resolved";
                }
            }
            _ => return refused(&["'event_action' is wrong"]),
        }
        Answer::json(202, &json!({"status": "success", "message": "Event processed", "dedup_key": key}))
    }

    /// A signed webhook, as the standard wants it: the signature over the raw body, a time of now, a repeat known by its id.
    fn hook(&self, headers: &HeaderMap, body: &[u8]) -> Answer {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(id), Some(at), Some(signatures)) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
        else {
            return Answer::json(400, &json!({"error": "not signed"}));
        };
        let mut told = self.told();
        let now = (told.now)().as_second();
        let is_now = at.parse::<i64>().is_ok_and(|at| now.abs_diff(at) <= TOLERANCE.unsigned_abs());
        let key = STANDARD.decode(Self::SECRET.trim_start_matches("whsec_")).unwrap_or_default();
        let mut signed = format!("{id}.{at}.").into_bytes();
        signed.extend_from_slice(body);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
        let expected = format!("v1,{}", STANDARD.encode(tag));
        if id.contains('.') || !is_now || !signatures.split(' ').any(|one| one == expected) {
            return Answer::json(401, &json!({"error": "the signature is not ours"}));
        }
        let Ok(event) = serde_json::from_slice::<Value>(body) else {
            return Answer::json(400, &json!({"error": "no JSON"}));
        };
        match told.events.iter_mut().find(|known| known.id == id) {
            Some(known) => known.times += 1,
            None => told.events.push(HookEvent { id: id.to_owned(), body: event, times: 1 }),
        }
        Answer::new(204, "text/plain", "")
    }
}

/// What stands there; nothing is null.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

async fn receive(
    State(programs): State<Programs>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let trouble = programs.meet();
    if trouble == Trouble::Slow {
        tokio::time::sleep(SLOWER).await;
    }
    if trouble == Trouble::Hang {
        tokio::time::sleep(NEVER).await;
    }
    let answer = match trouble {
        Trouble::RateLimited | Trouble::DailyLimit => {
            Answer::json(429, &json!({"error": "too many requests"})).with("Retry-After", "1")
        }
        Trouble::ServerError => Answer::json(500, &json!({"error": "internal error"})),
        Trouble::Unauthorised => Answer::json(401, &json!({"error": "unauthorised"})),
        Trouble::WebPage => web_page(302, "Sign in").with("Location", "/sign-in"),
        Trouble::Maintenance | Trouble::Hang | Trouble::Refuse => {
            web_page(503, "Undergoing maintenance").with("Retry-After", "1")
        }
        Trouble::None | Trouble::AcceptThenTimeOut | Trouble::AcceptThenHangUp | Trouble::Slow => {
            programs.route(&method, &uri, &headers, &body)
        }
    };
    let mut answer = answer.into_response();
    if trouble == Trouble::AcceptThenTimeOut {
        tokio::time::sleep(NEVER).await;
    }
    if trouble == Trouble::AcceptThenHangUp {
        answer.extensions_mut().insert(HangUp);
    }
    answer
}
