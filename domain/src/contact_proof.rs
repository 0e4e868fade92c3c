//! That somebody was reached: they answered a call, by a way they were called.

use crate::{Configuration, EscalationId, PersonId, RotaId, Target, Way};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How far ahead shifts are looked at: whoever is on call after that is still to be reached in time.
const AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Somebody answered a call: the way it came by reaches them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProof {
    /// Who.
    pub person: PersonId,
    /// By which way.
    pub way: Way,
    /// When they answered last.
    pub at: Timestamp,
}

/// When somebody last answered a call, however that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Within the time for which that is believed.
    Lately(Timestamp),
    /// Before that.
    LongAgo(Timestamp),
    /// Not that anybody knows.
    Never,
}

impl Reached {
    /// Whether they are believed to be reached; what is `within` is the time for which an answer proves it.
    pub fn of(proofs: &[ContactProof], person: &PersonId, within: Duration, now: Timestamp) -> Self {
        let answered = proofs.iter().filter(|proof| proof.person == *person).map(|proof| proof.at).max();
        match answered {
            None => Self::Never,
            Some(at) if now.duration_since(at).unsigned_abs() <= within || at > now => Self::Lately(at),
            Some(at) => Self::LongAgo(at),
        }
    }
}

/// What somebody who is named is in an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedAs {
    /// A step calls them.
    Step,
    /// They are its last resort, or one of it.
    LastResort,
}

impl Configuration {
    /// Who is called by name, and not only because a rota has them; and in which escalations.
    pub fn named_in_escalations(&self) -> BTreeMap<PersonId, BTreeSet<(NamedAs, EscalationId)>> {
        let mut people: BTreeMap<PersonId, BTreeSet<(NamedAs, EscalationId)>> = BTreeMap::new();
        for escalation in self.escalations.values() {
            let steps = escalation.steps.iter().filter_map(|step| match &step.call {
                Target::Person(person) => Some((person, NamedAs::Step)),
                Target::OnCall(_)
                | Target::Next(_)
                | Target::Team(_)
                | Target::Provider
                | Target::Desk(_) => None,
            });
            let last = escalation.last_resort.iter().map(|person| (person, NamedAs::LastResort));
            for (person, named) in steps.chain(last) {
                people.entry(person.clone()).or_default().insert((named, escalation.id.clone()));
            }
        }
        people
    }

    /// Who is on call on some rota within a fortnight of `now`, and on which.
    pub fn soon_on_call(&self, now: Timestamp) -> BTreeMap<PersonId, BTreeSet<RotaId>> {
        let mut people: BTreeMap<PersonId, BTreeSet<RotaId>> = BTreeMap::new();
        for (id, rota) in &self.rotas {
            for shift in rota.shifts(now, now + AHEAD) {
                people.entry(shift.person).or_default().insert(id.clone());
            }
        }
        people
    }
}
