//! A service desk that is told by signed webhooks (Standard Webhooks 1.0.0): a program there makes and keeps the tickets.
//!
//! Nothing can be looked up in it, so one ticket per incident is a matter of its `webhook-id`: that is made from the
//! notification's key, and a repeat has the same. Who takes it must keep ids for longer than a ticket is asked
//! for (a day) and answer a repeat as it answered the first. A time-out can upset the order. docs/desk-webhook.md tells them so.

use crate::{SendError, WebhookDesk, answer::Answer, words::TicketWords};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Incident, IncidentStatus, Secret, Sent};
use jiff::Timestamp;
use reqwest::{Client, StatusCode, header};
use ring::hmac;
use serde_json::{Value, json};
use std::{ops::RangeInclusive, time::Duration};

const WHOM: &str = "the service desk's webhook";
/// What a secret begins with, by the standard.
const PREFIX: &str = "whsec_";
/// Bytes of a key, by the standard.
const KEY_BYTES: RangeInclusive<usize> = 24..=64;
/// The longest number or key of a record that is taken from an answer.
const MOST: usize = 100;

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

/// A desk's webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    settings: WebhookDesk,
    client: Client,
    patience: Duration,
}

impl Webhook {
    pub(crate) const fn new(settings: WebhookDesk, client: Client, patience: Duration) -> Self {
        Self { settings, client, patience }
    }

    /// Asks for a ticket. What it is called there is in the answer, or else it is our own reference.
    pub(crate) async fn open(
        &self,
        (key, reference): (&str, &str),
        incident: &Incident,
        words: &TicketWords,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let says = [("title", &*words.short_description), ("text", &*words.description)];
        let data = facts(reference, incident, says);
        let answer = self.post(key, "incident.opened", &data, now).await?;
        // Who has no more to say than that it was taken, has no number of its own.
        let taken: Value = answer.json(WHOM).unwrap_or_default();
        let told = |key: &str| {
            let text = match taken.get(key) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
                    String::new()
                }
            };
            let fits = !text.is_empty() && text.len() <= MOST && !text.contains(char::is_control);
            if fits { text } else { reference.to_owned() }
        };
        // The number is what people use; the record's key is said again with every note.
        Ok(Sent::Ticket { number: told("number"), record: told("record"), mismatch: None })
    }

    /// Tells what is new.
    pub(crate) async fn note(
        &self,
        (key, reference): (&str, &str),
        record: &str,
        incident: &Incident,
        text: &str,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let data = facts(reference, incident, [("record", record), ("text", text)]);
        self.post(key, "incident.updated", &data, now).await?;
        Ok(Sent::Accepted { provider_id: record.to_owned() })
    }

    async fn post(&self, key: &str, kind: &str, data: &Value, now: Timestamp) -> Result<Answer, SendError> {
        let id = id(key);
        let body = json!({ "type": kind, "timestamp": now, "data": data }).to_string();
        let at = now.as_second();
        let request = self
            .client
            .post(&self.settings.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signatures(&self.settings, &id, at, &body)?)
            .timeout(self.patience)
            .body(body);
        let answer = Answer::to(request, WHOM).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let gone = answer.status == StatusCode::GONE;
        // Its own words are not told: nobody knows what a program puts there.
        Err(match answer.refused(WHOM, "") {
            // A wrong secret or address may be mended while there is still time for a ticket.
            SendError::Permanent { why } if !gone => SendError::retryable(why),
            error @ (SendError::Permanent { .. } | SendError::Retryable { .. }) => error,
        })
    }
}

/// By the secret, and by the one before it while that is named.
fn signatures(settings: &WebhookDesk, id: &str, at: i64, body: &str) -> Result<String, SendError> {
    let signed = format!("{id}.{at}.{body}");
    let sign = |secret: &Secret| {
        let key = key(secret.reveal())
            .ok_or_else(|| SendError::permanent("the secret of the desk's webhook cannot be used"))?;
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

/// What every event says. No evidence, nor anything that is not in the words for people.
fn facts(reference: &str, incident: &Incident, says: [(&str, &str); 2]) -> Value {
    let affects: Vec<Value> = incident
        .affects
        .iter()
        .map(|instance| json!({ "api": instance.api, "environment": instance.environment }))
        .collect();
    let mut facts = json!({
        "reference": reference,
        "incident": incident.id.to_string(),
        "priority": incident.priority.to_string(),
        "major": incident.major.is_some(),
        "over": incident.status == IncidentStatus::Resolved,
        "started_at": incident.started_at,
        "affects": affects,
    });
    if let Some(facts) = facts.as_object_mut() {
        facts.extend(says.map(|(key, words)| (key.to_owned(), Value::from(words))));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's text and of its libraries.
    #[test]
    fn it_signs_as_the_standard_does() {
        let settings = WebhookDesk {
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
