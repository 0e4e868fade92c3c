//! Texts and e-mails through GOV.UK Notify (incident-systems.md §3.4), and what it tells us back.

mod examine;
mod token;

use crate::{Notify, SendError, SetupError, Trace, answer::Answer, words::Letter};
use domain::{Secret, Sent};
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use store::crash_point;

use token::Key;

const WHOM: &str = "GOV.UK Notify";

/// Sends texts, and e-mails where it has a template for them.
#[derive(Debug)]
pub(crate) struct TextService {
    settings: Notify,
    key: Key,
    client: Client,
    patience: Duration,
}

/// What Notify carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Text,
    Email,
}

impl MessageKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Text => "sms",
            Self::Email => "email",
        }
    }
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
struct Known {
    notifications: Vec<KnownText>,
}

#[derive(Deserialize)]
struct KnownText {
    id: String,
    status: String,
    #[serde(default)]
    reference: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusalWords>,
}

#[derive(Deserialize)]
struct RefusalWords {
    error: String,
    message: String,
}

impl TextService {
    pub(crate) fn new(settings: Notify, client: Client, patience: Duration) -> Result<Self, SetupError> {
        let key = Key::parse(&settings.api_key).ok_or(SetupError::NotifyKey)?;
        Ok(Self { settings, key, client, patience })
    }

    /// Sends `text` to `number`. Never safe to repeat: ask [`Self::trace`] first.
    ///
    /// `reference` is the notification's key. Notify keeps texts for days, so it matters that keys of different
    /// databases differ: an old one's text would be taken for ours.
    pub(crate) async fn send(
        &self,
        number: &Secret,
        text: &str,
        reference: &str,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let mut body = json!({
            "phone_number": number.reveal(),
            "template_id": self.settings.text_template,
            "personalisation": { "message": text },
            "reference": reference,
        });
        if let Some(sender) = &self.settings.sms_sender_id
            && let Some(body) = body.as_object_mut()
        {
            body.insert("sms_sender_id".to_owned(), sender.clone().into());
        }
        let url = format!("{}/v2/notifications/sms", self.settings.url);
        let request = self.client.post(url).json(&body);
        crash_point!("text/before-send");
        let taken: Taken = self.ask(request, now).await?.json(WHOM)?;
        crash_point!("text/taken");
        Ok(Sent::Accepted { provider_id: taken.id })
    }

    /// Whether it sends e-mails.
    pub(crate) const fn mails(&self) -> bool {
        self.settings.email_template.is_some()
    }

    /// Sends `letter` to a mailbox. Never safe to repeat: ask [`Self::trace`] first.
    pub(crate) async fn mail(
        &self,
        to: &str,
        letter: &Letter,
        reference: &str,
        now: Timestamp,
    ) -> Result<Sent, SendError> {
        let template = self.settings.email_template.as_ref();
        let template = template.ok_or_else(|| {
            SendError::permanent("no e-mails by GOV.UK Notify: configure `notify.email_template`")
        })?;
        let body = json!({
            "email_address": to,
            "template_id": template,
            "personalisation": { "subject": letter.subject, "message": letter.body },
            "reference": reference,
        });
        let url = format!("{}/v2/notifications/email", self.settings.url);
        let taken: Taken = self.ask(self.client.post(url).json(&body), now).await?.json(WHOM)?;
        Ok(Sent::Accepted { provider_id: taken.id })
    }

    /// What has become of the message of that reference.
    pub(crate) async fn trace(
        &self,
        kind: MessageKind,
        reference: &str,
        now: Timestamp,
    ) -> Result<Trace, SendError> {
        let url = format!("{}/v2/notifications", self.settings.url);
        let request = self.client.get(url).query(&[("reference", reference), ("template_type", kind.word())]);
        let known: Known = self.ask(request, now).await?.json(WHOM)?;
        crash_point!("text/traced");
        let texts: Vec<_> = known
            .notifications
            .into_iter()
            .filter(|text| text.reference.as_deref() == Some(reference))
            .collect();
        let failed = |text: &KnownText| text.status.ends_with("failure") || text.status == "failed";
        if let Some(text) = texts.iter().find(|text| !failed(text)) {
            return Ok(Trace::Taken(Sent::Accepted { provider_id: text.id.clone() }));
        }
        Ok(match texts.iter().find(|text| text.status == "permanent-failure") {
            Some(_) => Trace::Impossible {
                why: format!("{WHOM}: the number or mailbox does not exist or refuses messages"),
            },
            None if texts.is_empty() => Trace::Unknown,
            None => Trace::Failed,
        })
    }

    async fn ask(&self, request: reqwest::RequestBuilder, now: Timestamp) -> Result<Answer, SendError> {
        let (answer, refusal) = self.exchange(request, now).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(meaning(&answer, refusal)) }
    }

    /// One request, its answer, and what a refusal says about itself.
    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        now: Timestamp,
    ) -> Result<(Answer, Option<RefusalWords>), SendError> {
        // Signed anew for each request: it is good for 30 seconds only.
        let request = request.bearer_auth(self.key.sign(now)).timeout(self.patience);
        let answer = Answer::to(request, WHOM).await?;
        if answer.status.is_success() {
            return Ok((answer, None));
        }
        let refusal = answer.json::<Refusal>(WHOM).ok().and_then(|refusal| refusal.errors.into_iter().next());
        Ok((answer, refusal))
    }
}

/// By status and by the error's name, never by its message, as Notify's documentation asks.
fn meaning(answer: &Answer, refusal: Option<RefusalWords>) -> SendError {
    let (name, message) = refusal.map(|words| (words.error, words.message)).unwrap_or_default();
    if answer.status == StatusCode::TOO_MANY_REQUESTS && name == "TooManyRequestsError" {
        return SendError::permanent(format!(
            "{WHOM}: the day's limit is reached; it is set back at midnight UTC"
        ));
    }
    // The message of a refused number may quote it.
    let words = match answer.status {
        StatusCode::BAD_REQUEST => {
            format!("{name}; check the number or mailbox, the template and its ((message))")
        }
        StatusCode::FORBIDDEN => format!("{name}: {message}"),
        _ => name,
    };
    answer.refused(WHOM, &words)
}
