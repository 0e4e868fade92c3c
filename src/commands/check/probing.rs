//! What is probed: instances, checks, and what each asks.

use super::{
    change::{About, Change, instead},
    count,
};
use crate::config::duration_text;
use domain::{ApiId, Check, CheckId, Configuration, Dialect, Environment, Expect, InstanceId, Request};
use std::collections::{BTreeMap, BTreeSet};

/// How many names stand in one line.
const FEW: usize = 8;

pub(super) fn compare(old: &Configuration, new: &Configuration, all: &mut Vec<Change>) {
    let (before, after): (BTreeSet<InstanceId>, BTreeSet<InstanceId>) =
        (old.instances().collect(), new.instances().collect());
    for environment in Environment::ALL {
        let mut say = |sign: &str, some: Vec<&InstanceId>| {
            let some: Vec<_> = some.into_iter().filter(|id| id.environment == environment).collect();
            if some.is_empty() {
                return;
            }
            let names = listed(some.iter().map(|id| id.api.as_str()));
            let counted = count(some.len(), &format!("{environment} instance"));
            let change = Change::note(About::Probing, format!("{sign}{counted}: {names}"));
            let grave = sign == "−" && environment == Environment::Production;
            let change = if grave { Change::warning(About::Probing, change.message) } else { change };
            let change = of_the_only(change, some.iter().map(|id| &id.api));
            all.push(change.within(environment));
        };
        say("−", before.difference(&after).collect());
        say("+", after.difference(&before).collect());
    }
    let stays = |id: &InstanceId| before.contains(id) && after.contains(id);
    for (sign, from, to) in [("−", old, new), ("+", new, old)] {
        let some: Vec<_> =
            from.checks.keys().filter(|id| stays(&id.instance) && !to.checks.contains_key(*id)).collect();
        if !some.is_empty() {
            let names = listed(some.iter().map(ToString::to_string));
            let message = format!("{sign}{}: {names}", count(some.len(), "check"));
            let apis = some.iter().map(|id| &id.instance.api);
            all.push(of_the_only(Change::note(About::Probing, message), apis));
        }
    }
    let mut said: BTreeMap<String, Vec<&CheckId>> = BTreeMap::new();
    for (id, is) in &new.checks {
        if let Some(was) = old.checks.get(id).filter(|was| *was != is) {
            for what in differences(was, is) {
                said.entry(what).or_default().push(id);
            }
        }
    }
    for (what, checks) in said {
        let message = format!("{what}: {}", listed(checks.iter().map(ToString::to_string)));
        let apis = checks.iter().map(|id| &id.instance.api);
        all.push(of_the_only(Change::note(About::Probing, message), apis));
    }
    for api in new.apis.values() {
        let Some(was) = old.apis.get(&api.id).filter(|was| was.depends_on != api.depends_on) else {
            continue;
        };
        let words = |api: &domain::Api| {
            let names: Vec<&str> = api.depends_on.iter().map(domain::ApiId::as_str).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        let message = format!("{} depends on {}", api.id, instead(words(api), words(was)));
        all.push(Change::note(About::Probing, message).of(&api.id));
    }
    for is in &new.vantages {
        if old.vantages.iter().any(|was| was.id == is.id && was.guards != is.guards) {
            let message = format!("the vantage '{}' tests its own network by other guards", is.id);
            all.push(Change::note(About::Probing, message));
        }
        if old.vantages.iter().any(|was| was.id == is.id && was.egress != is.egress) {
            let message = format!("probes of the vantage '{}' leave this host another way", is.id);
            all.push(Change::note(About::Probing, message));
        }
    }
    for api in new
        .apis
        .values()
        .filter(|api| old.apis.get(&api.id).is_some_and(|was| was.sensitive != api.sensitive))
    {
        let word = if api.sensitive { "audited" } else { "no longer audited" };
        all.push(Change::note(About::Probing, format!("access to {} is {word}", api.id)).of(&api.id));
    }
}

/// A change that is about one API alone says so to programs.
fn of_the_only<'a>(change: Change, mut apis: impl Iterator<Item = &'a ApiId>) -> Change {
    match apis.next() {
        Some(first) if apis.all(|api| api == first) => change.of(first),
        _ => change,
    }
}

/// In what a check differs.
fn differences(was: &Check, is: &Check) -> Vec<String> {
    let mut all = Vec::new();
    if was.url != is.url {
        all.push(format!("at {}", instead(&is.url, &was.url)));
    }
    let mut duration = |what: &str, was, is| {
        if was != is {
            all.push(format!("{what} {}", instead(duration_text(is), duration_text(was))));
        }
    };
    duration("every", was.every, is.every);
    if was.heartbeat().is_none() && is.heartbeat().is_none() {
        duration("slow after", was.slow, is.slow);
        duration("timeout", was.timeout, is.timeout);
    }
    let (asked, asks) = (&was.operation.request, &is.operation.request);
    if asked_alone(asked) != asked_alone(asks) {
        all.push("asks otherwise".to_owned());
    }
    let identity = |check: &Check| {
        let words = check.credential.iter().flat_map(|credential| credential.identity());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    if identity(was) != identity(is) {
        all.push("proves otherwise who asks".to_owned());
    }
    let reads = |request: &Request| request.http().map(|request| request.dialect);
    let expected = |request: &Request| match request {
        Request::Journey(journey) => journey.steps.iter().map(|step| step.expect.clone()).collect(),
        Request::Http(_) | Request::Tcp(_) | Request::Dns(_) | Request::Mllp(_) | Request::Heartbeat(_) => {
            Vec::new()
        }
    };
    let answers = |request: &Request| match request {
        Request::Dns(request) => request.answers.clone(),
        Request::Http(_)
        | Request::Tcp(_)
        | Request::Mllp(_)
        | Request::Journey(_)
        | Request::Heartbeat(_) => Vec::new(),
    };
    if was.operation.expect != is.operation.expect
        || expected(asked) != expected(asks)
        || reads(asked) != reads(asks)
        || answers(asked) != answers(asks)
    {
        all.push("other answers are good".to_owned());
    }
    if was.operation.critical != is.operation.critical {
        let word = if is.operation.critical { "critical" } else { "no longer critical" };
        all.push(word.to_owned());
    }
    match (was.apart, is.apart) {
        (was, is) if was == is => {}
        (_, Some(_)) => all.push("held to another rate".to_owned()),
        (_, None) => all.push("no longer held to a rate".to_owned()),
    }
    if was.from != is.from {
        all.push("from other vantages".to_owned());
    }
    all
}

/// A request without what is part of how its answer is judged.
fn asked_alone(request: &Request) -> Request {
    let mut alone = request.clone();
    match &mut alone {
        Request::Http(request) => request.dialect = Dialect::Plain,
        Request::Dns(request) => request.answers.clear(),
        Request::Journey(journey) => {
            for step in journey.steps.iter_mut().chain(&mut journey.clean_up) {
                step.expect = Expect::default();
            }
        }
        Request::Tcp(_) | Request::Mllp(_) | Request::Heartbeat(_) => {}
    }
    alone
}

fn listed(names: impl ExactSizeIterator<Item = impl AsRef<str>>) -> String {
    let more = names.len().saturating_sub(FEW);
    let shown: Vec<String> = names.take(FEW).map(|name| name.as_ref().to_owned()).collect();
    let also = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{also}", shown.join(", "))
}
