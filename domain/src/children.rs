//! Causes and their children: a parent takes the blame for what it explains, and for nothing else.

use crate::{
    ApiId, Cause, Environment, Incident, IncidentId, InstanceId, Often, Situation, Status, cause, duty,
    fold::Fold, muting::silenced_without, showing,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A child that failed so much earlier than its parent fails for a reason of its own.
pub(crate) const CHILD_MAY_LEAD: SignedDuration = SignedDuration::from_mins(2);

/// An incident resolved: dependants that still fail now answer for themselves.
pub(crate) fn released(fold: &mut Fold, held_back: &[InstanceId]) {
    for child in held_back {
        cause::instance(fold, child);
    }
}

/// Whether what is wrong with `parent` explains that a child has this status: what is only slow takes nothing down.
pub(crate) fn explains(situation: &Situation, parent: &Incident, child: Status) -> bool {
    if showing::is_shown(&parent.cause) {
        return !child.is_down() || parent.worst.is_down();
    }
    let Cause::Instance(instance) = &parent.cause else {
        return false;
    };
    !child.is_down()
        || match situation.status(instance) {
            Status::PartialOutage | Status::MajorOutage => true,
            Status::Degraded => false,
            Status::Operational | Status::Maintenance | Status::Unknown => parent.worst.is_down(),
        }
}

/// Since when a child's trouble can be that of `parent`: since it is as bad as it now is, or since it began.
pub(crate) fn blamed_since(situation: &Situation, parent: &Incident) -> Timestamp {
    let instance = parent.affects.first();
    let health = instance.and_then(|instance| situation.healths.get(instance));
    let down = health.filter(|health| health.status.is_down());
    let began = parent.failing_since();
    down.map_or(began, |health| health.since.max(began))
}

/// An instance is well: no incident lists it as held back any more.
pub(crate) fn let_go(fold: &mut Fold, instance: &InstanceId) {
    if let Some(incident) = holder(fold, instance).and_then(|id| fold.incident(id)) {
        let why = format!("{} works again", fold.name(instance));
        release(fold, incident, instance, why);
    }
}

pub(crate) fn release(fold: &mut Fold, mut holder: Incident, instance: &InstanceId, why: String) {
    holder.held_back.retain(|held| held != instance);
    let name = fold.name(instance);
    holder.note_often(fold.now, Often::Leaves, &name, why);
    fold.put_incident(holder);
}

pub(crate) fn holder(fold: &Fold, instance: &InstanceId) -> Option<IncidentId> {
    if let Some(holders) = &fold.holders {
        return holders.get(instance).copied();
    }
    let holder = fold.after.open_incidents().find(|incident| incident.held_back.contains(instance));
    holder.map(|incident| incident.id)
}

/// Which incident holds each back: for who asks of all, one after the other. It counts until that changes.
pub(crate) fn holders(situation: &Situation) -> BTreeMap<InstanceId, IncidentId> {
    let mut holders = BTreeMap::new();
    for incident in situation.open_incidents() {
        for held in &incident.held_back {
            holders.entry(held.clone()).or_insert(incident.id);
        }
    }
    holders
}

pub(crate) fn hold_back(fold: &mut Fold, mut parent: Incident, instance: &InstanceId) {
    parent.held_back.push(instance.clone());
    if !parent.affects.contains(instance) {
        parent.affects.push(instance.clone());
    }
    let name = fold.name(instance);
    let health = fold.after.healths.get(instance);
    let why = if matches!(parent.cause, Cause::Storm(_)) {
        "it is part of this"
    } else if health.is_some_and(|health| showing::shows(fold, &parent.cause, health)) {
        if matches!(parent.cause, Cause::Certificate(_)) {
            "it shows this certificate"
        } else {
            "it is behind this"
        }
    } else {
        "it depends on this"
    };
    let text = format!("{name} fails too: {why}; held back, no ticket of its own");
    parent.note_often(fold.now, Often::Joins, &name, text);
    fold.put_incident(parent);
}

/// A parent found later takes its children in: linked, their escalation stopped.
pub(crate) fn take_in_children(fold: &mut Fold, id: IncidentId, parent: &InstanceId) {
    let configuration = fold.configuration();
    let Some(taker) = fold.incident(id) else {
        return;
    };
    let since = blamed_since(&fold.after, &taker);
    let depends = |child: &InstanceId| {
        configuration.ancestors(&child.api).contains(&parent.api)
            && explains(&fold.after, &taker, fold.after.status(child))
            && !silenced_without(&fold.after, &taker, child, fold.now)
    };
    let all_depend =
        |incident: &Incident| !incident.held_back.is_empty() && incident.held_back.iter().all(depends);
    let children: Vec<(IncidentId, String)> = fold
        .after
        .open_incidents()
        .filter(|incident| incident.id != id && incident.environment == parent.environment)
        .filter(|incident| incident.failing_since() + CHILD_MAY_LEAD >= since)
        .filter_map(|incident| match &incident.cause {
            Cause::Instance(child) if depends(child) => Some((incident.id, fold.name(child))),
            Cause::Token(endpoint)
                if endpoint.issuer(&configuration).as_ref() == Some(&parent.api) || all_depend(incident) =>
            {
                Some((incident.id, "a token endpoint".to_owned()))
            }
            Cause::Gateway(gateway) if all_depend(incident) => {
                Some((incident.id, format!("all that is at {}", gateway.host)))
            }
            Cause::Instance(_)
            | Cause::Token(_)
            | Cause::Burn(_)
            | Cause::Certificate(_)
            | Cause::Gateway(_)
            | Cause::Refused(_)
            | Cause::Blind(_)
            | Cause::Rota(_)
            | Cause::Behind(_)
            | Cause::Storm(_)
            | Cause::Ahead(_)
            | Cause::Alert(_)
            | Cause::Test(_) => None,
        })
        .collect();
    for (child, name) in children {
        if let Some(incident) = fold.incident(child) {
            take_over(fold, id, incident, &format!("{name} depends on {}", fold.name(parent)));
        }
    }
}

/// An incident is part of the one with that `id`, which goes on: its instance and all that it held back are held back there.
pub(crate) fn take_over(fold: &mut Fold, id: IncidentId, incident: Incident, why: &str) {
    let own = if let Cause::Instance(own) = &incident.cause { Some(own) } else { None };
    let instances: Vec<InstanceId> = own.into_iter().chain(&incident.held_back).cloned().collect();
    duty::taken_in(fold, incident, id, why);
    for instance in instances {
        if let Some(taker) = fold.incident(id).filter(|taker| !taker.held_back.contains(&instance)) {
            hold_back(fold, taker, &instance);
        }
    }
}

pub(crate) fn probe_now(fold: &mut Fold, apis: BTreeSet<ApiId>, environment: Environment) {
    let configuration = fold.configuration();
    for api in apis {
        for track in configuration.tracks_of(&InstanceId { api, environment }) {
            fold.want(fold.now, track);
        }
    }
}
