//! Somebody who was called, or a desk that was asked, answers: whose it is now, and what follows from a "no".

use crate::{
    Answer, ContactProof, Incident, IncidentStatus, Often, PassedOn, PersonId, Way, calling, desk_asked,
    duty, fold::Fold, holding, last_resort, telling, test_call,
};
use jiff::Timestamp;

/// Somebody who was called answers by the link, a digit or a text.
pub(crate) fn answered(
    fold: &mut Fold,
    reference: &str,
    (answer, by): (Answer, Option<Way>),
    at: Timestamp,
) -> Result<String, String> {
    let found = fold.after.callout(reference).map(|(incident, newest)| {
        // Said twice at once, the second is not said of the call that follows from the first. When a text was sent is said by
        // another clock, and one that is told twice is known by its id.
        let callouts = incident.escalation.iter().flat_map(|running| running.callouts.iter().rev());
        let mut theirs = callouts.filter(|callout| callout.reference == reference);
        (
            incident.id,
            theirs.find(|callout| callout.at < at || by == Some(Way::Text)).unwrap_or(newest).clone(),
        )
    });
    let Some((id, called)) = found else { return desk_asked::answered(fold, reference, answer, at) };
    let mut incident = fold.incident(id).ok_or("nobody was called by that reference")?;
    // The link of a text says nothing of itself: every character counts there.
    let way = by.filter(|way| called.ways.contains(way)).or_else(|| {
        let mut could = called.ways.iter().copied().filter(|way| !called.given_up.contains(way));
        could.clone().find(|way| *way == Way::Text).or_else(|| could.next())
    });
    if let Some(way) = way {
        fold.put_proof(ContactProof { person: called.person.clone(), way, at });
    }
    if incident.is_test() {
        return Ok(test_call::answered(fold, incident, called.number, at, answer));
    }
    let said_before = called.answer.map(|(_, said)| said);
    if let Some(callout) = incident.callout_mut(called.number) {
        callout.answer = Some((at, answer));
    }
    let (configuration, now) = (fold.configuration(), fold.now);
    let who =
        Who { name: fold.person(&called.person), person: Some(&called.person), callout: Some(called.number) };
    take_answer(fold, incident, &who, (said_before, answer), at, |incident| {
        calling::pass_on(incident, called.number, now)
            || last_resort::cannot(incident, called.number, (&configuration, now))
    })
}

/// Who answers.
pub(crate) struct Who<'w> {
    pub(crate) name: String,
    /// The same, where it is somebody who can be called.
    pub(crate) person: Option<&'w PersonId>,
    /// By which callout; `None`: a desk is asked in its ticket.
    pub(crate) callout: Option<u32>,
}

/// What follows from an answer; `pass_on` has the next person called now, or says that others have been.
pub(crate) fn take_answer(
    fold: &mut Fold,
    mut incident: Incident,
    who: &Who<'_>,
    (said_before, answer): (Option<Answer>, Answer),
    at: Timestamp,
    pass_on: impl FnOnce(&mut Incident) -> bool,
) -> Result<String, String> {
    let (id, name) = (incident.id, &who.name);
    let late = match (&incident.acknowledged, incident.status) {
        (_, IncidentStatus::Resolved) => Some(match incident.part_of {
            Some(by) => format!("{id} is part of {by}: that one is to be answered"),
            None => format!("{id} is over"),
        }),
        (Some(taken), _) if !taken.is_of(who.person, name) => {
            Some(format!("{} has had it since {}", taken.by, fold.time(taken.at)))
        }
        (_, IncidentStatus::Open | IncidentStatus::Acknowledged | IncidentStatus::Recovering) => None,
    };
    if let Some(late) = late {
        incident.note_often(at, Often::Late, name, format!("{name} answered late"));
        fold.put_incident(incident);
        return Err(late);
    }
    let said = match answer {
        Answer::Mine => {
            if incident.acknowledged.is_none() {
                duty::acknowledge(fold, &mut incident, name, who.person);
            } else {
                holding::sign_of_life(fold, &mut incident);
            }
            format!("{name} has {id}")
        }
        Answer::NotReal => {
            if said_before != Some(Answer::NotReal) || incident.acknowledged.is_none() {
                incident.note(at, format!("{name} says it is not real"));
                telling::work_note(fold, &mut incident, format!("{name} says that this is not real."));
            }
            if incident.acknowledged.is_none() {
                duty::acknowledge(fold, &mut incident, name, who.person);
            }
            format!("{name} says {id} is not real; nobody else is called")
        }
        Answer::CallNext
            if incident.status == IncidentStatus::Recovering && incident.not_major().is_none() =>
        {
            if !holding::let_go(fold, &mut incident) && said_before != Some(Answer::CallNext) {
                incident.note(at, format!("{name} cannot take it if it fails again"));
                pass_on(&mut incident);
            }
            format!("{id} works again, and is watched: nobody is called unless it fails again")
        }
        Answer::CallNext if let Some(said) = incident.not_major() => {
            return Err(format!("{id} is no major incident, says {}: nobody is called", said.by));
        }
        Answer::CallNext if holding::hand_over(fold, &mut incident) => {
            nobody_else(fold, &incident, who.callout)
                .unwrap_or_else(|| "the next person is called now".to_owned())
        }
        // A button pressed twice.
        Answer::CallNext if said_before == Some(Answer::CallNext) => {
            "others have been called already".to_owned()
        }
        Answer::CallNext => {
            incident.note(at, format!("{name} cannot take it"));
            if pass_on(&mut incident) {
                "the next person is called now".to_owned()
            } else {
                nobody_else(fold, &incident, who.callout)
                    .unwrap_or_else(|| "others have been called already".to_owned())
            }
        }
    };
    fold.put_incident(incident);
    Ok(said)
}

/// What whoever said "no" hears where there is nobody else to call.
fn nobody_else(fold: &Fold, incident: &Incident, callout: Option<u32>) -> Option<String> {
    match incident.passed_on(callout) {
        PassedOn::Again(at) => {
            Some(format!("there is nobody else to call: you are called again at {}", fold.time(at)))
        }
        PassedOn::Called | PassedOn::IfItFails => None,
    }
}
