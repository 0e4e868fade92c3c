//! The way to several APIs: one cause for all that stand behind it (DESIGN §5).
//!
//! APIs of an environment at one address share the name that is looked up, the connection and the gateway that answers. When
//! at least two of them failed together before anything of theirs was reached, and no other answers there, it is one trouble
//! and not theirs.

use crate::{
    ApiId, Cause, Environment, FailureKind, Health, Incident, IncidentId, IncidentStatus, InstanceId, Latest,
    Layer, Outcome, Status, Text, TrackId,
    blind::{TOGETHER, WORD_WITHIN, silent_since},
    cause::{self, open, worse},
    children::{self, hold_back, take_in_children},
    duty,
    fold::Fold,
    showing,
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
    /// None of them is reached.
    Shut(Gateway),
}

/// Where an instance is reached; `None`: nobody goes there, it calls us.
fn gateway(fold: &Fold, instance: &InstanceId) -> Option<Gateway> {
    let mut probed = fold.after.configuration.checks_of(instance).filter(|check| check.heartbeat().is_none());
    let host = probed.next()?.authority().to_owned();
    Some(Gateway { environment: instance.environment, host })
}

/// All that is reached there.
fn behind(fold: &Fold, gateway: &Gateway) -> Vec<InstanceId> {
    let of = |api: &ApiId| InstanceId { api: api.clone(), environment: gateway.environment };
    let apis = fold.after.configuration.apis.keys().map(of);
    apis.filter(|instance| self::gateway(fold, instance).as_ref() == Some(gateway)).collect()
}

/// Whether a failing instance fails with its gateway.
pub(crate) fn word(fold: &mut Fold, health: &Health) -> Word {
    let instance = &health.instance;
    let Some(gateway) = gateway(fold, instance).filter(|_| is_shut_out(fold, health)) else {
        return Word::Own;
    };
    let known = fold.after.open_incident(&Cause::Gateway(gateway.clone()));
    if known.is_some_and(|known| known.status != IncidentStatus::Recovering) {
        return Word::Shut(gateway);
    }
    let since = health.since;
    let (mut failed, mut unheard) = (Vec::new(), Vec::new());
    for one in behind(fold, &gateway) {
        match last(fold, &one, since) {
            None => {}
            Some(Last::Reached) => return Word::Own,
            Some(Last::ReachedBefore(track)) => unheard.push(track),
            Some(Last::NotReached { since, hangs }) => failed.push((one.api, since, hangs)),
        }
    }
    if !unheard.is_empty() {
        if fold.now >= since + WORD_WITHIN {
            return Word::Own;
        }
        for track in unheard {
            fold.want(since, track);
        }
        return Word::Awaited;
    }
    let newest = failed.iter().map(|(_, since, _)| *since).max().unwrap_or(since);
    // What hangs may only wait for another of them that it depends on.
    let configuration = fold.configuration();
    let waits = |api: &ApiId| {
        let parents = configuration.ancestors(api);
        failed.iter().any(|(other, ..)| parents.contains(other))
    };
    let together = failed
        .iter()
        .filter(|(api, since, hangs)| *since + TOGETHER >= newest && !(*hangs && waits(api)))
        .count();
    if together >= 2 { Word::Shut(gateway) } else { Word::Own }
}

/// What an instance's probes last said.
enum Last {
    /// It was reached since then, well or not.
    Reached,
    /// It was, but before; by which of its probes.
    ReachedBefore(TrackId),
    /// It is not.
    NotReached {
        /// Since when.
        since: Timestamp,
        /// It can be connected to, and says nothing.
        hangs: bool,
    },
}

/// `None`: nothing that still speaks.
fn last(fold: &Fold, instance: &InstanceId, since: Timestamp) -> Option<Last> {
    let mut newest: Option<(Timestamp, Last)> = None;
    for (id, latest) in speaking(fold, instance) {
        let Some(outcome) = &latest.outcome else { continue };
        let said = if is_not_reached(outcome) {
            let kind = outcome.failure.as_ref().map(|failure| failure.kind);
            Last::NotReached {
                since: silent_since(fold.after.tracks.get(&id).map(AsRef::as_ref), outcome),
                hangs: matches!(kind, Some(FailureKind::FirstByteTimeout | FailureKind::ClosedEarly)),
            }
        } else if latest.at >= since {
            return Some(Last::Reached);
        } else {
            Last::ReachedBefore(id)
        };
        if newest.as_ref().is_none_or(|(at, _)| *at < latest.at) {
            newest = Some((latest.at, said));
        }
    }
    newest.map(|(_, last)| last)
}

/// What was seen of an instance by each of its probes and still speaks of the way to it: one without a token was never sent,
/// and what fails on our side says nothing.
fn speaking<'a>(
    fold: &'a Fold,
    instance: &'a InstanceId,
) -> impl Iterator<Item = (TrackId, &'a Latest)> + 'a {
    let checks = fold.after.configuration.checks_of(instance).filter(|check| check.heartbeat().is_none());
    let tracks = checks.flat_map(|check| {
        check
            .from
            .iter()
            .map(move |vantage| (check, TrackId { check: check.id.clone(), vantage: vantage.clone() }))
    });
    tracks.filter_map(|(check, id)| {
        let latest = fold.after.latest.get(&id)?;
        let old = fold.now.duration_since(latest.at) > duty::signed(check.validity(latest.at));
        let layer = latest.outcome.as_ref().and_then(|outcome| outcome.failure.as_ref()).map(|it| it.layer);
        (!old && !matches!(layer, Some(Layer::Token | Layer::Ours))).then_some((id, latest))
    })
}

/// Whether nothing of the API itself was reached.
fn is_not_reached(outcome: &Outcome) -> bool {
    use FailureKind as K;
    outcome.failure.as_ref().is_some_and(|failure| match failure.kind {
        K::NameNotFound
        | K::NameFailed
        | K::Refused
        | K::Reset
        | K::Unreachable
        | K::ConnectTimeout
        | K::Handshake
        | K::TlsTimeout
        | K::ClosedEarly
        | K::FirstByteTimeout
        | K::GatewayError => failure.layer != Layer::Ours,
        K::NoPermit
        | K::NoResolver
        | K::NoNetwork
        | K::NoDescriptor
        | K::NoMemory
        | K::AddressRefused
        | K::Proxy
        | K::ProbeBroke
        | K::CertificateExpired
        | K::CertificateNotYetValid
        | K::CertificateUntrusted
        | K::CertificateName
        | K::ClientCertificate
        | K::CredentialRefused
        | K::TokenUnreachable
        | K::TokenBroken
        | K::BodyTimeout
        | K::BodyTruncated
        | K::TooLarge
        | K::NotHttp
        | K::AccessRefused
        | K::RateLimited
        | K::BackendUnavailable
        | K::ServerError
        | K::UnexpectedStatus
        | K::HealthFail
        | K::HealthWarn
        | K::RequestRefused
        | K::BadBody
        | K::ExpectationFailed
        | K::CertificateEndsSoon
        | K::NotHeard
        | K::JobFailed => false,
    })
}

/// Whether an instance is down, and none of its probes reaches it.
fn is_shut_out(fold: &Fold, health: &Health) -> bool {
    let mut seen =
        speaking(fold, &health.instance).filter_map(|(_, latest)| latest.outcome.as_ref()).peekable();
    health.status.is_down() && seen.peek().is_some() && seen.all(|outcome| is_not_reached(outcome))
}

/// Whether an instance fails because of the gateway that is this `cause`. While nothing else has been seen to be wrong with
/// it, as after a start or before it is known to work again, it does.
pub(crate) fn fails_with(fold: &Fold, cause: &Cause, health: &Health) -> bool {
    let Cause::Gateway(known) = cause else { return false };
    let fails_so = |outcome: &Arc<Outcome>| outcome.failure.is_none() || is_not_reached(outcome);
    health.status.is_down()
        && gateway(fold, &health.instance).as_ref() == Some(known)
        && speaking(fold, &health.instance).all(|(_, latest)| latest.outcome.as_ref().is_none_or(fails_so))
}

/// An instance fails with its gateway: it is held back by the gateway's incident, which opens if there is none and takes in
/// what was taken for the trouble of single APIs.
pub(crate) fn shut(fold: &mut Fold, gateway: &Gateway, health: &Health) {
    let cause = Cause::Gateway(gateway.clone());
    let known = fold.after.open_incident(&cause).map(|incident| incident.id);
    let id = known.unwrap_or_else(|| open(fold, cause, health, words(gateway, health.layer)));
    let Some(mut incident) = fold.incident(id) else { return };
    incident.api = None;
    if incident.status == IncidentStatus::Recovering {
        duty::returned(fold, &mut incident, health.status);
    }
    if worse(health.status, incident.worst) {
        incident.worst = health.status;
    }
    let began = incident.failing_since();
    hold_back(fold, incident, &health.instance);
    take_in_children(fold, id, &health.instance);
    if known.is_some() {
        return;
    }
    for other in behind(fold, gateway) {
        take_in(fold, id, &other, began);
        // Down already, and waiting for this word.
        if fold.after.status(&other).is_down() {
            cause::instance(fold, &other);
        }
    }
}

/// The incident of one API behind it, if it began with it.
fn take_in(fold: &mut Fold, id: IncidentId, instance: &InstanceId, began: Timestamp) {
    let own = fold.after.open_incident(&Cause::Instance(instance.clone()));
    let own = own.filter(|own| own.failing_since() + TOGETHER >= began).map(|own| (**own).clone());
    let down = fold.after.healths.get(instance).is_some_and(|health| is_shut_out(fold, health));
    if let Some(own) = own.filter(|_| down) {
        // Its holds count from when the first of it was confirmed: they have waited already.
        if let Some(mut incident) = fold.incident(id) {
            incident.opened_at = incident.opened_at.min(own.opened_at);
            fold.put_incident(incident);
        }
        children::take_over(fold, id, own, "it is not reached, nor is anything else there");
    }
}

/// An instance that it held back works again, or fails for a reason of its own; or another there never failed.
pub(crate) fn answers(fold: &Fold, incident: &Incident) -> bool {
    let Cause::Gateway(gateway) = &incident.cause else { return false };
    let since = incident.failing_since();
    behind(fold, gateway).iter().any(|instance| {
        let health = fold.after.healths.get(instance);
        let up = health.is_some_and(|health| match health.status {
            Status::Operational | Status::Degraded => true,
            Status::PartialOutage | Status::MajorOutage => !showing::shows(fold, &incident.cause, health),
            Status::Maintenance | Status::Unknown => false,
        });
        up && matches!(last(fold, instance, since), Some(Last::Reached))
    })
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
            "None of the APIs at {host} is reached: it is most likely the gateway there, or the way to it, and not the APIs."
        ),
        format!(
            "Ni chyrhaeddir yr un o’r APIs yn {host}: y porth yno, neu’r ffordd ato, yw’r achos yn fwy na thebyg, ac nid yr APIs."
        ),
    )
}
