//! Curiad itself is behind: its probes begin late. Then failures are seen late, and it is nobody's trouble but ours.

use crate::{
    Cause, Environment, Health, IncidentStatus, InstanceId, Layer, Outcome, Status, Text, VantageId,
    cause::open, duty, fold::Fold,
};
use jiff::SignedDuration;
use std::time::Duration;

/// A probe that begins so much after its time is late; the start lag is otherwise a few milliseconds.
pub const LATE: Duration = Duration::from_secs(1);

/// All of a vantage's probes late for so long are an incident of Curiad's own.
const BEHIND_FOR: SignedDuration = SignedDuration::from_mins(1);

/// What an outcome says of whether its vantage keeps up. One that was wanted out of turn was asked for when there was time.
pub(crate) fn heard(fold: &mut Fold, outcome: &Outcome) {
    let (vantage, late) = (&outcome.vantage, outcome.late.is_some());
    if outcome.confirm || late == fold.after.behind.contains_key(vantage) {
        return;
    }
    if late {
        fold.after.behind.insert_mut(vantage.clone(), outcome.at.min(fold.now));
    } else {
        fold.after.behind.remove_mut(vantage);
    }
}

/// Opens, keeps or ends the incident of a vantage that is behind.
pub(crate) fn behind(fold: &mut Fold, vantage: &VantageId) {
    let cause = Cause::Behind(vantage.clone());
    let since = fold.after.behind.get(vantage).map(|since| fold.watched(*since));
    let known = fold.after.open_incident(&cause).map(|incident| incident.id);
    match (known.and_then(|id| fold.incident(id)), since) {
        (None, Some(since)) if fold.now.duration_since(since) >= BEHIND_FOR => {
            let Some(instance) = first(fold, vantage) else { return };
            let (status, layer) = (Status::Unknown, Some(Layer::Ours));
            let health = Health { instance, status, since, layer, maintenance: false };
            let id = open(fold, cause, &health, words(vantage));
            if let Some(mut incident) = fold.incident(id) {
                // None of the APIs has anything to do with it.
                incident.api = None;
                incident.affects.clear();
                incident.evidence.clear();
                fold.put_incident(incident);
            }
        }
        (Some(mut incident), Some(_)) if incident.status == IncidentStatus::Recovering => {
            duty::returned(fold, &mut incident, Status::Unknown);
            fold.put_incident(incident);
        }
        (Some(mut incident), None) if incident.status != IncidentStatus::Recovering => {
            let now = fold.now;
            duty::recovering(fold, &mut incident, now);
            fold.put_incident(incident);
        }
        (Some(_) | None, _) => {}
    }
}

/// An instance that it looks at, of the environment that matters most: that one's policy says who is told.
fn first(fold: &Fold, vantage: &VantageId) -> Option<InstanceId> {
    let checks = fold.after.configuration.checks.values().filter(|check| check.from.contains(vantage));
    let instances = checks.map(|check| &check.id.instance);
    let order = |environment: Environment| Environment::ALL.iter().position(|known| *known == environment);
    instances.max_by_key(|instance| order(instance.environment)).cloned()
}

fn words(vantage: &VantageId) -> Text {
    Text::new(
        format!(
            "Curiad’s probes from {vantage} begin more than a second late: the machine that it runs on has too little \
             time for them, or its database cannot keep up. What fails may be seen late."
        ),
        format!(
            "Mae profion Curiad o {vantage} yn dechrau dros eiliad yn hwyr: nid oes gan y peiriant y mae’n rhedeg arno \
             ddigon o amser ar eu cyfer, neu ni all ei gronfa ddata ddal i fyny. Efallai y gwelir methiannau’n hwyr."
        ),
    )
}
