//! One message to one channel.

use crate::{Answer, DeskId, IncidentId, Note, PersonId, TeamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One message to one channel, to be sent at least once (tickets: exactly one record).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Made from what it is for, so that deciding twice cannot send twice: `C-42/callout/3/text`.
    /// Also the reference by which the other side can be asked whether it has it.
    pub key: String,
    /// What it is about.
    pub incident: IncidentId,
    /// What it says.
    pub kind: NotificationKind,
    /// Where it goes.
    pub channel: Channel,
    /// When it was decided.
    pub at: Timestamp,
    /// Not to be sent earlier.
    pub not_before: Timestamp,
    /// Given up, visibly, when not accepted by then.
    pub expires_at: Timestamp,
}

/// What a notification says. The words are made when it is sent, from the incident as it then is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Open a ticket.
    TicketOpen,
    /// Add a work note to the ticket.
    TicketNote {
        /// The desk's key of the record.
        record: String,
        /// The note.
        note: Note,
    },
    /// The desk's own system cannot be reached: tell the people there by e-mail.
    TicketFallback,
    /// What a work note would have said, by e-mail to the people at the desk.
    FallbackNote {
        /// The note.
        note: Note,
    },
    /// A call to act.
    Callout {
        /// The callout's number within the incident.
        callout: u32,
    },
    /// To somebody who was called: it is over, or another has it.
    StandDown {
        /// Who has it now; `None`: it is over.
        taken_by: Option<String>,
    },
    /// To somebody who was called: it is no major incident, and nobody is called any more.
    CalledOff {
        /// Who says so.
        by: String,
    },
    /// To somebody who was called: it is part of another incident, which goes on.
    PartOf {
        /// Which.
        incident: IncidentId,
    },
    /// To somebody who answered by text: what we took from it.
    Heard {
        /// The callout's number within the incident.
        callout: u32,
        /// Their answer; `None`: we found none in it.
        answer: Option<Answer>,
    },
    /// To the provider team: trouble began.
    Told,
    /// To the provider team: somebody has it.
    ToldTaken {
        /// Who.
        by: String,
    },
    /// To the provider team: trouble is over.
    ToldOver,
    /// To the provider team: the desk resolves the ticket each time, and the trouble goes on.
    DeskResolves {
        /// The number people use.
        number: String,
    },
    /// To whoever announced planned work, or answers for what fails after a window that repeats: it was to be over, and something still fails.
    Overruns {
        /// The work's number; `None`: it was a window that repeats.
        work: Option<u64>,
        /// When it was to end.
        was_to_end_at: Timestamp,
        /// When it is told as an incident.
        told_at: Timestamp,
    },
}

impl NotificationKind {
    /// Lower goes first: people before tickets before the rest.
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Callout { .. } | Self::Heard { .. } => 0,
            Self::TicketOpen | Self::TicketFallback => 1,
            Self::StandDown { .. } | Self::CalledOff { .. } | Self::PartOf { .. } | Self::Overruns { .. } => {
                2
            }
            Self::TicketNote { .. } | Self::FallbackNote { .. } => 3,
            Self::Told | Self::ToldTaken { .. } | Self::ToldOver | Self::DeskResolves { .. } => 4,
        }
    }
}

/// Where a notification goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A service desk's own system.
    Desk(DeskId),
    /// E-mail to the people at a service desk.
    DeskEmail(DeskId),
    /// A person's telephone, as text.
    Text(PersonId),
    /// A person's mailbox.
    Email(PersonId),
    /// A person's telephone, rung.
    Voice(PersonId),
    /// A person's own program, by signed webhooks.
    Webhook(PersonId),
    /// A provider team's mailbox.
    Team(TeamId),
    /// Its channel in Microsoft Teams.
    TeamChat(TeamId),
    /// A program of its own, by signed webhooks.
    TeamWebhook(TeamId),
    /// Its service at `PagerDuty`.
    TeamPager(TeamId),
}

/// What the deliverer has to say of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The notification's key.
    pub notification: String,
    /// Its incident.
    pub incident: IncidentId,
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Sent,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// The carrier took it; its own id for it.
    Accepted {
        /// The carrier's id.
        provider_id: String,
    },
    /// The desk has a ticket (made now, or found).
    Ticket {
        /// The number people use.
        number: String,
        /// The desk's key of the record.
        record: String,
        /// The desk's own priority, when it differs from ours.
        mismatch: Option<String>,
    },
    /// The desk took a work note, and refused what was to change in the ticket with it.
    InPart {
        /// The desk's key of the record.
        provider_id: String,
        /// What, and why: `to change the state to Resolved: …`.
        refused: String,
    },
    /// A try had no clear end: it may have arrived. Others follow, and say what became of it if they can find out.
    Unclear {
        /// What happened.
        why: String,
    },
    /// The carrier says it arrived.
    Delivered,
    /// The carrier says it will not arrive, or nobody took it in time.
    GivenUp {
        /// Why.
        why: String,
    },
}
