//! Alerts of others: a team's own Prometheus says, through its Alertmanager, that something is wrong with an API.
//!
//! What probes measured stays what it is: an alert changes no status and no availability. It is an incident of its own,
//! unless the instance it is about has one already, or shares one: then it is told there, and becomes its own only when
//! that one is over and it still fires. Nobody answers for others' rules, so an alert calls people out only where the
//! configuration says so.

use crate::{
    Cause, Health, Incident, IncidentId, IncidentStatus, InstanceId, Often, Status, Text,
    cause::open,
    children::{CHILD_MAY_LEAD, holder},
    duty,
    fold::Fold,
    remark,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An alert that nobody has repeated for so long has lost who would end it. Alertmanager repeats each four hours (its
/// `repeat_interval`); who sets more than half a day is told in the README.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Alerts that an incident keeps; of more, those that ended first go.
const MOST_ALERTS: usize = 50;
/// Characters of a name or a fingerprint that are kept.
const MOST_NAME: usize = 100;

/// What others say of an instance: one alert of Alertmanager's. Of its labels and annotations nothing else is kept: they
/// are free text, which may be about anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// About what.
    pub instance: InstanceId,
    /// The name of the rule.
    pub name: AlertName,
    /// What tells it from others of that rule.
    pub fingerprint: String,
    /// How bad, by its severity.
    pub status: Status,
    /// Since when.
    pub starts_at: Timestamp,
    /// Since when no more; `None`: it fires.
    pub ends_at: Option<Timestamp>,
}

/// The name of an alerting rule: at most 100 characters, letters, digits, and `_ : . -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertName(String);

impl AlertName {
    /// What of `name` can be one; everything else is `_`. `None`: nothing.
    pub fn read(name: &str) -> Option<Self> {
        let fit = |c: char| if c.is_ascii_alphanumeric() || "_:.-".contains(c) { c } else { '_' };
        let name: String = name.trim().chars().take(MOST_NAME).map(fit).collect();
        (!name.is_empty()).then_some(Self(name))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One rule about one instance: however many alerts it has, they are one cause.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alerting {
    /// About what.
    pub instance: InstanceId,
    /// Which rule.
    pub name: AlertName,
}

impl fmt::Display for Alerting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.instance, self.name)
    }
}

/// An alert that an incident was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardAlert {
    /// As it was told last.
    #[serde(flatten)]
    pub alert: Alert,
    /// When it was told last.
    pub heard_at: Timestamp,
    /// The ticket has heard of it.
    #[serde(default)]
    pub told: bool,
}

impl HeardAlert {
    fn fires(&self, now: Timestamp) -> bool {
        self.alert.ends_at.is_none() && now.duration_since(self.heard_at) < FORGOTTEN_AFTER
    }

    fn is(&self, other: &Alert) -> bool {
        self.alert.fingerprint == other.fingerprint && self.is_alike(other)
    }

    /// The same rule at the same instance.
    fn is_alike(&self, other: &Alert) -> bool {
        self.alert.name == other.name && self.alert.instance == other.instance
    }
}

impl Incident {
    /// When the last of its alerts is forgotten, unless it is repeated; `None`: none fires.
    pub(crate) fn forgotten_at(&self) -> Option<Timestamp> {
        let fire = self.alerts.iter().filter(|heard| heard.alert.ends_at.is_none());
        fire.map(|heard| heard.heard_at).max().map(|at| at + FORGOTTEN_AFTER)
    }
}

/// Folds in what one word of an Alertmanager said. Told twice, or late, it changes nothing.
pub(crate) fn told(fold: &mut Fold, alerts: &[Alert], at: Timestamp) -> String {
    for alert in alerts {
        one(fold, alert, at);
    }
    format!("{} alerts", alerts.len())
}

fn one(fold: &mut Fold, alert: &Alert, at: Timestamp) {
    let configuration = fold.configuration();
    let api = configuration.apis.get(&alert.instance.api);
    if api.is_none_or(|api| !api.instances.contains_key(&alert.instance.environment)) {
        return;
    }
    let known = fold.after.incidents.values().rev().find(|incident| {
        incident.alerts.iter().any(|heard| heard.is(alert) && heard.alert.starts_at >= alert.starts_at)
    });
    match known.map(|incident| incident.id) {
        Some(id) => again(fold, id, alert, at),
        None if alert.ends_at.is_none() => fires(fold, alert, at),
        // It ended before anybody was told that it began.
        None => {}
    }
}

/// More of what an incident was told already.
fn again(fold: &mut Fold, id: IncidentId, alert: &Alert, at: Timestamp) {
    let Some(mut incident) = fold.incident(id) else { return };
    let Some(heard) = incident.alerts.iter_mut().find(|heard| heard.is(alert)) else { return };
    // What has ended is not begun by a word that was long on its way.
    if heard.alert.starts_at != alert.starts_at || heard.alert.ends_at.is_some() {
        return;
    }
    heard.heard_at = heard.heard_at.max(at);
    heard.alert.ends_at = alert.ends_at;
    if let Some(ended) = alert.ends_at.filter(|_| incident.is_open()) {
        let text = format!("the alert {} ended at {}", alert.name, fold.time(ended));
        incident.note_often(at, Often::Alerts, &text, text.clone());
        ends(fold, &mut incident, ended);
    }
    fold.put_incident(incident);
}

/// The trouble is over when none of its alerts fires.
fn ends(fold: &mut Fold, incident: &mut Incident, ended: Timestamp) {
    let now = fold.now;
    if matches!(incident.cause, Cause::Alert(_))
        && incident.status != IncidentStatus::Recovering
        && !incident.alerts.iter().any(|heard| heard.fires(now))
    {
        duty::recovering(fold, incident, ended);
    }
}

impl Incident {
    /// Whether its ticket has not heard of an alert that fires: of each kind, at an instance, it hears once.
    pub(crate) fn hides_an_alert(&self) -> bool {
        let fire = || self.alerts.iter().filter(|heard| heard.alert.ends_at.is_none());
        // That of an alert says so from the first.
        !matches!(self.cause, Cause::Alert(_))
            && fire()
                .any(|heard| !heard.told && !fire().any(|other| other.told && other.is_alike(&heard.alert)))
    }

    /// Its ticket hears, or has not heard, of those that fire.
    pub(crate) fn alerts_are_told(&mut self, told: bool) {
        self.alerts.iter_mut().for_each(|heard| heard.told = told);
    }
}

fn fires(fold: &mut Fold, alert: &Alert, at: Timestamp) {
    let cause = Cause::Alert(Alerting { instance: alert.instance.clone(), name: alert.name.clone() });
    let own = fold.after.open_incident(&cause).map(|incident| incident.id);
    let of_instance = fold
        .after
        .open_incident(&Cause::Instance(alert.instance.clone()))
        .filter(|incident| incident.status != IncidentStatus::Recovering)
        .map(|incident| incident.id);
    if let Some(mut incident) = own.and_then(|id| fold.incident(id)) {
        if incident.status == IncidentStatus::Recovering {
            duty::returned(fold, &mut incident, alert.status);
        }
        if crate::cause::worse(alert.status, incident.worst) {
            remark::worsened(&mut incident, alert.status, fold.now);
        }
        hear(&mut incident, alert, at);
        fold.put_incident(incident);
        return;
    }
    let carrier = of_instance.or_else(|| holder(fold, &alert.instance));
    if let Some(mut incident) = carrier.and_then(|id| fold.incident(id)) {
        let text = format!("the alert {} fires for {}", alert.name, fold.name(&alert.instance));
        incident.note_often(at, Often::Alerts, &text, format!("{text} too: no ticket of its own"));
        hear(&mut incident, alert, at);
        fold.put_incident(incident);
        return;
    }
    let health = Health {
        instance: alert.instance.clone(),
        status: alert.status,
        since: alert.starts_at.min(fold.now),
        layer: None,
        maintenance: false,
    };
    let diagnosis = words(fold, alert);
    let id = open(fold, cause, &health, diagnosis);
    if let Some(mut incident) = fold.incident(id) {
        hear(&mut incident, alert, at);
        fold.put_incident(incident);
    }
}

fn hear(incident: &mut Incident, alert: &Alert, at: Timestamp) {
    let mut alike = incident.alerts.iter().filter(|heard| heard.is_alike(alert));
    let told = alike.any(|heard| heard.told && heard.alert.ends_at.is_none());
    incident.alerts.retain(|heard| !heard.is(alert));
    if incident.alerts.len() >= MOST_ALERTS {
        let ended = incident.alerts.iter().position(|heard| heard.alert.ends_at.is_some());
        incident.alerts.remove(ended.unwrap_or(0));
    }
    incident.alerts.push(HeardAlert { alert: alert.clone(), heard_at: at, told });
}

/// An incident of an instance begins: alerts about it that began when it did are the same trouble.
pub(crate) fn take_in(fold: &mut Fold, id: IncidentId, health: &Health) {
    let of_it = |incident: &Incident| {
        matches!(&incident.cause, Cause::Alert(alerting) if alerting.instance == health.instance)
            && incident.failing_since() + CHILD_MAY_LEAD >= health.since
    };
    let same: Vec<Incident> = fold
        .after
        .open_incidents()
        .filter(|incident| of_it(incident))
        .map(|incident| (**incident).clone())
        .collect();
    for incident in same {
        duty::taken_in(fold, incident, id, &format!("{} itself fails", fold.name(&health.instance)));
    }
}

/// What an incident that is over was told of, and still fires, answers for itself now; `by`: or another that has it.
pub(crate) fn passed_on(fold: &mut Fold, from: &mut Incident, by: Option<IncidentId>) {
    let now = fold.now;
    if matches!(from.cause, Cause::Alert(_)) && by.is_none() {
        return;
    }
    let (on, stay) =
        std::mem::take(&mut from.alerts).into_iter().partition(|heard: &HeardAlert| heard.fires(now));
    from.alerts = stay;
    let on: Vec<HeardAlert> = on;
    for heard in on {
        match by.and_then(|id| fold.incident(id)) {
            Some(mut other) => {
                hear(&mut other, &heard.alert, heard.heard_at);
                fold.put_incident(other);
            }
            None => fires(fold, &heard.alert, heard.heard_at),
        }
    }
}

/// Why an incident of an alert is over.
pub(crate) fn why_over(incident: &Incident) -> &'static str {
    if incident.forgotten_at().is_some() {
        "nobody has repeated the alert for a day, and nobody said that it ended"
    } else {
        "the trouble did not return"
    }
}

fn words(fold: &Fold, alert: &Alert) -> Text {
    let status = fold.after.status(&alert.instance);
    let (en, cy) = match status {
        Status::Operational => ("see it work", "yn ei weld yn gweithio"),
        Status::Degraded | Status::PartialOutage | Status::MajorOutage => {
            ("see trouble too", "yn gweld trafferth hefyd")
        }
        Status::Unknown | Status::Maintenance => ("cannot tell", "methu â dweud"),
    };
    let name = &alert.name;
    Text::new(
        format!("The alert {name} fires in the team’s own monitoring. Curiad’s probes {en}."),
        format!(
            "Mae’r rhybudd {name} yn weithredol yn system fonitro’r tîm ei hun. Mae profion Curiad {cy}."
        ),
    )
}
