//! Anything the rules react to.

use crate::{
    Alert, Answer, Beat, CheckId, Configuration, Environment, IncidentId, Outcome, PersonId, Phrases,
    Priority, Receipt, Reply, RotaId, SeenTicket, Text, Way,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Anything the rules react to.
#[derive(Debug, Clone)]
pub enum Event {
    /// A probe came back.
    Outcome(Arc<Outcome>),
    /// Time passed: something may be due, or no longer valid.
    Due,
    /// Something was told to us: a row of the inbox.
    Told(Told),
    /// All that was told to us before this time is folded in; `whole`: and no heartbeat was refused meanwhile.
    Heard {
        /// Before this time.
        until: Timestamp,
        /// Nothing that was told was refused.
        whole: bool,
    },
    /// A new configuration was read.
    Configured(Arc<Configuration>),
}

/// What people and outside systems told us: a row of the Inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When it was told.
    pub at: Timestamp,
    /// What.
    pub what: Message,
}

/// The contents of the Inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The deliverer, or a carrier, says what became of a notification.
    Receipt(Receipt),
    /// A person who was called answers, through `/ack/{reference}` or a text.
    Answer {
        /// The callout's reference.
        reference: String,
        /// What they say.
        answer: Answer,
        /// By which way the link came to them, where it says so.
        #[serde(default)]
        by: Option<Way>,
    },
    /// What an Alertmanager says of APIs.
    Alerts(Vec<Alert>),
    /// A person answers by text.
    Reply {
        /// Whose telephone it came from: one that several share is all of theirs.
        people: Vec<PersonId>,
        /// The carrier's name for it, the same when it tells it again.
        id: String,
        /// What can be an answer in it.
        reply: Reply,
    },
    /// An operator acts.
    Command(Command),
    /// Our own clock was set, forward or back.
    ClockSet {
        /// By how many milliseconds it moved more than time did.
        by_ms: i64,
    },
    /// A desk's own system was asked how a ticket stands there.
    Ticket {
        /// Whose ticket.
        incident: IncidentId,
        /// The desk's key of the record that was read.
        record: String,
        /// How it stands.
        seen: SeenTicket,
    },
    /// A scheduled job calls, at `/beats/{reference}`.
    Beat {
        /// Whose address it called.
        check: CheckId,
        /// What it says.
        beat: Beat,
    },
}

/// What an operator can do. Every one names who, and all but `Acknowledge`, `Link`, `TestCall` and those that end something a reason (of an override it may be left out).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// "I have it."
    Acknowledge {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
    },
    /// Says something on the public page.
    Update {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
        /// In both languages, published at the same moment (invariant 15).
        #[serde(flatten)]
        phrases: Phrases,
    },
    /// Calls it over.
    Resolve {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Says that a ticket which the desk has already is this incident's.
    Link {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
        /// The number people use.
        number: String,
        /// The desk's own key of the record.
        record: String,
    },
    /// Makes it a major incident.
    Declare {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Says that it is no major incident, whatever a rule says.
    NotMajor {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Sets its priority: no rule changes it any more.
    Prioritise {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: String,
        /// Why.
        why: String,
        /// To what.
        priority: Priority,
    },
    /// Mutes notifications for an API, an environment or both.
    Silence {
        /// Who.
        by: String,
        /// Why.
        why: String,
        /// Until when.
        until: Timestamp,
        /// Only this API.
        api: Option<crate::ApiId>,
        /// Only this environment.
        environment: Option<Environment>,
    },
    /// Announces planned work.
    Maintain {
        /// Who.
        by: String,
        /// Why, for everybody, in both languages (invariant 15).
        why: Text,
        /// From when; before now: from now.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Where.
        environment: Environment,
        /// Only this API.
        api: Option<crate::ApiId>,
    },
    /// Ends planned work before its time, or calls it off.
    EndMaintenance {
        /// Which.
        maintenance: u64,
        /// Who.
        by: String,
    },
    /// Ends a silence before its time.
    EndSilence {
        /// Which.
        silence: u64,
        /// Who.
        by: String,
    },
    /// Somebody stands in on a rota.
    Override {
        /// Who says so.
        by: String,
        /// On which rota.
        rota: RotaId,
        /// Who stands in.
        person: PersonId,
        /// Only while this person would be on call.
        instead_of: Option<PersonId>,
        /// From when; before now: from now.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Why, if that is said.
        why: Option<String>,
    },
    /// Calls somebody to see whether that reaches them.
    TestCall {
        /// Who asks.
        by: String,
        /// Who is called.
        person: PersonId,
    },
    /// Ends an override before its time, or calls it off.
    EndOverride {
        /// Which.
        number: u64,
        /// Who.
        by: String,
    },
}

/// An operator's mute, with owner, reason and end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// A running number.
    pub id: u64,
    /// Whose.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when; ended early, this is when.
    pub until: Timestamp,
    /// Only this API.
    pub api: Option<crate::ApiId>,
    /// Only this environment.
    pub environment: Option<Environment>,
}

impl Silence {
    /// Whether it mutes notifications about `instance` at `now`.
    pub fn covers(&self, instance: &crate::InstanceId, now: Timestamp) -> bool {
        self.from <= now
            && now < self.until
            && self.api.as_ref().is_none_or(|api| *api == instance.api)
            && self.environment.is_none_or(|environment| environment == instance.environment)
    }
}
