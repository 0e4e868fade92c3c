//! Who has a major incident, and for how long: an answer is no promise for the night. It has an end, which any sign of life
//! puts off; and it can be handed over.

use crate::{
    Acknowledgement, Incident, IncidentStatus, Language, PersonId, calling, duration_words, duty, fold::Fold,
    last_resort, telling,
};
use jiff::{SignedDuration, Timestamp};

/// Whoever had it is asked again, and has so long until the next is called.
const ASKED_FOR: SignedDuration = SignedDuration::from_mins(5);

impl Incident {
    /// Somebody has it, and it is not to be seen to any more by itself.
    fn is_held(&self) -> bool {
        self.acknowledged.is_some() && self.status == IncidentStatus::Acknowledged
    }
}

/// A human has it from now on: until when, if nothing more is heard of them. Where nobody is called out there is no end.
pub(crate) fn lasts(fold: &Fold, incident: &Incident) -> Option<Timestamp> {
    let configuration = fold.configuration();
    let major = configuration.policy(incident.environment)?.major.as_ref()?;
    incident.major.as_ref().map(|_| fold.now + duty::signed(major.answer_lasts))
}

/// Somebody does something about it: whoever has it is taken to be awake.
pub(crate) fn sign_of_life(fold: &Fold, incident: &mut Incident) {
    let until = lasts(fold, incident);
    if let Some(taken) = &mut incident.acknowledged {
        taken.until = taken.until.max(until);
    }
}

/// Nothing was heard of whoever has it: they are asked again, and the next is called if they do not answer.
pub(crate) fn ends(fold: &mut Fold, incident: &mut Incident) {
    let Some(taken) = take_back(incident) else { return };
    let silent = duration_words(fold.now.duration_since(taken.at), Language::En);
    let says = |fold: &mut Fold, incident: &mut Incident, then: &str| {
        let text = format!("{} took it {silent} ago, and nothing was heard since: {then}", taken.by);
        incident.note(fold.now, text.clone());
        telling::work_note(fold, incident, format!("{text}."));
    };
    // Calls of another time stay over: it is called for anew, as of now.
    let Some(mut running) = incident.escalation.take_if(|running| running.started_at >= incident.opened_at)
    else {
        return says(fold, incident, "whoever is on call is called");
    };
    let (next_step, step) = (
        running.next_step,
        running.callouts.iter().rev().find(|one| Some(&one.person) == taken.person.as_ref()),
    );
    let step = step.map_or_else(|| u32::try_from(next_step).unwrap_or(u32::MAX), |callout| callout.step);
    let asked = taken
        .person
        .as_ref()
        .is_some_and(|person| calling::call(fold, incident, &mut running, person, &[], step));
    says(fold, incident, if asked { "asked again, then the next is called" } else { "the next is called" });
    running.stopped = None;
    running.next_at = Some(if asked { fold.now + ASKED_FOR } else { fold.now });
    incident.escalation = Some(running);
}

/// Whoever has it cannot go on: the next person is called now, at the step where the calls had stopped. `false`: there is
/// nothing to hand over.
pub(crate) fn hand_over(fold: &mut Fold, incident: &mut Incident) -> bool {
    if !incident.is_held() {
        return false;
    }
    let Some(taken) = take_back(incident) else { return false };
    go_on(fold, incident, taken.person.as_ref());
    let later = incident.escalation.as_ref().and_then(|running| running.next_at).filter(|at| *at > fold.now);
    let then = match later {
        Some(at) => format!("there is nobody else, and the last resort is called again at {}", fold.time(at)),
        None => "the next is called".to_owned(),
    };
    let text = format!("{} hands it over: {then}", taken.by);
    incident.note(fold.now, text.clone());
    telling::work_note(fold, incident, format!("{text}."));
    true
}

/// The calls go on at the step where they had stopped.
fn go_on(fold: &Fold, incident: &mut Incident, handed_over_by: Option<&PersonId>) {
    if let Some(running) = &mut incident.escalation
        && running.started_at >= incident.opened_at
    {
        running.stopped = None;
        running.next_at = Some(fold.now);
        last_resort::hands_over(incident, handed_over_by, (&fold.configuration(), fold.now));
    }
}

/// It works again, and whoever has it cannot go on: nobody is called now, and if it fails again the next person is, at once.
/// `false`: nobody has it.
pub(crate) fn let_go(fold: &mut Fold, incident: &mut Incident) -> bool {
    let Some(taken) = take_back(incident) else { return false };
    let text = format!("{} hands it over: if it fails again, the next is called", taken.by);
    incident.note(fold.now, text.clone());
    telling::work_note(fold, incident, format!("{text}."));
    go_on(fold, incident, taken.person.as_ref());
    true
}

fn take_back(incident: &mut Incident) -> Option<Acknowledgement> {
    let taken = incident.acknowledged.take()?;
    if incident.status == IncidentStatus::Acknowledged {
        incident.status = IncidentStatus::Open;
    }
    Some(taken)
}
