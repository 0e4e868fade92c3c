//! The certificates that a track showed lately. Behind one name there may be several nodes, each with one of its own: what
//! the last probe saw says nothing of the others.

use crate::{Certificate, Outcome, Situation, TrackId, duty::signed, fold::Fold};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What was not seen for so long, or for as many probes, is taken to have been renewed.
const LATELY: SignedDuration = SignedDuration::from_hours(1);
const PROBES: i32 = 24;
/// One that is seen all the time is written down so often.
const NOTED_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Certificates of one track: of more, those that end first.
const MOST: usize = 8;

/// What a track showed since the program started, by its end.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    since: Timestamp,
    seen: Vec<(Certificate, Timestamp)>,
}

impl Shown {
    /// Of those that were seen lately, that which ends first: what has ended shows by itself, unless it is all there is.
    pub(crate) fn first_to_end(&self, now: Timestamp) -> Option<&Certificate> {
        let mut seen = self.seen.iter().map(|(certificate, _)| certificate);
        seen.clone().find(|certificate| certificate.not_after > now).or_else(|| seen.next())
    }

    /// From then on what it did not show is gone.
    pub(crate) fn long_heard_at(&self, situation: &Situation, track: &TrackId) -> Timestamp {
        self.since.checked_add(lately(situation, track)).unwrap_or(Timestamp::MAX)
    }
}

/// An outcome shows a certificate. What is foreseen is worked out again where another ends first now.
pub(crate) fn heard(fold: &mut Fold, track: &TrackId, outcome: &Outcome) {
    let Some(certificate) = &outcome.certificate else { return };
    let now = fold.now;
    let before = fold.after.shown.get(track);
    let known = before.and_then(|shown| shown.seen.iter().find(|(seen, _)| seen == certificate));
    if known.is_some_and(|(_, at)| now.duration_since(*at) < NOTED_AGAIN) {
        return;
    }
    let lasts = lately(&fold.after, track);
    let mut shown = before.map_or(Shown { since: now, seen: Vec::new() }, |shown| (**shown).clone());
    shown.seen.retain(|(seen, at)| seen != certificate && now.duration_since(*at) < lasts);
    shown.seen.push((certificate.clone(), now));
    shown.seen.sort_by_key(|(seen, _)| seen.not_after);
    shown.seen.truncate(MOST);
    if before.and_then(|shown| shown.first_to_end(now)) != shown.first_to_end(now) {
        fold.after.foreseen_until = None;
    }
    fold.after.shown.insert(track.clone(), Arc::new(shown));
}

fn lately(situation: &Situation, track: &TrackId) -> SignedDuration {
    let check = situation.configuration.checks.get(&track.check);
    check.map_or(LATELY, |check| signed(check.every).saturating_mul(PROBES).max(LATELY))
}
