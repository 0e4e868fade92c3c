//! What programs of people and of teams are told, by signed webhooks: who is called, and how trouble stands. docs/webhooks.md
//! tells them so. A person answers by the link in it.

use crate::{
    SendError, SignedWebhook,
    signed::{self, Event},
    webhook::mendable,
    words::{self, Facts, Letter},
};
use domain::{Language, Notification, NotificationKind, PersonId, Sent, Way};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use std::time::Duration;

const PERSONS: &str = "the person's webhook";
const TEAMS: &str = "the team's webhook";

/// Calls somebody, or stands them down, through their own program. A call that is refused goes by another way at once.
pub(crate) async fn to_person(
    to: &SignedWebhook,
    with: (&Client, Duration),
    facts: &Facts<'_>,
    notification: &Notification,
    person: &PersonId,
) -> Result<Sent, SendError> {
    let language = facts.configuration.people.get(person).map_or(Language::En, |person| person.language);
    let letter = words::letter(facts, notification, Some(language), "")?;
    let data = signed::with(signed::facts(facts.incident), says(&letter, language));
    let (kind, data) = match &notification.kind {
        NotificationKind::Callout { callout } => {
            let callout = facts.callout(*callout);
            let link = callout.map(|callout| words::link(facts, callout, Way::Webhook, language));
            let more = [("ack_url", json!(link)), ("test", json!(facts.incident.is_test()))];
            ("callout.made", signed::with(data, more))
        }
        NotificationKind::StandDown { taken_by: Some(_) } => ("callout.taken", data),
        NotificationKind::StandDown { taken_by: None } => ("callout.over", data),
        NotificationKind::CalledOff { .. } => ("callout.called_off", data),
        NotificationKind::PartOf { .. } => ("callout.part_of_another", data),
        NotificationKind::Overruns { .. } => ("maintenance.overruns", data),
        NotificationKind::Heard { .. }
        | NotificationKind::TicketOpen
        | NotificationKind::TicketNote { .. }
        | NotificationKind::TicketFallback
        | NotificationKind::FallbackNote { .. }
        | NotificationKind::Told
        | NotificationKind::ToldTaken { .. }
        | NotificationKind::ToldOver
        | NotificationKind::DeskResolves { .. } => {
            return Err(SendError::permanent("no person's program hears of this: it has other channels"));
        }
    };
    tell_person(to, with, (&notification.key, kind, &data), facts.now).await
}

/// Tells the last resort from memory: there is no incident.
pub(crate) async fn plainly(
    to: &SignedWebhook,
    with: (&Client, Duration),
    (key, kind): (&str, &str),
    (letter, language): (&Letter, Language),
    now: Timestamp,
) -> Result<(), SendError> {
    let data = signed::with(json!({}), says(letter, language));
    tell_person(to, with, (key, kind, &data), now).await.map(drop)
}

fn says(letter: &Letter, language: Language) -> [(&'static str, Value); 3] {
    [
        ("language", json!(language.tag())),
        ("title", json!(letter.subject)),
        ("text", json!(letter.body.trim_end())),
    ]
}

async fn tell_person(
    to: &SignedWebhook,
    with: (&Client, Duration),
    (key, kind, data): (&str, &str, &Value),
    now: Timestamp,
) -> Result<Sent, SendError> {
    let answer = signed::post(to, with, PERSONS, Event { key, kind, data }, now).await?;
    if answer.status.is_success() {
        return Ok(Sent::Accepted { provider_id: String::new() });
    }
    Err(answer.refused(PERSONS, "check its `url` and `secret`"))
}

/// Tells a team's program how trouble stands, in both languages.
pub(crate) async fn to_team(
    to: &SignedWebhook,
    with: (&Client, Duration),
    facts: &Facts<'_>,
    notification: &Notification,
    reference: &str,
) -> Result<Sent, SendError> {
    let kind = match &notification.kind {
        NotificationKind::Told => "incident.opened",
        NotificationKind::ToldTaken { .. } => "incident.acknowledged",
        NotificationKind::ToldOver => "incident.resolved",
        NotificationKind::DeskResolves { .. } => "ticket.resolved_too_early",
        NotificationKind::Overruns { .. } => "maintenance.overruns",
        NotificationKind::TicketOpen
        | NotificationKind::TicketNote { .. }
        | NotificationKind::TicketFallback
        | NotificationKind::FallbackNote { .. }
        | NotificationKind::Callout { .. }
        | NotificationKind::StandDown { .. }
        | NotificationKind::CalledOff { .. }
        | NotificationKind::PartOf { .. }
        | NotificationKind::Heard { .. } => {
            return Err(SendError::permanent("a team is told of trouble alone"));
        }
    };
    let [en, cy] = words::both(facts, notification, reference)?;
    let of = |say: fn(&Letter) -> &str| json!({ "en": say(&en), "cy": say(&cy) });
    let more = [
        ("reference", json!(reference)),
        ("title", of(|letter| &letter.subject)),
        ("text", of(|letter| letter.body.trim_end())),
    ];
    let data = signed::with(signed::facts(facts.incident), more);
    let event = Event { key: &notification.key, kind, data: &data };
    let answer = signed::post(to, with, TEAMS, event, facts.now).await?;
    if answer.status.is_success() {
        Ok(Sent::Accepted { provider_id: String::new() })
    } else {
        Err(mendable(&answer, TEAMS))
    }
}
