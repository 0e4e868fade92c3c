//! The dead man's question: does anybody wait for a human in vain (invariant 10)?

use crate::{Incident, Priority, Situation, next_action, next_call_at};
use jiff::{SignedDuration, Timestamp};

/// A call that was due so long ago is not going to be placed by itself.
const OVERDUE: SignedDuration = SignedDuration::from_mins(1);
/// Calls that no carrier took for so long are heard by nobody.
const UNHEARD: SignedDuration = SignedDuration::from_mins(3);

/// Whether every major incident that waits for a human has its next call before it, and its calls leave; and of every open P1,
/// whatever it is and whoever has it, nothing is overdue. Where not, the heartbeat stops, and another system tells somebody.
pub fn is_attended(situation: &Situation, now: Timestamp) -> bool {
    let in_time = |at: Timestamp| now.duration_since(at) < OVERDUE;
    situation.open_incidents().all(|incident| {
        let called =
            || next_call_at(situation, incident, now).is_some_and(in_time) && is_heard(incident, now);
        let overdue = || next_action(situation, incident, now).is_some_and(|next| !in_time(next.at));
        (!situation.is_waiting_for_a_human(incident) || called())
            && !(incident.priority == Priority::P1 && overdue())
    })
}

/// Whether the calls leave, or it is too soon to say. That one was heard an hour ago, or before it was over the last time, says
/// nothing of those since.
fn is_heard(incident: &Incident, now: Timestamp) -> bool {
    // Of what has stopped, or has not begun again, nobody waits to be heard.
    let Some(running) = incident.escalation.as_ref().filter(|running| running.stopped.is_none()) else {
        return true;
    };
    let of_now = running.callouts.iter().filter(|callout| callout.at >= running.started_at);
    let heard = of_now.clone().filter(|callout| callout.may_be_heard()).map(|callout| callout.at).max();
    let unheard = of_now.filter(|callout| heard.is_none_or(|heard| callout.at > heard));
    unheard.map(|callout| callout.at).min().is_none_or(|first| now.duration_since(first) < UNHEARD)
}
