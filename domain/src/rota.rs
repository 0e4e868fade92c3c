//! Who is on call when.

use crate::PersonId;
use jiff::{Timestamp, civil::Date, civil::Time, civil::Weekday, tz::TimeZone};

/// Who is on call when: the topmost layer that names somebody, overrides above all.
#[derive(Debug, Clone, PartialEq)]
pub struct Rota {
    /// Local time of the hand-overs.
    pub time_zone: TimeZone,
    /// Lower ones first; the last that covers a moment wins.
    pub layers: Vec<RotaLayer>,
    /// Swaps: win over layers; the last that covers a moment wins.
    pub overrides: Vec<Override>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotaLayer {
    /// In the order of their turns; at least one.
    pub people: Vec<PersonId>,
    /// When they change.
    pub hand_over: HandOver,
    /// The first shift begins on the first hand-over not before this day.
    pub from: Date,
}

/// When a shift ends and the next begins, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// Every day at this time.
    Daily(Time),
    /// Every week on this day at this time.
    Weekly(Weekday, Time),
}

/// A swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Who stands in.
    pub person: PersonId,
    /// From (inclusive).
    pub from: Timestamp,
    /// To (exclusive).
    pub to: Timestamp,
}

/// One person's stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub person: PersonId,
    /// From (inclusive).
    pub from: Timestamp,
    /// To (exclusive).
    pub to: Timestamp,
    /// Which layer, from 0; `None`: an override.
    pub layer: Option<usize>,
}

impl Rota {
    /// Who is on call at `at`; `None`: nobody, which is itself an incident.
    pub fn on_call(&self, at: Timestamp) -> Option<Shift> {
        let _ = at;
        None
    }

    /// Who is called when the person on call does not answer: the next in turn who is somebody else.
    pub fn next(&self, at: Timestamp) -> Option<PersonId> {
        let _ = at;
        None
    }
}
