//! What the team that provides an API hears of its trouble, by every way it has: that it began, that somebody has it, that it
//! is over. Each way is a notification of its own, with its own tries.

use crate::{
    ApiId, Cause, Channel, Configuration, Incident, IncidentId, NotificationKind, Team, TeamId, children,
    fold::Fold,
    telling::{in_ticket, key, notification, send},
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

const TOLD_EXPIRES: SignedDuration = SignedDuration::from_hours(96);

/// A way to tell a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamWay {
    /// Its mailbox.
    Email,
    /// Its channel in Microsoft Teams.
    Chat,
    /// A program of its own, by signed webhooks.
    Webhook,
    /// Its service at `PagerDuty`.
    Pager,
}

impl TeamWay {
    /// The channel by which it reaches a team.
    pub const fn channel(self, team: TeamId) -> Channel {
        match self {
            Self::Email => Channel::Team(team),
            Self::Chat => Channel::TeamChat(team),
            Self::Webhook => Channel::TeamWebhook(team),
            Self::Pager => Channel::TeamPager(team),
        }
    }

    /// What a notification by this way is called: what was there first has no word of its own.
    fn named(self, name: &str) -> String {
        match self {
            Self::Email => name.to_owned(),
            Self::Chat => format!("{name}/chat"),
            Self::Webhook => format!("{name}/webhook"),
            Self::Pager => format!("{name}/pagerduty"),
        }
    }
}

impl Team {
    /// By which it is told in words, once: a pager knows of trouble alone.
    pub(crate) fn told_in_words(&self) -> Option<TeamWay> {
        [TeamWay::Email, TeamWay::Chat, TeamWay::Webhook].into_iter().find(|way| self.ways.contains(way))
    }
}

fn provider<'c>(configuration: &'c Configuration, api: Option<&ApiId>) -> Option<(&'c TeamId, &'c Team)> {
    configuration.teams.get_key_value(&configuration.apis.get(api?)?.team)
}

/// Trouble began: told when the team is there.
pub(crate) fn tell(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let Some((id, team)) = provider(&configuration, incident.api.as_ref()) else { return };
    let opens = team
        .hours
        .as_ref()
        .and_then(|hours| configuration.hours.get(hours))
        .map_or(Some(fold.now), |hours| hours.next_open(fold.now));
    incident.told_at = Some(opens.unwrap_or(fold.now));
    let name = fold.team(id);
    let said = match opens {
        _ if team.ways.is_empty() => format!("{name} has no mailbox: not told"),
        None => format!("{name} is never there: not told"),
        Some(opens) => {
            incident.told = Some(id.clone());
            for way in &team.ways {
                let named = way.named(&incident.named("told"));
                let channel = way.channel(id.clone());
                let mut told =
                    notification(fold, incident.id, &named, NotificationKind::Told, channel, TOLD_EXPIRES);
                told.not_before = opens;
                told.expires_at = opens + TOLD_EXPIRES;
                fold.notify(told);
            }
            let when = if opens > fold.now {
                format!(" at {}, when it is there", fold.time(opens))
            } else {
                String::new()
            };
            format!("the team {name} is told{when}")
        }
    };
    incident.note(fold.now, said);
}

/// The team that is told that trouble began, now or when it is there.
fn told<'c>(configuration: &'c Configuration, incident: &Incident) -> Option<(&'c TeamId, &'c Team)> {
    incident.told_at?;
    match &incident.told {
        Some(team) => configuration.teams.get_key_value(team),
        None => provider(configuration, incident.api.as_ref()),
    }
}

/// Somebody has it. A mailbox does not hear of that: nobody is to do anything because of it.
pub(crate) fn tell_taken(fold: &mut Fold, incident: &Incident, by: &str) {
    let configuration = fold.configuration();
    let Some((id, team)) = told(&configuration, incident).filter(|_| !is_to_come(fold, incident)) else {
        return;
    };
    for way in team.ways.iter().filter(|way| **way != TeamWay::Email) {
        // One may have it after another.
        let named = way.named(&incident.named(&format!("told-taken/{}", fold.now.as_millisecond())));
        let kind = NotificationKind::ToldTaken { by: by.to_owned() };
        send(fold, incident.id, &named, kind, way.channel(id.clone()), TOLD_EXPIRES);
    }
}

/// It goes on as part of another incident, and is over with that: only a pager has something that is to be closed now.
pub(crate) fn tell_taken_in(fold: &mut Fold, incident: &Incident, by: &str) {
    tell_taken(fold, incident, by);
    withdraw(fold, incident);
    over_by(fold, incident, |way| way == TeamWay::Pager);
}

/// It is over. Whoever has not heard of its beginning hears nothing; a pager is told all the same: a clock that was set back
/// says nothing of what has gone out, and closing what is not there does nothing.
pub(crate) fn tell_over(fold: &mut Fold, incident: &Incident) {
    let unheard = is_to_come(fold, incident);
    if unheard {
        withdraw(fold, incident);
    }
    over_by(fold, incident, |way| way == TeamWay::Pager || !unheard);
}

/// What goes on as part of `whole` is over with it: the teams that heard of it are told so. A pager has heard.
pub(crate) fn tell_parts_over(fold: &mut Fold, whole: IncidentId) {
    let mut of_each: BTreeMap<IncidentId, Vec<Arc<Incident>>> = BTreeMap::new();
    // What failed on by itself is no part of it any more.
    for part in fold.after.incidents.values().filter(|part| !part.is_open()) {
        if let Some(whole) = part.part_of {
            of_each.entry(whole).or_default().push(Arc::clone(part));
        }
    }
    let (mut wholes, mut parts) = (vec![whole], Vec::new());
    while let Some(whole) = wholes.pop() {
        let of_it = of_each.remove(&whole).unwrap_or_default();
        wholes.extend(of_it.iter().map(|part| part.id));
        parts.extend(of_it);
    }
    // What another parent holds by now goes on as part of that.
    parts.retain(|part| {
        let Cause::Instance(instance) = &part.cause else { return true };
        let Some(by) = children::holder(fold, instance).filter(|by| *by != part.id) else { return true };
        fold.put_incident(Incident { part_of: Some(by), ..(**part).clone() });
        false
    });
    for part in
        parts.into_iter().filter(|part| part.told_at.is_some_and(|told| Some(told) < part.resolved_at))
    {
        over_by(fold, &part, |way| way != TeamWay::Pager);
    }
}

/// The team is not there yet, and is told when it is.
fn is_to_come(fold: &Fold, incident: &Incident) -> bool {
    incident.told_at.is_some_and(|told_at| fold.now < told_at)
}

fn over_by(fold: &mut Fold, incident: &Incident, by: impl Fn(TeamWay) -> bool) {
    let configuration = fold.configuration();
    let Some((id, team)) = told(&configuration, incident) else { return };
    for way in team.ways.iter().copied().filter(|way| by(*way)) {
        let named = way.named(&incident.named("told-over"));
        send(fold, incident.id, &named, NotificationKind::ToldOver, way.channel(id.clone()), TOLD_EXPIRES);
    }
}

/// What has not gone out is not to go out any more. But for a pager's: it may be under way, and whatever comes of it, its next
/// try closes what it may have opened.
fn withdraw(fold: &mut Fold, incident: &Incident) {
    for way in [TeamWay::Email, TeamWay::Chat, TeamWay::Webhook] {
        let told = key(fold, incident.id, &way.named(&incident.named("told")));
        fold.withdraw(told);
    }
}

/// Who answers for the API has to speak with the desk, which resolves the ticket each time it is opened again.
/// Where nobody can be told so, the timeline says it.
pub(crate) fn tell_owner(fold: &mut Fold, incident: &mut Incident, number: &str) {
    let configuration = fold.configuration();
    let provider = provider(&configuration, incident.api.as_ref());
    if let Some((id, way)) = provider.and_then(|(id, team)| Some((id, team.told_in_words()?))) {
        let kind = NotificationKind::DeskResolves { number: number.to_owned() };
        let name = incident.named(&in_ticket(incident, "desk-resolves"));
        send(fold, incident.id, &name, kind, way.channel(id.clone()), TOLD_EXPIRES);
    } else {
        let whom = provider.map_or_else(
            || "no one team answers for it".to_owned(),
            |(id, _)| format!("{} has no mailbox", fold.team(id)),
        );
        incident.note(fold.now, format!("{whom}: nobody was told that the desk resolves {number} each time"));
    }
}
