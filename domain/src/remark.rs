//! What a ticket hears of what changes all the time: one work note in so long at most, unless somebody is called or answers.
//! Whatever else is said to it takes along what waits.

use crate::{
    Answer, Callout, Configuration, Incident, Remarked, Status, Ticket, cause, fold::Fold, service_clock,
    telling,
};
use jiff::{SignedDuration, Timestamp};

/// From one note to the next.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);
/// What gets worse does so check by check: how bad it is in the end is said once.
const SETTLES: SignedDuration = SignedDuration::from_secs(30);
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
    // Of one that is back the desk hears how it is with the news of that.
    let known = steady && incident.flaps.went_on == incident.flaps.epoch && said.worst.is_some();
    if known && said.worst.is_some_and(|worst| cause::worse(incident.worst, worst)) {
        return Some(said.worse_at.map_or(said.at, |at| at + SETTLES));
    }
    let moved = known && is.layer != said.layer;
    let listed =
        steady && ((is.affects, is.held_back) != (said.affects, said.held_back) || incident.hides_an_alert());
    let nudged = !service_clock::waiting(configuration, incident, now).is_empty();
    // A new ticket is no note: a time that is half over then is said while half of it is left.
    if nudged && *notes == 0 && under_way.is_none() && waiting.is_empty() {
        return Some(said.at);
    }
    (listed || nudged || moved).then(|| said.at + AGAIN)
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
    lines.extend(found(fold, incident, &before));
    if incident.affects.len() != before.affects {
        lines.push(format!("Affected now: {}.", names(&incident.affects)));
    }
    if incident.held_back.len() != before.held_back {
        lines.push(match incident.held_back.as_slice() {
            [] => "Nothing else fails because of it any more.".to_owned(),
            held_back => format!("Fail because of it: {}.", names(held_back)),
        });
    }
    if incident.hides_an_alert() {
        lines.push(format!("Others see it too: {}.", alerts(fold, incident)));
        incident.alerts_are_told(true);
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

/// What is said to the ticket for another reason, after what was found since.
pub(crate) fn with_found(fold: &Fold, incident: &mut Incident, text: String) -> String {
    let Ticket::Raised { remarked: Some(before), .. } = incident.ticket else { return text };
    let Some(found) = found(fold, incident, &before) else { return text };
    is_known(incident);
    format!("{found}\n{text}")
}

/// That it is back, and where it fails if that is elsewhere than the last time.
pub(crate) fn back(incident: &mut Incident, text: &str) -> String {
    let before = match &incident.ticket {
        Ticket::Raised { remarked: Some(before), .. } => before.layer,
        Ticket::Raised { .. } | Ticket::Asked { .. } | Ticket::None => incident.layer,
    };
    let moved = before != incident.layer && !incident.diagnosis.en.is_empty();
    is_known(incident);
    if moved { format!("{text} {}", incident.diagnosis.en) } else { text.to_owned() }
}

/// The ticket knows from now on how bad it is, and where it fails.
fn is_known(incident: &mut Incident) {
    let (worst, layer) = (Some(incident.worst), incident.layer);
    if let Ticket::Raised { remarked: Some(said), .. } = &mut incident.ticket {
        (said.worst, said.worse_at, said.layer) = (worst, None, layer);
    }
}

/// It is worse than it was.
pub(crate) fn worsened(incident: &mut Incident, worst: Status, now: Timestamp) {
    incident.worst = worst;
    if let Ticket::Raised { remarked: Some(said), .. } = &mut incident.ticket {
        said.worse_at = Some(now);
    }
}

/// That it is worse, or fails elsewhere, than the ticket was told.
fn found(fold: &Fold, incident: &Incident, before: &Remarked) -> Option<String> {
    let worse = before.worst.is_some_and(|worst| cause::worse(incident.worst, worst));
    let moved = before.worst.is_some() && before.layer != incident.layer;
    if !worse && !moved {
        return None;
    }
    let mut words = Vec::new();
    words.extend(worse.then(|| format!("Worse now: {}.", incident.worst.plain())));
    words.push(incident.diagnosis.en.clone());
    let api = incident.api.as_ref().and_then(|api| fold.after.configuration.apis.get(api));
    let group = incident.layer.and_then(|layer| api?.desk.group_names.get(&layer)).filter(|_| moved);
    words.extend(group.map(|group| format!("Resolver group for that layer: {group}.")));
    words.retain(|line| !line.is_empty());
    (!words.is_empty()).then(|| words.join(" "))
}

/// The alerts of others that fire.
fn alerts(fold: &Fold, incident: &Incident) -> String {
    let fire = incident.alerts.iter().map(|heard| &heard.alert).filter(|alert| alert.ends_at.is_none());
    let mut words: Vec<String> =
        fire.map(|alert| format!("the alert {} for {}", alert.name, fold.name(&alert.instance))).collect();
    words.sort();
    words.dedup();
    let more = words.len().saturating_sub(MOST_NAMES);
    words.truncate(MOST_NAMES);
    words.extend((more > 0).then(|| format!("and {more} more")));
    words.join(", ")
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
    let (silent, unheard): (Vec<&Callout>, Vec<&Callout>) =
        silent.into_iter().partition(|callout| callout.is_taken());
    let people = |callouts: Vec<&Callout>| {
        named(
            callouts.into_iter().map(|callout| format!("{} ({})", one(callout).0, one(callout).1)).collect(),
        )
    };
    let (passed, silent, unheard) = (people(passed), people(silent), people(unheard));
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
    words.extend((!words.is_empty()).then(|| "You need not ring them.".to_owned()));
    // No carrier is known to have their call: who reads this may be the only one awake.
    if !unheard.is_empty() && !new.is_empty() {
        words.push(format!("Not known to have been reached: {unheard}. Ring them if you can."));
    }
    (!words.is_empty()).then(|| words.join(" "))
}
