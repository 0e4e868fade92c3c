//! Notify from outside: what a test sets and what a person replies.

use std::sync::Arc;

use serde_json::json;

use super::delivery::{Callbacks, Delivery, forward};
use super::exchange::{Exchange, REPLIES, RULES, mobile, precise};
use super::message::{Message, NotifyOptions, Reply};
use super::template::Channel;
use crate::door::Door;
use crate::trouble::{Spell, Trouble};

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
