//! Causes that show only over several instances, or in Curiad itself: refusals, a rota's gap; blindness, token endpoints,
//! gateways and certificates have files of their own.

use crate::{
    ApiId, Cause, Environment, FailureKind, Health, Incident, IncidentStatus, InstanceId, Layer, Status,
    Text, ahead, behind, blind, burn, cause::open, duty, fold::Fold, gateway, showing, storm, token,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Refusals of one production API for so long are an incident (DESIGN §5).
const REFUSED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Refusals on two or more APIs count once each has lasted so long: a token renewed late is no incident.
const REFUSED_TOGETHER_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Causes that show only over several instances: refusals, and blindness.
pub(crate) fn shared(fold: &mut Fold) {
    let configuration = fold.configuration();
    for environment in configuration.environments.keys() {
        refused(fold, *environment);
        storm::storm(fold, *environment);
    }
    for vantage in &configuration.vantages {
        blind::blind(fold, vantage);
        behind::behind(fold, &vantage.id);
    }
    token::ended(fold);
    gateway::gateways(fold);
    showing::over(fold);
    ahead::ahead(fold);
    burn::burns(fold);
    rotas(fold);
}

/// A gap in a rota is over once somebody is on call, or there is no such rota any more.
fn rotas(fold: &mut Fold) {
    let configuration = fold.configuration();
    let open: Vec<Incident> = fold.after.open_incidents().map(|incident| (**incident).clone()).collect();
    for mut incident in open {
        let Cause::Rota(rota) = &incident.cause else { continue };
        let attended = configuration.rotas.get(rota).is_none_or(|rota| rota.on_call(fold.now).is_some());
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
                matches!(
                    kind,
                    Some(
                        FailureKind::AccessRefused
                            | FailureKind::RateLimited
                            | FailureKind::CredentialRefused
                            | FailureKind::ClientCertificate
                    )
                )
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
        "The gateway refuses our requests, or the token endpoint our credential: we cannot tell whether the APIs work. \
         Our credential, our address or our rate may be at fault.",
        "Mae porth yr API yn gwrthod ein ceisiadau, neu’r gwasanaeth tocynnau ein manylion mynediad: ni allwn ddweud a yw’r \
         APIs yn gweithio. Efallai mai ein manylion mynediad, ein cyfeiriad neu ein cyfradd sydd ar fai.",
    );
    over_several(fold, Cause::Refused(environment), since, affects, Layer::Gateway, &text);
}

/// Opens, keeps or ends an incident of several instances of which nothing can be told.
pub(crate) fn over_several(
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
