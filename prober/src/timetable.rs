//! What is due when: the regular beats, and the probes that are wanted out of turn.

use crate::Prepared;
use domain::{Check, CheckId, Outcome, TrackId, VantageId, Wanted, next_due};
use jiff::Timestamp;
use std::{
    cmp::{Ordering as Order, Reverse},
    collections::{BTreeSet, BinaryHeap, HashMap},
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
    busy: Arc<AtomicBool>,
    /// Until when its API asked to be left alone, in milliseconds since the Unix epoch; shared likewise.
    paused_until: Arc<AtomicI64>,
}

/// The right to probe a check; while it lives the check is busy.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) slot: Arc<Slot>,
    /// When it was scheduled for.
    pub(crate) due: Timestamp,
    /// Out of turn, to confirm.
    pub(crate) confirm: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.slot.busy.store(false, Ordering::Release);
    }
}

impl Slot {
    fn every(&self) -> Duration {
        self.prepared.check().every
    }

    fn next_after(&self, now: Timestamp) -> Timestamp {
        next_due(&self.prepared.track, self.every(), now)
    }

    /// Leaves it alone for as long as an outcome asks for.
    pub(crate) fn pause(&self, outcome: &Outcome, now: Timestamp) {
        let pause = domain::pause(outcome, self.prepared.check());
        let until = if pause.is_zero() { 0 } else { (now + pause).as_millisecond() };
        self.paused_until.store(until, Ordering::Relaxed);
    }

    /// Until when it is left alone, if it is.
    fn paused(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp::from_millisecond(self.paused_until.load(Ordering::Relaxed)).ok()?;
        // A clock that was set back must not make it longer.
        (now < until && until <= now + LONGEST_PAUSE).then_some(until)
    }

    fn take(self: &Arc<Self>, due: Timestamp, confirm: bool) -> Option<Turn> {
        let taken = self.busy.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then(|| Turn { slot: self.clone(), due, confirm })
    }
}

/// One regular beat: ordered by its time.
#[derive(Debug)]
struct Beat {
    due: Timestamp,
    slot: Arc<Slot>,
}

impl PartialEq for Beat {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Beat {}

impl PartialOrd for Beat {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Beat {
    fn cmp(&self, other: &Self) -> Order {
        self.due.cmp(&other.due)
    }
}

/// What is due when, for one vantage.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    slots: HashMap<CheckId, Arc<Slot>>,
    /// One beat for each slot.
    beats: BinaryHeap<Reverse<Beat>>,
    wanted: BTreeSet<(Timestamp, CheckId)>,
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
            .into_iter()
            .map(|Reverse(beat)| (beat.slot.prepared.check().id.clone(), beat.due))
            .collect();
        let mut old = std::mem::take(&mut self.slots);
        for check in checks {
            let before = old.remove(&check.id);
            let same_every = before.as_ref().is_some_and(|slot| slot.every() == check.every);
            let slot = match before {
                Some(slot) if !anew && slot.prepared.check() == check => slot,
                Some(slot) => Arc::new(Slot {
                    prepared: prepare(check.clone()),
                    busy: slot.busy.clone(),
                    paused_until: slot.paused_until.clone(),
                }),
                None => Arc::new(Slot {
                    prepared: prepare(check.clone()),
                    busy: Arc::default(),
                    paused_until: Arc::default(),
                }),
            };
            let due = dues.get(&check.id).copied().filter(|_| same_every);
            let due = due.unwrap_or_else(|| slot.next_after(now));
            self.beats.push(Reverse(Beat { due, slot: slot.clone() }));
            self.slots.insert(check.id.clone(), slot);
        }
        let slots = &self.slots;
        self.wanted.retain(|(_, id)| slots.contains_key(id));
    }

    /// Works every beat out anew: the clock was set.
    pub(crate) fn realign(&mut self, now: Timestamp) {
        let beats = std::mem::take(&mut self.beats).into_iter();
        self.beats = beats
            .map(|Reverse(Beat { slot, .. })| Reverse(Beat { due: slot.next_after(now), slot }))
            .collect();
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
        let beat = self.beats.peek().map(|Reverse(beat)| beat.due);
        let wanted = self.wanted.first().map(|(at, _)| *at);
        beat.into_iter().chain(wanted).min()
    }

    /// The turns that are due. A wanted one whose check is in flight or paused stays wanted; a beat is left out.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Turn> {
        let mut turns = Vec::new();
        let slots = &self.slots;
        if self.wanted.first().is_some_and(|(at, _)| *at <= now) {
            let mut later = Vec::new();
            self.wanted.retain(|(at, id)| {
                if *at <= now
                    && let Some(until) = slots.get(id).and_then(|slot| slot.paused(now))
                {
                    later.push((until, id.clone()));
                    return false;
                }
                let turn =
                    (*at <= now).then(|| slots.get(id).and_then(|slot| slot.take(*at, true))).flatten();
                let stays = turn.is_none();
                turns.extend(turn);
                stays
            });
            self.wanted.extend(later);
        }
        while let Some(mut top) = self.beats.peek_mut() {
            let Reverse(beat) = &mut *top;
            if beat.due > now {
                break;
            }
            let due = beat.due;
            if beat.slot.paused(now).is_some() {
                self.paused += 1;
            } else if let Some(turn) = beat.slot.take(due, false) {
                turns.push(turn);
            } else {
                self.skipped += 1;
            }
            // The same as `next_due` says, without hashing, unless whole beats were missed.
            beat.due = match due.checked_add(beat.slot.every()) {
                Ok(next) if next > now => next,
                Ok(_) | Err(_) => beat.slot.next_after(now),
            };
        }
        turns
    }
}

#[cfg(test)]
mod tests;
