//! The way to several APIs: one cause for all that stand behind it (DESIGN §5).
//!
//! APIs of an environment at one address share the name that is looked up, the connection and the gateway that answers. When
//! at least two of them failed together before anything of theirs was reached, and no other was reached there since, it is
//! one trouble and not theirs.

use crate::{
    Cause, Environment, FailureKind, Health, Incident, IncidentId, IncidentStatus, InstanceId, Latest, Layer,
    Round, Status, Text, TrackId,
    blind::{TOGETHER, WORD_WITHIN},
    cause::{self, open, worse},
    children::{self, hold_back, take_in_children},
    duty,
    fold::Fold,
    reached::{Seen, is_not_reached, probed, speaking},
    remark, showing, storm, token,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Where several APIs of an environment are reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gateway {
    /// The environment of those behind it.
    pub environment: Environment,
    /// Its name or address, with the port where one is written.
    pub host: String,
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.host)
    }
}

/// What those say that stand behind a gateway beside an instance that fails there.
pub(crate) enum Word {
    /// It is the instance's own trouble.
    Own,
    /// Some have to be heard yet; they are asked.
    Awaited,
    /// None of them is reached, the first since then.
    Shut(Gateway, Timestamp),
}

/// Where an instance is reached; `None`: nobody goes there, it calls us.
fn gateway(fold: &Fold, instance: &InstanceId) -> Option<Gateway> {
    let check = probed(fold, instance).next()?;
    Some(Gateway { environment: instance.environment, host: check.authority().to_owned() })
}

/// Whether anything is reached there, by what is written down.
pub(crate) fn is_used(fold: &Fold, gateway: &Gateway) -> bool {
    fold.after
        .configuration
        .instances()
        .any(|instance| self::gateway(fold, &instance).as_ref() == Some(gateway))
}

/// What was seen of all that is reached there: worked out once, however many ask.
fn behind(fold: &mut Fold, gateway: &Gateway) -> Arc<[Seen]> {
    if let Some(known) = fold.behind.get(gateway) {
        return Arc::clone(known);
    }
    let all = fold.after.configuration.instances().filter(|instance| {
        instance.environment == gateway.environment && self::gateway(fold, instance).as_ref() == Some(gateway)
    });
    let seen: Arc<[Seen]> = all.filter_map(|instance| Seen::of(fold, instance)).collect();
    fold.behind.insert(gateway.clone(), Arc::clone(&seen));
    seen
}

/// Whether a failing instance fails with its gateway.
pub(crate) fn word(fold: &mut Fold, health: &Health) -> Word {
    let since = health.since;
    let Some(gateway) = gateway(fold, &health.instance).filter(|_| health.status.is_down()) else {
        return Word::Own;
    };
    // Where no desk has it, each team hears of what is its own. And of a storm nobody can tell what has a reason of its own.
    let policy = fold.after.configuration.policy(gateway.environment);
    if policy.is_none_or(|policy| policy.service_desk.is_none())
        || storm::of(fold, &health.instance).is_some()
    {
        return Word::Own;
    }
    let all = behind(fold, &gateway);
    let own = all.iter().find(|seen| seen.instance == health.instance);
    if !own.is_some_and(|own| own.is_shut(since)) {
        return Word::Own;
    }
    let known = fold.after.open_incident(&Cause::Gateway(gateway.clone()));
    if known.is_some_and(|known| known.status != IncidentStatus::Recovering) {
        return Word::Shut(gateway, since);
    }
    if all.iter().any(|seen| seen.is_reached(since)) {
        return Word::Own;
    }
    let unheard: Vec<&Seen> = all.iter().filter(|seen| !seen.is_shut(Timestamp::MIN)).collect();
    if !unheard.is_empty() {
        if fold.now >= since + WORD_WITHIN {
            return Word::Own;
        }
        // By one time for all that wait, so that each is asked once.
        let first = all.iter().filter_map(|seen| seen.shut_since).min().unwrap_or(since);
        for seen in unheard {
            fold.want(first, seen.oldest.clone());
        }
        return Word::Awaited;
    }
    let newest = all.iter().filter_map(|seen| seen.shut_since).max().unwrap_or(since);
    let together = |seen: &&Seen| seen.shut_since.is_some_and(|since| since + TOGETHER >= newest);
    let fell: Vec<&Seen> = all.iter().filter(together).collect();
    let of_its_own = fell.iter().filter(|seen| !(seen.may_wait && waits(fold, &seen.instance)));
    let first = fell.iter().filter_map(|seen| seen.shut_since).min().unwrap_or(since);
    if of_its_own.count() >= 2 { Word::Shut(gateway, first) } else { Word::Own }
}

/// Whether an API that an instance depends on is down, or may be: that is to be confirmed.
fn waits(fold: &Fold, instance: &InstanceId) -> bool {
    let parents = fold.after.configuration.ancestors(&instance.api);
    parents.into_iter().any(|api| {
        let parent = InstanceId { api, environment: instance.environment };
        let fails = |id: TrackId| {
            let round = fold.after.tracks.get(&id).and_then(|track| track.round);
            matches!(round, Some(Round::Confirm { fails, .. }) if fails > 0)
        };
        fold.after.status(&parent).is_down() || fold.after.configuration.tracks_of(&parent).any(fails)
    })
}

/// Whether an instance fails because of the gateway that is this `cause`. While nothing else has been seen to be wrong with
/// it, as after a start or before it is known to work again, it does; nor is one odd answer among others that are none.
pub(crate) fn fails_with(fold: &Fold, cause: &Cause, health: &Health) -> bool {
    let Cause::Gateway(known) = cause else { return false };
    if !health.status.is_down() {
        return false;
    }
    // Who gives tokens is reached by the same way, and is not reached.
    if let Some(endpoint) = token::endpoint(&fold.after.configuration, health) {
        let unreached = |id: TrackId| {
            let failure = fold.after.outcome(&id).and_then(|outcome| outcome.failure.as_ref());
            failure.is_some_and(|failure| failure.kind == FailureKind::TokenUnreachable)
        };
        return endpoint.host() == known.host
            && fold.after.configuration.tracks_of(&health.instance).any(unreached);
    }
    let (mut spoken, mut shut, mut otherwise) = (false, false, false);
    for outcome in speaking(fold, &health.instance).filter_map(|(_, latest)| latest.outcome.as_ref()) {
        spoken = true;
        shut |= is_not_reached(outcome);
        otherwise |= outcome.failure.as_ref().is_some_and(|failure| {
            // Whether it works nobody can tell: we are refused.
            !matches!(failure.kind, FailureKind::AccessRefused | FailureKind::RateLimited)
        });
    }
    let is_probed = probed(fold, &health.instance).next().is_some();
    let here = || gateway(fold, &health.instance).as_ref() == Some(known);
    (!spoken && is_probed) || (spoken && (shut || !otherwise) && here())
}

/// An instance fails with its gateway: it is held back by the gateway's incident, which opens if there is none.
pub(crate) fn shut(fold: &mut Fold, (gateway, since): (&Gateway, Timestamp), health: &Health) {
    let cause = Cause::Gateway(gateway.clone());
    let diagnosis = words(gateway, health.layer);
    let known = fold.after.open_incident(&cause).map(|incident| incident.id);
    let first = Health { since, ..health.clone() };
    let id = known.unwrap_or_else(|| open(fold, cause, &first, diagnosis.clone()));
    let Some(mut incident) = fold.incident(id) else { return };
    incident.api = None;
    (incident.layer, incident.diagnosis) = (health.layer, diagnosis);
    if incident.status == IncidentStatus::Recovering {
        duty::returned(fold, &mut incident, health.status);
    }
    if worse(health.status, incident.worst) {
        remark::worsened(&mut incident, health.status, fold.now);
    }
    fold.put_incident(incident);
    // With an incident of its own it comes with that.
    gather(fold, id, gateway);
    let held = |incident: &Incident| incident.held_back.contains(&health.instance);
    if let Some(incident) = fold.incident(id).filter(|incident| !held(incident)) {
        hold_back(fold, incident, &health.instance);
    }
    take_in_children(fold, id, &health.instance);
    if known.is_none() {
        for seen in behind(fold, gateway).iter() {
            // Down already, and waiting for this word.
            if fold.after.status(&seen.instance).is_down() {
                cause::instance(fold, &seen.instance);
            }
        }
    }
}

/// What was taken for the trouble of single APIs is taken in by gateways that let nothing through.
pub(crate) fn gateways(fold: &mut Fold) {
    let shut = fold.after.open_incidents().filter(|incident| incident.status != IncidentStatus::Recovering);
    let of = |incident: &Incident| {
        if let Cause::Gateway(gateway) = &incident.cause {
            Some((incident.id, gateway.clone()))
        } else {
            None
        }
    };
    let open: Vec<(IncidentId, Gateway)> = shut.filter_map(|incident| of(incident)).collect();
    for (id, gateway) in open {
        gather(fold, id, &gateway);
        let shut = behind(fold, &gateway);
        let mut healths = shut.iter().filter_map(|seen| fold.after.healths.get(&seen.instance));
        let layer = healths.find(|health| health.status.is_down()).and_then(|health| health.layer);
        if let Some(mut incident) =
            fold.incident(id).filter(|incident| layer.is_some() && incident.layer != layer)
        {
            (incident.layer, incident.diagnosis) = (layer, words(&gateway, layer));
            fold.put_incident(incident);
        }
    }
}

fn gather(fold: &mut Fold, id: IncidentId, gateway: &Gateway) {
    for seen in behind(fold, gateway).iter() {
        let Some(began) = fold.after.incidents.get(&id).map(|incident| incident.failing_since()) else {
            return;
        };
        let health = fold.after.healths.get(&seen.instance).filter(|health| health.status.is_down());
        // It may have been slow for long: since it is down is what counts.
        let since = health.map(|health| health.since);
        let Some(since) = since.filter(|since| seen.is_shut(*since) && *since + TOGETHER >= began) else {
            continue;
        };
        let own = fold.after.open_incident(&Cause::Instance(seen.instance.clone()));
        let Some(own) = own.map(|own| (**own).clone()) else { continue };
        // Its holds count from when the first of it was confirmed: they have waited already.
        if let Some(mut incident) = fold.incident(id) {
            incident.opened_at = incident.opened_at.min(own.opened_at.max(since));
            fold.put_incident(incident);
        }
        children::take_over(fold, id, own, "it is not reached, nor is anything else there");
    }
}

/// Something there was reached since it last failed, and does not fail with it.
pub(crate) fn answers(fold: &mut Fold, incident: &Incident) -> bool {
    let Cause::Gateway(gateway) = &incident.cause else { return false };
    let began = incident.failing_since();
    let since = incident.flaps.returns.last().map_or(began, |returned| began.max(*returned));
    behind(fold, gateway).iter().filter(|seen| seen.is_reached(since)).any(|seen| {
        fold.after.healths.get(&seen.instance).is_some_and(|health| match health.status {
            // We may be refused there: that, too, is an answer.
            Status::Operational | Status::Degraded | Status::Unknown => true,
            Status::PartialOutage | Status::MajorOutage => {
                // One odd answer is none: it has an incident of its own by now, and answered since.
                let own = fold.after.open_incident(&Cause::Instance(seen.instance.clone()));
                let again = own.is_some_and(|own| seen.reached_at > Some(own.opened_at));
                (again && !showing::shows(fold, &incident.cause, health))
                    || works_in_part(fold, &seen.instance)
            }
            Status::Maintenance => false,
        })
    })
}

/// It has answered again for a while, and this instance was asked since and failed: that is its own trouble.
pub(crate) fn left_behind(fold: &Fold, incident: &Incident, instance: &InstanceId) -> bool {
    let recovered_at = incident.recovered_at.filter(|_| incident.status == IncidentStatus::Recovering);
    let failed = |latest: &Latest| latest.outcome.as_ref().is_some_and(|outcome| outcome.failure.is_some());
    matches!(incident.cause, Cause::Gateway(_))
        && recovered_at.is_some_and(|at| {
            let since = |(_, latest): (TrackId, &Latest)| latest.at > at && failed(latest);
            fold.now >= at + WORD_WITHIN && speaking(fold, instance).any(since)
        })
}

/// Some of its probes pass: whatever the others meet, the way there is open.
fn works_in_part(fold: &Fold, instance: &InstanceId) -> bool {
    speaking(fold, instance).any(|(id, latest)| {
        let works = fold.after.tracks.get(&id).is_some_and(|track| track.status == Status::Operational);
        works && latest.outcome.as_ref().is_some_and(|outcome| outcome.failure.is_none())
    })
}

/// Something there answers again: what reached nothing when it was asked last is asked now.
pub(crate) fn ask(fold: &mut Fold, incident: &Incident) {
    let Cause::Gateway(gateway) = &incident.cause else { return };
    for seen in behind(fold, gateway).iter() {
        let shut = |latest: &Latest| latest.outcome.as_ref().is_some_and(|outcome| is_not_reached(outcome));
        let all: Vec<TrackId> =
            speaking(fold, &seen.instance).filter(|(_, latest)| shut(latest)).map(|(id, _)| id).collect();
        for id in all {
            fold.want(fold.now, id);
        }
    }
}

fn words(gateway: &Gateway, layer: Option<Layer>) -> Text {
    let host = &gateway.host;
    if layer == Some(Layer::Dns) {
        return Text::new(
            format!("The name of {host} cannot be found, and all APIs there are reached by it."),
            format!("Ni ellir dod o hyd i enw {host}, a thrwyddo y cyrhaeddir pob API yno."),
        );
    }
    Text::new(
        format!(
            "None of the APIs at {host} answers: it is most likely the gateway there, or the way to it, and not the APIs."
        ),
        format!(
            "Nid oes yr un o’r APIs yn {host} yn ateb: y porth yno, neu’r ffordd ato, yw’r achos yn fwy na thebyg, ac nid yr APIs."
        ),
    )
}
