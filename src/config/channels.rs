//! What carries messages: GOV.UK Notify, the mail server, the dead-man heartbeat.

use super::{address, problem::Rank, reading::Reading, secret::Use, section::Section, tree::Node};
use alerting::{DeadMan, Mail, MailTls, Notify, fits_a_text};
use domain::Secret;
use std::time::Duration;

/// Notify's own address, for all its services.
const NOTIFY_URL: &str = "https://api.notifications.service.gov.uk";

/// How often the heartbeat beats when nothing is said.
const DEFAULT_BEAT: Duration = Duration::from_secs(30);

/// Which carriers have a section, readable or not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MailText {
    pub mail: bool,
    pub text: bool,
    pub voice: bool,
}

/// What there is to know of texts beside how they are sent.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// People may answer by text.
    pub replies: bool,
    /// What Notify puts before each.
    pub prefix: Option<String>,
}

/// Reads how texts are sent, the token by which Notify's callbacks are known, and what there is to know of texts.
pub(super) fn notify(node: &Node, reading: &mut Reading<'_>) -> Option<(Notify, Option<Secret>, Texts)> {
    let mut section = Section::open(node, "notify", reading)?;
    let url = match section.optional("url", reading) {
        None => Some(NOTIFY_URL.to_owned()),
        Some(node) => reading.protected_url(node),
    };
    let api_key = section.required("api_key", reading).and_then(|node| reading.secret(node, api_key));
    let text_template = section.required("text_template", reading).and_then(|node| uuid(node, reading));
    let sms_sender_id = section.optional("sms_sender_id", reading).and_then(|node| uuid(node, reading));
    let email_template = section.optional("email_template", reading).and_then(|node| uuid(node, reading));
    let prefix = section.optional("prefix", reading).and_then(|node| prefix(node, reading));
    let token = section.optional("callback_token", reading);
    let callback_token = token.and_then(|node| reading.secret(node, |_| Ok(())));
    let replies = section.optional("replies", reading);
    let text_replies = replies.and_then(|node| reading.boolean(node)).unwrap_or(false);
    if let (Some(node), true, None) = (replies, text_replies, token) {
        let hint =
            Some("give 'callback_token', and set it in Notify's API settings for received texts".to_owned());
        let message = "nobody's answer by text would be believed: Notify's callbacks are refused";
        reading.problems.error(Rank::Sense, &node.owner, message, hint);
    }
    section.close(reading);
    let notify =
        Notify { url: url?, api_key: api_key?, text_template: text_template?, email_template, sms_sender_id };
    Some((notify, callback_token, Texts { replies: text_replies, prefix }))
}

/// The service's name, which Notify puts before texts: it takes from what a text holds.
fn prefix(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    reading.parsed(node, "a service's name", |text| match text.chars().count() {
        0 => Err("it is empty: leave it out where Notify puts nothing before texts".to_owned()),
        1..=MOST_PREFIX if fits_a_text(text) => Ok(text.to_owned()),
        1..=MOST_PREFIX => Err(format!(
            "with '{text}' before it, a text holds 70 characters instead of 160: have Notify put a name of plain letters there"
        )),
        _ => Err(format!("more than {MOST_PREFIX} characters: nothing would be left for what there is to say")),
    })
}

/// The longest name that may stand before texts.
const MOST_PREFIX: usize = 30;

/// Length of a UUID as text.
const UUID: usize = 36;

fn is_uuid(text: &str) -> bool {
    text.len() == UUID
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

fn uuid(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    reading.parsed(node, "an id of Notify's", |text| {
        let wrong = || format!("'{text}' is not a UUID: copy the id from Notify's page");
        if is_uuid(text) { Ok(text.to_owned()) } else { Err(wrong()) }
    })
}

/// `{name}-{service id}-{secret}`: two UUIDs at the end.
fn api_key(key: &str) -> Result<(), &'static str> {
    let tail = key.len().checked_sub(2 * UUID + 1).and_then(|start| key.get(start..));
    match tail.and_then(|tail| Some((tail.get(..UUID)?, tail.get(UUID + 1..)?))) {
        Some((service, secret)) if is_uuid(service) && is_uuid(secret) => Ok(()),
        _ => Err("a Notify API key ends in two UUIDs; copy it whole"),
    }
}

/// Reads the mail server.
pub(super) fn mail(node: &Node, reading: &mut Reading<'_>) -> Option<Mail> {
    let mut section = Section::open(node, "mail", reading)?;
    let host = section
        .required("host", reading)
        .and_then(|node| reading.text(node, "a host's name").map(str::to_owned));
    let tls = match section.optional("tls", reading) {
        None => Some(MailTls::StartTls),
        Some(node) => {
            let choices = [("starttls", MailTls::StartTls), ("tls", MailTls::Tls), ("none", MailTls::None)];
            reading.choice(node, "a way to protect the connection", &choices)
        }
    };
    let port = match section.optional("port", reading) {
        None => tls.map(|tls| match tls {
            MailTls::StartTls => 587,
            MailTls::Tls => 465,
            MailTls::None => 25,
        }),
        Some(node) => reading.number(node, "a port", 1..=65_535).and_then(|port| u16::try_from(port).ok()),
    };
    let user = section.optional("user", reading);
    let password_node = section.optional("password", reading);
    let user_text = user.and_then(|node| reading.text(node, "a user").map(str::to_owned));
    let password = password_node.and_then(|node| reading.secret(node, |_| Ok(())));
    let from = section.required("from", reading).and_then(|node| {
        reading.parsed(node, "a mailbox", |text| {
            address::sender(text).map(|()| text.to_owned()).map_err(str::to_owned)
        })
    });
    section.close(reading);
    match (user, password_node) {
        (Some(node), None) | (None, Some(node)) => {
            let message = "'user' and 'password' go together";
            reading.problems.error(Rank::Missing, &node.owner, message, None);
        }
        (Some(_), Some(node)) if tls == Some(MailTls::None) && host.as_deref().is_some_and(is_elsewhere) => {
            let hint = Some("use 'tls: starttls' or 'tls: tls'".to_owned());
            let message = "this password would cross the network unprotected";
            reading.problems.error(Rank::Sense, &node.owner, message, hint);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let credentials = user_text.zip(password);
    Some(Mail { host: host?, port: port?, tls: tls?, credentials, from: from? })
}

fn is_elsewhere(host: &str) -> bool {
    !address::is_loopback(&format!("http://{host}"))
}

/// Reads whom the dead-man heartbeat goes to.
pub(super) fn dead_man(node: &Node, reading: &mut Reading<'_>) -> Option<DeadMan> {
    let mut section = Section::open(node, "dead_man", reading)?;
    let url = section.required("url", reading).and_then(|node| {
        reading.text_or_secret(node, "a URL", Use::Telling, |text| {
            let url = address::web_url(text)?;
            if url.scheme() == "http" && !address::is_loopback(text) {
                return Err("whoever sees this URL on its way can keep us alive in name; write https://");
            }
            Ok(())
        })
    });
    let every = match section.optional("every", reading) {
        None => Some(DEFAULT_BEAT),
        Some(node) => reading.duration(
            node,
            "the time between beats",
            Duration::from_secs(1)..=Duration::from_secs(3_600),
        ),
    };
    section.close(reading);
    Some(DeadMan { url: url?, every: every? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notify_key_ends_in_two_uuids() {
        let uuid = "26785a09-ab16-4eb0-8407-a37497a57506";
        assert_eq!(api_key(&format!("curiad-{uuid}-{uuid}")), Ok(()));
        for wrong in ["", "curiad", uuid, &format!("{uuid}-{uuid}x"), &format!("é{uuid}")] {
            assert!(api_key(wrong).is_err(), "{wrong}");
        }
    }
}
