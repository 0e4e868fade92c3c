//! Those who are called when nobody else has answered, and what becomes of a major incident that they cannot take either.

use crate::{
    Answer, Callout, Configuration, Incident, IncidentStatus, PersonId, Running, Target, calling, desk_asked,
    fold::Fold,
};
use jiff::{SignedDuration, Timestamp};

/// They are called again so often until somebody answers.
pub(crate) const AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// What follows when somebody who was called says that they cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedOn {
    /// Others are called.
    Called,
    /// It works again: nobody is called, unless it fails again.
    IfItFails,
    /// There is nobody else: they are called again then.
    Again(Timestamp),
}

/// Calls all of them.
pub(crate) fn call(fold: &mut Fold, incident: &mut Incident, running: &mut Running) {
    let why = if running.escalation.repeat == 0 { "nobody is on call" } else { "nobody answered" };
    incident.note(fold.now, format!("{why}: the last resort is called, and again until somebody answers"));
    let mut called = false;
    for person in running.escalation.last_resort.clone() {
        called |= calling::call(fold, incident, running, &person, &[], 0);
    }
    // All of them have left since it started: whoever is written down now.
    let written = fold.configuration().escalations.get(&running.escalation.id).cloned();
    for person in written.into_iter().filter(|_| !called).flat_map(|written| written.last_resort) {
        calling::call(fold, incident, running, &person, &[], 0);
    }
    running.next_at = Some(fold.now + AGAIN);
}

/// Somebody of the last resort cannot. Once all who were called together have said so, the rounds begin again at once, if they
/// would call anybody else. `false`: they do not, or others may still take it.
pub(crate) fn cannot(
    incident: &mut Incident,
    callout: u32,
    (configuration, now): (&Configuration, Timestamp),
) -> bool {
    let all = incident.escalation.as_ref().filter(|running| running.next_at.is_some());
    all.is_some_and(|running| nobody_of_it_can(running, callout))
        && begins_anew(incident, (configuration, now))
}

/// Whoever has it cannot go on, and the calls had come to the last resort, which they belong to: the rounds begin again at once,
/// or else the last resort is called again when its time is over.
pub(crate) fn hands_over(
    incident: &mut Incident,
    person: Option<&PersonId>,
    (configuration, now): (&Configuration, Timestamp),
) {
    let is_of_it = incident.escalation.as_ref().is_some_and(|running| {
        running.round > running.escalation.repeat
            && person.is_some_and(|person| running.escalation.last_resort.contains(person))
    });
    if is_of_it
        && !begins_anew(incident, (configuration, now))
        && let Some(running) = &mut incident.escalation
    {
        running.next_at = Some(now + AGAIN);
    }
}

/// Begins the rounds again, if they call anybody but the last resort: once in so long as that is called again.
fn begins_anew(incident: &mut Incident, (configuration, now): (&Configuration, Timestamp)) -> bool {
    let desk = desk_asked::can_be_asked(incident);
    let Some(running) = &mut incident.escalation else { return false };
    let lately = running.anew_at.is_some_and(|at| now.duration_since(at).abs() < AGAIN);
    if lately || !others_are_called(running, configuration, (desk, now)) {
        return false;
    }
    (running.round, running.next_step) = (1, 0);
    (running.round_at, running.next_at, running.anew_at) = (now, Some(now), Some(now));
    true
}

/// The calls that were made together, that one the newest among them.
fn together(running: &Running, callout: u32) -> Option<Vec<&Callout>> {
    let newest = running.callouts.last().filter(|last| last.at >= running.started_at)?;
    let of_it = |other: &&Callout| other.step == 0 && other.at == newest.at;
    let all: Vec<&Callout> = running.callouts.iter().filter(of_it).collect();
    all.iter().any(|one| one.number == callout).then_some(all)
}

fn nobody_of_it_can(running: &Running, callout: u32) -> bool {
    let said_no = |one: &&Callout| matches!(one.answer, Some((_, Answer::CallNext)));
    together(running, callout).is_some_and(|all| all.iter().all(said_no))
}

/// Whether a round calls anybody but those of the last resort; a desk counts where it can be asked.
fn others_are_called(
    running: &Running,
    configuration: &Configuration,
    (desk, now): (bool, Timestamp),
) -> bool {
    let escalation = &running.escalation;
    let another = |person: &PersonId| {
        !escalation.last_resort.contains(person)
            && configuration.people.get(person).is_some_and(|known| !known.ways.is_empty())
    };
    let is_another = |target: &Target| match target {
        Target::Person(person) => another(person),
        Target::OnCall(rota) => {
            let on_call = configuration.rotas.get(rota).and_then(|rota| rota.on_call(now));
            on_call.is_some_and(|shift| another(&shift.person))
        }
        Target::Next(rota) => {
            configuration.rotas.get(rota).is_some_and(|rota| rota.following(now).iter().any(another))
        }
        Target::Desk(_) => desk,
        // Of an escalation that runs, each stands for its rota.
        Target::Team(_) | Target::Provider => false,
    };
    escalation.repeat > 0 && escalation.steps.iter().any(|step| is_another(&step.call))
}

impl Incident {
    /// What follows from the "no" of whoever was called by callout `number`, as things stand; `None`: of a desk, which others
    /// come after.
    pub fn passed_on(&self, number: Option<u32>) -> PassedOn {
        if self.status == IncidentStatus::Recovering && self.not_major().is_none() {
            return PassedOn::IfItFails;
        }
        let (Some(running), Some(number)) = (&self.escalation, number) else { return PassedOn::Called };
        let again = running
            .next_at
            .filter(|_| running.round > running.escalation.repeat && nobody_of_it_can(running, number));
        again.map_or(PassedOn::Called, PassedOn::Again)
    }
}
