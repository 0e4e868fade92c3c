//! Notify's inside and its control: messages taken, templates, troubles, what a person replies.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::json;

use super::delivery::{Callbacks, Delivery, Pace, deliver, forward};
use super::template::{Channel, Template};
use crate::change::{Bell, Kept};
use crate::door::{Door, Tasks};
use crate::latency::Dice;
use crate::trouble::{Spell, Trouble};
use crate::world::Now;

/// Messages kept; the oldest goes when one more comes.
const MESSAGES: usize = 5_000;
const REPLIES: usize = 500;
const RULES: usize = 200;
/// The phone networks' own cap: beyond it a text is lost in silence.
const IDENTICAL_AN_HOUR: usize = 20;
const ANY_AN_HOUR: usize = 100;
/// Numbers that Notify checks and sends nothing to, and gives no receipt for.
const SMOKE_TEST: [&str; 3] = ["447700900000", "447700900111", "447700900222"];

/// Who may use Notify, and what it sends.
#[derive(Debug, Clone)]
pub struct NotifyOptions {
    /// The service's id, a UUID: the `iss` of each token.
    pub service_id: String,
    /// The secret part of the API key, a UUID: what tokens are signed with.
    pub secret: String,
    /// The templates.
    pub templates: Vec<Template>,
    /// How long messages take.
    pub pace: Pace,
    /// Where receipts and replies go; [`Notify::set_callbacks`] can say so later.
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

#[derive(Debug)]
struct Book {
    messages: Vec<Message>,
    replies: Vec<Reply>,
    spell: Spell,
    ending: Delivery,
    endings: Vec<(String, Delivery)>,
    callbacks: Option<Callbacks>,
    dice: Dice,
}

pub(crate) struct Exchange {
    pub(super) options: NotifyOptions,
    clock: Now,
    book: Kept<Book>,
    address: OnceLock<SocketAddr>,
    tasks: Tasks,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Exchange").field("book", &self.book).finish_non_exhaustive()
    }
}

/// A moment as Notify writes it, to the microsecond.
pub(super) fn precise(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A British mobile number as `447…`, or Notify's words about what is wrong with it.
pub(super) fn mobile(number: &str) -> Result<String, &'static str> {
    let bare: String = number.chars().filter(|letter| !matches!(letter, ' ' | '(' | ')' | '-' | '+')).collect();
    if bare.is_empty() || !bare.chars().all(|letter| letter.is_ascii_digit()) {
        return Err("Must not contain letters or symbols");
    }
    let local = ["0044", "44", "0"].into_iter().find_map(|prefix| bare.strip_prefix(prefix)).unwrap_or(&bare);
    if !local.starts_with('7') {
        return Err("Not a UK mobile number");
    }
    match local.len() {
        10 => Ok(format!("44{local}")),
        0..=9 => Err("Not enough digits"),
        _ => Err("Too many digits"),
    }
}

impl Exchange {
    pub(crate) fn new(options: NotifyOptions, clock: Now, seed: u64, bell: &Bell, tasks: Tasks) -> Self {
        let book = Book {
            messages: Vec::new(),
            replies: Vec::new(),
            spell: Spell::default(),
            ending: Delivery::default(),
            endings: Vec::new(),
            callbacks: options.callbacks.clone(),
            dice: Dice::new(seed),
        };
        Self { options, clock, book: Kept::new(book, bell), address: OnceLock::new(), tasks }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn base(&self) -> String {
        self.address.get().map(|address| format!("http://{address}")).unwrap_or_default()
    }

    pub(super) fn meet(&self, writes: bool) -> Trouble {
        self.book.change(|book| {
            if book.spell.trouble == Trouble::AcceptThenTimeOut && !writes { Trouble::None } else { book.spell.meet() }
        })
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.book.read(|book| book.messages.clone())
    }

    pub(super) fn message(&self, id: &str) -> Option<Message> {
        self.book.read(|book| book.messages.iter().find(|message| message.id == id).cloned())
    }

    pub(super) fn callbacks(&self) -> Option<Callbacks> {
        self.book.read(|book| book.callbacks.clone())
    }

    pub(super) fn advance(&self, id: &str, status: &'static str) {
        let now = self.now();
        self.book.change(|book| {
            if let Some(message) = book.messages.iter_mut().find(|message| message.id == id) {
                message.status = status;
                if status == "sending" {
                    message.sent_at = Some(now);
                } else {
                    message.completed_at = Some(now);
                }
            }
        });
    }

    pub(super) fn note_receipt(&self, id: &str, posted: Option<u16>) {
        self.book.change(|book| {
            if let Some(message) = book.messages.iter_mut().find(|message| message.id == id) {
                message.receipt = posted;
            }
        });
    }

    pub(super) fn note_reply(&self, id: &str, posted: Option<u16>) {
        self.book.change(|book| {
            if let Some(reply) = book.replies.iter_mut().find(|reply| reply.id == id) {
                reply.answered = posted;
            }
        });
    }

    /// Takes a message and starts its life.
    pub(super) fn take(self: &Arc<Self>, mut message: Message) -> Message {
        let now = self.now();
        let (message, ending) = self.book.change(|book| {
            message.id = book.dice.uuid().to_string();
            let number = mobile(&message.to).unwrap_or_else(|_| message.to.clone());
            let recent: Vec<&Message> = book
                .messages
                .iter()
                .filter(|old| message.channel == Channel::Sms && old.channel == Channel::Sms)
                .filter(|old| now.as_second() - old.created_at.as_second() < 3_600)
                .filter(|old| mobile(&old.to).as_deref() == Ok(number.as_str()))
                .collect();
            let identical = recent.iter().filter(|old| old.body == message.body).count();
            message.lost = recent.len() >= ANY_AN_HOUR || identical >= IDENTICAL_AN_HOUR;
            let rule = book.endings.iter().find(|(known, _)| *known == number).map(|(_, ending)| *ending);
            let ending = if message.lost { Delivery::StaysSending } else { rule.unwrap_or(book.ending) };
            if book.messages.len() >= MESSAGES {
                book.messages.remove(0);
            }
            book.messages.push(message.clone());
            (message, ending)
        });
        let receipt = !mobile(&message.to).is_ok_and(|number| SMOKE_TEST.contains(&number.as_str()));
        self.tasks.run(deliver(Arc::clone(self), message.id.clone(), ending, receipt));
        message
    }
}

/// GOV.UK Notify, from the side of the people it writes to and of a test.
#[derive(Debug, Clone)]
pub struct Notify {
    exchange: Arc<Exchange>,
    door: Arc<Door>,
}

impl Notify {
    pub(crate) fn new(exchange: Arc<Exchange>, door: Door) -> Self {
        // Set once, here: answers carry the service's own address.
        exchange.address.get_or_init(|| door.address());
        Self { exchange, door: Arc::new(door) }
    }

    /// The service's address, `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        self.exchange.base()
    }

    /// The whole API key, as Notify shows it once: name, service id, secret.
    pub fn api_key(&self) -> String {
        format!("curiad-{}-{}", self.exchange.options.service_id, self.exchange.options.secret)
    }

    /// Who may use it, and what it sends.
    pub fn options(&self) -> &NotifyOptions {
        &self.exchange.options
    }

    /// All texts and e-mails taken, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.exchange.messages()
    }

    /// The texts alone, oldest first.
    pub fn texts(&self) -> Vec<Message> {
        self.messages().into_iter().filter(|message| message.channel == Channel::Sms).collect()
    }

    /// What people sent back, oldest first.
    pub fn replies(&self) -> Vec<Reply> {
        self.exchange.book.read(|book| book.replies.clone())
    }

    /// Says where receipts and replies go, or that nobody wants them.
    pub fn set_callbacks(&self, callbacks: Option<Callbacks>) {
        self.exchange.book.change(|book| book.callbacks = callbacks);
    }

    /// The trouble Notify is in.
    pub fn trouble(&self) -> Trouble {
        self.exchange.book.read(|book| book.spell.trouble)
    }

    /// Puts Notify in trouble until it is taken out; it holds when this returns.
    pub async fn set_trouble(&self, trouble: Trouble) {
        self.exchange.book.change(|book| book.spell = Spell::lasting(trouble));
        self.door.set(trouble != Trouble::Refuse, trouble == Trouble::Refuse).await;
    }

    /// Puts Notify in trouble for the next requests only. [`Trouble::Refuse`] cannot be counted and lasts.
    pub async fn set_trouble_for(&self, trouble: Trouble, requests: u32) {
        if trouble == Trouble::Refuse {
            return self.set_trouble(trouble).await;
        }
        self.exchange.book.change(|book| book.spell = Spell::next(trouble, requests));
        self.door.set(true, false).await;
    }

    /// How messages end from now on.
    pub fn delivery(&self) -> Delivery {
        self.exchange.book.read(|book| book.ending)
    }

    /// Says how messages end from now on.
    pub fn set_delivery(&self, ending: Delivery) {
        self.exchange.book.change(|book| book.ending = ending);
    }

    /// Says how messages to one number or address end from now on.
    pub fn set_delivery_to(&self, to: &str, ending: Delivery) {
        let to = mobile(to).unwrap_or_else(|_| to.to_owned());
        self.exchange.book.change(|book| {
            book.endings.retain(|(known, _)| *known != to);
            if book.endings.len() < RULES {
                book.endings.push((to, ending));
            }
        });
    }

    /// A person answers a text. It is posted to the callback for replies.
    pub fn reply(&self, from: &str, message: &str) {
        let at = self.exchange.now();
        let from = mobile(from).unwrap_or_else(|_| from.to_owned());
        let message: String = message.chars().take(918).collect();
        let id = self.exchange.book.change(|book| {
            let id = book.dice.uuid().to_string();
            if book.replies.len() >= REPLIES {
                book.replies.remove(0);
            }
            book.replies.push(Reply {
                id: id.clone(),
                from: from.clone(),
                message: message.clone(),
                at,
                answered: None,
            });
            id
        });
        let body = json!({
            "id": id,
            "source_number": from,
            "destination_number": "07700900987",
            "message": message,
            "date_received": precise(at),
        });
        self.exchange.tasks.run(forward(Arc::clone(&self.exchange), id, body.to_string()));
    }
}
