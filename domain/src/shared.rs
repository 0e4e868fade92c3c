//! Causes that show only over several instances, or in Curiad itself: refusals, blindness, a rota's gap.

use crate::{
    ApiId, Cause, Environment, FailureKind, Health, Incident, IncidentStatus, InstanceId, Layer, Status,
    Text, TrackId, VantageId, cause::open, duty, fold::Fold,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Refusals of one production API for so long are an incident (DESIGN §5).
const REFUSED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Refusals on two or more APIs count once each has lasted so long: a token renewed late is no incident.
const REFUSED_TOGETHER_FOR: SignedDuration = SignedDuration::from_secs(60);

/// A vantage blind to all of production for so long is a P1 (DESIGN §5).
const BLIND_FOR: SignedDuration = SignedDuration::from_mins(3);

/// Causes that show only over several instances: refusals, and blindness.
pub(crate) fn shared(fold: &mut Fold) {
    let configuration = fold.configuration();
    for environment in configuration.environments.keys() {
        refused(fold, *environment);
    }
    for vantage in &configuration.vantages {
        blind(fold, vantage);
    }
    rotas(fold);
}

/// A gap in a rota is over once somebody is on call.
fn rotas(fold: &mut Fold) {
    let configuration = fold.configuration();
    let open: Vec<Incident> = fold.after.open_incidents().map(|incident| (**incident).clone()).collect();
    for mut incident in open {
        let Cause::Rota(rota) = &incident.cause else { continue };
        let attended = configuration.rotas.get(rota).is_some_and(|rota| rota.on_call(fold.now).is_some());
        match (attended, incident.status == IncidentStatus::Recovering) {
            (true, false) => {
                let now = fold.now;
                duty::recovering(fold, &mut incident, now);
            }
            (false, true) => duty::returned(fold, &mut incident, Status::Unknown),
            (true, true) | (false, false) => {}
        }
        fold.put_incident(incident);
    }
}

/// 401, 403, 429 (DESIGN §5, "Inconclusive is never silence").
fn refused(fold: &mut Fold, environment: Environment) {
    // What an open incident holds goes on being refused until a probe says otherwise: a restart proves nothing.
    let held = fold
        .after
        .open_incident(&Cause::Refused(environment))
        .map_or_else(Vec::new, |incident| incident.affects.clone());
    let refused: Vec<(ApiId, Timestamp)> = fold
        .after
        .tracks
        .values()
        .filter(|track| track.id.check.instance.environment == environment)
        .filter_map(|track| {
            let since = track.inconclusive_since?;
            let instance = &track.id.check.instance;
            let held = held.contains(instance);
            let refused = fold.after.outcome(&track.id).map_or(held, |outcome| {
                let kind = outcome.failure.as_ref().map(|failure| failure.kind);
                matches!(kind, Some(FailureKind::AccessRefused | FailureKind::RateLimited))
            });
            let since = if held { since } else { fold.watched(since) };
            refused.then(|| (instance.api.clone(), since))
        })
        .collect();
    let lasting = |limit: SignedDuration| -> BTreeSet<&ApiId> {
        refused
            .iter()
            .filter(|(_, since)| fold.now.duration_since(*since) >= limit)
            .map(|(api, _)| api)
            .collect()
    };
    let together = lasting(REFUSED_TOGETHER_FOR);
    let apis = match together.len() {
        0 => BTreeSet::new(),
        1 if environment != Environment::Production => BTreeSet::new(),
        1 => lasting(REFUSED_FOR),
        _ => together,
    };
    let since = refused.iter().filter(|(api, _)| apis.contains(api)).map(|(_, since)| *since).min();
    let affects: Vec<InstanceId> =
        apis.into_iter().map(|api| InstanceId { api: api.clone(), environment }).collect();
    let text = Text::new(
        "The gateway refuses our requests: we cannot tell whether the APIs work. Our credential, our address or our \
         rate may be at fault.",
        "Mae'r porth yn gwrthod ein ceisiadau: ni allwn ddweud a yw'r APIs yn gweithio. Efallai mai ein manylion \
         mynediad, ein cyfeiriad neu ein cyfradd sydd ar fai.",
    );
    over_several(fold, Cause::Refused(environment), since, affects, Layer::Gateway, &text);
}

/// A vantage that sees nothing of production.
fn blind(fold: &mut Fold, vantage: &VantageId) {
    let configuration = fold.configuration();
    let production = configuration.checks.values().filter(|check| {
        check.id.instance.environment == Environment::Production && check.from.contains(vantage)
    });
    // An open incident goes on until a probe sees something: a restart proves nothing.
    let open = fold.after.open_incident(&Cause::Blind(vantage.clone())).is_some();
    let mut since: Option<Timestamp> = None;
    let mut affects: BTreeSet<InstanceId> = BTreeSet::new();
    for check in production {
        let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let ours = fold.after.outcome(&id).map_or(open, |outcome| {
            outcome.failure.as_ref().is_some_and(|failure| failure.layer == Layer::Ours)
        });
        let sees_nothing = match fold.after.tracks.get(&id).map(|track| (track, track.inconclusive_since)) {
            None => Some(fold.watched(Timestamp::MIN)),
            Some((_, Some(since))) => ours.then_some(since),
            Some((track, None)) => (track.status == Status::Unknown).then_some(track.since),
        };
        let Some(began) = sees_nothing else {
            affects.clear();
            break;
        };
        since = Some(since.map_or(began, |since| since.max(began)));
        affects.insert(check.id.instance.clone());
    }
    let long = open || since.is_some_and(|since| fold.now.duration_since(fold.watched(since)) >= BLIND_FOR);
    let affects: Vec<InstanceId> = if long { affects.into_iter().collect() } else { Vec::new() };
    let text = Text::new(
        "We cannot see production: it may be the NHS network, or it may be us. The APIs themselves may be working.",
        "Ni allwn weld y gwasanaethau byw: efallai mai rhwydwaith y GIG yw'r achos, neu ni ein hunain. Efallai fod yr \
         APIs eu hunain yn gweithio.",
    );
    over_several(fold, Cause::Blind(vantage.clone()), since, affects, Layer::Ours, &text);
}

/// Opens, keeps or ends an incident of several instances of which nothing can be told.
fn over_several(
    fold: &mut Fold,
    cause: Cause,
    since: Option<Timestamp>,
    affects: Vec<InstanceId>,
    layer: Layer,
    diagnosis: &Text,
) {
    let existing = fold.after.open_incident(&cause).map(|incident| incident.id);
    match (existing.and_then(|id| fold.incident(id)), affects.first().cloned()) {
        (None, Some(first)) => {
            let health = Health {
                instance: first,
                status: Status::Unknown,
                since: since.unwrap_or(fold.now),
                layer: Some(layer),
                maintenance: false,
            };
            let id = open(fold, cause, &health, diagnosis.clone());
            if let Some(mut incident) = fold.incident(id) {
                incident.affects = affects;
                incident.api = None;
                fold.put_incident(incident);
            }
        }
        (Some(mut incident), Some(_)) => {
            if incident.status == IncidentStatus::Recovering {
                duty::returned(fold, &mut incident, Status::Unknown);
            }
            incident
                .affects
                .extend(affects.into_iter().filter(|i| !incident.affects.contains(i)).collect::<Vec<_>>());
            fold.put_incident(incident);
        }
        (Some(mut incident), None) if incident.status != IncidentStatus::Recovering => {
            let now = fold.now;
            duty::recovering(fold, &mut incident, now);
            fold.put_incident(incident);
        }
        (Some(_) | None, None) => {}
    }
}
