//! That somebody was reached: they answered a call, by a way they were called.

use crate::{Configuration, PersonId, RotaId, Way};
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

impl Configuration {
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
