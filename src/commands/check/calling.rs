//! Who is called for what, and who is on call.

use super::change::{About, Change, instead};
use crate::config::duration_text;
use domain::{
    Api, ApiId, Configuration, Declare, Environment, Escalation, EscalationId, PersonId, Rota, RotaId, Shift,
    Target, Way,
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How far ahead the rotas are compared.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 28);

pub(super) fn compare(old: &Configuration, new: &Configuration, now: Timestamp, all: &mut Vec<Change>) {
    let mut silent: BTreeMap<Environment, Vec<&ApiId>> = BTreeMap::new();
    let mut woken: BTreeMap<Environment, Vec<&ApiId>> = BTreeMap::new();
    for api in new.apis.values() {
        for environment in api.instances.keys() {
            let was = old.apis.get(&api.id).is_some_and(|api| calls(old, api, *environment));
            let existed = old.apis.get(&api.id).is_some_and(|api| api.instances.contains_key(environment));
            match (was, calls(new, api, *environment)) {
                (true, false) => silent.entry(*environment).or_default().push(&api.id),
                (false, true) if existed => woken.entry(*environment).or_default().push(&api.id),
                (false | true, true) | (false, false) => {}
            }
        }
    }
    for (environment, apis) in silent {
        let message = format!("callouts for {} in {environment} now reach nobody", listed(&apis));
        let people = names(old, &reached(old, environment));
        let message = format!("{message}; before, they reached {people}");
        all.push(about(Change::warning(About::Callouts, message), &apis).within(environment));
    }
    for (environment, apis) in woken {
        let people = names(new, &reached(new, environment));
        let message = format!("major incidents of {} in {environment} now call {people}", listed(&apis));
        all.push(about(Change::warning(About::Callouts, message), &apis).within(environment));
    }
    for environment in Environment::ALL {
        policies(old, new, environment, all);
    }
    for id in used(new).union(&used(old)) {
        if let (Some(was), Some(is)) = (old.escalations.get(id), new.escalations.get(id))
            && was != is
        {
            let message = format!("'{id}' calls {}", instead(steps(is), steps(was)));
            all.push(Change::warning(About::Callouts, message));
        }
    }
    people(old, new, all);
    for (id, is) in &new.rotas {
        match old.rotas.get(id) {
            Some(was) => rota(id, (old, was), (new, is), now, all),
            None => all.push(Change::note(About::OnCall, format!("there is a rota '{id}'"))),
        }
    }
    for id in old.rotas.keys().filter(|id| !new.rotas.contains_key(*id)) {
        all.push(Change::warning(About::OnCall, format!("there is no rota '{id}' any more")));
    }
    for (id, is) in &new.hours {
        if old.hours.get(id).is_some_and(|was| was != is) {
            let message = format!("the hours '{id}' are others: who is called when may change");
            all.push(Change::warning(About::Timing, message));
        }
    }
    proofs(old, new, all);
    if old.priorities != new.priorities {
        let message = "impact and urgency give other priorities: what is major may change";
        all.push(Change::warning(About::Timing, message));
    }
    let used = |api: &Api, by: &Configuration| {
        by.priorities.many_consumers.is_some_and(|many| api.consumers >= many)
    };
    for api in new.apis.values() {
        let Some(was) = old.apis.get(&api.id) else { continue };
        if old.priorities == new.priorities && used(was, old) != used(api, new) {
            let message = format!("{} has {} consumers", api.id, instead(api.consumers, was.consumers));
            let message = format!("{message}: its incidents have other priorities");
            all.push(Change::warning(About::Timing, message).of(&api.id));
        }
    }
    for api in new.apis.values() {
        let Some(was) = old.apis.get(&api.id).filter(|was| was.service_level != api.service_level) else {
            continue;
        };
        let message = format!("{} is {}", api.id, instead(api.service_level, was.service_level));
        all.push(
            Change::warning(About::Timing, format!("{message}: its incidents have other priorities"))
                .of(&api.id),
        );
    }
}

/// Whether calls would reach whom they are for.
fn proofs(old: &Configuration, new: &Configuration, all: &mut Vec<Change>) {
    let days = |believed: Duration| format!("{}d", believed.as_secs() / 86_400);
    let unproven = "who is on a rota and has not answered a call is named";
    match (old.contact_proof, new.contact_proof) {
        (Some(was), Some(is)) if was != is => {
            let message = format!("{unproven} after {}", instead(days(is), days(was)));
            all.push(Change::note(About::OnCall, message));
        }
        (None, Some(is)) => all.push(Change::note(About::OnCall, format!("{unproven} after {}", days(is)))),
        (Some(_), None) => {
            all.push(Change::warning(About::OnCall, format!("{unproven} no more")));
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    for (id, is) in &new.rotas {
        let Some(was) = old.rotas.get(id).filter(|was| was.remind != is.remind) else { continue };
        let message = match (was.remind, is.remind) {
            (_, Some(time)) => Change::note(
                About::OnCall,
                format!("rota '{id}': whose shift begins is told before, at {}", time.strftime("%H:%M")),
            ),
            (_, None) => Change::warning(
                About::OnCall,
                format!("rota '{id}': whose shift begins is not told before any more"),
            ),
        };
        all.push(message);
    }
    if old.daily_test != new.daily_test {
        all.push(match &new.daily_test {
            Some(daily) => Change::note(
                About::OnCall,
                format!("the daily test calls {} at {}", name(new, &daily.call), daily.at.strftime("%H:%M")),
            ),
            None => Change::warning(
                About::OnCall,
                "nobody is called by a daily test any more: that calls do not leave shows when one must",
            ),
        });
    }
}

fn about(change: Change, apis: &[&ApiId]) -> Change {
    match apis {
        [only] => change.of(only),
        _ => change,
    }
}

/// Whether the gravest incident of an API in an environment calls anybody.
fn calls(configuration: &Configuration, api: &Api, environment: Environment) -> bool {
    let Some(major) = configuration.policy(environment).and_then(|policy| policy.major.as_ref()) else {
        return false;
    };
    let together = configuration.instances().filter(|id| id.environment == environment).count();
    let gravest = configuration.priorities.gravest(environment, api.service_level, api.consumers, together);
    api.instances.contains_key(&environment) && gravest.priority.is_at_least(major.when)
}

/// Everybody whom an environment's escalations may call.
fn reached(configuration: &Configuration, environment: Environment) -> BTreeSet<PersonId> {
    let major = configuration.policy(environment).and_then(|policy| policy.major.as_ref());
    let ids = major.into_iter().flat_map(|major| [&major.in_hours, &major.out_of_hours]);
    let mut people = BTreeSet::new();
    for escalation in ids.filter_map(|id| configuration.escalations.get(id)) {
        people.extend(escalation.last_resort.iter().cloned());
        for step in &escalation.steps {
            for meant in step.call.all_meant(configuration, environment) {
                match meant {
                    Target::Person(person) => people.extend([person]),
                    Target::OnCall(rota) | Target::Next(rota) => {
                        people.extend(configuration.rotas.get(&rota).into_iter().flat_map(on).cloned());
                    }
                    Target::Desk(_) | Target::Team(_) | Target::Provider => {}
                }
            }
        }
    }
    people
}

/// Everybody on a rota.
fn on(rota: &Rota) -> BTreeSet<&PersonId> {
    let layers = rota.layers.iter().flat_map(|layer| &layer.people);
    layers.chain(rota.overrides.iter().map(|swap| &swap.person)).collect()
}

fn used(configuration: &Configuration) -> BTreeSet<EscalationId> {
    let majors = configuration.environments.values().filter_map(|policy| policy.major.as_ref());
    majors.flat_map(|major| [major.in_hours.clone(), major.out_of_hours.clone()]).collect()
}

fn policies(old: &Configuration, new: &Configuration, environment: Environment, all: &mut Vec<Change>) {
    let major = |configuration: &'_ Configuration| configuration.policy(environment)?.major.clone();
    let (Some(was), Some(is)) = (major(old), major(new)) else { return };
    let mut say = |message: String| {
        all.push(Change::warning(About::Callouts, format!("{environment}: {message}")).within(environment));
    };
    if was.declare != is.declare {
        let word = |declare| {
            if declare == Declare::Propose { "by a human, after it was proposed" } else { "by the rule" }
        };
        say(format!("major incidents are declared {}", instead(word(is.declare), word(was.declare))));
    }
    if was.when != is.when {
        say(format!("major from {}", instead(is.when, was.when)));
    }
    if was.hours != is.hours {
        say(format!("the hours are {}", instead(&is.hours, &was.hours)));
    }
    if was.in_hours != is.in_hours {
        say(format!("in hours, '{}' runs, no longer '{}'", is.in_hours, was.in_hours));
    }
    if was.out_of_hours != is.out_of_hours {
        say(format!("out of hours, '{}' runs, no longer '{}'", is.out_of_hours, was.out_of_hours));
    }
}

/// An escalation in a line.
fn steps(escalation: &Escalation) -> String {
    let steps = escalation.steps.iter().map(|step| {
        let whom = match &step.call {
            Target::OnCall(rota) => format!("rota {rota}"),
            Target::Next(rota) => format!("rota {rota} next"),
            Target::Team(team) => format!("team {team}"),
            Target::Provider => "team".to_owned(),
            Target::Person(person) => format!("person {person}"),
            Target::Desk(desk) => format!("desk {desk}"),
        };
        let ways: Vec<&str> = step.by.iter().map(|way| way.word()).collect();
        let by = if ways.is_empty() { String::new() } else { format!(" by {}", ways.join(" and ")) };
        if step.after.is_zero() {
            format!("{whom}{by} at once")
        } else {
            format!("{whom}{by} after {}", duration_text(step.after))
        }
    });
    let last: Vec<&str> = escalation.last_resort.iter().map(PersonId::as_str).collect();
    let rounds = if escalation.repeat > 1 { format!(", {} times", escalation.repeat) } else { String::new() };
    format!("[{}{rounds}; then {}]", steps.collect::<Vec<_>>().join(", "), last.join(", "))
}

fn people(old: &Configuration, new: &Configuration, all: &mut Vec<Change>) {
    for (id, is) in &new.people {
        let Some(was) = old.people.get(id) else { continue };
        let gone: Vec<&str> =
            was.ways.iter().filter(|way| !is.ways.contains(way)).map(|way: &Way| way.word()).collect();
        if !gone.is_empty() {
            let message = format!("'{id}' can no longer be reached by {}", gone.join(" or "));
            all.push(Change::warning(About::Callouts, message));
        }
        let more: Vec<&str> =
            is.ways.iter().filter(|way| !was.ways.contains(way)).map(|way: &Way| way.word()).collect();
        if !more.is_empty() {
            let message = format!("'{id}' can be reached by {}, too", more.join(" and "));
            all.push(Change::note(About::Callouts, message));
        }
        if was.language != is.language {
            let message = format!("'{id}' is called in {}", instead(is.language.tag(), was.language.tag()));
            all.push(Change::note(About::Callouts, message));
        }
    }
}

fn rota(
    id: &RotaId,
    (old, was): (&Configuration, &Rota),
    (new, is): (&Configuration, &Rota),
    now: Timestamp,
    all: &mut Vec<Change>,
) {
    for person in on(was).difference(&on(is)) {
        let message = format!("{} is no longer on the rota '{id}'", name(old, person));
        all.push(Change::warning(About::OnCall, message));
    }
    for person in on(is).difference(&on(was)) {
        all.push(Change::note(About::OnCall, format!("{} is on the rota '{id}'", name(new, person))));
    }
    if let Some(at) = differs(was, is, now) {
        let who = |configuration: &Configuration, rota: &Rota| {
            rota.on_call(at).map_or("nobody".to_owned(), |shift: Shift| name(configuration, &shift.person))
        };
        let (is_now, was_then) = (who(new, is), who(old, was));
        let from = if at <= now {
            "now".to_owned()
        } else {
            format!("from {}", crate::commands::rota::local(at, &is.time_zone))
        };
        let message = format!("rota '{id}': {from} {is_now} is on call, not {was_then}");
        all.push(Change::warning(About::OnCall, message));
    } else if was.next(now) != is.next(now) {
        let who = |next: Option<PersonId>| next.map_or("nobody".to_owned(), |person| name(new, &person));
        let message =
            format!("rota '{id}': next on call is {}", instead(who(is.next(now)), who(was.next(now))));
        all.push(Change::warning(About::OnCall, message));
    }
}

/// When somebody else is on call for the first time.
fn differs(was: &Rota, is: &Rota, now: Timestamp) -> Option<Timestamp> {
    let to = now.checked_add(AHEAD).ok()?;
    let changes = |rota: &Rota| -> BTreeSet<Timestamp> {
        rota.shifts(now, to).iter().flat_map(|shift| [shift.from, shift.to]).collect()
    };
    let person = |rota: &Rota, at| rota.on_call(at).map(|shift| shift.person);
    let mut moments = changes(was);
    moments.extend(changes(is));
    moments.insert(now);
    moments.into_iter().filter(|at| *at < to).find(|at| person(was, *at) != person(is, *at))
}

fn name(configuration: &Configuration, id: &PersonId) -> String {
    configuration.people.get(id).map_or_else(|| id.to_string(), |person| person.name.clone())
}

fn names(configuration: &Configuration, people: &BTreeSet<PersonId>) -> String {
    people.iter().map(|id| name(configuration, id)).collect::<Vec<_>>().join(", ")
}

/// A few ids, or how many they are.
fn listed(apis: &[&ApiId]) -> String {
    const FEW: usize = 5;
    if apis.len() > FEW {
        return format!("{} APIs", apis.len());
    }
    apis.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}
