//! Notify's inside: the messages it took, and what becomes of them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::delivery::{Callbacks, Delivery, deliver};
use super::message::{Message, NotifyOptions, Reply};
use super::template::Channel;
use crate::change::{Bell, Kept};
use crate::door::Tasks;
use crate::latency::Dice;
use crate::trouble::{Spell, Trouble};
use crate::world::Now;

/// Messages kept; the oldest goes when one more comes.
const MESSAGES: usize = 5_000;
pub(super) const REPLIES: usize = 500;
pub(super) const RULES: usize = 200;
/// The phone networks' own cap: beyond it a text is lost in silence.
const IDENTICAL_AN_HOUR: usize = 20;
const ANY_AN_HOUR: usize = 100;
/// Numbers that Notify checks and sends nothing to, and gives no receipt for.
const SMOKE_TEST: [&str; 3] = ["447700900000", "447700900111", "447700900222"];

#[derive(Debug)]
pub(super) struct Book {
    pub(super) messages: Vec<Message>,
    pub(super) replies: Vec<Reply>,
    pub(super) spell: Spell,
    pub(super) ending: Delivery,
    pub(super) endings: Vec<(String, Delivery)>,
    pub(super) callbacks: Option<Callbacks>,
    pub(super) dice: Dice,
}

pub(crate) struct Exchange {
    pub(super) options: NotifyOptions,
    clock: Now,
    pub(super) book: Kept<Book>,
    pub(super) address: OnceLock<SocketAddr>,
    pub(super) tasks: Tasks,
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
    let bare: String =
        number.chars().filter(|letter| !matches!(letter, ' ' | '(' | ')' | '-' | '+')).collect();
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
            if book.spell.trouble.accepts() && !writes { Trouble::None } else { book.spell.meet() }
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
