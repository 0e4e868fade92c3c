//! The desk from outside: what a test sets and what an agent does.

use std::convert::Infallible;
use std::sync::Arc;

use super::office::{DeskOptions, Office};
use super::ticket::Ticket;
use crate::door::Door;
use crate::trouble::{Spell, Trouble};

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
        self.office
            .options
            .names
            .iter()
            .find(|(id, _)| id == sys_id)
            .map_or(sys_id, |(_, name)| name.as_str())
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

    /// A business rule: a request that changes one of these columns is refused with this status, and nothing of it is done. No
    /// columns: the rule is gone.
    pub fn refuse_changes_of(&self, columns: &[&str], status: u16) {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        self.office.files.change(|files| files.rule = (!columns.is_empty()).then_some((columns, status)));
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

    /// An agent closes the ticket for good. False when there is no such ticket.
    pub fn close(&self, number: &str, person: &str, notes: &str) -> bool {
        self.resolve(number, person, notes) && self.set_state(number, person, "7")
    }

    /// An agent closes the ticket as a duplicate, and does not say of which. False when there is no such ticket.
    pub fn duplicate(&self, number: &str, person: &str) -> bool {
        self.act(number, person, |ticket| {
            ticket.set("close_code", "Duplicate");
            ticket.set("close_notes", "Known already");
            ticket.set("state", "7");
            Vec::new()
        })
    }

    /// An agent cancels the ticket. False when there is no such ticket.
    pub fn cancel(&self, number: &str, person: &str) -> bool {
        self.set_state(number, person, "8")
    }

    /// An agent closes the ticket as a duplicate of another, its parent. False when one of them is not there.
    pub fn merge(&self, number: &str, into: &str, person: &str) -> bool {
        let Some(parent) = self.ticket(into) else { return false };
        self.act(number, person, |ticket| {
            ticket.set("parent_incident", parent.sys_id.clone());
            ticket.set("close_code", "Duplicate");
            ticket.set("close_notes", format!("Duplicate of {into}"));
            ticket.set("state", "7");
            Vec::new()
        })
    }

    /// An agent weighs the ticket otherwise; the desk makes its priority of it. False when there is no such ticket.
    pub fn weigh(&self, number: &str, person: &str, impact: &str, urgency: &str) -> bool {
        self.act(number, person, |ticket| {
            ticket.set("impact", impact);
            ticket.set("urgency", urgency);
            Vec::new()
        })
    }

    /// Somebody rings, and an agent opens a ticket for them: its number.
    pub fn open(&self, short_description: &str) -> String {
        let mut ticket = self.office.blank();
        ticket.set("short_description", short_description.chars().take(160).collect::<String>());
        ticket.set("contact_type", "phone");
        ticket.settle(self.office.now(), false);
        self.office.file(ticket, Vec::new()).number
    }

    fn set_state(&self, number: &str, person: &str, state: &str) -> bool {
        self.act(number, person, |ticket| {
            ticket.set("state", state);
            Vec::new()
        })
    }

    fn act(
        &self,
        number: &str,
        person: &str,
        change: impl FnOnce(&mut Ticket) -> Vec<(String, String)>,
    ) -> bool {
        let act = |ticket: &mut Ticket| Ok::<_, Infallible>(change(ticket));
        self.office.amend(|ticket| ticket.number == number, person, act).is_some()
    }
}
