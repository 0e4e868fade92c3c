//! GOV.UK Notify's version 2 API: texts and e-mails, their statuses, receipts and replies.

mod control;
mod delivery;
mod exchange;
mod message;
mod record;
mod template;
mod token;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, HangUp, web_page};
use crate::trouble::Trouble;

pub use control::Notify;
pub use delivery::{Callbacks, Delivery, Pace};
pub(crate) use exchange::Exchange;
use exchange::mobile;
pub use message::{Message, NotifyOptions, Reply};
pub use template::{Channel, Template};

const NEVER: std::time::Duration = std::time::Duration::from_mins(2);
const SLOWER: std::time::Duration = std::time::Duration::from_secs(5);
/// The longest text Notify sends, in characters.
const LONGEST_TEXT: usize = 918;
const LONGEST_REFERENCE: usize = 1_000;

pub(crate) fn routes(exchange: Arc<Exchange>) -> axum::Router {
    axum::Router::new().fallback(receive).with_state(exchange)
}

async fn receive(
    State(exchange): State<Arc<Exchange>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let writes = method == Method::POST;
    let trouble = exchange.meet(writes);
    if trouble == Trouble::Slow {
        tokio::time::sleep(SLOWER).await;
    }
    if trouble == Trouble::Hang {
        tokio::time::sleep(NEVER).await;
    }
    let answer = match trouble {
        Trouble::RateLimited => failure(
            429,
            "RateLimitError",
            "Exceeded rate limit for key type live of 3000 requests per 60 seconds",
        ),
        Trouble::DailyLimit => {
            failure(429, "TooManyRequestsError", "Exceeded send limits (250000) for today")
        }
        Trouble::ServerError => failure(500, "Exception", "Internal server error"),
        Trouble::Unauthorised => failure(403, "AuthError", "Invalid token: API key not found"),
        Trouble::WebPage => web_page(200, "Sign in"),
        Trouble::Maintenance | Trouble::Hang => {
            web_page(503, "Undergoing maintenance").with("Retry-After", "30")
        }
        Trouble::None
        | Trouble::Refuse
        | Trouble::AcceptThenTimeOut
        | Trouble::AcceptThenHangUp
        | Trouble::Slow => {
            let header = headers.get("authorization").and_then(|value| value.to_str().ok());
            let options = &exchange.options;
            match token::check(header, &options.service_id, &options.secret, exchange.now()) {
                Ok(()) => route(&exchange, &method, &uri, &body),
                Err(token::Refusal(status, words)) => failure(status, "AuthError", words),
            }
        }
    };
    let mut answer = answer.into_response();
    if trouble == Trouble::AcceptThenTimeOut && writes {
        tokio::time::sleep(NEVER).await;
    }
    if trouble == Trouble::AcceptThenHangUp && writes {
        answer.extensions_mut().insert(HangUp);
    }
    answer
}

fn failure(status: u16, error: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"status_code": status, "errors": [{"error": error, "message": message}]}))
}

fn invalid(message: &str) -> Answer {
    failure(400, "ValidationError", message)
}

fn route(exchange: &Arc<Exchange>, method: &Method, uri: &Uri, body: &[u8]) -> Answer {
    let segments: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    match (method, segments.as_slice()) {
        (&Method::POST, ["v2", "notifications", "sms"]) => send(exchange, Channel::Sms, body),
        (&Method::POST, ["v2", "notifications", "email"]) => send(exchange, Channel::Email, body),
        (&Method::GET, ["v2", "notifications"]) => record::list(exchange, uri),
        (&Method::GET, ["v2", "notifications", id]) => {
            if uuid::Uuid::try_parse(id).is_err() {
                return invalid("id is not a valid UUID");
            }
            match exchange.message(id) {
                Some(message) => Answer::json(200, &record::record(exchange, &message)),
                None => failure(404, "NoResultFound", "No result found"),
            }
        }
        (&Method::GET, ["v2", "template", id]) => template::show(exchange, id),
        (_, ["v2", "notifications" | "template", ..]) => Answer::json(
            405,
            &json!({"result": "error", "message": "The method is not allowed for the requested URL."}),
        ),
        _ => Answer::json(
            404,
            &json!({"result": "error", "message": "The requested URL was not found on the server."}),
        ),
    }
}

/// What a caller wrote, checked against the documented schema.
struct Wish {
    to: String,
    template: Template,
    personalisation: Map<String, Value>,
    reference: Option<String>,
}

fn send(exchange: &Arc<Exchange>, channel: Channel, body: &[u8]) -> Answer {
    let wish = match wish(exchange, channel, body) {
        Ok(wish) => wish,
        Err(refused) => return refused,
    };
    let (subject, body) = match wish.template.fill(&wish.personalisation) {
        Ok(texts) => texts,
        Err(missing) => {
            return failure(
                400,
                "BadRequestError",
                &format!("Missing personalisation: {}", missing.join(", ")),
            );
        }
    };
    let body = match (&exchange.options.prefix, channel) {
        (Some(prefix), Channel::Sms) => format!("{prefix}: {body}"),
        (Some(_) | None, Channel::Sms | Channel::Email) => body,
    };
    if channel == Channel::Sms && body.chars().count() > LONGEST_TEXT {
        return failure(
            400,
            "BadRequestError",
            &format!("Content for template has a character count greater than the limit of {LONGEST_TEXT}"),
        );
    }
    let message = exchange.take(Message {
        id: String::new(),
        channel,
        to: wish.to,
        subject,
        body,
        reference: wish.reference,
        status: "created",
        template_id: wish.template.id.clone(),
        template_version: wish.template.version,
        created_at: exchange.now(),
        sent_at: None,
        completed_at: None,
        lost: false,
        receipt: None,
    });
    let content = match channel {
        Channel::Sms => json!({"body": message.body, "from_number": "GIG CYMRU"}),
        Channel::Email => {
            json!({"body": message.body, "subject": message.subject, "from_email": "curiad@notifications.service.gov.uk"})
        }
    };
    Answer::json(
        201,
        &json!({
            "id": message.id,
            "reference": message.reference,
            "content": content,
            "uri": format!("{}/v2/notifications/{}", exchange.base(), message.id),
            "template": record::template(exchange, &message),
            "scheduled_for": null,
        }),
    )
}

fn wish(exchange: &Exchange, channel: Channel, body: &[u8]) -> Result<Wish, Answer> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        return Err(invalid("Invalid JSON supplied in POST data"));
    };
    let to_field = match channel {
        Channel::Sms => "phone_number",
        Channel::Email => "email_address",
    };
    let allowed: &[&str] = match channel {
        Channel::Sms => &["phone_number", "template_id", "personalisation", "reference", "sms_sender_id"],
        Channel::Email => &[
            "email_address",
            "template_id",
            "personalisation",
            "reference",
            "email_reply_to_id",
            "one_click_unsubscribe_url",
        ],
    };
    if let Some(unknown) = fields.keys().find(|name| !allowed.contains(&name.as_str())) {
        return Err(invalid(&format!("Additional properties are not allowed ({unknown} was unexpected)")));
    }
    for name in [to_field, "template_id"] {
        match fields.get(name) {
            None => return Err(invalid(&format!("{name} is a required property"))),
            Some(Value::String(_)) => {}
            Some(other) => return Err(invalid(&format!("{name} {other} is not of type string"))),
        }
    }
    let text = |fields: &Map<String, Value>, name: &str| {
        fields.get(name).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    let to = text(&fields, to_field);
    match channel {
        Channel::Sms => {
            mobile(&to).map_err(|words| invalid(&format!("phone_number {words}")))?;
        }
        Channel::Email => {
            let whole = to.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
            if !whole || to.contains(char::is_whitespace) {
                return Err(invalid("email_address Not a valid email address"));
            }
        }
    }
    let id = text(&fields, "template_id");
    if uuid::Uuid::try_parse(&id).is_err() {
        return Err(invalid("template_id is not a valid UUID"));
    }
    let personalisation = match fields.remove("personalisation") {
        None => Map::new(),
        Some(Value::Object(given)) => given,
        Some(other) => return Err(invalid(&format!("personalisation {other} is not of type object"))),
    };
    let reference = match fields.remove("reference") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() <= LONGEST_REFERENCE => Some(text),
        Some(Value::String(_)) => return Err(invalid("reference is too long")),
        Some(other) => return Err(invalid(&format!("reference {other} is not of type string"))),
    };
    let template = exchange.options.templates.iter().find(|template| template.id == id).cloned();
    let Some(template) = template else {
        return Err(failure(400, "BadRequestError", "Template not found"));
    };
    if template.channel != channel {
        let words = format!(
            "{} template is not suitable for {} notification",
            template.channel.name(),
            channel.name()
        );
        return Err(failure(400, "BadRequestError", &words));
    }
    Ok(Wish { to, template, personalisation, reference })
}
