//! Our incidents as alerts in an Alertmanager, for who has all alerts there.
//!
//! An Alertmanager forgets an alert that is not repeated: so all that is open is said again and again, with the time at
//! which it is to be taken for over unless it is; and what is over is said for a while, in case nobody heard it. Nothing is
//! kept of what was said: whatever crashes, the next round says all there is to say.

use crate::{Alertmanager, Away, Examined, Finding, Lasting, Setup, answer::Answer};
use domain::{Clock, Incident, Language, Situation, told_from};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::crash_point;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// From one round to the next. Well below `resolve_timeout`, five minutes by itself.
const ROUND: Duration = Duration::from_secs(30);
/// News is not said more often than this.
const BUSY: Duration = Duration::from_secs(1);
/// What is not repeated for so long is taken for over: then nobody says it any more.
const HOLDS: SignedDuration = SignedDuration::from_mins(3);
/// What is over is said for so long.
const OVER_FOR: SignedDuration = SignedDuration::from_mins(10);
/// One that has not answered by then has not heard it.
const PATIENCE: Duration = Duration::from_secs(10);
/// What our incidents are called there; `status-page/src/alerts.rs` hears none of that name.
const NAME: &str = "CuriadIncident";

/// Tells Alertmanagers of our incidents.
#[derive(Debug)]
pub struct Alerter {
    /// Which, and what people wrote down.
    pub setup: watch::Receiver<Setup>,
    /// What there is to say.
    pub situation: watch::Receiver<Arc<Situation>>,
    /// The time.
    pub clock: Clock,
}

impl Alerter {
    /// Tells them until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = BTreeMap::new();
        let mut said = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = round.tick() => {}
                () = news(&mut self.situation, &said) => {}
            }
            let setup = self.setup.borrow().clone();
            let situation = Arc::clone(&self.situation.borrow());
            said = standing(&situation);
            let alerts = alerts(&situation, self.clock.now());
            let to = setup.channels.alertmanagers();
            away.retain(|url, _| to.iter().any(|to| to.url == *url));
            if alerts.is_empty() || to.is_empty() {
                continue;
            }
            let telling = tell_all(&setup, &alerts);
            let told = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                told = telling => told,
            };
            for one in told {
                note(&mut away, one);
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BUSY) => {}
            }
        }
    }
}

/// All at once: one that does not answer keeps none of the others from hearing.
async fn tell_all(setup: &Setup, alerts: &[Value]) -> Vec<(String, Option<String>)> {
    let mut asking = tokio::task::JoinSet::new();
    for to in setup.channels.alertmanagers() {
        let request = tell(setup.channels.client(), to, alerts);
        let url = to.url.clone();
        asking.spawn(async move {
            let answer = Answer::to(request, "Alertmanager").await;
            crash_point!("alertmanager/told");
            let error = match answer {
                Ok(answer) if answer.status.is_success() => None,
                Ok(answer) => Some(format!("it answers {}", answer.status)),
                Err(error) => Some(error.to_string()),
            };
            (url, error)
        });
    }
    asking.join_all().await
}

fn note(away: &mut BTreeMap<String, Away>, (url, error): (String, Option<String>)) {
    let of_it = away.entry(url.clone()).or_default();
    match error {
        Some(error) => {
            if let Some(Lasting { lasted, times }) = of_it.failed() {
                tracing::warn!(url, error, ?lasted, times, "an Alertmanager does not hear of incidents");
            }
        }
        None => {
            if let Some(Lasting { lasted, times }) = of_it.answered() {
                tracing::info!(url, ?lasted, times, "the Alertmanager hears of incidents again");
            }
        }
    }
}

/// Whether it answers, and lets us speak: `GET /api/v2/status`.
pub(crate) async fn examine(client: &reqwest::Client, to: &Alertmanager) -> Examined {
    let request = allowed(client.get(format!("{}/api/v2/status", to.url)).timeout(PATIENCE), to);
    let about = format!("Alertmanager {}", to.url);
    let finding = match Answer::to(request, "Alertmanager").await {
        Ok(answer) if answer.status.is_success() => {
            Finding::ok(about, "answers; it hears of incidents while `serve` runs")
        }
        Ok(answer) if matches!(answer.status.as_u16(), 401 | 403) => Finding::problem(
            about,
            format!("it refuses us: {}", answer.status),
            "give what stands before it wants as `token`, beside its `url`",
        ),
        Ok(answer) => Finding::problem(
            about,
            format!("it answers {}", answer.status),
            "see whether its API is at `url`: with --web.route-prefix that is part of it",
        ),
        Err(error) => {
            Finding::problem(about, error.to_string(), "see whether it runs, and the network between")
        }
    };
    Examined { findings: vec![finding], ..Examined::default() }
}

/// Waits until something else is to be said.
async fn news(situation: &mut watch::Receiver<Arc<Situation>>, said: &[(u64, u8, bool)]) {
    loop {
        // Who would say so may have stopped before us.
        if situation.changed().await.is_err() {
            return std::future::pending().await;
        }
        if standing(&situation.borrow_and_update()) != said {
            return;
        }
    }
}

/// What makes news: which incidents, of which priority, open or not.
fn standing(situation: &Situation) -> Vec<(u64, u8, bool)> {
    let all = situation.incidents.values().filter(|incident| !incident.is_test());
    all.map(|incident| (incident.id.0, incident.priority.number(), incident.is_open())).collect()
}

fn tell(client: &reqwest::Client, to: &Alertmanager, alerts: &[Value]) -> reqwest::RequestBuilder {
    let request = client.post(format!("{}/api/v2/alerts", to.url)).json(alerts).timeout(PATIENCE);
    allowed(request, to)
}

fn allowed(request: reqwest::RequestBuilder, to: &Alertmanager) -> reqwest::RequestBuilder {
    match &to.token {
        Some(token) => request.bearer_auth(token.reveal()),
        None => request,
    }
}

/// What there is to say at `now`: all that the desk would be told of by now, and what was over lately.
fn alerts(situation: &Situation, now: Timestamp) -> Vec<Value> {
    let said = |incident: &Arc<Incident>| {
        if incident.is_test() {
            return None;
        }
        let ends_at = match incident.resolved_at {
            Some(at) => (now.duration_since(at) < OVER_FOR).then_some(at),
            None => told_from(situation, incident, now).filter(|from| *from <= now).map(|_| now + HOLDS),
        };
        Some(alert(situation, incident, ends_at?))
    };
    situation.incidents.values().filter_map(said).collect()
}

/// Its labels are what an Alertmanager knows it by: with another priority it is another alert, and the one before ends by
/// itself, within [`HOLDS`].
fn alert(situation: &Situation, incident: &Incident, ends_at: Timestamp) -> Value {
    let severity = match incident.priority.number() {
        1 => "critical",
        2 | 3 => "warning",
        _ => "info",
    };
    let mut labels = json!({
        "alertname": NAME,
        "incident": incident.id.to_string(),
        "cause": incident.cause.to_string().split_once(':').map_or("", |(kind, _)| kind),
        "environment": incident.environment,
        "priority": incident.priority.to_string(),
        "severity": severity,
        "major": incident.major.is_some().to_string(),
    });
    if let (Some(labels), Some(api)) = (labels.as_object_mut(), &incident.api) {
        labels.insert("api".to_owned(), api.to_string().into());
    }
    let site = &situation.configuration.site;
    let page = format!("{}/en/incidents/{}", site.url.get(Language::En), incident.id);
    json!({
        "labels": labels,
        "annotations": {
            "summary": format!("{} {}", incident.priority, incident.cause),
            "description": incident.diagnosis.get(Language::En),
            "disgrifiad": incident.diagnosis.get(Language::Cy),
            "affects": incident.affects.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join(" "),
        },
        "startsAt": incident.failing_since().to_string(),
        "endsAt": ends_at.to_string(),
        "generatorURL": page,
    })
}
