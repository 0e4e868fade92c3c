//! What keeps incidents quiet, for people.

use domain::{Incident, Maintenance, Mute, Silence, Situation, mute};
use jiff::Timestamp;

pub(super) const WINDOW: &str = "a window of planned work";

pub(super) fn by_silence(one: &Silence) -> String {
    format!("silence {}, says {}: {}", one.id, one.by, one.why)
}

pub(super) fn by_planned(one: &Maintenance) -> String {
    format!("planned work {}, says {}: {}", one.id, one.by, one.why.en)
}

/// Until when an open incident is muted, and by what.
pub(super) fn muted(
    situation: &Situation,
    incident: &Incident,
    now: Timestamp,
) -> Option<(Timestamp, String)> {
    let (until, by) = mute(situation, incident, now)?;
    let by = match by {
        Mute::Silence(number) => situation.silences.get(&number).map(by_silence),
        Mute::Maintenance(number) => situation.maintenances.get(&number).map(by_planned),
        Mute::Window => None,
    };
    Some((until, by.unwrap_or_else(|| WINDOW.to_owned())))
}
