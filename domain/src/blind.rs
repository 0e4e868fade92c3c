//! A vantage that cannot see: told once, and not once an API (DESIGN §5).
//!
//! Two things show it. Probes that say so themselves ([`Layer::Ours`]; the prober has asked the guards). And, where no
//! guard knows better, that every host fell silent at once: many APIs do not break together, but one network does.

use crate::{
    Cause, Environment, FailureKind, Guards, Health, Incident, InstanceId, Layer, Outcome, Round, Sight,
    Status, Text, Track, TrackId, Vantage, VantageId, duty, fold::Fold, shared::over_several,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A vantage blind to all of production for so long is a P1 (DESIGN §5).
const BLIND_FOR: SignedDuration = SignedDuration::from_mins(3);

/// Hosts that fell silent within so long of each other fell silent together.
pub(crate) const TOGETHER: SignedDuration = SignedDuration::from_mins(2);

/// An API that is silent waits so long for word of the other hosts, which are asked at once, before it has an incident of
/// its own: a round of confirmation, and a connection that is not made.
pub(crate) const WORD_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// A vantage that sees nothing of production; or, as its guards tell, nothing of one side of the NHS Wales network.
pub(crate) fn blind(fold: &mut Fold, vantage: &Vantage) {
    let cause = Cause::Blind(vantage.id.clone());
    let open = fold.after.open_incident(&cause).map(|incident| incident.affects.clone());
    let silent = together(&hosts(fold, &vantage.id));
    let mut seen = Vec::new();
    for id in production(fold, &vantage.id) {
        let latest = fold.after.outcome(&id);
        // What an open incident holds goes on until a probe sees something: a restart proves nothing.
        let held = latest.is_none() && open.as_ref().is_some_and(|held| held.contains(&id.check.instance));
        let sight = latest.and_then(|outcome| outcome.sight);
        let one_side = held || matches!(sight, Some(Sight::NoInside | Sight::NoOutside));
        seen.push((unseen_since(fold, &id, held).or(silent), one_side, sight, id.check.instance));
    }
    let nothing = seen.iter().all(|(since, ..)| since.is_some());
    // While some of it is seen, only what the guards of one side explain is one trouble.
    let dark = seen.iter().filter(|(_, one_side, ..)| nothing || *one_side);
    let dark: Vec<_> = dark.filter_map(|(since, _, sight, id)| Some(((*since)?, *sight, id))).collect();
    let times = dark.iter().map(|(since, ..)| *since);
    let since = if nothing { times.max() } else { times.min() };
    let long = |since| fold.now.duration_since(fold.watched(since)) >= BLIND_FOR;
    let mut affects: Vec<InstanceId> = Vec::new();
    if open.is_some() || since.is_some_and(long) {
        affects.extend(dark.iter().map(|(.., id)| (*id).clone()));
        affects.dedup();
    }
    let blinded = !affects.is_empty();
    let sight = dark.iter().find_map(|(_, sight, _)| *sight);
    over_several(fold, cause.clone(), since, affects, Layer::Ours, &words(sight, &vantage.guards));
    let id = fold.after.open_incident(&cause).map(|incident| incident.id);
    let Some(mut incident) = id.and_then(|id| fold.incident(id)).filter(|_| blinded) else {
        return;
    };
    if sight.is_some() && incident.diagnosis != words(sight, &vantage.guards) {
        incident.diagnosis = words(sight, &vantage.guards);
        incident.note(fold.now, incident.diagnosis.en.clone());
        fold.put_incident(incident.clone());
    }
    take_in(fold, &incident, silent.is_some());
}

/// The checks of production that a vantage looks at.
fn production(fold: &Fold, vantage: &VantageId) -> Vec<TrackId> {
    let checks = fold.after.configuration.checks.values();
    checks
        .filter(|check| {
            check.id.instance.environment == Environment::Production && check.from.contains(vantage)
        })
        .map(|check| TrackId { check: check.id.clone(), vantage: vantage.clone() })
        .collect()
}

/// Since when a check cannot tell anything, for a reason of our own or because nobody looked; `None`: it does.
fn unseen_since(fold: &Fold, id: &TrackId, held: bool) -> Option<Timestamp> {
    let ours = fold
        .after
        .outcome(id)
        .map_or(held, |outcome| outcome.failure.as_ref().is_some_and(|failure| failure.layer == Layer::Ours));
    match fold.after.tracks.get(id).map(|track| (track, track.inconclusive_since)) {
        None => Some(fold.unmeasured()),
        Some((_, Some(since))) => ours.then_some(since),
        Some((track, None)) => (track.status == Status::Unknown).then_some(track.since),
    }
}

/// Incidents of single APIs that began with it are part of it. `all`: every host of the vantage is silent.
fn take_in(fold: &mut Fold, blind: &Incident, all: bool) {
    let network = |incident: &Incident| matches!(incident.layer, Some(Layer::Dns | Layer::Connect));
    let dark = |instance: &InstanceId| all || blind.affects.contains(instance);
    let part: Vec<(Incident, String)> = fold
        .after
        .open_incidents()
        .filter(|incident| network(incident) && incident.failing_since() + TOGETHER >= blind.started_at)
        .filter_map(|incident| match &incident.cause {
            Cause::Instance(instance) if dark(instance) => Some(((**incident).clone(), fold.name(instance))),
            Cause::Gateway(gateway) if incident.held_back.iter().all(dark) => {
                Some(((**incident).clone(), gateway.host.clone()))
            }
            Cause::Instance(_)
            | Cause::Token(_)
            | Cause::Burn(_)
            | Cause::Certificate(_)
            | Cause::Gateway(_)
            | Cause::Refused(_)
            | Cause::Blind(_)
            | Cause::Rota(_)
            | Cause::Behind(_)
            | Cause::Storm(_)
            | Cause::Ahead(_)
            | Cause::Alert(_)
            | Cause::Test(_) => None,
        })
        .collect();
    for (incident, name) in part {
        let why = format!("{name} cannot be reached, nor can anything else");
        duty::taken_in(fold, incident, blind.id, &why);
    }
}

/// What can honestly be said of whose trouble it is.
fn words(sight: Option<Sight>, guards: &Guards) -> Text {
    // One guard may be gone by itself: it does not speak for a side as two do.
    match sight {
        Some(Sight::NoInside) if guards.inside.len() == 1 => Text::new(
            "We cannot see a part of production: it cannot be reached from here, nor can the one address that we test \
             the NHS Wales network by, though the internet can. It may be that network, our way into it, or that \
             address and the APIs themselves: we cannot tell which.",
            "Ni allwn weld rhan o’r gwasanaethau byw: ni ellir ei chyrraedd o’r fan hon, na’r un cyfeiriad yr ydym yn \
             profi rhwydwaith GIG Cymru ag ef, er y gellir cyrraedd y rhyngrwyd. Efallai mai’r rhwydwaith hwnnw yw’r \
             achos, ein ffordd i mewn iddo, neu’r cyfeiriad hwnnw a’r APIs eu hunain: ni allwn ddweud pa un.",
        ),
        Some(Sight::NoOutside) if guards.outside.len() == 1 => Text::new(
            "We cannot see a part of production: it cannot be reached from here, nor can the one address that we test \
             the internet by, though the NHS Wales network can. It may be our way out, or that address and the APIs \
             themselves: we cannot tell which.",
            "Ni allwn weld rhan o’r gwasanaethau byw: ni ellir ei chyrraedd o’r fan hon, na’r un cyfeiriad yr ydym yn \
             profi’r rhyngrwyd ag ef, er y gellir cyrraedd rhwydwaith GIG Cymru. Efallai mai ein ffordd allan yw’r \
             achos, neu’r cyfeiriad hwnnw a’r APIs eu hunain: ni allwn ddweud pa un.",
        ),
        None | Some(Sight::Clear) => Text::new(
            "We cannot see production: it may be the NHS network, or it may be us. The APIs themselves may be working.",
            "Ni allwn weld y gwasanaethau byw: efallai mai rhwydwaith y GIG yw’r achos, neu ni ein hunain. Efallai fod \
             yr APIs eu hunain yn gweithio.",
        ),
        Some(Sight::Nothing) => Text::new(
            "We cannot see production: nothing can be reached from here, not even the addresses that we test our own \
             network by. It is most likely us. The APIs themselves may be working.",
            "Ni allwn weld y gwasanaethau byw: ni ellir cyrraedd dim o’r fan hon, na hyd yn oed y cyfeiriadau yr ydym \
             yn profi ein rhwydwaith ein hunain â nhw. Ni ein hunain yw’r achos, yn fwy na thebyg. Efallai fod yr APIs \
             eu hunain yn gweithio.",
        ),
        Some(Sight::NoInside) => Text::new(
            "We cannot see into the NHS Wales network: nothing inside it can be reached from here, though the internet \
             can. It may be that network, or our way into it. The APIs themselves may be working.",
            "Ni allwn weld i mewn i rwydwaith GIG Cymru: ni ellir cyrraedd dim y tu mewn iddo o’r fan hon, er y gellir \
             cyrraedd y rhyngrwyd. Efallai mai’r rhwydwaith hwnnw yw’r achos, neu ein ffordd ni i mewn iddo. Efallai fod \
             yr APIs eu hunain yn gweithio.",
        ),
        Some(Sight::NoOutside) => Text::new(
            "We cannot see out to the internet: nothing there can be reached from here, though the NHS Wales network \
             can. It is most likely our way out. The APIs themselves may be working.",
            "Ni allwn weld y rhyngrwyd: ni ellir cyrraedd dim yno o’r fan hon, er y gellir cyrraedd rhwydwaith GIG \
             Cymru. Ein ffordd allan yw’r achos, yn fwy na thebyg. Efallai fod yr APIs eu hunain yn gweithio.",
        ),
    }
}

/// Whether an instance's trouble is that of all hosts, or may turn out to be: it has no incident of its own then, or not
/// yet.
pub(crate) fn shares(fold: &mut Fold, health: &Health) -> bool {
    if !matches!(health.layer, Some(Layer::Dns | Layer::Connect)) {
        return false;
    }
    let configuration = fold.configuration();
    let from: Vec<&Vantage> = configuration
        .vantages
        .iter()
        .filter(|vantage| {
            configuration.checks_of(&health.instance).any(|check| check.from.contains(&vantage.id))
        })
        .collect();
    let mut ask = Vec::new();
    for vantage in &from {
        // Where nothing of production is looked at, nobody would be told of the one trouble.
        if production(fold, &vantage.id).is_empty() {
            return false;
        }
        let Some((since, at, own)) = own_silence(fold, &health.instance, &vantage.id) else { continue };
        let hosts = hosts(fold, &vantage.id);
        if together(&hosts).is_some_and(|last| since + TOGETHER >= last) {
            continue;
        }
        let heard = || hosts.values().filter(|host| host.silent_since.is_none());
        if hosts.len() < 2 || heard().any(|host| since <= host.at && host.at <= at) {
            return false;
        }
        if heard().any(|host| host.at > at) {
            // The others are back: it is for this one's next probe to say whether it is too.
            ask.push((at, own));
            continue;
        }
        if fold.now >= since + WORD_WITHIN {
            return false;
        }
        ask.extend(heard().map(|host| (since, host.track.clone())));
    }
    for (since, track) in ask {
        fold.want(since, track);
    }
    !from.is_empty()
}

/// Since when an instance's checks fail at the network as a vantage sees it, when that was last seen, and by which of
/// them; `None`: the last that was seen is something else.
fn own_silence(
    fold: &Fold,
    instance: &InstanceId,
    vantage: &VantageId,
) -> Option<(Timestamp, Timestamp, TrackId)> {
    let checks = fold.after.configuration.checks_of(instance).filter(|check| check.from.contains(vantage));
    let silent = checks.filter_map(|check| {
        let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let (track, latest) = (fold.after.tracks.get(&id)?, fold.after.latest.get(&id)?);
        let silent = latest.outcome.as_ref().is_some_and(|outcome| is_silent(outcome));
        (silent && track.status.is_down()).then_some((track.since, latest.at, id))
    });
    silent.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1), a.2))
}

/// What was last seen of one host.
struct Host {
    at: Timestamp,
    /// Since when it is silent, if it is.
    silent_since: Option<Timestamp>,
    track: TrackId,
}

/// All hosts that the vantage looks at and of which something was seen lately. Empty when guards showed that we see.
fn hosts(fold: &Fold, vantage: &VantageId) -> BTreeMap<String, Host> {
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    for check in fold.after.configuration.checks.values().filter(|check| check.from.contains(vantage)) {
        let track = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let Some(latest) = fold.after.latest.get(&track) else { continue };
        let Some(outcome) = &latest.outcome else { continue };
        if fold.now.duration_since(latest.at) > duty::signed(check.validity(latest.at)) {
            continue;
        }
        if outcome.sight == Some(Sight::Clear) {
            return BTreeMap::new();
        }
        let silent_since = is_silent(outcome)
            .then(|| silent_since(fold.after.tracks.get(&track).map(AsRef::as_ref), outcome));
        // A probe without a token was never sent: it says nothing of its host.
        if outcome.failure.as_ref().is_some_and(|failure| failure.layer == Layer::Token) {
            continue;
        }
        let host = Host { at: latest.at, silent_since, track };
        match hosts.get_mut(check.host()) {
            Some(known) if known.at >= host.at => {}
            Some(known) => *known = host,
            None => drop(hosts.insert(check.host().to_owned(), host)),
        }
    }
    hosts
}

/// Whether it says nothing of the other side but that it cannot be reached.
fn is_silent(outcome: &Outcome) -> bool {
    outcome.failure.as_ref().is_some_and(|failure| match failure.layer {
        Layer::Dns | Layer::Connect => true,
        Layer::Ours => matches!(
            failure.kind,
            FailureKind::NoNetwork
                | FailureKind::NoResolver
                | FailureKind::Proxy
                // A proxy made no tunnel, and we cannot tell whose fault it is.
                | FailureKind::ConnectTimeout
                | FailureKind::Unreachable
        ),
        Layer::Tls | Layer::Token | Layer::Gateway | Layer::Backend | Layer::Contract => false,
    })
}

/// Since when it is silent: back-dated to the first probe that showed it.
pub(crate) fn silent_since(track: Option<&Track>, outcome: &Outcome) -> Timestamp {
    let Some(track) = track else { return outcome.at };
    match (track.inconclusive_since, track.round) {
        (Some(since), _) | (None, Some(Round::Confirm { since, .. })) => since,
        (None, Some(Round::Recover { .. }) | None) if track.status.is_down() => track.since,
        (None, Some(Round::Recover { .. }) | None) => outcome.at,
    }
}

/// Since when all hosts are silent, at least two of them since about the same time; `None`: some host answers.
fn together(hosts: &BTreeMap<String, Host>) -> Option<Timestamp> {
    let silent: Option<Vec<Timestamp>> = hosts.values().map(|host| host.silent_since).collect();
    let silent = silent?;
    let last = silent.iter().max().copied()?;
    let fell = silent.iter().filter(|since| **since + TOGETHER >= last).count();
    (fell >= 2).then_some(last)
}
