//! Whom the calls are for, by name: for people who ask who is next.

use crate::{
    Acknowledgement, Configuration, Incident, IncidentStatus, PersonId, Running, Situation, Target,
    calling::{choose, next_of},
    duty::signed,
    holds::{callout_hold, major_since},
};
use jiff::Timestamp;

/// Whom a major incident calls first, and when, while nobody has been called: unless it is over or somebody takes it before.
pub fn first_call(configuration: &Configuration, incident: &Incident) -> Option<(Target, Timestamp)> {
    let policy = configuration.policy(incident.environment)?;
    let major = policy.major.as_ref().filter(|_| incident.major.is_some())?;
    if incident.escalation.is_some() || incident.status != IncidentStatus::Open {
        return None;
    }
    let starts = major_since(incident) + signed(callout_hold(policy, incident));
    let (name, _) = choose(configuration, major, starts);
    let step = configuration.escalations.get(&name)?.steps.first()?;
    Some((step.call.meant(configuration, incident.api.as_ref())?, starts + signed(step.after)))
}

/// Whom the escalation that would start at `at` calls first.
pub(crate) fn first_name(situation: &Situation, incident: &Incident, at: Timestamp) -> Option<String> {
    let policy = situation.configuration.policy(incident.environment)?.major.as_ref()?;
    let (name, _) = choose(&situation.configuration, policy, at);
    let step = situation.configuration.escalations.get(&name)?.steps.first()?;
    target_name(situation, &step.call.meant(&situation.configuration, incident.api.as_ref())?, None, at)
}

/// Whom a running escalation calls at `at`.
pub(crate) fn next_name(situation: &Situation, incident: &Incident, at: Timestamp) -> Option<String> {
    let running = incident.escalation.as_ref()?;
    if running.round > running.escalation.repeat {
        let names: Vec<String> = running
            .escalation
            .last_resort
            .iter()
            .filter_map(|person| person_name(situation, person))
            .collect();
        return Some(names.join(", "));
    }
    target_name(situation, &running.escalation.steps.get(running.next_step)?.call, Some(running), at)
}

/// Whether whoever has it can be called.
pub(crate) fn may_be_asked(situation: &Situation, taken: &Acknowledgement) -> bool {
    let person = taken.person.as_ref().and_then(|person| situation.configuration.people.get(person));
    person.is_some_and(|person| !person.ways.is_empty())
}

/// Whom is called at `at` because whoever has it cannot be asked.
pub(crate) fn instead(situation: &Situation, incident: &Incident, at: Timestamp) -> Option<String> {
    match &incident.escalation {
        Some(running) if running.started_at >= incident.opened_at => next_name(situation, incident, at),
        Some(_) | None => first_name(situation, incident, at),
    }
}

/// Who was called last.
pub(crate) fn last_name(situation: &Situation, incident: &Incident) -> Option<String> {
    person_name(situation, &incident.escalation.as_ref()?.callouts.last()?.person)
}

fn target_name(
    situation: &Situation,
    target: &Target,
    running: Option<&Running>,
    at: Timestamp,
) -> Option<String> {
    let configuration = &situation.configuration;
    match target {
        Target::Person(person) => person_name(situation, person),
        Target::OnCall(rota) => person_name(situation, &configuration.rotas.get(rota)?.on_call(at)?.person),
        Target::Next(rota) => {
            let next = match running {
                Some(running) => next_of(configuration, running, rota, at),
                None => configuration.rotas.get(rota)?.next(at),
            };
            person_name(situation, &next?)
        }
        Target::Desk(desk) => configuration.desks.get(desk).map(|desk| desk.name.en.clone()),
        Target::Team(_) | Target::Provider => None,
    }
}

fn person_name(situation: &Situation, person: &PersonId) -> Option<String> {
    situation.configuration.people.get(person).map(|person| person.name.clone())
}
