//! What is probably not meant, though it can be run.

use super::{
    api::{ApiDraft, InstanceDraft, is_unprotected},
    environments::EnvironmentDraft,
    operation::OperationDraft,
    problem::{Place, Problems},
    reading::duration_text,
    top::Top,
};
use domain::{ApiId, Environment, PersonId, Priority, Request, Rota, RotaId, Target, Way};
use std::collections::BTreeMap;

/// Says what is probably not meant. Of use only when there are no errors: they would be the cause.
pub(super) fn check(top: &Top, apis: &BTreeMap<ApiId, ApiDraft>, problems: &mut Problems) {
    for draft in apis.values() {
        if draft.api.agreed.objective.is_some() && !draft.instances.contains_key(&Environment::Production) {
            let message = "the objective of this API counts nowhere: it is not in production";
            problems.warning(&draft.place, message, None);
        }
        for (environment, instance) in &draft.instances {
            if asks_unnamed(draft, *environment, instance) {
                let message = format!(
                    "requests to this API are audited, and in {environment} ours say nothing of who asks"
                );
                problems.warning(&instance.place, message, Some("add 'audit'".to_owned()));
            }
            let earlier = draft.instances.range(..environment).find(|(_, other)| other.url == instance.url);
            if let Some((other, _)) = earlier {
                let message = format!("{environment} has the same URL as {other}");
                problems.warning(&instance.place, message, None);
            }
        }
    }
    for (environment, draft) in &top.environments {
        let instances: Vec<_> =
            apis.values().filter_map(|api| Some((api, api.instances.get(environment)?))).collect();
        if instances.is_empty() {
            problems.warning(&draft.place, format!("no API is in {environment}"), None);
        } else {
            nothing_is_major(top, *environment, draft, &instances, problems);
        }
        holds(draft, problems);
        if *environment == Environment::Production {
            production(draft, &instances, problems);
        }
    }
    same_telephone(top, problems);
    may_not_wake(top, problems);
    step_may_not_wake(top, problems);
    last_resort_alone(top, problems);
}

/// Whether records of patients are asked for where access to them is audited, without who is registered to do so.
fn asks_unnamed(draft: &ApiDraft, environment: Environment, instance: &InstanceDraft) -> bool {
    let audited = draft.api.sensitive && matches!(environment, Environment::Production | Environment::Uat);
    let chosen = |operation: &OperationDraft| {
        let id = &operation.operation.id;
        instance.operations.as_ref().is_none_or(|chosen| chosen.contains(id))
    };
    let over_http = |operation: &&OperationDraft| match &operation.operation.request {
        // `_ping` and `_status` are the gateway's, and about nobody.
        Request::Http(request) => !request.path.starts_with("/_"),
        Request::Journey(_) => true,
        Request::Tcp(_) | Request::Dns(_) | Request::Mllp(_) | Request::Heartbeat(_) => false,
    };
    let mut asking = draft.operations.iter().filter(|operation| chosen(operation)).filter(over_http);
    audited && draft.audit.is_empty() && asking.any(|operation| !operation.anonymous)
}

fn production(draft: &EnvironmentDraft, instances: &[(&ApiDraft, &InstanceDraft)], problems: &mut Problems) {
    if draft.policy.service_desk.is_none() {
        let message = "incidents in production open no ticket";
        problems.warning(&draft.place, message, Some("add 'service_desk'".to_owned()));
    }
    if draft.policy.major.is_none() {
        let message = "major incidents in production call nobody";
        problems.warning(&draft.place, message, Some("add 'major'".to_owned()));
    }
    for (api, instance) in instances.iter().filter(|(_, instance)| is_unprotected(instance)) {
        let message = format!("probes of '{}' in production cross the network as plain http", api.api.id);
        problems.warning(&instance.place, message, None);
    }
}

/// A policy for major incidents where no incident can be as grave as that.
fn nothing_is_major(
    top: &Top,
    environment: Environment,
    draft: &EnvironmentDraft,
    instances: &[(&ApiDraft, &InstanceDraft)],
    problems: &mut Problems,
) {
    let Some((major, place)) = draft.policy.major.as_ref().zip(draft.major_place.as_ref()) else { return };
    let gravest = instances
        .iter()
        .map(|(api, _)| {
            let api = &api.api;
            let many = instances.len();
            top.priorities.gravest(environment, api.service_level, api.consumers, many).priority
        })
        .min();
    if let Some(gravest) = gravest.filter(|gravest| !gravest.is_at_least(major.when)) {
        let number = Priority::number;
        let message = format!(
            "nobody is ever called: the gravest incident there can be in {environment} has priority {}, not {}",
            number(gravest),
            number(major.when)
        );
        problems.warning(
            place,
            message,
            Some("see 'service_level' of its APIs, and 'priorities'".to_owned()),
        );
    }
}

/// Holds in another order than things are meant to happen.
fn holds(draft: &EnvironmentDraft, problems: &mut Problems) {
    let Some(place) = &draft.hold_place else { return };
    let hold = &draft.policy.hold;
    if draft.policy.service_desk.is_some() && draft.policy.major.is_some() && hold.callout < hold.ticket {
        let (callout, ticket) = (duration_text(hold.callout), duration_text(hold.ticket));
        let message = format!("people are called after {callout}, before there is a ticket ({ticket})");
        problems.warning(place, message, None);
    }
    if hold.degraded < hold.ticket {
        let (degraded, ticket) = (duration_text(hold.degraded), duration_text(hold.ticket));
        let message = format!("what is only slow has a ticket after {degraded}, what is down after {ticket}");
        problems.warning(place, message, None);
    }
}

/// Two people at one telephone: calling the next calls the same one again.
fn same_telephone(top: &Top, problems: &mut Problems) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (id, draft) in &top.people {
        let Some(number) = draft.contact.text.as_ref().map(domain::Secret::reveal).filter(|n| !n.is_empty())
        else {
            continue;
        };
        let place: Option<&Place> = draft.ways.first().map(|(_, place)| place);
        match (seen.iter().find(|(known, _)| *known == number), place) {
            (Some((_, other)), Some(place)) => {
                problems.warning(place, format!("'{id}' has the same telephone as '{other}'"), None);
            }
            _ => seen.push((number, id.as_str())),
        }
    }
}

/// Somebody who is called and has one way alone, and none that rings.
fn may_not_wake(top: &Top, problems: &mut Problems) {
    for (id, draft) in &top.people {
        let ([(way, place)], Some(called)) = (draft.ways.as_slice(), called_by(top, id)) else { continue };
        let (alone, other) = match way {
            Way::Text => ("a text", "email"),
            Way::Email => ("an e-mail", "text"),
            // It rings; what a program of theirs does is for them to say.
            Way::Voice | Way::Webhook => continue,
        };
        let message = format!("{alone} alone may not wake '{id}', who is {called}");
        let hint =
            format!("add '{other}' or 'voice'; `curiad callout test {id}` shows whether they are reached");
        problems.warning(place, message, Some(hint));
    }
}

/// A step that is left one way alone, and none that rings, where no other calls the same people by another.
fn step_may_not_wake(top: &Top, problems: &mut Problems) {
    for draft in top.escalations.values() {
        for (at, (step, place)) in draft.steps.iter().enumerate() {
            let (alone, other) = match step.by.as_slice() {
                [Way::Text] => ("a text", "email"),
                [Way::Email] => ("an e-mail", "text"),
                _ => continue,
            };
            let mut same = draft.steps.iter().enumerate().filter(|(_, (one, _))| one.call == step.call);
            if same.any(|(place, (one, _))| one.by != step.by || place < at) {
                continue;
            }
            let message = format!("{alone} alone may not wake whom this step calls");
            let hint = format!(
                "add '{other}' or 'voice' to its 'by', or leave 'by' out: then all their ways are used"
            );
            problems.warning(place, message, Some(hint));
        }
    }
}

/// Why somebody is called.
fn called_by(top: &Top, person: &PersonId) -> Option<String> {
    if let Some(rota) = rota_of(top, person) {
        return Some(format!("on the rota '{rota}'"));
    }
    top.escalations.iter().find_map(|(id, draft)| {
        let step = draft.steps.iter().any(|(step, _)| step.call == Target::Person(person.clone()));
        let last = draft.last_resort.contains(person);
        let what = if step { "in a step" } else { "the last resort" };
        (step || last).then(|| format!("{what} of the escalation '{id}'"))
    })
}

/// A rota on which somebody takes turns or stands in.
fn rota_of<'t>(top: &'t Top, person: &PersonId) -> Option<&'t RotaId> {
    let serves = |rota: &Rota| {
        let mut turns = rota.layers.iter().flat_map(|layer| &layer.people);
        turns.any(|one| one == person) || rota.overrides.iter().any(|swap| swap.person == *person)
    };
    top.rotas.iter().find(|(_, draft)| serves(&draft.rota)).map(|(id, _)| id)
}

/// An escalation that calls the desk alone has no person before its last resort.
fn last_resort_alone(top: &Top, problems: &mut Problems) {
    for draft in top.escalations.values() {
        if draft.steps.iter().all(|(step, _)| matches!(step.call, Target::Desk(_))) {
            let message = "no step calls a person: that is left to the last resort";
            problems.warning(&draft.place, message, None);
        }
    }
}
