//! `PagerDuty`'s Events API v2 (incident-systems.md §3.6). Not verified against the real service.
//!
//! Its alert has the incident's own key, so a repeat changes nothing; but what comes in another order does: who is told of a
//! beginning after the end has an alert that never ends. So whatever is sent says how things stand by then.

use crate::{
    PagerDuty, SendError,
    answer::Answer,
    words::{self, Facts},
};
use domain::{Incident, IncidentStatus, Language, Notification, NotificationKind, Priority, Sent};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use store::crash_point;

const WHOM: &str = "PagerDuty";
/// The longest summary, in characters.
const SUMMARY: usize = 1_024;

/// What is to become of the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is there.
    Trigger,
    /// Somebody has it.
    Acknowledge,
    /// It is over.
    Resolve,
}

impl Action {
    /// What a message of this kind says of `incident`, as that is when it is sent: the alert is there while the incident is open
    /// and its team is told of that. One that came back after it was over is not told of yet.
    pub fn of(kind: &NotificationKind, incident: &Incident) -> Self {
        match (incident.status, incident.told_at, kind) {
            (IncidentStatus::Resolved, _, _) | (_, None, _) => Self::Resolve,
            (_, Some(_), NotificationKind::ToldTaken { .. }) => Self::Acknowledge,
            (_, Some(_), _) => Self::Trigger,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

/// Tells it how the incident stands.
pub(crate) async fn tell(
    to: &PagerDuty,
    (client, patience): (&Client, Duration),
    facts: &Facts<'_>,
    notification: &Notification,
    reference: &str,
) -> Result<Sent, SendError> {
    let action = Action::of(&notification.kind, facts.incident);
    let mut event = json!({
        "routing_key": to.routing_key.reveal(),
        "event_action": action.word(),
        "dedup_key": reference,
    });
    if action == Action::Trigger
        && let Some(event) = event.as_object_mut()
    {
        event.extend(alert(facts, notification, reference)?);
    }
    let request = client.post(format!("{}/v2/enqueue", to.url)).json(&event).timeout(patience);
    let answer = Answer::to(request, WHOM).await?;
    crash_point!("pager/taken");
    if answer.status.is_success() {
        return Ok(Sent::Accepted { provider_id: reference.to_owned() });
    }
    let words = match answer.status {
        // What is wrong with an event is said by fields; the key is never among the words.
        StatusCode::BAD_REQUEST => {
            let said = answer.json::<Refusal>(WHOM).map(|refusal| refusal.errors.join("; "));
            let said = said.unwrap_or_default().replace(to.routing_key.reveal(), "[key]");
            format!("{}; check the team's `pagerduty.routing_key`", words::cut(&said, 200))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            "check the team's `pagerduty.routing_key` and `url`".to_owned()
        }
        _ => String::new(),
    };
    Err(answer.refused(WHOM, &words))
}

/// What an alert says: a summary in both languages, and the rest beside it.
fn alert(
    facts: &Facts<'_>,
    notification: &Notification,
    reference: &str,
) -> Result<serde_json::Map<String, Value>, SendError> {
    // Whatever it was to be told of: that is how things stand.
    let begins = Notification { kind: NotificationKind::Told, ..notification.clone() };
    let [en, cy] = words::both(facts, &begins, reference)?;
    let incident = facts.incident;
    let pages = Language::ALL.map(|language| facts.page_url(language));
    let alert = json!({
        "payload": {
            "summary": words::cut(&format!("{} / {}", en.subject, cy.subject), SUMMARY),
            "source": "curiad",
            "severity": severity(incident.priority),
            "timestamp": incident.failing_since(),
            "component": incident.api.as_ref().map_or("", |api| api.as_str()),
            "group": incident.environment.to_string(),
            "class": incident.worst.word(),
            "custom_details": {
                "incident": incident.id.to_string(),
                "priority": incident.priority.to_string(),
                "en": en.body.trim_end(),
                "cy": cy.body.trim_end(),
            },
        },
        "links": [
            { "href": &pages[0], "text": "The incident" },
            { "href": &pages[1], "text": "Y digwyddiad" },
        ],
        "client": "Curiad",
        "client_url": &pages[0],
    });
    Ok(match alert {
        Value::Object(alert) => alert,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            serde_json::Map::new()
        }
    })
}

const fn severity(priority: Priority) -> &'static str {
    match priority.number() {
        1 => "critical",
        2 => "error",
        3 => "warning",
        _ => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::example::incident;

    #[test]
    fn whatever_comes_late_says_how_things_stand() {
        let mut incident = incident();
        let taken = NotificationKind::ToldTaken { by: "Nia".to_owned() };
        let said = |incident: &Incident| {
            [NotificationKind::Told, taken.clone(), NotificationKind::ToldOver]
                .map(|kind| Action::of(&kind, incident))
        };
        assert_eq!(said(&incident), [Action::Trigger, Action::Acknowledge, Action::Trigger]);
        incident.status = IncidentStatus::Resolved;
        assert_eq!(said(&incident), [Action::Resolve; 3]);
        (incident.status, incident.told_at) = (IncidentStatus::Open, None);
        assert_eq!(said(&incident), [Action::Resolve; 3], "it came back, and nobody is told of that yet");
    }
}
