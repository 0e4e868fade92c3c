//! Who may see, who is told, and where tickets go.

use super::{
    change::{About, Change, instead},
    reached::written,
};
use crate::config::{Loaded, duration_text};
use alerting::DeskSystem;
use domain::{Api, Configuration, Environment, EnvironmentPolicy, Publish, Visibility};
use std::time::Duration;

pub(super) fn compare(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    let (before, after) = (&old.configuration, &new.configuration);
    for environment in Environment::ALL {
        if let (Some(was), Some(is)) = (before.policy(environment), after.policy(environment)) {
            policy(environment, was, is, after, all);
        } else if after.policy(environment).is_some_and(|policy| policy.visibility == Visibility::Public) {
            all.push(published(environment, after));
        }
    }
    for api in after.apis.values() {
        if let Some(was) = before.apis.get(&api.id) {
            of_an_api(was, api, all);
        }
    }
    desks(old, new, all);
    teams(old, new, all);
    for (id, team) in &after.teams {
        let Some(was) = before.teams.get(id) else { continue };
        if was.hours != team.hours {
            all.push(Change::note(About::Telling, format!("the team '{id}' has other hours")));
        }
    }
}

/// Where a team is told. Of secrets only the references are compared, and none is shown.
fn teams(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    for (id, is) in &new.directory.teams {
        let Some(was) = old.directory.teams.get(id) else { continue };
        let mut say = |message: String| all.push(Change::note(About::Telling, message));
        if let (Some(was), Some(is)) = (&was.email, &is.email)
            && was != is
        {
            say(format!("e-mails to the team '{id}' go to {is}"));
        }
        let at = |loaded, key| written(loaded, &["teams", id.as_str(), key], None).map(str::to_owned);
        if is.chat.is_some() && was.chat.is_some() && at(old, "chat") != at(new, "chat") {
            say(format!("the team '{id}' is told in another chat"));
        }
        if let (Some(was), Some(is)) = (&was.webhook, &is.webhook)
            && was.url != is.url
        {
            say(format!("another program of the team '{id}' is told"));
        }
        if is.pagerduty.is_some()
            && was.pagerduty.is_some()
            && at(old, "pagerduty/routing_key") != at(new, "pagerduty/routing_key")
        {
            say(format!("another service at PagerDuty is told for the team '{id}'"));
        }
        let mut lost = |has: bool, had: bool, what: &str| {
            if had && !has {
                let message = format!("the team '{id}' has no {what} any more");
                all.push(Change::warning(About::Telling, message));
            }
        };
        lost(is.email.is_some(), was.email.is_some(), "e-mail");
        lost(is.chat.is_some(), was.chat.is_some(), "chat");
        lost(is.webhook.is_some(), was.webhook.is_some(), "webhook");
        lost(is.pagerduty.is_some(), was.pagerduty.is_some(), "service at PagerDuty");
    }
}

fn published(environment: Environment, after: &Configuration) -> Change {
    let instances = after.instances().filter(|id| id.environment == environment).count();
    let message = format!(
        "{environment} BECOMES PUBLIC: anyone may see the status of its {}",
        super::count(instances, "instance")
    );
    Change::warning(About::Visibility, message).within(environment)
}

fn policy(
    environment: Environment,
    was: &EnvironmentPolicy,
    is: &EnvironmentPolicy,
    after: &Configuration,
    all: &mut Vec<Change>,
) {
    match (was.visibility, is.visibility) {
        (Visibility::SignedIn, Visibility::Public) => all.push(published(environment, after)),
        (Visibility::Public, Visibility::SignedIn) => {
            let message = format!("{environment} is no longer public");
            all.push(Change::note(About::Visibility, message).within(environment));
        }
        (Visibility::Public, Visibility::Public) | (Visibility::SignedIn, Visibility::SignedIn) => {}
    }
    let tickets = match (&was.service_desk, &is.service_desk) {
        (Some(was), Some(is)) if was != is => {
            Some(format!("of {environment} go to the desk {}", instead(is, was)))
        }
        (Some(was), None) => Some(format!("of {environment} are no longer opened (they went to '{was}')")),
        (None, Some(is)) => Some(format!("of {environment} are opened now, at the desk '{is}'")),
        (Some(_), Some(_)) | (None, None) => None,
    };
    if let Some(tickets) = tickets {
        all.push(Change::warning(About::Tickets, format!("tickets {tickets}")).within(environment));
    }
    match (was.tell_provider, is.tell_provider) {
        (true, false) => {
            let message = format!("providers are no longer told of trouble in {environment}");
            all.push(Change::warning(About::Telling, message).within(environment));
        }
        (false, true) => {
            let message = format!("providers are told of trouble in {environment}");
            all.push(Change::note(About::Telling, message).within(environment));
        }
        (true, true) | (false, false) => {}
    }
    if was.publish != is.publish {
        let message = format!(
            "incidents in {environment} are published {}",
            instead(when(is.publish), when(was.publish))
        );
        all.push(Change::warning(About::Telling, message).within(environment));
    }
    let mut timing = |what: &str, was: Duration, is: Duration| {
        if was != is {
            let (is, was) = (duration_text(is), duration_text(was));
            let message = format!("{environment}: {what} after {}", instead(is, was));
            all.push(Change::note(About::Timing, message).within(environment));
        }
    };
    timing("a ticket", was.hold.ticket, is.hold.ticket);
    timing("the first callout", was.hold.callout, is.hold.callout);
    timing("a ticket for what is only slow", was.hold.degraded, is.hold.degraded);
    timing("an incident is resolved", was.hold.resolve, is.hold.resolve);
    if was.confirm != is.confirm {
        let words = |policy: &EnvironmentPolicy| {
            let confirm = &policy.confirm;
            let every = duration_text(confirm.every);
            format!("{} of {} every {every}, {} to recover", confirm.fail, confirm.of, confirm.recover)
        };
        let message = format!("{environment}: trouble is confirmed by {}", instead(words(is), words(was)));
        all.push(Change::note(About::Timing, message).within(environment));
    }
    if was.maintenance != is.maintenance {
        let message = format!("{environment} has other windows of maintenance");
        all.push(Change::warning(About::Timing, message).within(environment));
    }
}

fn when(publish: Publish) -> String {
    match publish {
        Publish::Automatic => "with the ticket".to_owned(),
        Publish::After(duration) => format!("{} after the ticket", duration_text(duration)),
        Publish::ByHand => "by hand".to_owned(),
    }
}

fn of_an_api(was: &Api, is: &Api, all: &mut Vec<Change>) {
    let id = &is.id;
    if was.team != is.team {
        let message = format!("the provider of {id} is {}", instead(&is.team, &was.team));
        all.push(Change::warning(About::Telling, message).of(id));
    }
    if was.desk.groups != is.desk.groups {
        let layers = domain::Layer::ALL
            .into_iter()
            .filter(|layer| was.desk.groups.get(layer) != is.desk.groups.get(layer))
            .map(domain::Layer::word);
        let layers = layers.collect::<Vec<_>>().join(", ");
        let message = format!("tickets of {id} go to other groups when the fault is: {layers}");
        all.push(Change::warning(About::Tickets, message).of(id));
    }
    if (&was.desk.ci, &was.desk.cis) != (&is.desk.ci, &is.desk.cis) {
        let message = format!("tickets of {id} name another configuration item");
        all.push(Change::note(About::Tickets, message).of(id));
    }
    let said = |notes: &domain::DeskNotes| {
        let notes = notes.clone();
        (
            [notes.users, notes.workaround, notes.out_of_hours, notes.clinical_safety],
            [notes.runbook, notes.known_errors],
        )
    };
    if said(&was.desk) != said(&is.desk) {
        let message =
            format!("tickets of {id} have other words for its users, other contacts or another runbook");
        all.push(Change::note(About::Tickets, message).of(id));
    }
}

fn desks(old: &Loaded, new: &Loaded, all: &mut Vec<Change>) {
    for (id, is) in &new.configuration.desks {
        if old.configuration.desks.get(id).is_some_and(|was| was.language != is.language) {
            let language = is.language.tag();
            all.push(Change::note(
                About::Tickets,
                format!("tickets at the desk '{id}' are written in '{language}'"),
            ));
        }
    }
    for (id, is) in &new.directory.desks {
        let Some(was) = old.directory.desks.get(id) else { continue };
        if let (Some(was), Some(is)) = (&was.system, &is.system) {
            if was.url() != is.url() {
                let message = format!("the desk '{id}' is at {}", instead(is.url(), was.url()));
                all.push(Change::warning(About::Tickets, message));
            }
            let by_webhook = |system: &DeskSystem| matches!(system, DeskSystem::Webhook(_));
            if by_webhook(was) != by_webhook(is) {
                let how = if by_webhook(is) { "by webhook" } else { "in ServiceNow" };
                all.push(Change::warning(About::Tickets, format!("the desk '{id}' has its tickets {how}")));
            }
        }
        if let (Some(was), Some(is)) = (was.servicenow(), is.servicenow()) {
            if was.assignment_group != is.assignment_group || was.caller_id != is.caller_id {
                let message = format!("tickets at the desk '{id}' have another group or caller");
                all.push(Change::warning(About::Tickets, message));
            }
            if was.close_code != is.close_code {
                let who = is.close_code.as_ref().map_or_else(
                    || "its people resolve tickets".to_owned(),
                    |code| format!("Curiad resolves tickets as '{code}' when the trouble is over"),
                );
                all.push(Change::warning(About::Tickets, format!("at the desk '{id}' {who}")));
            }
        }
        if was.fallback_email != is.fallback_email {
            let to = is.fallback_email.as_deref().unwrap_or("nobody");
            let message = format!("when the desk '{id}' cannot be reached, {to} is told by e-mail");
            all.push(Change::warning(About::Tickets, message));
        }
    }
}
