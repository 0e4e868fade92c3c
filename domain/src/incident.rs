//! The span of trouble of one cause, from first failure to resolved.

use crate::{
    Ahead, Alerting, ApiId, Callout, EarlierTicket, Environment, Evidence, Flaps, Gateway, Gathering,
    HeardAlert, InstanceId, Layer, Nudged, PersonId, Phrases, Priority, Rank, RotaId, Running,
    ShownCertificate, Status, TeamId, TestCall, Text, Ticket, TokenEndpoint, VantageId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names an Incident: a running number, short enough to be said over the telephone at 3 am. Written `C-42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("C-{}", self.0))
    }
}

impl IncidentId {
    /// Reads `C-42`, `c-42` or `42`.
    pub fn parse(word: &str) -> Option<Self> {
        let digits = word.strip_prefix("C-").or_else(|| word.strip_prefix("c-")).unwrap_or(word);
        digits.parse().ok().map(Self)
    }
}

/// What the trouble is taken to come from. At most one open incident per cause (invariant 7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// One instance's own trouble.
    Instance(InstanceId),
    /// A token endpoint does not work: whatever needs its tokens fails.
    Token(TokenEndpoint),
    /// What may be missed of an instance's objective is used up too fast.
    Burn(InstanceId),
    /// A certificate is not good: whatever shows it fails.
    Certificate(ShownCertificate),
    /// The way to several APIs: the name of their gateway is not found, or it lets nothing through; the layer says which.
    Gateway(Gateway),
    /// Several APIs in one environment refuse us, or one production instance for long: cannot tell what works.
    Refused(Environment),
    /// A vantage sees nothing of production: may be the network, may be us.
    Blind(VantageId),
    /// A rota has nobody on call while somebody is to be called.
    Rota(RotaId),
    /// Curiad's own probes from a vantage begin late.
    Behind(VantageId),
    /// So much of an environment failed at once that it is taken to be one trouble.
    Storm(Environment),
    /// It will be trouble unless somebody acts before.
    Ahead(Ahead),
    /// Others say that something is wrong with an instance.
    Alert(Alerting),
    /// Nothing is wrong: somebody is called to see whether that reaches them.
    Test(TestCall),
}

impl Cause {
    /// Who is on call, whether Curiad keeps up, what was promised and what others' rules say is no matter for the public.
    pub const fn is_internal(&self) -> bool {
        match self {
            Self::Rota(_)
            | Self::Behind(_)
            | Self::Ahead(_)
            | Self::Burn(_)
            | Self::Alert(_)
            | Self::Test(_) => true,
            Self::Instance(_)
            | Self::Token(_)
            | Self::Certificate(_)
            | Self::Gateway(_)
            | Self::Refused(_)
            | Self::Blind(_)
            | Self::Storm(_) => false,
        }
    }
}

impl fmt::Display for Cause {
    /// The `cause_key` of JSON and SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(instance) => write!(f, "instance:{instance}"),
            Self::Token(endpoint) => write!(f, "token:{endpoint}"),
            Self::Burn(instance) => write!(f, "burn:{instance}"),
            Self::Certificate(certificate) => write!(f, "certificate:{certificate}"),
            Self::Gateway(gateway) => write!(f, "gateway:{gateway}"),
            Self::Refused(environment) => write!(f, "refused:{environment}"),
            Self::Blind(vantage) => write!(f, "vantage:{vantage}"),
            Self::Rota(rota) => write!(f, "rota:{rota}"),
            Self::Behind(vantage) => write!(f, "behind:{vantage}"),
            Self::Storm(environment) => write!(f, "storm:{environment}"),
            Self::Ahead(what) => write!(f, "ahead:{what}"),
            Self::Alert(alerting) => write!(f, "alert:{alerting}"),
            Self::Test(test) => write!(f, "test:{test}"),
        }
    }
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody has it yet.
    Open,
    /// A human has it.
    Acknowledged,
    /// The trouble is gone; held a while, in case it returns.
    Recovering,
    /// Over.
    Resolved,
}

impl IncidentStatus {
    /// The word used in JSON and SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Recovering => "recovering",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for IncidentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The span of trouble of one cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// What it is taken to come from.
    pub cause: Cause,
    /// Where it stands.
    pub status: IncidentStatus,
    /// The highest it has had since it came back last, or what a human set.
    pub priority: Priority,
    /// How it came to that, and what humans say of it.
    #[serde(default)]
    pub rank: Rank,
    /// A major incident, and who or which rule said so.
    pub major: Option<Major>,
    /// Its environment; an incident of Curiad itself counts as production.
    pub environment: Environment,
    /// The API at fault, where it is one.
    pub api: Option<ApiId>,
    /// The instances it troubles now or has troubled, the cause's own first.
    pub affects: Vec<InstanceId>,
    /// Instances that depend on this cause and fail because of it: listed here, without a ticket of their own.
    pub held_back: Vec<InstanceId>,
    /// The worst status it has had.
    pub worst: Status,
    /// Where the trouble is.
    pub layer: Option<Layer>,
    /// Where the trouble is, in a sentence, from several checks together.
    pub diagnosis: Text,
    /// What failing checks said when it was confirmed or grew: at most [`MAX_EVIDENCE`] lines.
    pub evidence: Vec<Evidence>,
    /// What was going on around it when its ticket was asked for, in English: planned work, incidents like it.
    #[serde(default)]
    pub background: Vec<String>,
    /// First failure.
    pub started_at: Timestamp,
    /// When it was confirmed; of one that was over and came back, when it was confirmed again.
    pub opened_at: Timestamp,
    /// How it came and went.
    #[serde(default)]
    pub flaps: Flaps,
    /// When a human took it.
    pub acknowledged: Option<Acknowledgement>,
    /// Who took it first, and when, whoever has it now; of one that was over and came back, since then.
    #[serde(default)]
    pub first_answer: Option<(String, Timestamp)>,
    /// The wider trouble that it was found to be a part of.
    #[serde(default)]
    pub part_of: Option<IncidentId>,
    /// When the trouble went, while it has not returned. It is resolved the hold after that.
    pub recovered_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Its record in the service desk.
    pub ticket: Ticket,
    /// Records that it had before: closed while the trouble went on, merged into another, or replaced by one that a caller
    /// had opened. At most [`MOST_TICKETS`](crate::MOST_TICKETS) - 1.
    #[serde(default)]
    pub earlier_tickets: Vec<EarlierTicket>,
    /// Of which times of service the desk has been told how much is over.
    #[serde(default)]
    pub nudged: Vec<Nudged>,
    /// The escalation that calls people.
    pub escalation: Option<Running>,
    /// The provider team is told at this time (its hours may open later than the trouble).
    pub told_at: Option<Timestamp>,
    /// The end of a window of planned work that it outlasted, and of which its team was told.
    #[serde(default)]
    pub outlasted: Option<Timestamp>,
    /// Which team that is, whatever is found to be at fault later; `None`: there was no way to tell one.
    #[serde(default)]
    pub told: Option<TeamId>,
    /// Alerts of others that it was told of.
    #[serde(default)]
    pub alerts: Vec<HeardAlert>,
    /// What happened, oldest first. It only grows: what may come very often is [gathered](Gathering) first.
    pub timeline: Vec<Entry>,
    /// What is to be written there together: one of each kind at most.
    #[serde(default)]
    pub gathered: Vec<Gathering>,
    /// What the public page says, oldest first.
    pub posts: Vec<Post>,
}

/// Lines of evidence an incident keeps: enough for a ticket, short enough to be read.
pub const MAX_EVIDENCE: usize = 12;

/// That an incident is a major one, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Major {
    /// Since when.
    pub at: Timestamp,
    /// The rule, or the reason a human gave.
    pub why: String,
    /// The human; `None`: the rule.
    pub by: Option<String>,
    /// Only proposed, until a human declares it; it calls people out all the same.
    #[serde(default)]
    pub proposed: bool,
}

/// That a human has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// The same, where it is somebody who can be called.
    #[serde(default)]
    pub person: Option<PersonId>,
    /// They are asked again then, unless something is heard of them before. `None`: never.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Acknowledgement {
    /// Whether it is theirs: a name may be written in another way since.
    pub fn is_of(&self, person: Option<&PersonId>, name: &str) -> bool {
        match (&self.person, person) {
            (Some(taken), Some(person)) => taken == person,
            (Some(_) | None, None) | (None, Some(_)) => self.by == name,
        }
    }
}

/// A line of an incident's timeline, for operators: may name people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What, and why, or why not.
    pub text: String,
}

/// What the public page says about an Incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// When it was published.
    pub at: Timestamp,
    /// What it says.
    pub says: PostSays,
    /// Who wrote it; `None`: the rules.
    pub by: Option<PersonId>,
}

/// The content of a Post: machine-made ones are worded per language by the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostSays {
    /// We see it and somebody has been told.
    Investigating {
        /// What is shown of the instance.
        status: Status,
        /// Where it fails, as far as that was known.
        #[serde(default)]
        layer: Option<Layer>,
    },
    /// A human is working on it.
    Acknowledged,
    /// It works again; we watch it.
    Recovered,
    /// It failed again while we watched.
    Returned {
        /// What is shown of the instance.
        status: Status,
    },
    /// Over.
    Resolved,
    /// In the rules' own words, in both languages; of an earlier Curiad also in a person's.
    Words(Text),
    /// In a person's, from phrases, own words or both.
    Phrases(Phrases),
}

impl Incident {
    /// Not resolved.
    pub fn is_open(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// First failure of the present stretch: since the trouble last came back after it was over.
    pub fn failing_since(&self) -> Timestamp {
        self.flaps.since.unwrap_or(self.started_at)
    }

    /// Whether the ticket that the notification of this key asks for (`C-42-…/ticket/2`) was left for another since.
    pub fn has_another_ticket_than(&self, key: &str) -> bool {
        let name = key.split_once('/').map_or("", |(_, name)| name);
        let asked = match name.strip_prefix("ticket") {
            Some("") => Some(1),
            Some(rest) => rest.strip_prefix('/').and_then(|number| number.parse().ok()),
            None => None,
        };
        asked.is_some_and(|asked: usize| asked <= self.earlier_tickets.len())
    }

    /// A word of its own for each epoch, for what is told once in each.
    pub(crate) fn named(&self, name: &str) -> String {
        match self.flaps.epoch {
            0 => name.to_owned(),
            epoch => format!("{name}/again/{epoch}"),
        }
    }

    /// The callout of that number, if it is still kept.
    pub(crate) fn callout_mut(&mut self, number: u32) -> Option<&mut Callout> {
        self.escalation.as_mut()?.callouts.iter_mut().find(|callout| callout.number == number)
    }

    /// Adds a line to the timeline.
    pub fn note(&mut self, at: Timestamp, text: impl Into<String>) {
        self.timeline.push(Entry { at, text: text.into() });
    }
}
