//! The ordered steps of Callouts until a human answers.

use crate::{ApiId, Configuration, DeskAsked, DeskId, Environment, EscalationId, PersonId, RotaId, TeamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who is called in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Its name.
    pub id: EscalationId,
    /// In the order of their times; at least one.
    pub steps: Vec<Step>,
    /// How many times the steps are gone through; at least 1.
    pub repeat: u32,
    /// Called, all at once and by every way, when nobody answered; never empty.
    pub last_resort: Vec<PersonId>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who.
    pub call: Target,
    /// By which ways; empty: all the person has.
    pub by: Vec<Way>,
    /// When, from the start of the round.
    pub after: Duration,
}

/// Whom a step calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Whoever is on call.
    OnCall(RotaId),
    /// Whoever is on call after that: the next person of the rota.
    Next(RotaId),
    /// Whoever is on call on a team's rota.
    Team(TeamId),
    /// The same of the team that provides the API at fault.
    Provider,
    /// A person by name.
    Person(PersonId),
    /// The service desk, through the ticket.
    Desk(DeskId),
}

impl Target {
    /// Whom it means in an incident of `api`: a team's rota instead of the team. `None`: there is no such team, or it has no
    /// rota.
    pub fn meant(&self, configuration: &Configuration, api: Option<&ApiId>) -> Option<Self> {
        let team = match self {
            Self::Team(team) => team,
            Self::Provider => &configuration.apis.get(api?)?.team,
            Self::OnCall(_) | Self::Next(_) | Self::Person(_) | Self::Desk(_) => return Some(self.clone()),
        };
        configuration.teams.get(team)?.rota.clone().map(Self::OnCall)
    }

    /// All that it can mean in an environment, once each.
    pub fn all_meant(&self, configuration: &Configuration, environment: Environment) -> Vec<Self> {
        let mut all = Vec::new();
        let here = configuration.apis.values().filter(|api| api.instances.contains_key(&environment));
        let apis: Vec<Option<&ApiId>> =
            if *self == Self::Provider { here.map(|api| Some(&api.id)).collect() } else { vec![None] };
        for meant in apis.into_iter().filter_map(|api| self.meant(configuration, api)) {
            if !all.contains(&meant) {
                all.push(meant);
            }
        }
        all
    }
}

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A text message.
    Text,
    /// E-mail.
    Email,
    /// A telephone call that says it aloud.
    Voice,
    /// A signed webhook to a program of their own.
    Webhook,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Email, Self::Voice, Self::Webhook];

    /// Reads a [`word`](Self::word).
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }

    /// The word used in configuration, SQL and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Voice => "voice",
            Self::Webhook => "webhook",
        }
    }
}

/// An escalation at work on an incident. The steps are a copy: a change of configuration cannot break it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The escalation as it was when it started.
    pub escalation: Escalation,
    /// When it started.
    pub started_at: Timestamp,
    /// When the current round started.
    pub round_at: Timestamp,
    /// Rounds begun, from 1; beyond `repeat` the last resort is called.
    pub round: u32,
    /// The next step of this round, from 0.
    pub next_step: usize,
    /// When that is due. `None`: stopped.
    pub next_at: Option<Timestamp>,
    /// When the rounds last began anew because the last resort could not.
    #[serde(default)]
    pub anew_at: Option<Timestamp>,
    /// Why it stopped.
    pub stopped: Option<String>,
    /// Everybody called so far.
    pub callouts: Vec<Callout>,
    /// Desks that were asked through the ticket.
    #[serde(default)]
    pub desks: Vec<DeskAsked>,
}

/// One call on one person to act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callout {
    /// Its number within the incident, from 1.
    pub number: u32,
    /// Who.
    pub person: PersonId,
    /// By which ways.
    pub ways: Vec<Way>,
    /// Which step, from 1; 0: the last resort.
    pub step: u32,
    /// When it was decided.
    pub at: Timestamp,
    /// What `/ack/{reference}` is called for this person and incident: short, not to be guessed.
    pub reference: String,
    /// Ways that were accepted by the carrier, and when.
    pub accepted: Vec<(Way, Timestamp)>,
    /// Ways that were given up, or that the carrier says failed.
    pub given_up: Vec<Way>,
    /// Ways by which the carrier says that it arrived.
    #[serde(default)]
    pub delivered: Vec<Way>,
    /// When the first of them did.
    #[serde(default)]
    pub delivered_at: Option<Timestamp>,
    /// Ways by which it may have arrived: a try had no clear end.
    #[serde(default)]
    pub unclear: Vec<Way>,
    /// Ways by which the person heard that it was over.
    #[serde(default)]
    pub stood_down: Vec<Way>,
    /// Texts of theirs of which we have said what we took from them, by the carrier's names.
    #[serde(default)]
    pub replies: Vec<String>,
    /// What the person said.
    pub answer: Option<(Timestamp, Answer)>,
}

impl Callout {
    /// Whether it reached the person by `way`, or may have, as far as is known.
    ///
    /// Carriers' words come late, twice and in any order, so none takes back what outweighs it: that it arrived
    /// outweighs that it failed, and that outweighs that it was taken.
    pub fn reached_by(&self, way: Way) -> bool {
        self.unclear.contains(&way) || self.is_taken_by(way)
    }

    /// Whether `way` is known to have it: a try without a clear end is no word of a carrier.
    fn is_taken_by(&self, way: Way) -> bool {
        let taken = self.accepted.iter().any(|(accepted, _)| *accepted == way);
        let answered = self.answer.is_some() && self.ways.contains(&way);
        let failed = self.given_up.contains(&way);
        self.delivered.contains(&way) || ((taken || answered) && !failed)
    }

    /// Whether a carrier is known to have it by any way.
    pub fn is_taken(&self) -> bool {
        self.ways.iter().any(|way| self.is_taken_by(*way))
    }

    /// Whether a carrier is known to have it by a way that may wake: an e-mail beside a text is read in the morning.
    pub(crate) fn may_be_heard(&self) -> bool {
        let mail_alone = self.ways.iter().all(|way| *way == Way::Email);
        self.answer.is_some()
            || self.ways.iter().any(|way| (mail_alone || *way != Way::Email) && self.is_taken_by(*way))
    }

    /// Every way failed, and by none did it arrive.
    pub(crate) fn reached_nobody(&self) -> bool {
        self.delivered.is_empty() && self.ways.iter().all(|way| self.given_up.contains(way))
    }
}

/// What a person who was called says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// "I've got it."
    Mine,
    /// "I can't: call the next."
    CallNext,
    /// "Not real."
    NotReal,
}
