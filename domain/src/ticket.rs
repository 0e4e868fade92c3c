//! An Incident's record in the service desk's own system, and what that says of it.

use crate::{Answer, Callout, DeskId, Incident, Layer, Priority, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Tickets that an incident has in a desk, one after the other: a desk that closes each of them is not asked for ever.
pub const MOST_TICKETS: usize = 5;

/// Times that a ticket is opened again in one epoch of its incident: a rule of the desk's own that resolves it would win.
pub const MOST_REOPENED: u32 = 3;

/// An Incident's record in the service desk's own system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Ticket {
    /// None is wanted, or not yet.
    None,
    /// Asked for; not confirmed by the desk.
    Asked {
        /// The desk.
        desk: DeskId,
        /// When.
        at: Timestamp,
        /// The fallback e-mail went out at this time: the ticket is *unconfirmed*.
        fallback_at: Option<Timestamp>,
        /// Work notes to send once there is a ticket.
        waiting: Vec<Note>,
        /// Work notes that went by e-mail, after the fallback.
        #[serde(default)]
        mailed: u32,
        /// There will be no ticket: the desk refused it for good, or its time ran out.
        #[serde(default)]
        given_up: bool,
    },
    /// The desk has it.
    Raised {
        /// The desk.
        desk: DeskId,
        /// The number people use: `INC0010002`.
        number: String,
        /// The desk's own key of the record.
        record: String,
        /// When the desk confirmed it.
        at: Timestamp,
        /// How many work notes have been sent.
        notes: u32,
        /// The one still on its way: they go one after the other, so that they arrive in order.
        #[serde(default)]
        under_way: Option<Note>,
        /// Those that follow it.
        #[serde(default)]
        waiting: Vec<Note>,
        /// How it stands in the desk, as last read there.
        #[serde(default)]
        seen: Option<Box<SeenTicket>>,
        /// Since when it is known to be over there.
        #[serde(default)]
        over_since: Option<Timestamp>,
        /// The desk has been told that the trouble goes on although the ticket is over.
        #[serde(default)]
        pressed: bool,
        /// How often it was resolved there while the trouble went on, in the present epoch of the incident. Beyond
        /// [`MOST_REOPENED`] the incident goes on without it.
        #[serde(default)]
        resolved_early: u32,
        /// It is of more than this incident, which the desk made a part of it: only the desk resolves it, and ranks it.
        #[serde(default)]
        shared: bool,
        /// What the ticket was told last of what changes all the time.
        #[serde(default)]
        remarked: Option<Remarked>,
    },
}

impl Ticket {
    /// One that the desk has just confirmed.
    pub const fn raised(desk: DeskId, number: String, record: String, at: Timestamp) -> Self {
        Self::Raised {
            desk,
            number,
            record,
            at,
            notes: 0,
            under_way: None,
            waiting: Vec::new(),
            seen: None,
            over_since: None,
            pressed: false,
            resolved_early: 0,
            shared: false,
            remarked: None,
        }
    }

    /// How it stands in the desk, where that has been read.
    pub fn seen(&self) -> Option<&SeenTicket> {
        match self {
            Self::Raised { seen, .. } => seen.as_deref(),
            Self::None | Self::Asked { .. } => None,
        }
    }
}

/// A work note on a ticket: meaningful changes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When it happened.
    pub at: Timestamp,
    /// What, in English.
    pub text: String,
    /// What changes in the ticket with it.
    #[serde(default)]
    pub with: With,
}

/// What a work note changes in its ticket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum With {
    /// Nothing.
    #[default]
    Nothing,
    /// Impact and urgency, to those of this priority.
    Priority(Priority),
    /// It was resolved, and is in work again.
    Reopen,
    /// It is resolved: only in a desk that wants that of us.
    Resolve,
    /// Nothing; but the note says all that a new ticket would, for a ticket that somebody else opened.
    Description,
}

/// Where a ticket stands in its desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Nobody looked at it yet.
    New,
    /// Somebody works on it.
    InProgress,
    /// It waits for something.
    OnHold,
    /// A state of the desk's own, and not over.
    Open,
    /// Mended, says the desk; it can be opened again.
    Resolved,
    /// Over for good: nothing can be written into it.
    Closed,
    /// The desk does not want it: nothing can be written into it.
    Cancelled,
    /// The desk has it elsewhere, and does not say where: nothing can be written into it.
    Duplicate,
}

impl TicketState {
    /// The word used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::OnHold => "on_hold",
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Duplicate => "duplicate",
        }
    }

    /// The desk has done with it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved) || self.is_shut()
    }

    /// Nothing can be written into it any more.
    pub const fn is_shut(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled | Self::Duplicate)
    }
}

impl fmt::Display for TicketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.word().replace('_', " "))
    }
}

/// How a ticket stands in its desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenTicket {
    /// Its state.
    pub state: TicketState,
    /// The agent who has it.
    pub assigned_to: Option<String>,
    /// The group that has it.
    pub group: Option<String>,
    /// The desk's own priority; `None`: none of ours.
    pub priority: Option<Priority>,
    /// Which other ticket this one is part of, or a duplicate of.
    pub parent: Option<ParentTicket>,
}

/// The ticket that another is part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentTicket {
    /// The number people use.
    pub number: String,
    /// The desk's own key of the record.
    pub record: String,
    /// Where it stands.
    pub state: TicketState,
}

/// A ticket that an incident had before its present one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierTicket {
    /// Its number and the desk's key of it; `None`: it was asked for, and the desk had not confirmed it.
    pub known: Option<(String, String)>,
    /// What became of it.
    pub why: String,
    /// The desk did not make it, as far as is known: people there may have, by hand or of a mail, since.
    #[serde(default)]
    pub given_up: bool,
    /// When the people there were told of it by e-mail.
    #[serde(default)]
    pub mailed_at: Option<Timestamp>,
    /// At which desk; `None`: that was not kept.
    #[serde(default)]
    pub desk: Option<DeskId>,
    /// That desk left the configuration. The desk of now may be the same by another name, and have the ticket.
    #[serde(default)]
    pub left: bool,
}

/// What a ticket was told last of what changes all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarked {
    /// When it was told anything.
    pub at: Timestamp,
    /// How many instances are affected.
    pub affects: usize,
    /// How many are held back.
    pub held_back: usize,
    /// The number of the last callout.
    pub callouts: u32,
    /// How many who were called have passed it on.
    #[serde(default)]
    pub passed_on: usize,
    /// How bad it was; `None`: that was not kept.
    #[serde(default)]
    pub worst: Option<Status>,
    /// Since when it has been worse than that.
    #[serde(default)]
    pub worse_at: Option<Timestamp>,
    /// Where the fault was; of no use without how bad it was.
    #[serde(default)]
    pub layer: Option<Layer>,
}

impl Remarked {
    /// All there is now.
    pub(crate) fn of(incident: &Incident, at: Timestamp) -> Self {
        let calls = || incident.escalation.iter().flat_map(|running| &running.callouts);
        let passed_on = |callout: &&Callout| matches!(callout.answer, Some((_, Answer::CallNext)));
        Self {
            at,
            affects: incident.affects.len(),
            held_back: incident.held_back.len(),
            callouts: calls().last().map_or(0, |callout| callout.number),
            passed_on: calls().filter(passed_on).count(),
            worst: Some(incident.worst),
            worse_at: None,
            layer: incident.layer,
        }
    }
}
