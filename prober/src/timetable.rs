//! What is due when: the regular beats, and the probes that are wanted out of turn.

mod rounds;

use crate::Prepared;
use domain::{Check, CheckId, InstanceId, Outcome, Pause, TrackId, VantageId, Wanted, next_due};
use jiff::Timestamp;
use rounds::{Beat, Rounds};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

/// Wanted probes that are remembered; they are hints, and are made again.
const WANTED: usize = 100_000;

/// No pause is longer: see [`domain::pause`].
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// One check of this vantage.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) prepared: Prepared,
    /// Shared with the slot that takes its place when the check is changed: a check never overlaps itself.
    state: Arc<State>,
    /// Until when it asked that all checks of the instance are; shared with them.
    instance_paused: Arc<Until>,
}

/// How a check is getting on.
#[derive(Debug)]
struct State {
    busy: AtomicBool,
    /// Until when its API asked that it is left alone.
    paused: Until,
    /// When its last probe began, or it came, in milliseconds since the Unix epoch.
    probed: AtomicI64,
}

/// Until when something is left alone, in milliseconds since the Unix epoch.
#[derive(Debug, Default)]
struct Until(AtomicI64);

impl Until {
    fn set(&self, until: Option<Timestamp>) {
        self.0.store(until.map_or(0, Timestamp::as_millisecond), Ordering::Relaxed);
    }

    /// When that is, if it is still to come.
    fn get(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).ok()?;
        // A clock that was set back must not make it longer.
        (now < until && until <= now + LONGEST_PAUSE).then_some(until)
    }
}

/// The right to probe a check; while it lives the check is busy.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) slot: Arc<Slot>,
    /// When it was scheduled for.
    pub(crate) due: Timestamp,
    /// From when on its instance allowed it: what came between is not our lag.
    pub(crate) free: Timestamp,
    /// Out of turn, to confirm.
    pub(crate) confirm: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.slot.state.busy.store(false, Ordering::Release);
    }
}

impl Slot {
    fn every(&self) -> Duration {
        self.prepared.check().every
    }

    fn next_after(&self, now: Timestamp) -> Timestamp {
        next_due(&self.prepared.track, self.every(), now)
    }

    /// Leaves it alone for as long as an outcome asks for, and with it the others of its instance.
    pub(crate) fn pause(&self, outcome: &Outcome, now: Timestamp) {
        match domain::pause(outcome, self.prepared.check()) {
            None => self.state.paused.set(None),
            Some(Pause::Check(pause)) => self.state.paused.set(Some(now + pause)),
            // Several may be under way at once: what was asked for already is not made shorter.
            Some(Pause::Instance(pause)) => {
                self.state.paused.set(Some(now + pause));
                self.instance_paused.set(self.instance_paused.get(now).max(Some(now + pause)));
            }
        }
    }

    /// Until when its beats are left out, if they are: what another of its instance was told holds for no longer than what is
    /// known of this one does.
    fn paused(&self, now: Timestamp) -> Option<Timestamp> {
        let probed = Timestamp::from_millisecond(self.state.probed.load(Ordering::Relaxed)).unwrap_or(now);
        let at_most = probed + domain::unseen_at_most(self.prepared.check(), probed);
        let with_others = self.instance_paused.get(now).map(|until| until.min(at_most));
        self.state.paused.get(now).max(with_others.filter(|until| now < *until))
    }

    fn take(
        self: &Arc<Self>,
        (due, free): (Timestamp, Timestamp),
        now: Timestamp,
        confirm: bool,
    ) -> Option<Turn> {
        let taken = self.state.busy.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        taken.ok()?;
        self.state.probed.store(now.as_millisecond(), Ordering::Relaxed);
        Some(Turn { slot: self.clone(), due, free, confirm })
    }
}

/// How the instances that have a rate are getting on.
#[derive(Debug, Default)]
struct Paces(HashMap<InstanceId, Pace>);

/// How one of them is.
#[derive(Debug)]
struct Pace {
    /// From when on it takes its next probe.
    free: Timestamp,
    /// The last one was wanted out of turn.
    confirmed: bool,
    /// A beat waits for the next.
    beat_waits: bool,
}

impl Paces {
    /// From when on a probe that is due then may begin.
    fn free(&self, slot: &Slot, due: Timestamp) -> Timestamp {
        self.0.get(&slot.prepared.check().id.instance).map_or(due, |pace| due.max(pace.free))
    }

    /// Whether one that is wanted may begin: beats that wait have every other turn.
    fn confirms(&self, slot: &Slot, now: Timestamp) -> bool {
        let pace = self.0.get(&slot.prepared.check().id.instance);
        pace.is_none_or(|pace| pace.free <= now && !(pace.confirmed && pace.beat_waits))
    }

    fn beat_waits(&mut self, slot: &Slot) {
        if let Some(pace) = self.0.get_mut(&slot.prepared.check().id.instance) {
            pace.beat_waits = true;
        }
    }

    /// One begins now.
    fn begins(&mut self, turn: &Turn, now: Timestamp) {
        let check = turn.slot.prepared.check();
        let Some(free) = check.apart.and_then(|apart| now.checked_add(apart).ok()) else { return };
        let confirmed = turn.confirm;
        let beat_waits = confirmed && self.0.get(&check.id.instance).is_some_and(|pace| pace.beat_waits);
        self.0.insert(check.id.instance.clone(), Pace { free, confirmed, beat_waits });
    }
}

/// What is due when, for one vantage.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    slots: HashMap<CheckId, Arc<Slot>>,
    /// One beat for each slot.
    beats: Rounds,
    wanted: BTreeSet<(Timestamp, CheckId)>,
    paces: Paces,
    per_second: f64,
    /// Beats left out because the last probe was still in flight.
    pub(crate) skipped: u64,
    /// Beats left out because the API asked to be left alone.
    pub(crate) paused: u64,
}

impl Timetable {
    /// Takes the checks of a configuration in: what is unchanged keeps its beat, what is in flight goes on. Unless `anew`
    /// what is unchanged also stays as it was made ready.
    pub(crate) fn configure<'a>(
        &mut self,
        checks: impl Iterator<Item = &'a Arc<Check>>,
        now: Timestamp,
        anew: bool,
        prepare: impl Fn(Arc<Check>) -> Prepared,
    ) {
        let dues: HashMap<CheckId, Timestamp> = std::mem::take(&mut self.beats)
            .into_beats()
            .map(|beat| (beat.slot.prepared.check().id.clone(), beat.due))
            .collect();
        let mut old = std::mem::take(&mut self.slots);
        let mut beats = Vec::with_capacity(old.len());
        let of_instance =
            |slot: &Arc<Slot>| (slot.prepared.check().id.instance.clone(), Arc::clone(&slot.instance_paused));
        let mut paused: HashMap<InstanceId, Arc<Until>> = old.values().map(of_instance).collect();
        for check in checks {
            let before = old.remove(&check.id);
            let same_every = before.as_ref().is_some_and(|slot| slot.every() == check.every);
            let slot = match before {
                Some(slot) if !anew && slot.prepared.check() == check => slot,
                Some(slot) => Arc::new(Slot {
                    prepared: prepare(check.clone()),
                    state: slot.state.clone(),
                    instance_paused: slot.instance_paused.clone(),
                }),
                None => Arc::new(Slot {
                    prepared: prepare(check.clone()),
                    state: Arc::new(State {
                        busy: AtomicBool::default(),
                        paused: Until::default(),
                        probed: AtomicI64::new(now.as_millisecond()),
                    }),
                    instance_paused: paused.entry(check.id.instance.clone()).or_default().clone(),
                }),
            };
            let due = dues.get(&check.id).copied().filter(|_| same_every);
            let due = due.unwrap_or_else(|| slot.next_after(now));
            beats.push(Beat::new(due, slot.clone()));
            self.slots.insert(check.id.clone(), slot);
        }
        self.beats = beats.into_iter().collect();
        self.slots.shrink_to_fit();
        let slots = &self.slots;
        self.per_second = slots.values().map(|slot| 1.0 / slot.every().as_secs_f64().max(0.001)).sum();
        self.wanted.retain(|(_, id)| slots.contains_key(id));
        let paced = slots.values().map(|slot| slot.prepared.check()).filter(|check| check.apart.is_some());
        let paced: BTreeSet<&InstanceId> = paced.map(|check| &check.id.instance).collect();
        self.paces.0.retain(|instance, _| paced.contains(instance));
    }

    /// Beats that the schedule has a second.
    pub(crate) const fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Works every beat out anew: the clock was set.
    pub(crate) fn realign(&mut self, now: Timestamp) {
        let beats = std::mem::take(&mut self.beats).into_beats();
        self.beats = beats.map(|Beat { slot, .. }| Beat::new(slot.next_after(now), slot)).collect();
        // Of a clock that was ahead.
        self.paces.0.clear();
    }

    /// Takes in a probe that is wanted out of turn; `false` if it is not one of ours, or one too many.
    pub(crate) fn want(&mut self, vantage: &VantageId, wanted: Wanted) -> bool {
        let Wanted { at, track: TrackId { check, vantage: from } } = wanted;
        if from != *vantage || !self.slots.contains_key(&check) || self.wanted.len() >= WANTED {
            return false;
        }
        self.wanted.insert((at, check));
        true
    }

    /// When the next is due, if any is.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        let beat = self.beats.first().map(|beat| beat.at);
        let wanted = self.wanted.first().map(|(at, _)| *at);
        beat.into_iter().chain(wanted).min()
    }

    /// The turns that are due. A wanted one whose check is in flight or was refused itself stays wanted; a beat is left out,
    /// also while another of its instance is refused. Either waits for its instance's rate. Not more than `most` beats: the rest stays due.
    pub(crate) fn due(&mut self, now: Timestamp, most: usize) -> Vec<Turn> {
        let mut turns = Vec::new();
        let (slots, paces) = (&self.slots, &mut self.paces);
        if self.wanted.first().is_some_and(|(at, _)| *at <= now) {
            let mut later = Vec::new();
            self.wanted.retain(|(at, id)| {
                let slot = slots.get(id).filter(|_| *at <= now);
                if let Some(until) = slot.and_then(|slot| slot.state.paused.get(now)) {
                    later.push((until, id.clone()));
                    return false;
                }
                let slot = slot.filter(|slot| paces.confirms(slot, now));
                let turn = slot.and_then(|slot| slot.take((*at, paces.free(slot, *at)), now, true));
                let Some(turn) = turn else { return true };
                paces.begins(&turn, now);
                turns.push(turn);
                false
            });
            self.wanted.extend(later);
        }
        let wanted = turns.len();
        while turns.len() - wanted < most
            && let Some(mut beat) = self.beats.take_due(now)
        {
            let due = beat.due;
            let free = paces.free(&beat.slot, due);
            let paused = beat.slot.paused(now).is_some();
            if free > now && !paused {
                beat.at = free;
                paces.beat_waits(&beat.slot);
                self.beats.put(beat);
                continue;
            }
            let turn = if paused { None } else { beat.slot.take((due, free), now, false) };
            match turn {
                Some(turn) => {
                    paces.begins(&turn, now);
                    turns.push(turn);
                }
                None if paused => self.paused += 1,
                None => self.skipped += 1,
            }
            // The same as `next_due` says, without hashing, unless whole beats were missed.
            beat.due = match due.checked_add(beat.slot.every()) {
                Ok(next) if next > now => next,
                Ok(_) | Err(_) => beat.slot.next_after(now),
            };
            beat.at = beat.due;
            self.beats.put(beat);
        }
        turns
    }
}

#[cfg(test)]
mod tests;
