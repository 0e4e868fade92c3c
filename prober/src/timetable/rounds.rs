//! The regular beats, in the order in which they are looked at.

use super::Slot;
use jiff::Timestamp;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// One regular beat: ordered by the time at which it is looked at.
#[derive(Debug)]
pub(super) struct Beat {
    pub(super) at: Timestamp,
    /// By schedule; later only is `at`, where the instance's rate holds it up.
    pub(super) due: Timestamp,
    pub(super) slot: Arc<Slot>,
}

impl Beat {
    pub(super) const fn new(due: Timestamp, slot: Arc<Slot>) -> Self {
        Self { at: due, due, slot }
    }
}

impl PartialEq for Beat {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Beat {}

impl PartialOrd for Beat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Beat {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of those that were held up, the one that has waited longest.
        self.at.cmp(&other.at).then(self.due.cmp(&other.due))
    }
}

/// All beats, by how often they come: of those that come equally often, one that has had its turn is the last again, so that
/// they stay in order by themselves.
#[derive(Debug, Default)]
pub(super) struct Rounds(BTreeMap<Duration, VecDeque<Beat>>);

impl FromIterator<Beat> for Rounds {
    fn from_iter<T: IntoIterator<Item = Beat>>(beats: T) -> Self {
        let mut beats: Vec<Beat> = beats.into_iter().collect();
        beats.sort_unstable();
        let mut rounds = Self::default();
        for beat in beats {
            rounds.put(beat);
        }
        for round in rounds.0.values_mut() {
            round.shrink_to_fit();
        }
        rounds
    }
}

impl Rounds {
    pub(super) fn put(&mut self, beat: Beat) {
        let round = self.0.entry(beat.slot.every()).or_default();
        if round.back().is_none_or(|last| *last <= beat) {
            round.push_back(beat);
        } else {
            // Held up, or left out for a while: not far from either end.
            round.insert(round.partition_point(|other| *other <= beat), beat);
        }
    }

    pub(super) fn first(&self) -> Option<&Beat> {
        self.0.values().filter_map(VecDeque::front).min()
    }

    /// The first, if it is to be looked at.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Beat> {
        let due = |round: &&mut VecDeque<Beat>| round.front().is_some_and(|beat| beat.at <= now);
        self.0.values_mut().filter(due).min_by(|a, b| a.front().cmp(&b.front()))?.pop_front()
    }

    pub(super) fn into_beats(self) -> impl Iterator<Item = Beat> {
        self.0.into_values().flatten()
    }
}
