//! The phones and the mail inbox on the page.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::html::{Linked, Safe, When, remember, trouble_form};
use crate::fault::Fault;
use crate::notify::{Channel, Delivery, Message, Reply};
use crate::world::World;

/// Texts shown on one phone, newest last.
const TEXTS: usize = 12;
/// Mails shown, newest first.
const MAILS: usize = 20;

pub(super) fn section(world: &World, picked: Fault) -> String {
    format!(
        "<div><section id=\"notify\"><h2>Phones</h2>{}</section><section id=\"mail\"><h2>Mail</h2>{}</section></div>",
        phones(world, picked),
        mails(world, picked)
    )
}

enum Bubble {
    Text(Message),
    Reply(Reply),
}

impl Bubble {
    fn at(&self) -> Timestamp {
        match self {
            Self::Text(text) => text.created_at,
            Self::Reply(reply) => reply.at,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text(text) => {
                let status = if text.lost { "lost by the network" } else { text.status };
                format!(
                    "<li class=\"got\"><p class=\"said\">{}</p><p class=\"small\">{} · {status}</p></li>",
                    Linked(&text.body),
                    When(text.created_at)
                )
            }
            Self::Reply(reply) => {
                let taken = match reply.answered {
                    None => "not taken yet".to_owned(),
                    Some(status) => format!("answered {status}"),
                };
                format!(
                    "<li class=\"sent\"><p class=\"said\">{}</p><p class=\"small\">{} · {taken}</p></li>",
                    Safe(&reply.message),
                    When(reply.at)
                )
            }
        }
    }
}

fn phones(world: &World, picked: Fault) -> String {
    let notify = world.notify();
    let mut phones: BTreeMap<String, Vec<Bubble>> = BTreeMap::new();
    for text in notify.texts() {
        phones.entry(number(&text.to)).or_default().push(Bubble::Text(text));
    }
    for reply in notify.replies() {
        phones.entry(number(&reply.from)).or_default().push(Bubble::Reply(reply));
    }
    let none = if phones.is_empty() {
        "<p class=\"hint\">No text yet. Curiad texts the people on call when production is down for long enough.</p>"
    } else {
        ""
    };
    let shown: String = phones
        .into_iter()
        .map(|(number, bubbles)| phone(&number, bubbles, picked))
        .collect::<Vec<_>>()
        .concat();
    let endings: String = Delivery::ALL
        .into_iter()
        .map(|ending| {
            let chosen = if ending == notify.delivery() { " selected" } else { "" };
            format!("<option value=\"{0}\"{chosen}>{0}</option>", ending.status())
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "{}<form class=\"trouble\" method=\"post\" action=\"/delivery\">{}<label for=\"ending\">Messages end</label>\
         <select id=\"ending\" name=\"ending\">{endings}</select><button>Set</button></form>{none}{shown}",
        trouble_form("notify", "GOV.UK Notify", notify.trouble(), picked),
        remember(picked)
    )
}

/// A number as its owner writes it: `07700 900123`.
fn number(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let local = digits.strip_prefix("44").unwrap_or(digits.trim_start_matches('0'));
    match local.split_at_checked(4) {
        Some((head, tail)) if local.len() == 10 => format!("0{head} {tail}"),
        _ => text.to_owned(),
    }
}

fn phone(number: &str, mut bubbles: Vec<Bubble>, picked: Fault) -> String {
    bubbles.sort_by_key(Bubble::at);
    let surplus = bubbles.len().saturating_sub(TEXTS);
    let shown: String = bubbles.iter().skip(surplus).map(Bubble::show).collect();
    let number = Safe(number);
    format!(
        "<article class=\"phone\"><h3>{number}</h3><ol>{shown}</ol><form class=\"acts\" method=\"post\" action=\"/replies\">{}\
         <input type=\"hidden\" name=\"from\" value=\"{number}\"><input name=\"message\" aria-label=\"Reply from {number}\" \
         placeholder=\"Reply\" maxlength=\"918\"><button>Send</button></form></article>",
        remember(picked)
    )
}

/// A mail that came by SMTP, or an e-mail that Notify sent.
struct Letter {
    at: Timestamp,
    key: String,
    to: String,
    subject: String,
    text: String,
    way: &'static str,
}

fn mails(world: &World, picked: Fault) -> String {
    let smtp = world.mail().mails().into_iter().map(|mail| Letter {
        at: mail.at,
        key: format!("mail-{}", mail.id),
        to: mail.to.join(", "),
        subject: mail.subject,
        text: mail.text,
        way: "by SMTP",
    });
    let notify =
        world.notify().messages().into_iter().filter(|message| message.channel == Channel::Email).map(
            |message| Letter {
                at: message.created_at,
                key: format!("mail-{}", message.id),
                to: message.to,
                subject: message.subject,
                text: message.body,
                way: "by Notify",
            },
        );
    let mut letters: Vec<Letter> = smtp.chain(notify).collect();
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.at));
    let shown: String = letters.iter().take(MAILS).map(show).collect();
    let none = if letters.is_empty() { "<p class=\"hint\">No mail yet.</p>" } else { "" };
    format!("{}{none}{shown}", trouble_form("mail", "Mail server", world.mail().trouble(), picked))
}

fn show(letter: &Letter) -> String {
    let subject = if letter.subject.is_empty() { "(no subject)" } else { &letter.subject };
    format!(
        "<details class=\"letter\" id=\"{}\"><summary>{} <span class=\"small\">{} · to {} {}</span></summary><p class=\"said\">{}</p></details>",
        Safe(&letter.key),
        Safe(subject),
        When(letter.at),
        Safe(&letter.to),
        letter.way,
        Linked(&letter.text)
    )
}
