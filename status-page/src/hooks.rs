//! `/hooks/notify`: GOV.UK Notify says what became of a text or an e-mail, and what somebody answered by text. Nothing is
//! done here but append to the inbox.

use crate::{
    callbacks::Callbacks,
    problem::Problem,
    router::{Shown, missing},
};
use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header},
};
use domain::{IncidentId, Message, Receipt, Reply, Secret, Sent, Told};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A callback is a few hundred bytes.
const MAX_BODY: usize = 16 * 1024;
/// An id of Notify's has 36 characters.
const MOST_ID: usize = 40;

/// `POST /hooks/notify`. 5xx where the receipt cannot be kept: Notify tries again then, and only then.
pub(crate) async fn notify(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let callbacks = Arc::clone(&shown.site.0.options.callbacks.borrow());
    if callbacks.notify.is_empty() {
        return missing(&shown, request.method(), request.headers(), request.uri());
    }
    if !is_allowed(request.headers(), &callbacks.notify) {
        return refused();
    }
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        return Problem::bad("the body is too large, or broke off").answer(shown.audience);
    };
    let told = match heard(&body, &callbacks, shown.site.0.clock.now()) {
        Ok(Some(told)) => told,
        Ok(None) => return empty(StatusCode::NO_CONTENT),
        Err(why) => return Problem::bad(why).answer(shown.audience),
    };
    match shown.site.keep(&told).await {
        Some(_) => empty(StatusCode::NO_CONTENT),
        None => Problem::unavailable("it could not be kept; send it again").answer(shown.audience),
    }
}

/// What a callback tells us; `None`: nothing that concerns us.
fn heard(body: &[u8], callbacks: &Callbacks, now: Timestamp) -> Result<Option<Told>, String> {
    if let Ok(text) = serde_json::from_slice::<ReceivedText>(body) {
        let people = callbacks.people_of(&text.source_number);
        if people.is_empty() {
            tracing::info!("a text came from a telephone that is nobody's: it is no answer");
            return Ok(None);
        }
        // Whatever else is in it would be part of a key.
        let id: String =
            text.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(MOST_ID).collect();
        let what = Message::Reply { people, id, reply: Reply::parse(&text.message) };
        return Ok(Some(Told { at: text.date_received.map_or(now, |at| at.min(now)), what }));
    }
    Ok(receipt(body, now)?.map(|receipt| Told { at: receipt.at, what: Message::Receipt(receipt) }))
}

pub(crate) fn empty(status: StatusCode) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = status;
    response
}

pub(crate) fn refused() -> Response<HttpBody> {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    let scheme = axum::http::HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

pub(crate) fn is_allowed(headers: &HeaderMap, tokens: &[Secret]) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    // Every token is compared in full, so that the time taken tells nothing about any.
    given.is_some_and(|given| {
        tokens.iter().fold(false, |allowed, token| allowed | same(given, token.reveal()))
    })
}

/// Compares in a time that depends on the lengths only.
fn same(given: &str, kept: &str) -> bool {
    given.len() == kept.len()
        && !kept.is_empty()
        && given.bytes().zip(kept.bytes()).fold(0_u8, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// A text that somebody sent to our number, as Notify tells of it.
#[derive(Deserialize)]
struct ReceivedText {
    id: String,
    source_number: String,
    message: String,
    date_received: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Callback {
    reference: Option<String>,
    status: String,
    completed_at: Option<Timestamp>,
}

/// What a callback says of one of our notifications; `None`: nothing final, or nothing of ours.
fn receipt(body: &[u8], now: Timestamp) -> Result<Option<Receipt>, String> {
    let callback: Callback = serde_json::from_slice(body).map_err(|error| {
        // The place only: what stands there may be a telephone number.
        format!("not a delivery receipt of GOV.UK Notify: line {}, column {}", error.line(), error.column())
    })?;
    let Some((reference, incident)) =
        callback.reference.and_then(|reference| incident_of(&reference).map(|id| (reference, id)))
    else {
        return Ok(None);
    };
    let why = |words: &str| Sent::GivenUp { why: format!("GOV.UK Notify: {words} ({})", callback.status) };
    let outcome = match callback.status.as_str() {
        // `sent` is the last that is heard of a text abroad.
        "delivered" | "sent" => Sent::Delivered,
        "permanent-failure" => why("the number or address does not exist or refuses messages"),
        "temporary-failure" => why("the telephone or mailbox is out of reach"),
        "technical-failure" => why("trouble between Notify and its provider"),
        // created, sending, pending: on its way.
        _ => return Ok(None),
    };
    Ok(Some(Receipt {
        notification: reference,
        incident,
        at: callback.completed_at.map_or(now, |at| at.min(now)),
        outcome,
    }))
}

/// The incident in a notification's key: `C-42-k3f9xq/callout/3/text`.
pub(crate) fn incident_of(key: &str) -> Option<IncidentId> {
    let digits = key.strip_prefix("C-")?;
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    IncidentId::parse(digits.get(..end)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PersonId;

    fn now() -> Timestamp {
        "2026-11-21T00:10:00Z".parse().unwrap()
    }

    fn callback(status: &str) -> String {
        format!(
            r#"{{"id":"740e5834-3a29-46b4-9a6f-16142fde533a","reference":"C-42-k3f9xq/callout/3/text","to":"07700900123",
                "status":"{status}","created_at":"2026-11-21T00:00:00.000000Z","completed_at":"2026-11-21T00:00:05.000000Z",
                "sent_at":"2026-11-21T00:00:01.000000Z","notification_type":"sms","template_id":"x","template_version":1}}"#
        )
    }

    #[test]
    fn a_final_status_is_a_receipt_for_our_notification() {
        let delivered = receipt(callback("delivered").as_bytes(), now()).unwrap().unwrap();
        assert_eq!(delivered.notification, "C-42-k3f9xq/callout/3/text");
        assert_eq!(delivered.incident, IncidentId(42));
        assert_eq!(delivered.outcome, Sent::Delivered);
        assert_eq!(delivered.at.to_string(), "2026-11-21T00:00:05Z");
        let abroad = receipt(callback("sent").as_bytes(), now()).unwrap().unwrap();
        assert_eq!(abroad.outcome, Sent::Delivered);
        for status in ["permanent-failure", "temporary-failure", "technical-failure"] {
            let failed = receipt(callback(status).as_bytes(), now()).unwrap().unwrap();
            assert!(matches!(failed.outcome, Sent::GivenUp { why } if why.contains(status)));
        }
    }

    #[test]
    fn what_is_not_final_or_not_ours_is_no_receipt() {
        assert_eq!(receipt(callback("sending").as_bytes(), now()), Ok(None));
        assert_eq!(receipt(br#"{"status":"delivered"}"#, now()), Ok(None));
        assert_eq!(receipt(br#"{"status":"delivered","reference":"else"}"#, now()), Ok(None));
        assert!(receipt(b"{}", now()).is_err());
    }

    #[test]
    fn a_text_is_an_answer_of_whoever_has_the_telephone_and_its_words_are_not_kept() {
        let one = PersonId::parse("oncall.one").unwrap();
        let number = Secret::new("+447700900101");
        let callbacks = Callbacks { telephones: vec![(number, one.clone())], ..Callbacks::default() };
        let text = |from: &str, words: &str| {
            let body = serde_json::json!({
                "id": "b7a1-9", "source_number": from, "destination_number": "07700900987", "message": words,
                "date_received": "2026-11-21T00:00:00.000000Z",
            });
            heard(body.to_string().as_bytes(), &callbacks, now()).unwrap()
        };
        for from in ["447700900101", "+447700900101", "07700 900101", "00447700900101"] {
            let told = text(from, "42, got it").expect("an answer");
            let reply = Reply::parse("42");
            assert_eq!(told.what, Message::Reply { people: vec![one.clone()], id: "b7a1-9".into(), reply });
            assert!(!serde_json::to_string(&told).unwrap().contains("Jones"));
        }
        assert_eq!(text("07700900102", "42"), None);
        assert_eq!(text("", "42"), None);
    }

    #[test]
    fn only_our_tokens_open_the_door() {
        let tokens = [Secret::new("old-token"), Secret::new("new-token")];
        let asks = |value: &'static str| {
            let value = axum::http::HeaderValue::from_static(value);
            is_allowed(&HeaderMap::from_iter([(header::AUTHORIZATION, value)]), &tokens)
        };
        assert!(asks("Bearer old-token") && asks("Bearer new-token"));
        assert!(!asks("Bearer nil-token") && !asks("Bearer ") && !asks("old-token"));
        assert!(!is_allowed(&HeaderMap::new(), &tokens));
    }
}
