//! Whether the parts make sense together, each of them being right by itself.

use super::{
    api::ApiDraft,
    availability,
    problem::{Place, Problems, Rank},
    top::Top,
};
use domain::{ApiId, Environment, EscalationId, PersonId, RotaId, Step, Target, Way};
use std::collections::BTreeMap;

/// Says what does not fit together.
pub(super) fn check(top: &Top, apis: &BTreeMap<ApiId, ApiDraft>, problems: &mut Problems) {
    circles(apis, problems);
    carriers(top, problems);
    telling(top, apis, problems);
    let of_the_site = top.availability.iter().filter_map(|(_, supported)| supported.as_ref());
    let own = apis.values().filter_map(|draft| draft.supported.as_ref());
    availability::never(of_the_site.chain(own), &top.hours, problems);
    for (id, escalation) in &top.escalations {
        for (step, place) in &escalation.steps {
            reachable(top, step, place, problems);
            if step.call == Target::Provider {
                provided(top, (id, place), apis, problems);
            }
            if let Target::Desk(desk) = &step.call
                && top.desks.contains_key(desk)
            {
                for (environment, wanted) in desks_of(top, id) {
                    if wanted != Some(desk.as_str()) {
                        let message = format!(
                            "this desk has no ticket to be called through: {environment} uses this escalation, and \
                             its tickets go {}",
                            wanted.map_or_else(|| "nowhere".to_owned(), |desk| format!("to '{desk}'"))
                        );
                        problems.error(Rank::Sense, place, message, None);
                    }
                }
            }
        }
    }
}

/// APIs that depend on each other in a circle: each circle once, where its first API says so.
fn circles(apis: &BTreeMap<ApiId, ApiDraft>, problems: &mut Problems) {
    for (start, draft) in apis {
        // Only later names: a circle is found from its first.
        let mut paths = vec![vec![start]];
        let mut seen: Vec<&ApiId> = Vec::new();
        while let Some(path) = paths.pop() {
            let Some(last) = path.last().and_then(|last| apis.get(*last)) else { continue };
            if last.api.depends_on.contains(start) {
                let names: Vec<&str> = path.iter().chain([&start]).map(|id| id.as_str()).collect();
                let message = format!("these APIs depend on each other in a circle: {}", names.join(" → "));
                let place = draft.depends_place.as_ref().unwrap_or(&draft.place);
                problems.error(Rank::Sense, place, message, None);
                break;
            }
            for next in &last.api.depends_on {
                if next > start && !seen.contains(&next) {
                    seen.push(next);
                    paths.push(path.iter().copied().chain([next]).collect());
                }
            }
        }
    }
}

/// Addresses need somebody who carries messages to them.
fn carriers(top: &Top, problems: &mut Problems) {
    let mails = top.people.values().flat_map(|draft| &draft.ways);
    let by_notify = top.notify.as_ref().is_none_or(|notify| notify.email_template.is_some());
    let peoples_mail = top.has.mail || (top.has.text && by_notify);
    let mut wanting: Vec<(&Place, &str, &str)> = Vec::new();
    for (way, place) in mails {
        match way {
            Way::Text if !top.has.text => wanting.push((place, "texts", "notify")),
            Way::Email if !peoples_mail => wanting.push((place, "e-mails", "mail")),
            Way::Voice if !top.has.voice => wanting.push((place, "calls", "twilio")),
            // A program of theirs is told straight.
            Way::Text | Way::Email | Way::Voice | Way::Webhook => {}
        }
    }
    let teams = top.teams.values().filter(|_| !peoples_mail);
    let teams = teams.filter_map(|draft| draft.email_place.as_ref());
    // A desk's inbound mail knows what belongs together by headers that Notify does not let us set.
    let desks = top.desks.values().filter(|_| !top.has.mail);
    let desks = desks.filter_map(|draft| draft.email_place.as_ref());
    wanting.extend(teams.chain(desks).map(|place| (place, "e-mails", "mail")));
    for (place, what, section) in wanting {
        let hint = Some(format!("add the section '{section}' to curiad.yaml"));
        problems.error(Rank::Sense, place, format!("nothing carries {what}"), hint);
    }
}

/// An environment that tells the provider needs providers that can be told.
fn telling(top: &Top, apis: &BTreeMap<ApiId, ApiDraft>, problems: &mut Problems) {
    for (environment, draft) in &top.environments {
        let Some(place) = draft.tell_place.as_ref().filter(|_| draft.policy.tell_provider) else { continue };
        for api in apis.values().filter(|api| api.instances.contains_key(environment)) {
            let team = &api.api.team;
            if top.teams.get(team).is_some_and(|draft| draft.team.ways.is_empty()) {
                let message =
                    format!("'{team}', the provider of '{}', has nothing to be told by", api.api.id);
                let hint = Some("give the team 'email', 'chat', 'webhook' or 'pagerduty'".to_owned());
                problems.error(Rank::Sense, place, message, hint);
            }
        }
    }
}

/// A step that calls the provider team needs one with a rota for each API whose incidents it may be taken for.
fn provided(
    top: &Top,
    (escalation, place): (&EscalationId, &Place),
    apis: &BTreeMap<ApiId, ApiDraft>,
    problems: &mut Problems,
) {
    let uses = |environment: &Environment| {
        let major = top.environments.get(environment).and_then(|draft| draft.policy.major.as_ref());
        major.is_some_and(|major| major.in_hours == *escalation || major.out_of_hours == *escalation)
    };
    let without = apis.values().find(|draft| {
        let team = top.teams.get(&draft.api.team);
        draft.api.instances.keys().any(uses) && team.is_some_and(|draft| draft.team.rota.is_none())
    });
    if let Some(draft) = without {
        let (api, team) = (&draft.api.id, &draft.api.team);
        let message = format!("nobody is called by this step for '{api}': its team '{team}' has no rota");
        problems.error(Rank::Sense, place, message, Some("give the team its 'rota'".to_owned()));
    }
}

/// A step that can call nobody is never taken.
fn reachable(top: &Top, step: &Step, place: &Place, problems: &mut Problems) {
    let mut unreached = |person: &PersonId| {
        let Some(draft) = top.people.get(person) else { return };
        if !step.by.is_empty() && !step.by.iter().any(|way| draft.person.ways.contains(way)) {
            let ways: Vec<&str> = step.by.iter().map(|way| way.word()).collect();
            let message = format!("'{person}' cannot be reached by {}", ways.join(" or "));
            problems.error(Rank::Sense, place, message, None);
        }
    };
    match &step.call {
        Target::Person(person) => unreached(person),
        Target::OnCall(rota) | Target::Next(rota) => {
            people_of(top, rota).into_iter().for_each(&mut unreached);
        }
        Target::Team(team) => {
            let Some(draft) = top.teams.get(team) else { return };
            if let Some(rota) = &draft.team.rota {
                people_of(top, rota).into_iter().for_each(&mut unreached);
            } else {
                let message = format!("nobody is called by this step: the team '{team}' has no rota");
                problems.error(Rank::Sense, place, message, Some("give the team its 'rota'".to_owned()));
            }
        }
        Target::Provider | Target::Desk(_) => {}
    }
    if let Target::Next(rota) = &step.call
        && people_of(top, rota).len() == 1
    {
        let message =
            format!("this step is never reached: the rota '{rota}' has one person, so there is no next");
        problems.error(Rank::Sense, place, message, None);
    }
}

/// Everybody on a rota, once.
fn people_of<'t>(top: &'t Top, rota: &RotaId) -> Vec<&'t PersonId> {
    let Some(rota) = top.rotas.get(rota) else { return Vec::new() };
    let layers = rota.rota.layers.iter().flat_map(|layer| &layer.people);
    let mut people: Vec<&PersonId> =
        layers.chain(rota.rota.overrides.iter().map(|swap| &swap.person)).collect();
    people.sort();
    people.dedup();
    people
}

/// The environments that use an escalation, and where their tickets go.
fn desks_of<'t>(top: &'t Top, id: &EscalationId) -> Vec<(Environment, Option<&'t str>)> {
    let uses = |draft: &super::environments::EnvironmentDraft| {
        draft.policy.major.as_ref().is_some_and(|major| major.in_hours == *id || major.out_of_hours == *id)
    };
    top.environments
        .iter()
        .filter(|(_, draft)| uses(draft))
        .map(|(environment, draft)| {
            (*environment, draft.policy.service_desk.as_ref().map(domain::DeskId::as_str))
        })
        .collect()
}
