//! `decide`: from what is known and what happened to what is to be stored, told and done.

use crate::{
    Configuration, Confirm, Decision, Event, Health, IncidentId, IncidentStatus, InstanceId, Latest, Outcome,
    Situation, Status, Track, TrackId, Verdict, Wanted, ahead, beat, behind, cause, desk, due, duty,
    fold::Fold, instance_status, judge, per_track::Places, release, told, watch,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Applies the four rules — judge, health, cause, duty — to `event` at `now`.
///
/// Pure and total: the same situation, event and time give the same decision, and whatever the event, there is one.
/// Applying an event that was applied before changes nothing (invariant 7 for outcomes; keys for notifications).
pub fn decide(situation: &Situation, event: &Event, now: Timestamp) -> Decision {
    decide_from(situation.clone(), event, now)
}

/// As [`decide`], of a situation that nobody else needs: what is its own alone is changed in place, where a copy would have to
/// be made of all that leads to it.
pub fn decide_from(situation: Situation, event: &Event, now: Timestamp) -> Decision {
    react(Fold::new(situation, now), event)
}

/// What the rules make at `now` of an event of `then`, which could not be recorded when it came (invariant 6).
///
/// Statuses and incidents are as [`decide`] would have had them at `then` (or at the last look, if that was later), so
/// that they begin and end when they really did. But nobody is called for what is past, and no ticket is raised for it:
/// what is still due is done at once by the next [`Event::Due`].
pub fn decide_late(situation: &Situation, event: &Event, then: Timestamp, now: Timestamp) -> Decision {
    let then = watch::last(situation).map_or(then, |last| then.max(last));
    react(Fold::late(situation.clone(), then, now), event)
}

fn react(mut fold: Fold, event: &Event) -> Decision {
    let mut verdict = None;
    let mut answer = None;
    watch::look(&mut fold);
    match event {
        Event::Outcome(seen) => verdict = Some(outcome(&mut fold, seen)),
        Event::Due => due::due(&mut fold),
        Event::Told(said) => answer = Some(told::told(&mut fold, said)),
        Event::Heard { until, whole } => beat::heard(&mut fold, *until, *whole),
        Event::Configured(configuration) => configured(&mut fold, configuration),
    }
    duty::settle(&mut fold);
    fold.decision(verdict, answer)
}

/// Rules one and two for a check, then on to its instance if anything came of it.
pub(crate) fn outcome(fold: &mut Fold, outcome: &Arc<Outcome>) -> Verdict {
    let configuration = fold.configuration();
    let id = TrackId { check: outcome.check.clone(), vantage: outcome.vantage.clone() };
    let check = configuration.checks.get(&id.check).filter(|check| check.from.contains(&id.vantage));
    let Some(check) = check else {
        // Kept as a fact; its check has left the configuration, so it says nothing about any status.
        return judge(outcome, Duration::MAX);
    };
    let verdict = judge(outcome, check.slow);
    behind::heard(fold, outcome);
    if outcome.question.is_some_and(|asked| asked != check.question()) {
        // Sent before the check's address or request was changed: kept as a fact, says nothing of the new one.
        return verdict;
    }
    let last_at = fold.after.latest.get(&id).map(|latest| latest.at);
    let Some(policy) = configuration.policy(id.check.instance.environment) else {
        return verdict;
    };
    if last_at.is_some_and(|last_at| last_at >= outcome.at) {
        return verdict;
    }
    let before = fold.after.tracks.get(&id).cloned();
    let before = before.unwrap_or_else(|| Arc::new(Track::unknown(id.clone(), outcome.at)));
    // Time that passed unmeasured before this outcome is Unknown, whoever noticed.
    let validity = check.validity(last_at.unwrap_or(before.since));
    if let Some(expired) = before.expire(last_at, validity, outcome.at) {
        fold.put_track(expired);
        look_at(fold, &id.check.instance, None);
    }
    release::heard(fold, outcome);
    let before = fold.after.tracks.get(&id).cloned().unwrap_or(before);
    // A job that calls us is believed: there is nobody to ask again.
    let confirm = if check.heartbeat().is_some() { Confirm::ONCE } else { policy.confirm };
    let track = before.step(outcome, verdict, last_at, &confirm);
    if track.wants_confirmation() {
        let pause = SignedDuration::try_from(policy.confirm.every).unwrap_or(SignedDuration::ZERO);
        fold.want(outcome.at + pause, id.clone());
    }
    // Of a clock that is ahead of ours: what follows is newer all the same.
    ahead::heard(fold, &id, outcome);
    let latest =
        Latest { at: outcome.at.min(fold.now), verdict, outcome: Some(Outcome::remembered(outcome)) };
    due::noted(fold, track.speaks_until(Some(latest.at), check.validity(latest.at)));
    fold.after.latest.insert(id.clone(), latest);
    fold.behind.clear();
    let since = track.since;
    if fold.put_track(track) {
        look_at(fold, &id.check.instance, Some(since));
    }
    verdict
}

/// A new configuration: what left it is no longer measured, and its incidents are over. What stayed keeps its status and
/// its history, wherever it now is: the id is what they hang on.
fn configured(fold: &mut Fold, configuration: &Arc<Configuration>) {
    let before = std::mem::replace(&mut fold.after.written, Arc::clone(configuration));
    fold.in_force();
    half_proven(fold, &before);
    let instances: BTreeSet<InstanceId> = configuration.instances().collect();
    let gone: Vec<Arc<Health>> =
        fold.after.healths.values().filter(|health| !instances.contains(&health.instance)).cloned().collect();
    for health in gone {
        let instance = health.instance.clone();
        let since = fold.now.max(health.since);
        let last = Health {
            instance: instance.clone(),
            status: Status::Unknown,
            since,
            layer: None,
            maintenance: false,
        };
        // Once: the store remembers it ever after.
        if health.status != Status::Unknown || health.maintenance {
            fold.put_health(last, "no longer configured");
        }
        fold.after.healths.remove_mut(&instance);
    }
    release::left(fold, |instance| instances.contains(instance));
    cause::left(fold);
    desk::left(fold);
    let places = Places::of(configuration);
    fold.after.tracks = fold.after.tracks.moved(&places);
    fold.after.latest = fold.after.latest.moved(&places);
    fold.after.shown = fold.after.shown.moved(&places);
    due::anew(fold);
}

/// A round of probes that began at another address, or with another request, proves nothing of the new one.
fn half_proven(fold: &mut Fold, before: &Configuration) {
    let configuration = fold.configuration();
    let asks_anew = |id: &TrackId| {
        let (old, new) = (before.checks.get(&id.check), configuration.checks.get(&id.check));
        old.zip(new).is_some_and(|(old, new)| old.question() != new.question())
    };
    let open = fold
        .after
        .tracks
        .values()
        .filter(|track| (track.round.is_some() || track.pulse.is_some()) && asks_anew(&track.id));
    let open: Vec<Track> = open.map(|track| (**track).clone()).collect();
    for track in open {
        let mut track = Track { round: None, ..track };
        beat::awaited_anew(&mut track, fold.now);
        fold.put_track(track);
    }
}

/// Rule two for an instance, then rule three. `since`: when the change that made us look began, if one did.
pub(crate) fn look_at(fold: &mut Fold, instance: &InstanceId, since: Option<Timestamp>) {
    let configuration = fold.configuration();
    let maintenance = fold.in_maintenance(instance);
    let (status, layer) =
        instance_status(&configuration, instance, |id| fold.after.tracks.get(id).map(AsRef::as_ref));
    let before = fold.after.healths.get(instance).cloned();
    let same = before.as_ref().is_some_and(|health| {
        health.status == status && health.maintenance == maintenance && health.layer == layer
    });
    if !same {
        let was = before.as_ref().map_or(Status::Unknown, |health| health.status);
        let newest = since.or_else(|| newest_track(fold, instance)).unwrap_or(fold.now).min(fold.now);
        // Back-dated to the probe that showed it, but never before the last change.
        let began = match &before {
            None => newest,
            // Only the layer changed: the same stretch, with what is now known of it.
            Some(before) if before.status == status && before.maintenance == maintenance => before.since,
            Some(before) if before.status == status => fold.now.max(before.since),
            Some(before) => newest.max(before.since),
        };
        let what = match (&before, status) {
            (None, Status::Unknown) => "not measured yet".to_owned(),
            (_, status) => format!("{} → {}", was.plain(), status.plain()),
        };
        let why = format!("{what}{}", if maintenance { ", in maintenance" } else { "" });
        fold.put_health(
            Health { instance: instance.clone(), status, since: began, layer, maintenance },
            &why,
        );
    }
    cause::instance(fold, instance);
}

fn newest_track(fold: &Fold, instance: &InstanceId) -> Option<Timestamp> {
    let configuration = &fold.after.configuration;
    configuration
        .tracks_of(instance)
        .filter_map(|id| fold.after.tracks.get(&id).map(|track| track.since))
        .max()
}

impl Situation {
    /// Probes wanted out of turn as things stand: what to ask for again after a restart.
    pub fn wanted(&self, now: Timestamp) -> Vec<Wanted> {
        let open = self.tracks.values().filter(|track| track.wants_confirmation());
        open.map(|track| Wanted { at: now, track: track.id.clone() }).collect()
    }

    /// When something is due next; the recorder sends [`Event::Due`] then, and at least once a second.
    pub fn next_action_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_incidents()
            .filter_map(|incident| crate::next_action(self, incident, now))
            .map(|next| next.at)
            .min()
    }

    /// Leaves aside incidents and silences that ended before `limit`: the store has them.
    pub fn forget(&mut self, limit: Timestamp) {
        let over = |at: Option<Timestamp>| at.is_some_and(|at| at < limit);
        let incidents: Vec<IncidentId> = self
            .incidents
            .values()
            .filter(|incident| incident.status == IncidentStatus::Resolved && over(incident.resolved_at))
            .map(|incident| incident.id)
            .collect();
        for id in incidents {
            self.incidents.remove_mut(&id);
        }
        let silences: Vec<u64> = self
            .silences
            .values()
            .filter(|silence| silence.until < limit)
            .map(|silence| silence.id)
            .collect();
        let over = self.maintenances.values().filter(|planned| planned.until < limit);
        let over: Vec<u64> = over.map(|planned| planned.id).collect();
        for id in over {
            self.maintenances.remove_mut(&id);
        }
        let over = self.overrides.values().filter(|added| added.until < limit);
        let over: Vec<u64> = over.map(|added| added.id).collect();
        for id in over {
            self.overrides.remove_mut(&id);
        }
        for id in silences {
            self.silences.remove_mut(&id);
        }
    }
}
