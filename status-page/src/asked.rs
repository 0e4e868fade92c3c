//! How an incident stands for somebody who is asked to take it, and what follows from their "no".

use crate::{WordsError, wording::Wording};
use domain::{Asked, Configuration, Incident, IncidentStatus, PassedOn, PersonId};

/// Who is asked, where it is somebody who can be called.
pub(crate) const fn person_of(asked: Asked<'_>) -> Option<&PersonId> {
    match asked {
        Asked::Person(callout) => Some(&callout.person),
        Asked::Desk(_) => None,
    }
}

/// What the rules call them when they have it.
pub(crate) fn name<'s>(configuration: &'s Configuration, asked: Asked<'s>) -> &'s str {
    match asked {
        Asked::Person(callout) => {
            let known = configuration.people.get(&callout.person);
            known.map_or(callout.person.as_str(), |person| person.name.as_str())
        }
        Asked::Desk(asked) => {
            configuration.desks.get(&asked.desk).map_or(asked.desk.as_str(), |desk| desk.name.en.as_str())
        }
    }
}

/// Why no answer is asked for any more: it is over, somebody has it, or it is no major incident.
pub(crate) fn standing(
    wording: &Wording<'_>,
    incident: &Incident,
    (person, name): (Option<&PersonId>, &str),
) -> Result<Option<String>, WordsError> {
    if incident.is_test() && !incident.is_open() {
        return wording.plain("ack-test-over").map(Some);
    }
    if !incident.is_open() {
        let when = wording.short(incident.resolved_at.unwrap_or(incident.started_at)).words;
        if let Some(by) = incident.part_of {
            let by = by.to_string().into();
            return wording.say("ack-part-of", &[("when", when.into()), ("incident", by)]).map(Some);
        }
        return wording.say("ack-over", &[("when", when.into())]).map(Some);
    }
    let Some(taken) = &incident.acknowledged else {
        let off = |said: &domain::Ruling| {
            let when = wording.short(said.at).words;
            wording.say("ack-not-major", &[("who", said.by.as_str().into()), ("when", when.into())])
        };
        return incident.not_major().map(off).transpose();
    };
    let when = wording.short(taken.at).words;
    if taken.is_of(person, name) {
        let Some(until) = taken.until.filter(|_| incident.status == IncidentStatus::Acknowledged) else {
            return wording.say("ack-yours", &[("when", when.into())]).map(Some);
        };
        let until = wording.short(until).words;
        wording.say("ack-yours-until", &[("when", when.into()), ("until", until.into())]).map(Some)
    } else {
        let who = taken.by.as_str();
        wording.say("ack-taken", &[("who", who.into()), ("when", when.into())]).map(Some)
    }
}

/// What follows from a "no".
pub(crate) fn passed_on(
    wording: &Wording<'_>,
    incident: &Incident,
    asked: Asked<'_>,
) -> Result<String, WordsError> {
    let callout = match asked {
        Asked::Person(callout) => Some(callout.number),
        Asked::Desk(_) => None,
    };
    match incident.passed_on(callout) {
        PassedOn::Called => wording.plain("ack-done-next"),
        PassedOn::IfItFails => wording.plain("ack-done-next-watched"),
        PassedOn::Again(at) => {
            wording.say("ack-done-next-nobody", &[("when", wording.short(at).words.into())])
        }
    }
}
