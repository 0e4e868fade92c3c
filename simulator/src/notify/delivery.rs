//! What becomes of a message after Notify has taken it: its statuses, and the receipts posted to Curiad.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use url::Url;

use super::exchange::{Exchange, precise};
use crate::post::post;

/// The documented number of times a receipt is tried again.
const RETRIES: u32 = 5;

/// How a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It arrives.
    #[default]
    Delivered,
    /// Nobody hears of it again: the provider may hold it for 72 hours.
    StaysSending,
    /// The phone is off or full.
    TemporaryFailure,
    /// The number does not exist.
    PermanentFailure,
    /// Notify or its provider broke.
    TechnicalFailure,
}

impl Delivery {
    /// Every ending, in the order the page shows them.
    pub const ALL: [Self; 5] = [
        Self::Delivered,
        Self::StaysSending,
        Self::TemporaryFailure,
        Self::PermanentFailure,
        Self::TechnicalFailure,
    ];

    /// Notify's name of the last status.
    pub const fn status(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::StaysSending => "sending",
            Self::TemporaryFailure => "temporary-failure",
            Self::PermanentFailure => "permanent-failure",
            Self::TechnicalFailure => "technical-failure",
        }
    }
}

impl std::str::FromStr for Delivery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|delivery| delivery.status() == text);
        found.ok_or_else(|| format!("no delivery is called {text:?}"))
    }
}

/// How long a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From created to sending.
    pub to_send: Duration,
    /// From sending to the end.
    pub to_deliver: Duration,
    /// Between two tries to post a receipt; five minutes in life.
    pub retry: Duration,
}

impl Pace {
    /// As soon as can be, with retries a fiftieth of a second apart: for tests.
    pub const AT_ONCE: Self =
        Self { to_send: Duration::ZERO, to_deliver: Duration::ZERO, retry: Duration::from_millis(20) };

    /// A second or two, with retries every 15 s: for the demo.
    pub const LIVELY: Self = Self {
        to_send: Duration::from_millis(300),
        to_deliver: Duration::from_millis(1_700),
        retry: Duration::from_secs(15),
    };
}

/// Where Notify posts what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callbacks {
    /// Where receipts go.
    pub receipts: Url,
    /// The bearer token that goes with them.
    pub receipts_token: String,
    /// Where received texts go.
    pub replies: Url,
    /// The bearer token that goes with them.
    pub replies_token: String,
}

/// Takes one message through its life.
pub(super) async fn deliver(exchange: Arc<Exchange>, id: String, ending: Delivery, receipt: bool) {
    let pace = exchange.options.pace;
    tokio::time::sleep(pace.to_send).await;
    exchange.advance(&id, "sending");
    if ending == Delivery::StaysSending {
        return;
    }
    tokio::time::sleep(pace.to_deliver).await;
    exchange.advance(&id, ending.status());
    if !receipt {
        return;
    }
    let Some(message) = exchange.message(&id) else {
        return;
    };
    let body = json!({
        "id": message.id,
        "reference": message.reference,
        "to": message.to,
        "status": message.status,
        "created_at": precise(message.created_at),
        "completed_at": message.completed_at.map(precise),
        "sent_at": message.sent_at.map(precise),
        "notification_type": message.channel.name(),
        "template_id": message.template_id,
        "template_version": message.template_version,
    })
    .to_string();
    let posted =
        post_until_taken(&exchange, body, |callbacks| (callbacks.receipts, callbacks.receipts_token)).await;
    exchange.note_receipt(&id, posted);
}

/// Takes one received text to Curiad.
pub(super) async fn forward(exchange: Arc<Exchange>, id: String, body: String) {
    let posted =
        post_until_taken(&exchange, body, |callbacks| (callbacks.replies, callbacks.replies_token)).await;
    exchange.note_reply(&id, posted);
}

/// Posts until it is taken: tried again on a network error, on 5xx and on 429, and on nothing else.
/// Answers the last HTTP status; none when nobody asked to be told or nobody answered.
async fn post_until_taken(
    exchange: &Exchange,
    body: String,
    which: impl Fn(Callbacks) -> (Url, String),
) -> Option<u16> {
    let (url, token) = which(exchange.callbacks()?);
    for attempt in 0..=RETRIES {
        match post(&url, &token, body.clone()).await {
            Ok(status) if status != 429 && status < 500 => return Some(status),
            Ok(status) if attempt == RETRIES => return Some(status),
            Ok(status) => tracing::debug!(%url, status, "callback not taken, tried again later"),
            Err(error) => tracing::debug!(%url, %error, "callback not reached, tried again later"),
        }
        if attempt < RETRIES {
            tokio::time::sleep(exchange.options.pace.retry).await;
        }
    }
    None
}
