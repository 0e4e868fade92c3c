//! Messages as Notify shows them when they are asked for.

use axum::http::Uri;
use serde_json::{Map, Value, json};

use super::exchange::{Exchange, precise};
use super::invalid;
use super::message::Message;
use super::template::Channel;
use crate::answer::Answer;

const PAGE: usize = 250;
const STATUSES: [&str; 10] = [
    "cancelled",
    "created",
    "sending",
    "sent",
    "delivered",
    "pending",
    "failed",
    "technical-failure",
    "temporary-failure",
    "permanent-failure",
];

pub(super) fn template(exchange: &Exchange, message: &Message) -> Value {
    json!({
        "id": message.template_id,
        "version": message.template_version,
        "uri": format!("{}/v2/template/{}", exchange.base(), message.template_id),
    })
}

pub(super) fn record(exchange: &Exchange, message: &Message) -> Value {
    let (email, phone, subject) = match message.channel {
        Channel::Sms => (Value::Null, message.to.clone().into(), Value::Null),
        Channel::Email => (message.to.clone().into(), Value::Null, message.subject.clone().into()),
    };
    json!({
        "id": message.id,
        "reference": message.reference,
        "email_address": email,
        "phone_number": phone,
        "line_1": null, "line_2": null, "line_3": null, "line_4": null, "line_5": null, "line_6": null,
        "postcode": null,
        "type": message.channel.name(),
        "status": message.status,
        "template": template(exchange, message),
        "body": message.body,
        "subject": subject,
        "created_at": precise(message.created_at),
        "created_by_name": null,
        "sent_at": message.sent_at.map(precise),
        "completed_at": message.completed_at.map(precise),
        "scheduled_for": null,
    })
}

pub(super) fn list(exchange: &Exchange, uri: &Uri) -> Answer {
    let query = uri.query().unwrap_or_default();
    let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut statuses = Vec::new();
    let (mut channel, mut reference, mut older_than) = (None, None, None);
    for (name, value) in &asked {
        match name.as_str() {
            "status" if !STATUSES.contains(&value.as_str()) => {
                return invalid(&format!("status {value} is not one of [{}]", STATUSES.join(", ")));
            }
            "status" => statuses.push(value.as_str()),
            "template_type" if !["sms", "email", "letter"].contains(&value.as_str()) => {
                return invalid(&format!("template_type {value} is not one of [sms, email, letter]"));
            }
            "template_type" => channel = Some(value.as_str()),
            "reference" => reference = Some(value.as_str()),
            "older_than" if uuid::Uuid::try_parse(value).is_err() => {
                return invalid("older_than is not a valid UUID");
            }
            "older_than" => older_than = Some(value.as_str()),
            "include_jobs" => {}
            other => {
                return invalid(&format!("Additional properties are not allowed ({other} was unexpected)"));
            }
        }
    }
    let mut messages = exchange.messages();
    messages.reverse();
    if let Some(id) = older_than {
        let place = messages.iter().position(|message| message.id == id);
        messages = place.map(|place| messages.split_off(place + 1)).unwrap_or_default();
    }
    messages.retain(|message| {
        (statuses.is_empty() || statuses.contains(&message.status))
            && channel.is_none_or(|channel| channel == message.channel.name())
            && reference.is_none_or(|reference| message.reference.as_deref() == Some(reference))
    });
    let mut links = Map::new();
    let base = format!("{}/v2/notifications", exchange.base());
    links.insert("current".to_owned(), format!("{base}?{query}").into());
    if messages.len() > PAGE {
        messages.truncate(PAGE);
        if let Some(last) = messages.last() {
            links.insert("next".to_owned(), format!("{base}?older_than={}", last.id).into());
        }
    }
    let notifications: Vec<Value> = messages.iter().map(|message| record(exchange, message)).collect();
    Answer::json(200, &json!({"notifications": notifications, "links": links}))
}
