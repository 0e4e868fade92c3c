//! How long the rules have looked without a break: what happened while the program was stopped or the machine frozen
//! is no API's trouble; and what a clock that was ahead has left behind.

use crate::{Incident, Round, Situation, Ticket, Track, beat, fold::Fold, holding};
use jiff::{SignedDuration, Timestamp};

/// Nobody looked for so long: the shortest validity of an outcome, so by then nothing was known any more.
const BREAK: SignedDuration = SignedDuration::from_secs(60);
/// After a break, what cannot be seen is looked at for so long before anybody is told of it.
pub(crate) const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(60);
/// A clock is corrected by this much all the time, and nobody minds.
const CORRECTION: SignedDuration = SignedDuration::from_secs(1);

const SET_BACK: &str = "the clock was ahead and has been set back: what is due waits no longer for it";

/// When somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Without a break since; `None`: since before the program started.
    pub since: Option<Timestamp>,
    /// First, by this program.
    pub began: Timestamp,
    /// Last.
    pub last: Timestamp,
}

/// When somebody last looked: before the first look of this program, the last outcome of the one before.
pub(crate) fn last(situation: &Situation) -> Option<Timestamp> {
    situation
        .watch
        .map_or_else(|| situation.latest.values().map(|latest| latest.at).max(), |watch| Some(watch.last))
}

/// Notes that the rules look now.
pub(crate) fn look(fold: &mut Fold) {
    let now = fold.now;
    let last = last(&fold.after);
    if let Some(ahead) = last.map(|last| last.duration_since(now)).filter(|ahead| *ahead > CORRECTION) {
        set_back(fold, ahead);
    }
    let broken = last.is_none_or(|last| now.duration_since(last) > BREAK);
    let since = fold.after.watch.and_then(|watch| watch.since).map(|since| since.min(now));
    let began = fold.after.watch.map_or(now, |watch| watch.began.min(now));
    fold.after.watch = Some(Watch { since: if broken { Some(now) } else { since }, began, last: now });
}

/// The clock was `ahead` of the one we now have: nothing may wait for times that were never to come.
fn set_back(fold: &mut Fold, ahead: SignedDuration) {
    let now = fold.now;
    fold.after.speaks_until = None;
    fold.after.foreseen_until = None;
    fold.after.tests_at = None;
    let latest: Vec<_> = fold.after.latest.iter().filter(|(_, latest)| latest.at > now).collect();
    let latest: Vec<_> = latest.into_iter().map(|(id, latest)| (id.clone(), latest.clone())).collect();
    for (id, mut latest) in latest {
        latest.at = now;
        fold.after.latest.insert(id, latest);
    }
    let tracks: Vec<Track> = fold.after.tracks.values().map(|track| (**track).clone()).collect();
    for mut track in tracks {
        track.since = track.since.min(now);
        track.inconclusive_since = track.inconclusive_since.map(|since| since.min(now));
        if let Some(Round::Confirm { since, .. } | Round::Recover { since, .. }) = &mut track.round {
            *since = now.min(*since);
        }
        beat::set_back(&mut track, now);
        fold.put_track(track);
    }
    let open: Vec<Incident> = fold.after.open_incidents().map(|incident| (**incident).clone()).collect();
    for mut incident in open {
        let before = incident.clone();
        if fold.after.watch.is_none() && was_set_back(&incident, now) {
            continue;
        }
        incident_set_back(&mut incident, now, ahead);
        if let Some(taken) = &mut incident.acknowledged {
            taken.until = taken.until.min(holding::lasts(fold, &before));
        }
        if incident != before {
            incident.note(now, SET_BACK);
            fold.put_incident(incident);
        }
    }
}

/// Whether a program before this one has done so: it cannot be told by outcomes, whose times stay as they were recorded.
fn was_set_back(incident: &Incident, now: Timestamp) -> bool {
    let mut since = incident.timeline.iter().skip_while(|entry| entry.text != SET_BACK).peekable();
    since.peek().is_some() && since.all(|entry| entry.at <= now)
}

/// What waits goes on waiting for as long as it would have: all that it counts from moves with the clock.
fn incident_set_back(incident: &mut Incident, now: Timestamp, ahead: SignedDuration) {
    let back = |at: &mut Timestamp| *at = at.checked_sub(ahead).unwrap_or(now);
    back(&mut incident.opened_at);
    incident.started_at = incident.started_at.min(incident.opened_at);
    incident.flaps.since = incident.flaps.since.map(|since| since.min(incident.opened_at));
    if let Some(recovered_at) = &mut incident.recovered_at {
        back(recovered_at);
        incident.started_at = incident.started_at.min(*recovered_at);
    }
    if let Some(major) = &mut incident.major {
        back(&mut major.at);
    }
    if let Some(taken) = incident.acknowledged.as_mut().filter(|taken| taken.at > now) {
        back(&mut taken.at);
        taken.until.iter_mut().for_each(back);
    }
    match &mut incident.ticket {
        Ticket::None => {}
        Ticket::Asked { at, .. } => back(at),
        Ticket::Raised { over_since, remarked, .. } => {
            over_since.iter_mut().for_each(back);
            if let Some(said) = remarked {
                back(&mut said.at);
                said.worse_at.iter_mut().for_each(back);
            }
        }
    }
    if let Some(running) = &mut incident.escalation {
        back(&mut running.round_at);
        let before = running.started_at;
        let of_now = move |at: &Timestamp| *at >= before;
        let called: Vec<bool> = running.callouts.iter().map(|callout| of_now(&callout.at)).collect();
        let desks: Vec<bool> = running.desks.iter().map(|asked| of_now(&asked.at)).collect();
        // What was done is of a time to come, or stands.
        let accepted = running
            .callouts
            .iter_mut()
            .flat_map(|callout| callout.accepted.iter_mut().map(|(_, at)| at).chain([&mut callout.at]));
        let asked = running.desks.iter_mut().map(|asked| &mut asked.at);
        accepted.chain(asked).chain([&mut running.started_at]).filter(|at| **at > now).for_each(back);
        let began = running.started_at;
        let called = running.callouts.iter_mut().map(|callout| &mut callout.at).zip(called);
        let asked = running.desks.iter_mut().map(|asked| &mut asked.at).zip(desks);
        // No call of these is from before they began.
        let of_these = called.chain(asked).filter(|(_, of_now)| *of_now).map(|(at, _)| at);
        of_these.chain([&mut running.round_at]).for_each(|at| *at = (*at).max(began));
        if let Some(next_at) = &mut running.next_at {
            back(next_at);
        }
    }
}
