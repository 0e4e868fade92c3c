//! Time passes: what no longer speaks, what is planned, what shows over several instances.
//!
//! Asked for once a second, over all there is; and nearly always all is well. So what time alone cannot have changed is not
//! looked at again.

use crate::{
    Cause, Configuration, Health, Incident, IncidentId, InstanceId, Latest, Status, TrackId, Verdict, ahead,
    burn, children, decide::look_at, fold::Fold, overrun, shared, test_call,
};
use jiff::Timestamp;
use std::{collections::BTreeSet, sync::Arc};

/// Time passed, and nothing else.
pub(crate) fn due(fold: &mut Fold) {
    let expired = expire(fold);
    let configuration = fold.configuration();
    if expired {
        return all(fold, &configuration);
    }
    if is_calm(fold, &configuration) {
        ahead::ahead(fold);
        burn::burns(fold);
        test_call::due(fold);
        return look_at_unwell(fold, &configuration);
    }
    look_at_unwell(fold, &configuration);
    whole(fold);
}

/// Looks at every instance but those that plainly are well: of such a one time alone changes nothing, whatever others do. There
/// may be thousands of them beside the one that fails. One that has an incident of its own is not plainly well, whatever it shows.
fn look_at_unwell(fold: &mut Fold, configuration: &Configuration) {
    fold.holders = Some(children::holders(&fold.after));
    let of_instance = |incident: &Arc<Incident>| {
        let Cause::Instance(instance) = &incident.cause else { return None };
        Some(instance.clone())
    };
    let in_trouble: BTreeSet<InstanceId> = fold.after.open_incidents().filter_map(of_instance).collect();
    for instance in configuration.instances() {
        let maintenance = fold.in_maintenance(&instance);
        let health = fold.after.healths.get(&instance);
        let is_same =
            |health: &Arc<Health>| health.status == Status::Operational && health.maintenance == maintenance;
        let is_well = health.is_some_and(is_same)
            && !in_trouble.contains(&instance)
            && children::holder(fold, &instance).is_none();
        if !is_well {
            look_at(fold, &instance, None);
        }
    }
}

/// As [`due`], where more than time may have changed: everything is looked at.
pub(crate) fn anew(fold: &mut Fold) {
    fold.after.speaks_until = None;
    fold.after.foreseen_until = None;
    fold.after.tests_at = None;
    expire(fold);
    let configuration = fold.configuration();
    all(fold, &configuration);
}

fn all(fold: &mut Fold, configuration: &Configuration) {
    fold.holders = Some(children::holders(&fold.after));
    for instance in configuration.instances() {
        look_at(fold, &instance, None);
    }
    whole(fold);
}

/// What shows over several instances, and what waits for its time.
fn whole(fold: &mut Fold) {
    shared::shared(fold);
    test_call::due(fold);
    overrun::overruns(fold);
    let open: Vec<IncidentId> = fold.after.open_incidents().map(|incident| incident.id).collect();
    fold.touched.extend(open);
}

/// Ends what no longer speaks, once the time has come at which the first of it may. Says whether there was any.
fn expire(fold: &mut Fold) -> bool {
    if fold.after.speaks_until.is_some_and(|until| fold.now < until) {
        return false;
    }
    let configuration = fold.configuration();
    let (mut next, mut any) = (Timestamp::MAX, false);
    for check in configuration.checks.values() {
        for vantage in &check.from {
            let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
            let last_at = fold.after.latest.get(&id).map(|latest| latest.at);
            let Some(track) = fold.after.tracks.get(&id) else { continue };
            let validity = check.validity(last_at.unwrap_or(track.since));
            match track.speaks_until(last_at, validity) {
                Some(until) if until <= fold.now => {
                    let expired = track.expired(until);
                    fold.put_track(expired);
                    any = true;
                }
                Some(until) => next = next.min(until),
                None => {}
            }
        }
    }
    fold.after.speaks_until = Some(next);
    any
}

/// Whether nothing waits for its time: every check works as far as its last probe tells, and no incident is open. Then
/// only what is planned can change anything, and what ends.
fn is_calm(fold: &Fold, configuration: &Configuration) -> bool {
    let situation = &fold.after;
    // Of a heartbeat that is not heard nothing is known, however long; its silence is not judged here.
    let probed = configuration.checks.values().filter(|check| check.heartbeat().is_none());
    let checks: usize = probed.map(|check| check.from.len()).sum();
    // Once over all tracks, for it is asked every second.
    let all_well_and_known = || {
        let mut known = 0;
        let well = situation.tracks.values().all(|track| {
            let is_heard = track.id.vantage.is_inbound();
            known += usize::from(!is_heard);
            let unheard = is_heard && track.status == Status::Unknown;
            (unheard || track.status == Status::Operational) && track.inconclusive_since.is_none()
        });
        well && known == checks
    };
    // The verdict first, which lies nearer: what passes has not failed.
    let failed = |latest: &Latest| {
        latest.verdict != Verdict::Pass
            && latest.outcome.as_ref().is_some_and(|outcome| outcome.failure.is_some())
    };
    // What is still to come, and was told, waits for weeks; a call that only tests something, for its end.
    let waits = |incident: &Arc<Incident>| {
        let next = crate::next_action(situation, incident, fold.now).map(|next| next.at);
        if incident.is_test() {
            next.is_some_and(|at| at > fold.now)
        } else {
            matches!(incident.cause, Cause::Ahead(_)) && next.is_none() && incident.gathered.is_empty()
        }
    };
    situation.open_incidents().all(waits)
        && situation.behind.is_empty()
        && all_well_and_known()
        && !situation.latest.values().any(failed)
}

/// Something was heard: what speaks for it does so until then.
pub(crate) fn noted(fold: &mut Fold, until: Option<Timestamp>) {
    let known = &mut fold.after.speaks_until;
    *known = known.zip(until).map(|(known, until)| known.min(until)).or(*known);
}
