//! Rules of heartbeats: what a job tells becomes an Outcome, and so does its silence.
//!
//! Silence is judged only over what is known to be all that was told: [`Event::Heard`] says how far that is. What could not
//! be heard, because the program was stopped, frozen or could store nothing, is nobody's failure: then nothing is known until
//! the job is heard, or was awaited once more in vain.
//!
//! [`Event::Heard`]: crate::Event::Heard

use crate::{
    Beat, Check, CheckId, Failure, FailureKind, Heartbeat, Layer, Outcome, Status, Track,
    decide::{look_at, outcome},
    fold::Fold,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// So long is told to wait for whoever tells: what is not in the inbox by then was refused, and they know it.
pub const TOLD_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Nobody listened for so long: who calls meanwhile may have given up.
const BREAK: SignedDuration = SignedDuration::from_secs(30);

/// What is known of a job that calls us; durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// When it last said that it ended, well or not.
    pub ended_at: Option<Timestamp>,
    /// When it said that it began, if it has not said since that it ended.
    pub started_at: Option<Timestamp>,
    /// Up to then all is settled: it ended, or did not and that was noted. The next end is awaited from there; `None`: it
    /// was never heard, so nothing is awaited.
    pub settled: Option<Timestamp>,
}

/// How well we listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// Without a break since.
    pub since: Timestamp,
    /// All that was told before is folded in.
    pub until: Timestamp,
}

/// A job tells something at `at`.
pub(crate) fn told(fold: &mut Fold, id: &CheckId, beat: Beat, at: Timestamp) -> Result<String, String> {
    let configuration = fold.configuration();
    let check = configuration.checks.get(id).filter(|check| check.heartbeat().is_some());
    let check = check.ok_or_else(|| format!("{id} is no heartbeat any more"))?;
    let track = track(fold, check, at);
    let pulse = track.pulse.unwrap_or_default();
    // Told twice, or after what came later.
    if pulse.ended_at.max(pulse.started_at).is_some_and(|before| before >= at) {
        return Ok(format!("{id} was heard before"));
    }
    let (failure, said) = match beat {
        Beat::Started => {
            fold.put_track(Track { pulse: Some(Pulse { started_at: Some(at), ..pulse }), ..track });
            return Ok(format!("{id} has begun"));
        }
        Beat::Ended => (None, "ended well"),
        Beat::Failed(status) => {
            let status = status.map_or_else(String::new, |status| format!(", with exit status {status}"));
            (Some((FailureKind::JobFailed, format!("the job says that it failed{status}"))), "failed")
        }
    };
    let took = pulse.started_at.map(|started| at.duration_since(started).unsigned_abs());
    let pulse = Pulse { ended_at: Some(at), started_at: None, settled: Some(at) };
    fold.put_track(Track { pulse: Some(pulse), ..track });
    let mut seen = seen(check, at, failure);
    seen.total = took.unwrap_or_default();
    made(fold, seen);
    Ok(format!("{id} {said}"))
}

/// All that was told before `until` is folded in; `whole`: and nothing was refused meanwhile.
pub(crate) fn heard(fold: &mut Fold, until: Timestamp, whole: bool) {
    let before = fold.after.listening.filter(|before| {
        let passed = until.duration_since(before.until);
        whole && !passed.is_negative() && passed <= BREAK
    });
    let listening = Listening { since: before.map_or(fold.now, |before| before.since), until };
    fold.after.listening = Some(listening);
    let configuration = fold.configuration();
    for check in configuration.checks.values() {
        if let Some(heartbeat) = check.heartbeat() {
            while awaited_in_vain(fold, check, heartbeat, listening) {}
        }
    }
}

/// Settles the next end that is awaited, if its time is over. Says whether it was.
fn awaited_in_vain(fold: &mut Fold, check: &Check, heartbeat: &Heartbeat, listening: Listening) -> bool {
    let Some(track) = fold.after.tracks.get(&check.id.heard()).map(|track| (**track).clone()) else {
        return false;
    };
    let Some((pulse, settled)) = track.pulse.and_then(|pulse| Some((pulse, pulse.settled?))) else {
        return false;
    };
    let Some((due, deadline)) =
        heartbeat.awaited(settled).filter(|(_, deadline)| *deadline <= listening.until)
    else {
        return false;
    };
    let last = pulse.ended_at.map_or_else(String::new, |at| format!(" since {}", fold.time(at)));
    let ended = pulse.ended_at == Some(settled);
    // After an excuse all is settled up to the end of the break, which is no second one.
    let comes_from = heartbeat.comes_from(settled, ended, due);
    if listening.since > settled && listening.since >= comes_from {
        // It may have called when nobody listened.
        let pulse = Pulse { settled: Some(due.max(listening.since)), ..pulse };
        let unknown = track.expired(deadline);
        let message = format!("not heard{last}; but nobody listened until {}", fold.time(listening.since));
        let changed = track.status != Status::Unknown;
        let since = unknown.since;
        fold.put_track(Track { pulse: Some(pulse), message: Some(message), ..unknown });
        if changed {
            look_at(fold, &check.id.instance, Some(since));
        }
        return true;
    }
    let begun = pulse.started_at.map_or_else(String::new, |at| format!("; it began at {}", fold.time(at)));
    let message = format!("not heard{last}: awaited by {}{begun}", fold.time(deadline));
    fold.put_track(Track { pulse: Some(Pulse { settled: Some(due), ..pulse }), ..track });
    made(fold, seen(check, deadline, Some((FailureKind::NotHeard, message))));
    true
}

/// A heartbeat that has another rhythm now is awaited anew.
pub(crate) fn awaited_anew(track: &mut Track, now: Timestamp) {
    if let Some(settled) = track.pulse.as_mut().and_then(|pulse| pulse.settled.as_mut()) {
        *settled = now.max(*settled);
    }
}

/// The clock was ahead: what was told then was told by now.
pub(crate) fn set_back(track: &mut Track, now: Timestamp) {
    let Some(pulse) = &mut track.pulse else { return };
    for at in [&mut pulse.ended_at, &mut pulse.started_at, &mut pulse.settled].into_iter().flatten() {
        *at = now.min(*at);
    }
}

fn track(fold: &Fold, check: &Check, at: Timestamp) -> Track {
    let id = check.id.heard();
    let known = fold.after.tracks.get(&id).map(|track| (**track).clone());
    known.unwrap_or_else(|| Track::unknown(id, at))
}

fn seen(check: &Check, at: Timestamp, failure: Option<(FailureKind, String)>) -> Outcome {
    let failure = failure.map(|(kind, message)| Failure { layer: Layer::Backend, kind, message });
    let id = check.id.heard();
    Outcome { failure, ..Outcome::new(id.check, id.vantage, at) }
}

/// An outcome that the rules make, and not a probe: decided as any other, and recorded with what comes of it.
fn made(fold: &mut Fold, seen: Outcome) {
    let seen = Arc::new(seen);
    let verdict = outcome(fold, &seen);
    fold.made.push((seen, verdict));
}
