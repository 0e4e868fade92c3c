//! `decide`: from what is known and what happened to what is to be stored, told and done.

use crate::{Decision, Event, Situation};
use jiff::Timestamp;

/// Applies the four rules to `event` at `now`.
pub fn decide(situation: &Situation, event: &Event, now: Timestamp) -> Decision {
    let _ = (event, now);
    Decision {
        after: situation.clone(),
        changes: Vec::new(),
        probes: Vec::new(),
        verdict: None,
        answer: None,
    }
}
