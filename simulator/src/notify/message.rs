//! What Notify takes, and what it is told beforehand.

use jiff::Timestamp;

use super::delivery::{Callbacks, Pace};
use super::template::{Channel, Template};

/// Who may use Notify, and what it sends.
#[derive(Debug, Clone)]
pub struct NotifyOptions {
    /// The service's id, a UUID: the `iss` of each token.
    pub service_id: String,
    /// The secret part of the API key, a UUID: what tokens are signed with.
    pub secret: String,
    /// The templates.
    pub templates: Vec<Template>,
    /// The service's name, where it is put before texts.
    pub prefix: Option<String>,
    /// How long messages take.
    pub pace: Pace,
    /// Where receipts and replies go; [`Notify::set_callbacks`](super::Notify::set_callbacks) can say so later.
    pub callbacks: Option<Callbacks>,
}

impl NotifyOptions {
    /// The text template of [`NotifyOptions::default`]: its body is `((message))`.
    pub const SMS_TEMPLATE: &'static str = "f33517ff-2a88-4f6e-b855-c550268ce08a";
    /// The e-mail template of [`NotifyOptions::default`]: subject `((subject))`, body `((message))`.
    pub const EMAIL_TEMPLATE: &'static str = "ceb50d92-100d-4b8b-b559-14fa3b091cda";
}

impl Default for NotifyOptions {
    fn default() -> Self {
        let template = |id: &str, channel, subject: &str| Template {
            id: id.to_owned(),
            channel,
            version: 3,
            subject: subject.to_owned(),
            body: "((message))".to_owned(),
        };
        Self {
            service_id: "26785a09-ab16-4eb0-8407-a37497a57506".to_owned(),
            secret: "3d844edf-8d35-48ac-975b-e847b4f122b0".to_owned(),
            templates: vec![
                template(Self::SMS_TEMPLATE, Channel::Sms, ""),
                template(Self::EMAIL_TEMPLATE, Channel::Email, "((subject))"),
            ],
            prefix: None,
            pace: Pace::AT_ONCE,
            callbacks: None,
        }
    }
}

/// A text or e-mail that Notify has taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Message {
    /// Notify's id of it, a UUID.
    pub id: String,
    /// Text or e-mail.
    pub channel: Channel,
    /// The number or address, as it was given.
    pub to: String,
    /// An e-mail's subject.
    pub subject: String,
    /// The text that arrives.
    pub body: String,
    /// The sender's own reference.
    pub reference: Option<String>,
    /// `created`, `sending`, `delivered`, `temporary-failure` and so on.
    pub status: &'static str,
    /// The template it was made from.
    pub template_id: String,
    /// And that template's version.
    pub template_version: u32,
    /// When Notify took it.
    pub created_at: Timestamp,
    /// When it went to the provider.
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// True when the phone network swallowed it: over 20 identical or 100 texts to one number in an hour.
    pub lost: bool,
    /// The HTTP status with which the receipt was taken, or refused for good.
    pub receipt: Option<u16>,
}

/// A text that a person sent back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reply {
    /// Notify's id of it.
    pub id: String,
    /// The person's number.
    pub from: String,
    /// What it says.
    pub message: String,
    /// When it came.
    pub at: Timestamp,
    /// The HTTP status with which Curiad took it, or refused it for good.
    pub answered: Option<u16>,
}
