//! A service desk that an escalation asks, through its ticket, to take a major incident. Whoever there has it says so by a link
//! of the desk's own: that an agent is assigned is no answer (incident-systems.md §3.1).

use crate::{Answer, Callout, DeskId, Incident, Running, Situation, Ticket, answered, fold::Fold, telling};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// That a desk was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskAsked {
    /// Which.
    pub desk: DeskId,
    /// When, the last time.
    pub at: Timestamp,
    /// What `/ack/{reference}` is called for this desk and incident: short, not to be guessed.
    pub reference: String,
    /// What somebody there said last, and when.
    pub answer: Option<(Timestamp, Answer)>,
}

/// Whom a link asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'s> {
    /// Somebody who was called.
    Person(&'s Callout),
    /// Whoever has the ticket.
    Desk(&'s DeskAsked),
}

impl Asked<'_> {
    /// What they said last.
    pub fn answer(self) -> Option<Answer> {
        let said = match self {
            Self::Person(callout) => callout.answer,
            Self::Desk(asked) => asked.answer,
        };
        said.map(|(_, answer)| answer)
    }
}

impl Situation {
    /// The incident and whom a reference asks, newest first: what `/ack/{reference}` is about.
    pub fn asked(&self, reference: &str) -> Option<(&Incident, Asked<'_>)> {
        if let Some((incident, callout)) = self.callout(reference) {
            return Some((incident, Asked::Person(callout)));
        }
        self.incidents.values().rev().find_map(|incident| {
            let desks = &incident.escalation.as_ref()?.desks;
            let asked = desks.iter().find(|asked| asked.reference == reference)?;
            Some((incident.as_ref(), Asked::Desk(asked)))
        })
    }
}

/// Whether a desk reads what is written into the ticket: it has confirmed it, and not closed it.
pub(crate) fn can_be_asked(incident: &Incident) -> bool {
    matches!(incident.ticket, Ticket::Raised { .. })
        && !incident.ticket.seen().is_some_and(|seen| seen.state.is_shut())
}

/// It has closed the ticket in which it was asked: whoever comes after it is called now.
pub(crate) fn not_waited_for(incident: &mut Incident, now: Timestamp) {
    let Some(running) = incident.escalation.as_mut().filter(|running| running.stopped.is_none()) else {
        return;
    };
    if running.desks.iter().any(|asked| asked.answer.is_none() && is_waited_for(running, asked.at)) {
        running.next_at = running.next_at.map(|at| at.min(now));
    }
}

/// Whether nobody was called since a desk was asked: whoever was has their own time to answer.
fn is_waited_for(running: &Running, asked_at: Timestamp) -> bool {
    let called = running.callouts.iter().map(|callout| callout.at).max();
    asked_at >= running.started_at && called.is_none_or(|at| at < asked_at)
}

fn question(fold: &Fold, reference: &str) -> String {
    format!(
        "Major incident: whoever takes it says so at {}/ack/{reference} – on-call staff are called otherwise, also when the ticket is assigned.",
        fold.after.configuration.site.url.en
    )
}

/// Another ticket is the incident's now: a desk that has not answered finds the question there, too.
pub(crate) fn repeat(fold: &mut Fold, incident: &mut Incident) {
    let running = incident.escalation.as_ref().filter(|running| running.stopped.is_none());
    let unanswered = running.into_iter().flat_map(|running| &running.desks);
    let unanswered = unanswered.filter(|asked| asked.answer.is_none() && asked.at >= incident.opened_at);
    let questions: Vec<String> = unanswered.map(|asked| question(fold, &asked.reference)).collect();
    for question in questions {
        telling::work_note(fold, incident, question);
    }
}

/// Asks a desk in the ticket that it has confirmed: again by the same link.
pub(crate) fn ask(
    fold: &mut Fold,
    incident: &mut Incident,
    running: &mut Running,
    (desk, length): (&DeskId, usize),
) {
    let reference = fold.after.key.word(&format!("{}/desk/{desk}", incident.id), length);
    let text = question(fold, &reference);
    telling::work_note(fold, incident, text);
    match running.desks.iter_mut().find(|asked| asked.desk == *desk) {
        // What was said to the last question is no answer to this one.
        Some(asked) => (asked.answer, asked.at) = (None, fold.now),
        None => running.desks.push(DeskAsked { desk: desk.clone(), at: fold.now, reference, answer: None }),
    }
}

/// Somebody at a desk answers.
pub(crate) fn answered(
    fold: &mut Fold,
    reference: &str,
    answer: Answer,
    at: Timestamp,
) -> Result<String, String> {
    let Some((found, Asked::Desk(asked))) = fold.after.asked(reference) else {
        return Err("nobody was called by that reference".to_owned());
    };
    let (id, desk, before) = (found.id, asked.desk.clone(), asked.answer.map(|(_, said)| said));
    let asked_at = asked.at;
    let mut incident = fold.incident(id).ok_or("nobody was called by that reference")?;
    if let Some(running) = &mut incident.escalation
        && let Some(asked) = running.desks.iter_mut().find(|asked| asked.desk == desk)
    {
        asked.answer = Some((at, answer));
    }
    let now = fold.now;
    let who = answered::Who { name: fold.desk(&desk), person: None, callout: None };
    answered::take_answer(fold, incident, &who, (before, answer), at, |incident| {
        let running = incident.escalation.as_mut().filter(|running| is_waited_for(running, asked_at));
        let due = running.and_then(|running| running.next_at.as_mut());
        due.filter(|due| **due > now).map(|due| *due = now).is_some()
    })
}
