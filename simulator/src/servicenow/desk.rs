//! The desk itself: its tickets, its people, its troubles, and what an agent does.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::ticket::{Note, Ticket};
use crate::change::{Bell, Kept};
use crate::door::Door;
use crate::latency::Dice;
use crate::trouble::{Spell, Trouble};
use crate::world::Now;

/// Tickets kept; the oldest goes when one more comes.
const TICKETS: usize = 2_000;
/// Journal entries kept in one ticket.
const NOTES: usize = 1_000;
/// Access tokens known at a time.
const TOKENS: usize = 64;
const TOKEN_LIFETIME: i64 = 1_799;

/// Who may use the desk, and who is in it.
#[derive(Debug, Clone)]
pub struct DeskOptions {
    /// The service account's name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Groups and people: `sys_id` and display name.
    pub names: Vec<(String, String)>,
    /// The instance's `glide.invalid_query.returns_no_rows`: false, as instances come, springs the trap.
    pub invalid_query_returns_no_rows: bool,
}

impl Default for DeskOptions {
    fn default() -> Self {
        let names = [
            ("6816f79cc0a8016401c5a33be04be441", "Curiad"),
            ("287ebd7da9fe198100f92cc8d1d2154e", "API Platform"),
            ("8a4dde73c6112278017a6a4baf547aa7", "Demographics"),
            ("8a5055c9c61122780043563ef53438e3", "Identity"),
            ("d625dccec0a8016700a222a0f7900d06", "National Service Desk"),
            ("46d44a23a9fe19810012d100cca80666", "Beth Anglin"),
        ];
        Self {
            user: "curiad".to_owned(),
            password: "a-password-of-the-simulated-world".to_owned(),
            client_id: "5a7d9f0c2b8e4d61a3f4c9e2b1d07f65".to_owned(),
            client_secret: "a-client-secret-of-the-simulated-world".to_owned(),
            names: names.into_iter().map(|(id, name)| (id.to_owned(), name.to_owned())).collect(),
            invalid_query_returns_no_rows: false,
        }
    }
}

#[derive(Debug)]
struct Files {
    tickets: Vec<Ticket>,
    tokens: Vec<(String, i64)>,
    spell: Spell,
    filed: u64,
    dice: Dice,
}

/// The desk's inside, which answers requests.
pub(crate) struct Office {
    pub(super) options: DeskOptions,
    clock: Now,
    files: Kept<Files>,
    address: OnceLock<SocketAddr>,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Office").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Office {
    pub(crate) fn new(options: DeskOptions, clock: Now, seed: u64, bell: &Bell) -> Self {
        let files = Files {
            tickets: Vec::new(),
            tokens: Vec::new(),
            spell: Spell::default(),
            filed: 0,
            dice: Dice::new(seed),
        };
        Self { options, clock, files: Kept::new(files, bell), address: OnceLock::new() }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn base(&self) -> String {
        self.address.get().map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// The trouble that this request meets. Only writes meet a request that is never answered.
    pub(super) fn meet(&self, writes: bool) -> Trouble {
        self.files.change(|files| {
            if files.spell.trouble == Trouble::AcceptThenTimeOut && !writes {
                Trouble::None
            } else {
                files.spell.meet()
            }
        })
    }

    pub(super) fn names(&self) -> Vec<(String, String)> {
        self.options.names.clone()
    }

    pub(super) fn tickets(&self) -> Vec<Ticket> {
        self.files.read(|files| files.tickets.clone())
    }

    pub(super) fn issue_token(&self) -> (String, i64) {
        let until = self.now().as_second() + TOKEN_LIFETIME;
        let token = self.files.change(|files| {
            let token = format!("{}{}", files.dice.hex32(), files.dice.hex32());
            if files.tokens.len() >= TOKENS {
                files.tokens.remove(0);
            }
            files.tokens.push((token.clone(), until));
            token
        });
        (token, TOKEN_LIFETIME)
    }

    pub(super) fn knows_token(&self, offered: &str) -> bool {
        let now = self.now().as_second();
        self.files.read(|files| files.tokens.iter().any(|(token, until)| token == offered && *until > now))
    }

    /// A new record, not yet filed.
    pub(super) fn blank(&self) -> Ticket {
        let now = self.now();
        let opened_by = self.options.names.first().map_or("", |(id, _)| id.as_str());
        let (number, sys_id) = self.files.change(|files| {
            files.filed += 1;
            (format!("INC{:07}", 10_000 + files.filed), files.dice.hex32())
        });
        Ticket::new(number, sys_id, (&self.options.user, opened_by), now)
    }

    /// Files a record, new or changed, with new journal entries by the service account.
    pub(super) fn file(&self, ticket: Ticket, notes: Vec<(String, String)>) -> Ticket {
        self.file_as(ticket, notes, &self.options.user)
    }

    fn file_as(&self, mut ticket: Ticket, notes: Vec<(String, String)>, author: &str) -> Ticket {
        let now = self.now();
        self.files.change(|files| {
            let place = files.tickets.iter().position(|filed| filed.sys_id == ticket.sys_id);
            if let Some(filed) = place.and_then(|place| files.tickets.get(place)) {
                // The journal only grows: whoever wrote in between is not lost.
                ticket.notes.clone_from(&filed.notes);
            }
            for (column, text) in notes {
                let sys_id = files.dice.hex32();
                ticket.notes.push(Note { at: now, author: author.to_owned(), column, text, sys_id });
            }
            let surplus = ticket.notes.len().saturating_sub(NOTES);
            ticket.notes.drain(..surplus);
            match place.and_then(|place| files.tickets.get_mut(place)) {
                Some(filed) => *filed = ticket.clone(),
                None => {
                    if files.tickets.len() >= TICKETS {
                        files.tickets.remove(0);
                    }
                    files.tickets.push(ticket.clone());
                }
            }
            ticket
        })
    }
}

/// The service desk, from the side of the people in it and of a test.
#[derive(Debug, Clone)]
pub struct Desk {
    office: Arc<Office>,
    door: Arc<Door>,
}

impl Desk {
    pub(crate) fn new(office: Arc<Office>, door: Door) -> Self {
        // Set once, here: the desk writes its own address into links.
        office.address.get_or_init(|| door.address());
        Self { office, door: Arc::new(door) }
    }

    /// The instance's address, `http://127.0.0.1:…`; the Table API is at `/api/now/table/incident`, tokens at `/oauth_token.do`.
    pub fn url(&self) -> String {
        self.office.base()
    }

    /// Who may use the desk, and who is in it.
    pub fn options(&self) -> &DeskOptions {
        &self.office.options
    }

    /// The name of a group or person; the `sys_id` itself where it points nowhere.
    pub fn name_of<'n>(&'n self, sys_id: &'n str) -> &'n str {
        self.office.options.names.iter().find(|(id, _)| id == sys_id).map_or(sys_id, |(_, name)| name.as_str())
    }

    /// All tickets, oldest first.
    pub fn tickets(&self) -> Vec<Ticket> {
        self.office.tickets()
    }

    /// The ticket with this number.
    pub fn ticket(&self, number: &str) -> Option<Ticket> {
        self.tickets().into_iter().find(|ticket| ticket.number == number)
    }

    /// The trouble the desk is in.
    pub fn trouble(&self) -> Trouble {
        self.office.files.read(|files| files.spell.trouble)
    }

    /// Puts the desk in trouble until it is taken out; it holds when this returns.
    pub async fn set_trouble(&self, trouble: Trouble) {
        self.office.files.change(|files| files.spell = Spell::lasting(trouble));
        self.door.set(trouble != Trouble::Refuse, trouble == Trouble::Refuse).await;
    }

    /// Puts the desk in trouble for the next requests only. [`Trouble::Refuse`] cannot be counted and lasts.
    pub async fn set_trouble_for(&self, trouble: Trouble, requests: u32) {
        if trouble == Trouble::Refuse {
            return self.set_trouble(trouble).await;
        }
        self.office.files.change(|files| files.spell = Spell::next(trouble, requests));
        self.door.set(true, false).await;
    }

    /// Forgets all access tokens, as a restart of the instance does.
    pub fn revoke_tokens(&self) {
        self.office.files.change(|files| files.tokens.clear());
    }

    /// An agent takes the ticket: assigned, In Progress. False when there is no such ticket.
    pub fn assign(&self, number: &str, person: &str) -> bool {
        let names = &self.office.options.names;
        let id = names.iter().find(|(_, name)| name == person).map_or(person, |(id, _)| id.as_str());
        self.act(number, person, |ticket| {
            ticket.set("assigned_to", id);
            if ticket.field("state") == "1" {
                ticket.set("state", "2");
            }
            Vec::new()
        })
    }

    /// An agent writes a work note. False when there is no such ticket.
    pub fn note(&self, number: &str, person: &str, text: &str) -> bool {
        let text: String = text.chars().take(4_000).collect();
        self.act(number, person, |_| vec![("work_notes".to_owned(), text)])
    }

    /// An agent resolves the ticket. False when there is no such ticket.
    pub fn resolve(&self, number: &str, person: &str, notes: &str) -> bool {
        self.act(number, person, |ticket| {
            ticket.set("state", "6");
            ticket.set("close_code", "Solved (Permanently)");
            ticket.set("close_notes", notes.chars().take(4_000).collect::<String>());
            Vec::new()
        })
    }

    fn act(&self, number: &str, person: &str, change: impl FnOnce(&mut Ticket) -> Vec<(String, String)>) -> bool {
        let Some(mut ticket) = self.ticket(number) else { return false };
        let notes = change(&mut ticket);
        ticket.settle(self.office.now(), true);
        self.office.file_as(ticket, notes, person);
        true
    }
}
