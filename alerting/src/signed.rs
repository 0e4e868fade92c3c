//! Signed webhooks (Standard Webhooks 1.0.0): a `webhook-id` that is made from the notification's key, so that a repeat has the
//! same, and a signature over it, the time of this try, and the body.

use crate::{SendError, SignedWebhook, answer::Answer};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Incident, IncidentStatus, Secret};
use jiff::Timestamp;
use reqwest::{Client, header};
use ring::hmac;
use serde_json::{Value, json};
use std::{ops::RangeInclusive, time::Duration};
use store::crash_point;

/// What a secret begins with, by the standard.
const PREFIX: &str = "whsec_";
/// Bytes of a key, by the standard.
const KEY_BYTES: RangeInclusive<usize> = 24..=64;

/// Whether it can be a secret of the standard: `whsec_`, and the key in base64.
///
/// # Errors
/// What is wrong with it, without quoting it.
pub fn webhook_secret(secret: &str) -> Result<(), &'static str> {
    key(secret)
        .map(drop)
        .ok_or("it must be whsec_ and 24 to 64 bytes in base64, as the receiver's system shows it")
}

fn key(secret: &str) -> Option<hmac::Key> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    KEY_BYTES.contains(&key.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// An event that is to be posted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    /// The notification's key.
    pub(crate) key: &'a str,
    /// What happened: `incident.opened`.
    pub(crate) kind: &'a str,
    pub(crate) data: &'a Value,
}

/// Posts an event to `to`, which is called `whom`. The answer may be no success.
pub(crate) async fn post(
    to: &SignedWebhook,
    (client, patience): (&Client, Duration),
    whom: &str,
    event: Event<'_>,
    now: Timestamp,
) -> Result<Answer, SendError> {
    let id = id(event.key);
    let body = json!({ "type": event.kind, "timestamp": now, "data": event.data }).to_string();
    let at = now.as_second();
    let request = client
        .post(&to.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", at)
        .header("webhook-signature", signatures(to, &id, at, &body)?)
        .timeout(patience)
        .body(body);
    crash_point!("webhook/before-send");
    let answer = Answer::to(request, whom).await?;
    crash_point!("webhook/taken");
    Ok(answer)
}

/// By the secret, and by the one before it while that is named.
fn signatures(settings: &SignedWebhook, id: &str, at: i64, body: &str) -> Result<String, SendError> {
    let signed = format!("{id}.{at}.{body}");
    let sign = |secret: &Secret| {
        let key = key(secret.reveal())
            .ok_or_else(|| SendError::permanent("the secret of this webhook cannot be used"))?;
        Ok(format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes()))))
    };
    let secrets = [Some(&settings.secret), settings.secret_before.as_ref()];
    let all: Result<Vec<String>, SendError> = secrets.into_iter().flatten().map(sign).collect();
    Ok(all?.join(" "))
}

/// A full stop ends the id in what is signed.
fn id(key: &str) -> String {
    key.replace('.', "-")
}

/// What every event says of its incident. No evidence, nor anything that is not in the words for people.
pub(crate) fn facts(incident: &Incident) -> Value {
    let affects: Vec<Value> = incident
        .affects
        .iter()
        .map(|instance| json!({ "api": instance.api, "environment": instance.environment }))
        .collect();
    json!({
        "incident": incident.id.to_string(),
        "priority": incident.priority.to_string(),
        "major": incident.major.is_some(),
        "over": incident.status == IncidentStatus::Resolved,
        "started_at": incident.started_at,
        "affects": affects,
    })
}

/// `value` with more said.
pub(crate) fn with<'k>(mut value: Value, says: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.extend(says.into_iter().map(|(key, said)| (key.to_owned(), said)));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's text and of its libraries.
    #[test]
    fn it_signs_as_the_standard_does() {
        let settings = SignedWebhook {
            url: "https://desk.example/hook".to_owned(),
            secret: Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            secret_before: Some(Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")),
        };
        let body = r#"{"test": 2432232314}"#;
        let signed = signatures(&settings, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        let (first, second) = signed.split_once(' ').unwrap();
        assert_eq!(first, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(second.starts_with("v1,") && second != first, "{second}");
    }

    #[test]
    fn a_key_makes_an_id_of_the_standard() {
        assert_eq!(id("C-42-k3f9xq/ticket/2.1"), "C-42-k3f9xq/ticket/2-1");
    }

    #[test]
    fn only_a_secret_of_the_standard_is_one() {
        assert_eq!(webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Ok(()));
        for wrong in
            ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_not base64, whatever it is!"]
        {
            assert!(webhook_secret(wrong).is_err(), "{wrong}");
        }
    }
}
