//! A storm: so much fails at once that it is one trouble, with one ticket and one call, and a list.
//!
//! What fails is held back by it as dependants are by their parent. It is well when at most a quarter as much still fails
//! as it takes to begin one; what still fails when it is over answers for itself.

use crate::{
    Cause, Environment, Health, Incident, IncidentId, IncidentStatus, InstanceId, Priority, Status, Text,
    Ticket,
    cause::{open, worse},
    children::take_over,
    duty, flapping,
    fold::Fold,
    muting::muted_until,
};
use jiff::Timestamp;

/// Begins, keeps or ends the storm of an environment.
pub(crate) fn storm(fold: &mut Fold, environment: Environment) {
    let cause = Cause::Storm(environment);
    let known = fold.after.open_incident(&cause).cloned();
    let part = known.as_ref().is_none_or(|storm| has_passed(fold, storm)).then(|| part(fold, environment));
    match (known.and_then(|storm| fold.incident(storm.id)), part.flatten()) {
        (None, Some(part)) => begins(fold, cause, part),
        (Some(mut storm), Some(part)) => {
            // Whoever had it then has not answered for this.
            let calls =
                fold.after.configuration.policy(environment).is_some_and(|policy| policy.major.is_some());
            let calls = calls && storm.major.is_some();
            if let Some(taken) = storm.acknowledged.take_if(|_| calls) {
                let text = format!("{} had it before it was well: it has to be answered anew", taken.by);
                storm.note(fold.now, text);
            }
            duty::returned(fold, &mut storm, Status::MajorOutage);
            let id = storm.id;
            fold.put_incident(storm);
            take_in(fold, id, part);
        }
        (Some(storm), None) => goes_on(fold, storm),
        (None, None) => {}
    }
}

/// The open storm that an instance is part of when it fails now.
pub(crate) fn of(fold: &Fold, instance: &InstanceId) -> Option<Incident> {
    let storm = fold.after.open_incident(&Cause::Storm(instance.environment))?;
    (!has_passed(fold, storm)).then(|| (**storm).clone())
}

/// It comes and goes, and has been well for so long that what fails now answers for itself; many at once are the same storm again.
fn has_passed(fold: &Fold, storm: &Incident) -> bool {
    let policy = fold.after.configuration.policy(storm.environment);
    let passed = policy.and_then(|policy| flapping::lets_go_at(policy, storm));
    passed.is_some_and(|at| at <= fold.now)
}

/// What failed within minutes, if that is so much that it is a storm.
fn part(fold: &Fold, environment: Environment) -> Option<Vec<Incident>> {
    let configuration = fold.configuration();
    let policy = configuration.policy(environment)?;
    let within = duty::signed(policy.storm.within);
    let mutes = |incident: &Incident, at| muted_until(&fold.after, policy, incident, at).is_some();
    let part: Vec<Incident> = fold
        .after
        .open_incidents()
        .filter(|incident| incident.environment == environment && incident.priority.is_at_least(Priority::P2))
        .filter(|incident| {
            matches!(
                incident.cause,
                Cause::Instance(_) | Cause::Token(_) | Cause::Certificate(_) | Cause::Gateway(_)
            )
        })
        .filter(|incident| incident.status != IncidentStatus::Recovering)
        // Of what is muted nobody is to hear, however much of it there is; what comes free at once comes at once.
        .filter(|incident| {
            let new = fold.now.duration_since(incident.opened_at) <= within;
            (new || (is_unheard(incident, fold.now - within) && mutes(incident, fold.now - within)))
                && !mutes(incident, fold.now)
        })
        .map(|incident| (**incident).clone())
        .collect();
    let many = u32::try_from(part.len()).unwrap_or(u32::MAX) > policy.storm.more_than;
    many.then_some(part)
}

/// Nobody was told of it before `then`, since it failed this time, and nobody took it.
fn is_unheard(incident: &Incident, then: Timestamp) -> bool {
    let ticket = match &incident.ticket {
        Ticket::None => None,
        Ticket::Asked { at, .. } | Ticket::Raised { at, .. } => Some(*at),
    };
    let called = incident.escalation.as_ref().map(|running| running.started_at);
    let taken = incident.acknowledged.as_ref().map(|taken| taken.at);
    let heard = [ticket, called, taken, incident.told_at];
    heard.into_iter().flatten().all(|at| at < incident.opened_at || then <= at)
}

fn begins(fold: &mut Fold, cause: Cause, part: Vec<Incident>) {
    let Some(first) = part.iter().min_by_key(|incident| incident.failing_since()) else { return };
    let Some(instance) = first.affects.first().cloned() else { return };
    let worst =
        part.iter().map(|incident| incident.worst).fold(first.worst, |a, b| if worse(b, a) { b } else { a });
    let since = first.failing_since();
    let opened_at = part.iter().map(|incident| incident.opened_at).min();
    let health = Health { instance, status: worst, since, layer: first.layer, maintenance: false };
    let id = open(fold, cause, &health, words());
    let Some(mut storm) = fold.incident(id) else { return };
    storm.api = None;
    // Its holds count from when the first of it was confirmed: they have waited already.
    storm.opened_at = opened_at.unwrap_or(fold.now);
    storm.affects.clear();
    fold.put_incident(storm);
    take_in(fold, id, part);
}

fn take_in(fold: &mut Fold, id: IncidentId, part: Vec<Incident>) {
    for incident in part {
        take_over(fold, id, incident, "much else failed at the same time");
    }
}

fn goes_on(fold: &mut Fold, mut storm: Incident) {
    let limit = fold.after.configuration.policy(storm.environment).map_or(0, |policy| policy.storm.more_than);
    let failing = u32::try_from(storm.held_back.len()).unwrap_or(u32::MAX);
    let now = fold.now;
    match (failing <= limit / 4, storm.status == IncidentStatus::Recovering) {
        (true, false) => duty::recovering(fold, &mut storm, now),
        (false, true) => duty::returned(fold, &mut storm, Status::MajorOutage),
        (true, true) | (false, false) => {}
    }
    fold.put_incident(storm);
}

/// Without a number: more join.
fn words() -> Text {
    Text::new(
        "Many APIs failed within minutes of each other. It is most likely one trouble that they share: the network, \
         the gateway or the data centre.",
        "Methodd llawer o APIs o fewn munudau i’w gilydd. Un broblem y maent yn ei rhannu yw’r achos, yn fwy na thebyg: \
         y rhwydwaith, porth yr API neu’r ganolfan ddata.",
    )
}
