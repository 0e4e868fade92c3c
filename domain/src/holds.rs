//! From when an incident's duties are due: what is waited for before anybody is told or called.

use crate::{
    Cause, Configuration, Environment, EnvironmentPolicy, Incident, Priority, Situation, Status,
    duty::signed, watch::FIRST_LOOK,
};
use jiff::Timestamp;
use std::time::Duration;

/// What is only to come keeps until somebody is there, by the hours that say who is called for a major incident here, or
/// in production. Where they never open it is told at once: a ticket wakes nobody.
fn in_office_hours(configuration: &Configuration, policy: &EnvironmentPolicy, at: Timestamp) -> Timestamp {
    let production = configuration.policy(Environment::Production).and_then(|policy| policy.major.as_ref());
    let hours = policy.major.as_ref().or(production).and_then(|major| configuration.hours.get(&major.hours));
    hours.and_then(|hours| hours.next_open(at)).unwrap_or(at)
}

/// Trouble that was held before it opened (unknown, refused, blind) is told at once. What burns, or others alert of, has been
/// measured over long.
pub(crate) fn told_hold(policy: &EnvironmentPolicy, incident: &Incident) -> Duration {
    match incident.worst {
        _ if matches!(incident.cause, Cause::Burn(_) | Cause::Alert(_)) => policy.hold.ticket,
        Status::Degraded => policy.hold.degraded,
        Status::PartialOutage | Status::MajorOutage => policy.hold.ticket,
        Status::Operational | Status::Maintenance | Status::Unknown => Duration::ZERO,
    }
}

/// When whoever is not called is told.
pub(crate) fn told_at(
    configuration: &Configuration,
    policy: &EnvironmentPolicy,
    incident: &Incident,
) -> Timestamp {
    let at = incident.opened_at + signed(told_hold(policy, incident));
    // What has time waits for office hours: a rota that nobody will be on in three days has not.
    let has_time = matches!(incident.cause, Cause::Ahead(_)) && !incident.priority.is_at_least(Priority::P2);
    if has_time { in_office_hours(configuration, policy, at) } else { at }
}

/// What became major by getting worse has its whole hold then: a restart of a slow API wakes nobody. What takes others over
/// has waited as long as the first of them.
pub(crate) fn major_since(incident: &Incident) -> Timestamp {
    if matches!(incident.cause, Cause::Storm(_) | Cause::Gateway(_)) {
        return incident.opened_at;
    }
    let by_rule = incident.major.as_ref().filter(|major| major.by.is_none());
    by_rule.map_or(incident.opened_at, |major| major.at.max(incident.opened_at))
}

pub(crate) fn callout_hold(policy: &EnvironmentPolicy, incident: &Incident) -> Duration {
    match incident.worst {
        _ if matches!(incident.cause, Cause::Burn(_) | Cause::Alert(_)) => policy.hold.callout,
        Status::Unknown => Duration::ZERO,
        Status::Degraded => policy.hold.degraded.max(policy.hold.callout),
        Status::Operational | Status::PartialOutage | Status::MajorOutage | Status::Maintenance => {
            policy.hold.callout
        }
    }
}

/// After a break nobody is told of what cannot be seen yet, before it had its first look: it may be over by now.
pub(crate) fn looked_at(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<Timestamp> {
    let unseen = situation.status(incident.affects.first()?) == Status::Unknown;
    let looked = situation.watch?.since? + FIRST_LOOK;
    (unseen && now < looked).then_some(looked)
}
