//! `/hooks/alertmanager`: what an Alertmanager says of APIs, by its webhook (version 4). Nothing is done here but append to
//! the inbox: who was answered 2xx has been recorded. It tries again after 5xx, and at its next interval after 4xx.

use crate::{
    Audience,
    hooks::{empty, is_allowed, refused},
    problem::Problem,
    router::{Shown, missing},
};
use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode},
};
use domain::{Alert, AlertName, ApiId, Environment, InstanceId, Message, Status, Told};
use jiff::Timestamp;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// A group of alerts with long annotations. A larger one is refused, so that nothing of it is lost in silence.
const MAX_BODY: usize = 1024 * 1024;
/// Alerts of one group.
const MOST: usize = 500;
/// What our own incidents are called in an Alertmanager: one that sends them back to us is not heard.
const OURS: &str = "CuriadIncident";

#[derive(Deserialize)]
struct Group {
    alerts: Vec<Said>,
    #[serde(default, rename = "truncatedAlerts")]
    truncated: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    status: String,
    labels: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    fingerprint: String,
}

/// `POST /hooks/alertmanager`.
pub(crate) async fn hear(State(shown): State<Shown>, request: Request) -> Response<HttpBody> {
    let callbacks = Arc::clone(&shown.site.0.options.callbacks.borrow());
    if callbacks.alertmanager.is_empty() {
        return missing(&shown, request.method(), request.headers(), request.uri());
    }
    if !is_allowed(request.headers(), &callbacks.alertmanager) {
        return refused();
    }
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        return Problem::bad(
            "the body has more than a megabyte, or broke off: set max_alerts in the receiver",
        )
        .answer(shown.audience);
    };
    let now = shown.site.0.clock.now();
    let group = match serde_json::from_slice::<Group>(&body) {
        Ok(group) if group.alerts.len() <= MOST => group,
        Ok(_) => {
            let why = format!("more than {MOST} alerts at once: set max_alerts in the receiver");
            return Problem::bad(why).answer(shown.audience);
        }
        // The place only: what stands there may be about anybody.
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            return Problem::bad(format!("no webhook of Alertmanager\u{2019}s, version 4: {place}"))
                .answer(shown.audience);
        }
    };
    if group.truncated > 0 {
        tracing::warn!(
            left_out = group.truncated,
            "Alertmanager left alerts out: raise max_alerts in the receiver"
        );
    }
    let view = shown.site.view(Audience::Internal);
    let known = |instance: &InstanceId| view.snapshot.instance(instance).is_some();
    let heard: Vec<Alert> =
        group.alerts.iter().filter_map(|said| alert(said, now)).filter(|a| known(&a.instance)).collect();
    let ours = group.alerts.iter().filter(|said| said.label("alertname") == Some(OURS)).count();
    let left = group.alerts.len() - heard.len() - ours;
    if left > 0 {
        tracing::warn!(
            left,
            "alerts are left alone: their labels `api`, `environment` and `alertname` name no instance, or their severity is info or none"
        );
    }
    if heard.is_empty() {
        return empty(StatusCode::NO_CONTENT);
    }
    match shown.site.keep(&Told { at: now, what: Message::Alerts(heard) }).await {
        Some(_) => empty(StatusCode::NO_CONTENT),
        None => Problem::unavailable("the alerts could not be kept; send them again").answer(shown.audience),
    }
}

impl Said {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }
}

/// What an alert says, where it says it of an instance; `None`: it does not, or it says that nothing is wrong.
fn alert(said: &Said, now: Timestamp) -> Option<Alert> {
    let name = said.label("alertname").filter(|name| *name != OURS)?;
    let status = match said.label("severity").map(str::to_ascii_lowercase).as_deref() {
        Some("critical" | "page" | "fatal" | "emergency") => Status::MajorOutage,
        Some("error" | "major" | "high") => Status::PartialOutage,
        Some("info" | "none" | "informational" | "debug") => return None,
        Some(_) | None => Status::Degraded,
    };
    let fingerprint = said.fingerprint.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let ended = said.status == "resolved";
    Some(Alert {
        instance: InstanceId {
            api: ApiId::parse(said.label("api")?).ok()?,
            environment: Environment::parse(said.label("environment")?)?,
        },
        name: AlertName::read(name)?,
        fingerprint,
        status,
        starts_at: said.starts_at,
        ends_at: ended.then(|| said.ends_at.map_or(now, |at| at.clamp(said.starts_at.min(now), now))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T00:10:00Z".parse().unwrap()
    }

    fn read(labels: &serde_json::Value, status: &str, ends: &str) -> Option<Alert> {
        let said = serde_json::json!({
            "status": status, "labels": labels, "annotations": { "summary": "Mrs Jones waits" },
            "startsAt": "2026-11-21T00:00:00.123456789Z", "endsAt": ends, "fingerprint": "5ef77f1f8a3ecfd8",
            "generatorURL": "http://prometheus/graph",
        });
        alert(&serde_json::from_value(said).unwrap(), now())
    }

    #[test]
    fn an_alert_is_about_an_instance_and_says_how_bad_and_nothing_else_is_kept() {
        let labels = serde_json::json!({
            "alertname": "QueueTooLong", "api": "results", "environment": "uat", "severity": "critical", "patient": "Jones",
        });
        let fires = read(&labels, "firing", "0001-01-01T00:00:00Z").unwrap();
        assert_eq!((fires.status, fires.ends_at), (Status::MajorOutage, None));
        assert!(!serde_json::to_string(&fires).unwrap().contains("Jones"));
        let ended = read(&labels, "resolved", "2026-11-21T00:05:00Z").unwrap();
        assert_eq!(ended.ends_at, Some("2026-11-21T00:05:00Z".parse().unwrap()));
        // Of a time to come, nothing has ended.
        assert_eq!(read(&labels, "resolved", "2027-01-01T00:00:00Z").unwrap().ends_at, Some(now()));
    }

    #[test]
    fn what_names_no_instance_or_says_that_nothing_is_wrong_is_left_alone() {
        for labels in [
            serde_json::json!({ "alertname": "Watchdog", "severity": "none", "api": "results", "environment": "uat" }),
            serde_json::json!({ "alertname": "X", "api": "results" }),
            serde_json::json!({ "alertname": "X", "environment": "uat" }),
            serde_json::json!({ "api": "results", "environment": "uat" }),
            serde_json::json!({ "alertname": OURS, "api": "results", "environment": "uat" }),
        ] {
            assert_eq!(read(&labels, "firing", "0001-01-01T00:00:00Z"), None, "{labels}");
        }
    }
}
