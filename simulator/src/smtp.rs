//! A mail server: SMTP on loopback, protected if wanted, for mails to be read on the world's page.

mod session;

use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::change::{Bell, Kept};
use crate::door::{Door, Serve};
use crate::mail::Mail;
use crate::trouble::{Spell, Trouble};
use crate::world::Now;
use session::Session;

/// Mails kept; the oldest goes when one more comes.
const MAILS: usize = 2_000;

/// Who may send mail.
#[derive(Debug, Clone, Default)]
pub struct MailOptions {
    /// The name and password that must be given; none asks for none.
    pub credentials: Option<(String, String)>,
    /// Nothing is taken but under STARTTLS, with a certificate of [`World::authority`](crate::World::authority).
    pub start_tls: bool,
}

#[derive(Debug, Default)]
pub(super) struct Bag {
    mails: Vec<Mail>,
    taken: u64,
    pub(super) spell: Spell,
    /// What is answered when somebody is named as the recipient.
    pub(super) recipients: Vec<(String, String)>,
}

/// The mail server's inside.
pub(crate) struct PostOffice {
    pub(super) options: MailOptions,
    pub(super) tls: TlsAcceptor,
    now: Now,
    pub(super) bag: Kept<Bag>,
}

impl std::fmt::Debug for PostOffice {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PostOffice").field("bag", &self.bag).finish_non_exhaustive()
    }
}

/// The mail server, from the side of the people who read the mails and of a test.
#[derive(Debug, Clone)]
pub struct MailServer {
    office: Arc<PostOffice>,
    door: Arc<Door>,
}

impl MailServer {
    pub(crate) fn new(office: Arc<PostOffice>, door: Door) -> Self {
        Self { office, door: Arc::new(door) }
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.door.address()
    }

    /// All mails taken, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.office.bag.read(|bag| bag.mails.clone())
    }

    /// The trouble the server is in.
    pub fn trouble(&self) -> Trouble {
        self.office.bag.read(|bag| bag.spell.trouble)
    }

    /// Puts the server in trouble until it is taken out; it holds when this returns.
    pub async fn set_trouble(&self, trouble: Trouble) {
        self.office.bag.change(|bag| bag.spell = Spell::lasting(trouble));
        self.door.set(trouble != Trouble::Refuse, trouble == Trouble::Refuse).await;
    }

    /// Answers so when this address is named as the recipient, such as `450 4.2.0 Greylisted` or `550 5.1.1 No such user`;
    /// `None`: as usual.
    pub fn set_recipient(&self, to: &str, answer: Option<&str>) {
        self.office.bag.change(|bag| {
            bag.recipients.retain(|(known, _)| known != to);
            bag.recipients.extend(answer.map(|answer| (to.to_owned(), answer.to_owned())));
        });
    }

    /// Puts the server in trouble for the next mails only. [`Trouble::Refuse`] cannot be counted and lasts.
    pub async fn set_trouble_for(&self, trouble: Trouble, mails: u32) {
        if trouble == Trouble::Refuse {
            return self.set_trouble(trouble).await;
        }
        self.office.bag.change(|bag| bag.spell = Spell::next(trouble, mails));
        self.door.set(true, false).await;
    }
}

impl PostOffice {
    pub(crate) fn new(options: MailOptions, tls: Arc<ServerConfig>, now: Now, bell: &Bell) -> Self {
        Self { options, tls: TlsAcceptor::from(tls), now, bag: Kept::new(Bag::default(), bell) }
    }

    pub(crate) fn serve(self: &Arc<Self>) -> Serve {
        let office = Arc::clone(self);
        Arc::new(move |stream| {
            let office = Arc::clone(&office);
            Box::pin(async move {
                if let Err(error) = Session::new(&office, stream).talk().await {
                    tracing::debug!(%error, "mail session ended early");
                }
            })
        })
    }

    pub(super) fn take(&self, from: String, to: Vec<String>, raw: &[u8]) -> u64 {
        let at = (self.now)();
        self.bag.change(|bag| {
            bag.taken += 1;
            let mail = Mail::read(bag.taken, at, from, to, raw);
            if bag.mails.len() >= MAILS {
                bag.mails.remove(0);
            }
            bag.mails.push(mail);
            bag.taken
        })
    }
}
