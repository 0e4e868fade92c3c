//! A service desk that is told by signed webhooks (Standard Webhooks 1.0.0): a program there makes and keeps the tickets.
//!
//! Nothing can be looked up in it, so one ticket per incident is a matter of its `webhook-id`: that is made from the
//! notification's key, and a repeat has the same. Who takes it must keep ids for longer than a ticket is asked
//! for (a day) and answer a repeat as it answered the first. A time-out can upset the order. docs/desk-webhook.md tells them so.

use crate::{
    SendError, SignedWebhook,
    answer::Answer,
    signed::{self, Event},
    words::TicketWords,
};
use domain::{Incident, Sent};
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::time::Duration;

const WHOM: &str = "the service desk's webhook";
/// The longest number or key of a record that is taken from an answer.
const MOST: usize = 100;

/// A desk's webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    settings: SignedWebhook,
    client: Client,
    patience: Duration,
}

impl Webhook {
    pub(crate) const fn new(settings: SignedWebhook, client: Client, patience: Duration) -> Self {
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
        let data = said(reference, incident, says);
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
        let data = said(reference, incident, [("record", record), ("text", text)]);
        self.post(key, "incident.updated", &data, now).await?;
        Ok(Sent::Accepted { provider_id: record.to_owned() })
    }

    async fn post(&self, key: &str, kind: &str, data: &Value, now: Timestamp) -> Result<Answer, SendError> {
        let event = Event { key, kind, data };
        let answer = signed::post(&self.settings, (&self.client, self.patience), WHOM, event, now).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(mendable(&answer, WHOM)) }
    }
}

/// Its own words are not told: nobody knows what a program puts there. A wrong secret or address may be mended while there is
/// still time; 410 is meant.
pub(crate) fn mendable(answer: &Answer, whom: &str) -> SendError {
    match answer.refused(whom, "") {
        SendError::Permanent { why } if answer.status != StatusCode::GONE => SendError::retryable(why),
        error @ (SendError::Permanent { .. } | SendError::Retryable { .. }) => error,
    }
}

fn said(reference: &str, incident: &Incident, says: [(&str, &str); 2]) -> Value {
    let says = says.map(|(key, words)| (key, Value::from(words)));
    signed::with(signed::facts(incident), says.into_iter().chain([("reference", Value::from(reference))]))
}
