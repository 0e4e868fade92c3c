//! The desk's inside: its tickets, its people, its tokens and its troubles.

use std::net::SocketAddr;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::directory::Entry;
use super::ticket::{Note, Ticket};
use crate::change::{Bell, Kept};
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
    /// What can be looked up by `sys_id`: people, groups, configuration items.
    pub directory: Vec<Entry>,
    /// Tables that our account may not read: its requests are answered 403.
    pub closed_tables: Vec<String>,
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
            names: names.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect(),
            invalid_query_returns_no_rows: false,
            directory: directory(&names),
            closed_tables: Vec::new(),
        }
    }
}

/// The demo's estate names what runs an API by the same id as who mends it: both are in the tables.
fn directory(names: &[(&str, &str)]) -> Vec<Entry> {
    let entry = |table, (id, name): &(&str, &str)| Entry {
        table,
        sys_id: (*id).to_owned(),
        name: (*name).to_owned(),
        active: true,
    };
    let is_person = |(_, name): &&(&str, &str)| matches!(*name, "Curiad" | "Beth Anglin");
    let people = names.iter().filter(is_person).map(|person| entry("sys_user", person));
    let groups = names.iter().filter(|name| !is_person(name));
    people.chain(groups.flat_map(|group| [entry("sys_user_group", group), entry("cmdb_ci", group)])).collect()
}

#[derive(Debug)]
pub(super) struct Files {
    tickets: Vec<Ticket>,
    pub(super) tokens: Vec<(String, i64)>,
    pub(super) spell: Spell,
    /// Columns that a rule lets agents alone write, and the status with which it refuses everybody else.
    pub(super) rule: Option<(Vec<String>, u16)>,
    filed: u64,
    dice: Dice,
}

/// The desk's inside, which answers requests.
pub(crate) struct Office {
    pub(super) options: DeskOptions,
    clock: Now,
    pub(super) files: Kept<Files>,
    pub(super) address: OnceLock<SocketAddr>,
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
            rule: None,
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
            if files.spell.trouble.accepts() && !writes { Trouble::None } else { files.spell.meet() }
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

    /// Files a new record, with its first journal entries.
    pub(super) fn file(&self, mut ticket: Ticket, notes: Vec<(String, String)>) -> Ticket {
        let now = self.now();
        self.files.change(|files| {
            append(files, &mut ticket, notes, &self.options.user, now);
            if files.tickets.len() >= TICKETS {
                files.tickets.remove(0);
            }
            files.tickets.push(ticket.clone());
        });
        ticket
    }

    /// Changes a record: `act` writes to a copy and answers the journal entries to add, or refuses and nothing is changed.
    /// None when there is no such record.
    pub(super) fn amend<E>(
        &self,
        which: impl Fn(&Ticket) -> bool,
        author: &str,
        act: impl FnOnce(&mut Ticket) -> Result<Vec<(String, String)>, E>,
    ) -> Option<Result<Ticket, E>> {
        let now = self.now();
        self.files.change(|files| {
            let place = files.tickets.iter().position(which)?;
            let mut ticket = files.tickets.get(place)?.clone();
            let notes = match act(&mut ticket) {
                Ok(notes) => notes,
                Err(refused) => return Some(Err(refused)),
            };
            ticket.settle(now, true);
            append(files, &mut ticket, notes, author, now);
            files.tickets.get_mut(place)?.clone_from(&ticket);
            Some(Ok(ticket))
        })
    }
}

fn append(files: &mut Files, ticket: &mut Ticket, notes: Vec<(String, String)>, author: &str, at: Timestamp) {
    for (column, text) in notes {
        let sys_id = files.dice.hex32();
        ticket.notes.push(Note { at, author: author.to_owned(), column, text, sys_id });
    }
    let surplus = ticket.notes.len().saturating_sub(NOTES);
    ticket.notes.drain(..surplus);
}
