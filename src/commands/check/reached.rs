//! Where people and systems are reached, and what carries it. Compared as it is written: what a reference leads to may be
//! read on one side alone, and is never shown.

use super::change::{About, Change, instead};
use crate::config::{Loaded, duration_text};
use alerting::{Auth, DeskSettings, MailTls, ServiceNow};
use domain::DeskId;
use std::time::Duration;

pub(super) fn compare(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    people(old, new, all);
    dead_man(old, new, all);
    alertmanager(old, new, all);
    mail(old, new, all);
    notify(old, new, all);
    for (id, is) in &new.configuration.desks {
        let words = |after: Option<Duration>| {
            after.map_or("never".to_owned(), |after| format!("after {}", duration_text(after)))
        };
        if let Some(was) = old.configuration.desks.get(id)
            && was.fallback_after != is.fallback_after
        {
            let (is, was) = (words(is.fallback_after), words(was.fallback_after));
            let message = format!("the desk '{id}' is told by e-mail instead {}", instead(is, was));
            all.push(Change::warning(About::Tickets, message));
        }
    }
    for (id, is) in &new.directory.desks {
        let was = old.directory.desks.get(id).and_then(DeskSettings::servicenow);
        if let (Some(was), Some(is)) = (was, is.servicenow())
            && signs_in(old, id, was) != signs_in(new, id, is)
        {
            let message = format!("Curiad signs in at the desk '{id}' otherwise");
            all.push(Change::warning(About::Tickets, message));
        }
    }
}

/// A value as it is written: the reference that stands there, or else itself.
pub(super) fn written<'l>(loaded: &'l Loaded, keys: &[&str], value: Option<&'l str>) -> Option<&'l str> {
    let key = keys.join("/");
    // One that ends stands a key lower.
    let reference = loaded.references.get(&key).or_else(|| loaded.references.get(&format!("{key}/from")));
    reference.map(String::as_str).or(value)
}

/// Numbers are never shown, and references may be: they are names.
fn people(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    for (id, is) in &new.directory.people {
        let Some(was) = old.directory.people.get(id) else { continue };
        let text = |loaded| written(loaded, &["people", id.as_str(), "text"], None);
        if let (Some(was), Some(is)) = (text(old), text(new))
            && was != is
        {
            let message = format!("'{id}' has another telephone: {}", instead(is, was));
            all.push(Change::warning(About::Callouts, message));
        }
        let keys = ["people", id.as_str(), "email"];
        let mailbox = (written(old, &keys, was.email.as_deref()), written(new, &keys, is.email.as_deref()));
        if let (Some(was), Some(is)) = mailbox
            && was != is
        {
            all.push(Change::warning(About::Callouts, format!("'{id}' has another mailbox")));
        }
        if let (Some(was), Some(is)) = (&was.webhook, &is.webhook)
            && was.url != is.url
        {
            all.push(Change::warning(About::Callouts, format!("another program of '{id}' is called")));
        }
    }
}

fn dead_man(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    let mut say = |message: String| all.push(Change::warning(About::Telling, message));
    match (&old.directory.dead_man, &new.directory.dead_man) {
        (Some(_), None) => {
            say("nobody is told any more when this program stops: 'dead_man' is gone".to_owned());
        }
        (None, Some(_)) => say("a system is told when this program stops: 'dead_man' is new".to_owned()),
        (Some(was), Some(is)) => {
            let url = ["dead_man", "url"];
            if written(old, &url, Some(was.url.reveal())) != written(new, &url, Some(is.url.reveal())) {
                say("another system is told when this program stops".to_owned());
            }
            if was.every != is.every {
                let (is, was) = (duration_text(is.every), duration_text(was.every));
                say(format!("the dead man hears from us every {}", instead(is, was)));
            }
        }
        (None, None) => {}
    }
}

fn alertmanager(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    let mut say = |message: &str| all.push(Change::warning(About::Telling, message));
    let urls = |loaded: &Loaded| -> Vec<String> {
        loaded.directory.alertmanagers.iter().map(|to| to.url.clone()).collect()
    };
    if urls(old) != urls(new) {
        say("other Alertmanagers hear of our incidents, or none");
    }
    let token = |loaded| written(loaded, &["alertmanager", "callback_token"], None);
    if token(old) != token(new) {
        say("alerts of an Alertmanager are known by another token, or by none");
    }
    match (old.configuration.alerts_call_out, new.configuration.alerts_call_out) {
        (false, true) => say("alerts of others may call people out"),
        (true, false) => say("alerts of others call nobody out any more"),
        (true, true) | (false, false) => {}
    }
}

fn mail(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    let mut say = |message: String| all.push(Change::warning(About::Telling, message));
    let (was, is) = match (&old.directory.mail, &new.directory.mail) {
        (Some(was), Some(is)) => (was, is),
        (Some(_), None) => return say("no e-mail is sent any more: 'mail' is gone".to_owned()),
        (None, Some(_)) => return say("e-mails are sent: 'mail' is new".to_owned()),
        (None, None) => return,
    };
    if (&was.host, was.port) != (&is.host, is.port) {
        let (is, was) = (format!("{}:{}", is.host, is.port), format!("{}:{}", was.host, was.port));
        say(format!("e-mails go through {}", instead(is, was)));
    }
    if was.tls != is.tls {
        let word = |tls| match tls {
            MailTls::None => "none",
            MailTls::StartTls => "starttls",
            MailTls::Tls => "tls",
        };
        say(format!("e-mails are protected by {}", instead(word(is.tls), word(was.tls))));
    }
    if was.from != is.from {
        say(format!("e-mails come from {}", instead(&is.from, &was.from)));
    }
    let password = |loaded| written(loaded, &["mail", "password"], None);
    let user = |mail: &alerting::Mail| mail.credentials.as_ref().map(|(user, _)| user.clone());
    if user(was) != user(is) || password(old) != password(new) {
        say("Curiad signs in at the mail server otherwise".to_owned());
    }
}

fn notify(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    let mut say = |message: &str| all.push(Change::warning(About::Telling, message));
    let (was, is) = match (&old.directory.notify, &new.directory.notify) {
        (Some(was), Some(is)) => (was, is),
        (Some(_), None) => return say("no text is sent any more: 'notify' is gone"),
        (None, Some(_)) => return say("texts are sent: 'notify' is new"),
        (None, None) => return,
    };
    let word = |key| (written(old, &["notify", key], None), written(new, &["notify", key], None));
    let ((old_key, new_key), (old_token, new_token)) = (word("api_key"), word("callback_token"));
    if was.url != is.url {
        say("texts go through another Notify");
    }
    if old_key != new_key {
        say("texts are sent with another key of Notify's");
    }
    if was.text_template != is.text_template {
        say("texts are made by another template of Notify's: its body must be ((message))");
    }
    if was.sms_sender_id != is.sms_sender_id {
        say("texts come from another sender of Notify's");
    }
    if old_token != new_token {
        say("Notify's receipts are known by another token, or by none");
    }
    match (old.configuration.text_replies, new.configuration.text_replies) {
        (false, true) => say("people may answer a call by text"),
        (true, false) => say("nobody may answer a call by text any more"),
        (true, true) | (false, false) => {}
    }
}

/// By what Curiad is known to a desk, without a secret's value.
fn signs_in<'l>(
    loaded: &'l Loaded,
    id: &DeskId,
    desk: &'l ServiceNow,
) -> (&'static str, &'l str, [Option<&'l str>; 2]) {
    let (way, name, secret_key) = match &desk.auth {
        Auth::Basic { user, .. } => ("basic", user.as_str(), "password"),
        Auth::OAuth2 { client_id, .. } => ("oauth2", client_id.as_str(), "client_secret"),
        Auth::Certificate => ("mtls", "", "key"),
    };
    let secret =
        |way, key| written(loaded, &["service_desks", id.as_str(), "servicenow", "auth", way, key], None);
    (way, name, [secret(way, secret_key), secret("mtls", "certificate")])
}
