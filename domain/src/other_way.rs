//! A call that does not arrive by one way goes by another: a text that its carrier took and does not deliver is no call.

use crate::{Callout, Configuration, Incident, IncidentStatus, NotificationKind, Way, fold::Fold, telling};
use jiff::{SignedDuration, Timestamp};

/// A text mostly arrives within seconds; a carrier may hold one for 72 hours (incident-systems.md §3.4).
const ARRIVES_WITHIN: SignedDuration = SignedDuration::from_secs(75);

/// The newest call, where somebody still waits for an answer to it, and a way that it has not gone by.
fn open<'i>(configuration: &Configuration, incident: &'i Incident) -> Option<(&'i Callout, Way)> {
    let running = incident.escalation.as_ref().filter(|running| running.stopped.is_none())?;
    // One from before it was over is nobody's to repeat.
    let of_now = |callout: &&Callout| callout.answer.is_none() && callout.at >= running.started_at;
    let callout = running.callouts.last().filter(of_now)?;
    let known = configuration.people.get(&callout.person)?;
    let way = known.ways.iter().find(|way| !callout.ways.contains(way))?;
    (incident.status == IncidentStatus::Open).then_some((callout, *way))
}

/// Whether that call is still to go by a way that it has not gone by and that wakes people: an e-mail keeps nobody from calling
/// the next.
pub(crate) fn may_wake(configuration: &Configuration, incident: &Incident, number: u32) -> bool {
    let newest = open(configuration, incident).map(|(callout, _)| callout);
    newest.filter(|callout| callout.number == number).is_some_and(|callout| {
        let ways = configuration.people.get(&callout.person).map(|known| known.ways.as_slice());
        let mut left = ways.into_iter().flatten().filter(|way| !callout.ways.contains(way));
        left.any(|way| matches!(way, Way::Voice | Way::Text))
    })
}

/// When the newest call is to go by another way, too; `None`: there is none, or it has arrived.
pub(crate) fn due_at(configuration: &Configuration, incident: &Incident) -> Option<Timestamp> {
    let (callout, _) = open(configuration, incident)?;
    let in_turn = configuration.people.get(&callout.person).is_some_and(|known| known.in_turn);
    let failed = |way: &Way| callout.given_up.contains(way);
    if callout.ways.iter().all(failed) {
        return callout.delivered.is_empty().then_some(callout.at);
    }
    // Of an e-mail, and of what a program of theirs took, nobody says that it arrived; beside a text it is no reason to trust the
    // text, which is to wake somebody.
    let says = |way: &Way| !matches!(way, Way::Email | Way::Webhook);
    let wakes: Vec<Way> = callout.ways.iter().copied().filter(says).collect();
    // A call that was picked up may have been by a machine: only an answer says more.
    let arrived = |way: &Way| *way != Way::Voice && callout.delivered.contains(way);
    if wakes.iter().any(arrived) || (wakes.is_empty() && !in_turn) {
        return None;
    }
    if !wakes.is_empty() && wakes.iter().all(failed) {
        return Some(callout.at);
    }
    // Each way of an order of their own has its time, whether its carrier says anything or not.
    if in_turn {
        return Some(callout.at + ARRIVES_WITHIN * i32::try_from(callout.ways.len()).unwrap_or(i32::MAX));
    }
    let taken = callout.accepted.iter().filter(|(way, _)| wakes.contains(way) && !failed(way));
    // One that no carrier has taken by then is tried on, and nobody is awake.
    Some(taken.map(|(_, at)| *at).min().unwrap_or(callout.at) + ARRIVES_WITHIN)
}

/// The newest call goes by the person's next way, too.
pub(crate) fn take(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let Some((number, person, way)) =
        open(&configuration, incident).map(|(callout, way)| (callout.number, callout.person.clone(), way))
    else {
        return;
    };
    let Some(callout) = incident.callout_mut(number) else { return };
    let before: Vec<&str> = callout.ways.iter().map(|way| way.word()).collect();
    let text = format!(
        "not known to have arrived by {}: {} by {} too",
        before.join(" and "),
        fold.person(&person),
        way.word()
    );
    callout.ways.push(way);
    incident.note(fold.now, text);
    let (name, kind) =
        (format!("callout/{number}/{}", way.word()), NotificationKind::Callout { callout: number });
    telling::send(fold, incident.id, &name, kind, telling::person_channel(way, person), LASTS);
}

/// As long as any call.
const LASTS: SignedDuration = crate::calling::CALLOUT_EXPIRES;
