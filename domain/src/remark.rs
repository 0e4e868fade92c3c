//! What a ticket hears of what changes all the time: one work note in so long at most, unless somebody is called or answers.
//! Whatever else is said to it takes along what waits.

use crate::{Answer, Callout, Configuration, Incident, Remarked, Ticket, fold::Fold, service_clock, telling};
use jiff::{SignedDuration, Timestamp};

/// From one note to the next.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);
/// Names in one remark.
const MOST_NAMES: usize = 20;

/// When the ticket hears of what changes all the time. `None`: nothing has changed.
pub(crate) fn remark_at(
    configuration: &Configuration,
    incident: &Incident,
    now: Timestamp,
) -> Option<Timestamp> {
    let Ticket::Raised { remarked: Some(said), over_since: None, notes, under_way, waiting, .. } =
        &incident.ticket
    else {
        return None;
    };
    let is = Remarked::of(incident, said.at);
    let steady = incident.flaps.unstable.is_none();
    let calls = (is.callouts, is.passed_on) != (said.callouts, said.passed_on);
    // Once somebody has it, nobody needs to ring those who were called.
    if calls && steady && incident.acknowledged.is_none() {
        return Some(said.at);
    }
    let listed = steady && (is.affects, is.held_back) != (said.affects, said.held_back);
    let nudged = !service_clock::waiting(configuration, incident, now).is_empty();
    // A new ticket is no note: a time that is half over then is said while half of it is left.
    if nudged && *notes == 0 && under_way.is_none() && waiting.is_empty() {
        return Some(said.at);
    }
    (listed || nudged).then(|| said.at + AGAIN)
}

/// Says what has changed of what changes all the time.
pub(crate) fn remark(fold: &mut Fold, incident: &mut Incident) {
    let Ticket::Raised { remarked: Some(before), .. } = incident.ticket else { return };
    let names = |list: &[crate::InstanceId]| {
        let names = list.iter().take(MOST_NAMES).map(|instance| fold.name(instance));
        let more = list.len().checked_sub(MOST_NAMES).filter(|more| *more > 0);
        names.chain(more.map(|more| format!("and {more} more"))).collect::<Vec<_>>().join(", ")
    };
    let mut lines = Vec::new();
    if incident.affects.len() != before.affects {
        lines.push(format!("Affected now: {}.", names(&incident.affects)));
    }
    if incident.held_back.len() != before.held_back {
        lines.push(match incident.held_back.as_slice() {
            [] => "Nothing else fails because of it any more.".to_owned(),
            held_back => format!("Fail because of it: {}.", names(held_back)),
        });
    }
    if incident.acknowledged.is_none() {
        lines.extend(calls(fold, incident, &before));
    }
    let now = Remarked::of(incident, fold.now);
    if let Ticket::Raised { remarked, .. } = &mut incident.ticket {
        *remarked = Some(now);
    }
    telling::work_note(fold, incident, lines.join("\n"));
}

/// Who was called since, who passed it on, and who has not answered.
fn calls(fold: &Fold, incident: &Incident, before: &Remarked) -> Option<String> {
    let all = || incident.escalation.iter().flat_map(|running| &running.callouts);
    let one = |callout: &Callout| (fold.person(&callout.person), fold.time(callout.at));
    let named = |words: Vec<String>| {
        let more = words.len().saturating_sub(MOST_NAMES);
        let left_out = (more > 0).then(|| format!("{more} more before"));
        words.into_iter().skip(more).chain(left_out).collect::<Vec<_>>().join("; ")
    };
    let new = all().filter(|callout| callout.number > before.callouts).map(|callout| {
        let (who, when) = one(callout);
        format!("{who} at {when}")
    });
    let new = named(new.collect());
    let earlier =
        all().filter(|callout| callout.number <= before.callouts && callout.at >= incident.opened_at);
    let (passed, silent): (Vec<&Callout>, Vec<&Callout>) = earlier
        .filter(|callout| callout.answer.is_none_or(|(_, answer)| answer == Answer::CallNext))
        .partition(|callout| callout.answer.is_some());
    let people = |callouts: Vec<&Callout>| {
        named(
            callouts.into_iter().map(|callout| format!("{} ({})", one(callout).0, one(callout).1)).collect(),
        )
    };
    let (passed, silent) = (people(passed), people(silent));
    let mut words = Vec::new();
    if !new.is_empty() {
        words.push(format!("Called now: {new}."));
    }
    if !passed.is_empty() {
        words.push(format!("Cannot take it: {passed}."));
    }
    if !silent.is_empty() && !new.is_empty() {
        words.push(format!("No answer from {silent}."));
    }
    (!words.is_empty()).then(|| format!("{} You need not ring them.", words.join(" ")))
}
