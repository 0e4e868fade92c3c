//! Rule four, *duty*: an incident becomes a ticket, callouts and posts, each in its time.
//!
//! [`plan`](crate::plan) says what an incident still asks for and when; [`settle`] does what is due.

use crate::{
    Acknowledgement, Cause, Declare, Incident, IncidentId, IncidentStatus, Language, Major, Often, PersonId,
    Post, PostSays, Priority, Status, Text, Ticket, alert, calling,
    children::released,
    desk, duration_words,
    flapping::came_back,
    fold::Fold,
    holding, other_way,
    plan::{Act, first},
    provider, remark, service_clock,
    stand_down::{Relief, relieved, stand_down},
    telling::{fall_back, raise_ticket, work_note},
    test_call, ticket_over, weight,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// What is done for one incident in one decision: far above what any asks for at once; an endless loop would be worse.
const MOST_ACTS: usize = 50;

/// Does what is due for every incident that was touched: each has its own bound, so that none waits for another's.
pub(crate) fn settle(fold: &mut Fold) {
    let mut acts: BTreeMap<IncidentId, usize> = BTreeMap::new();
    while let Some(id) = fold.touched.pop_first() {
        let Some(mut incident) = fold.incident(id).filter(Incident::is_open) else {
            continue;
        };
        let acted = acts.entry(id).or_default();
        incident.write_gathered(fold.now, false);
        assess(fold, &mut incident);
        let due = first(&fold.after, &incident, fold.now).filter(|(at, act)| {
            // Of what is past nobody is told now that it was due: only its end is decided.
            *at <= fold.now && (!fold.late || matches!(act, Act::Resolve | Act::Release))
        });
        if let Some((_, act)) = due.filter(|_| *acted < MOST_ACTS) {
            *acted += 1;
            perform(fold, &mut incident, act);
            fold.touched.insert(id);
        }
        fold.put_incident(incident);
    }
}

/// Priority and whether it is major, as things stand. Both only rise; lowering is for humans.
pub(crate) fn assess(fold: &mut Fold, incident: &mut Incident) {
    let Some((priority, why, cell)) = weight::weigh(fold, incident) else { return };
    let highest = match &incident.rank.cell {
        Some(known) => known.priority,
        None if incident.rank.set.is_some() => Priority::P5,
        None => incident.priority,
    };
    if let Some(cell) = cell.filter(|cell| cell.priority <= highest) {
        incident.rank.cell = Some(cell);
    }
    if priority < incident.priority && incident.rank.set.is_none() {
        incident.note(fold.now, format!("{} → {priority}: {why}", incident.priority));
        let before = std::mem::replace(&mut incident.priority, priority);
        if incident.flaps.went_on < incident.flaps.epoch {
            // The desk hears of it with the news that it is back.
            incident.flaps.weighed.get_or_insert(before);
        } else {
            let before = incident.flaps.weighed.take().unwrap_or(before);
            let told = format!("Proposed priority: {priority} instead of {before}, {why}.");
            desk::priority_changed(fold, incident, before, told);
        }
    }
    if let Some((when, declare)) = majors(fold, incident) {
        let why = format!("{} in {} is major at {when} or higher", incident.priority, incident.environment);
        let proposed = declare == Declare::Propose;
        let what = if proposed { "proposed as a major incident" } else { "major incident" };
        incident.note(fold.now, format!("{what}: {why}"));
        let major = Major { at: fold.now, why, by: None, proposed };
        becomes_major(fold, incident, major);
    }
}

/// From which priority on, and how, the rule makes a major incident of it; `None`: it does not.
pub(crate) fn majors(fold: &Fold, incident: &Incident) -> Option<(Priority, Declare)> {
    let configuration = &fold.after.configuration;
    let rule = configuration.policy(incident.environment)?.major.as_ref()?;
    let may = incident.major.is_none() && incident.not_major().is_none();
    let may = may && !matches!(incident.cause, Cause::Ahead(_) | Cause::Test(_));
    let counts = !matches!(incident.cause, Cause::Alert(_)) || configuration.alerts_call_out;
    (may && counts && incident.priority.is_at_least(rule.when)).then_some((rule.when, rule.declare))
}

/// Who took it before has not answered for a major incident (invariant 10): where majors call out, the calls begin.
pub(crate) fn becomes_major(fold: &mut Fold, incident: &mut Incident, major: Major) {
    incident.major = Some(major);
    let calls = fold.after.configuration.policy(incident.environment).is_some_and(|p| p.major.is_some());
    let Some(taken) = incident.acknowledged.take_if(|_| calls) else {
        return;
    };
    incident.first_answer = None;
    if incident.status == IncidentStatus::Acknowledged {
        incident.status = IncidentStatus::Open;
    }
    let text = format!("{} took it before it was a major incident: it has to be answered anew", taken.by);
    incident.note(fold.now, text.clone());
    work_note(fold, incident, text);
}

fn perform(fold: &mut Fold, incident: &mut Incident, act: Act) {
    match act {
        Act::RaiseTicket => raise_ticket(fold, incident, Vec::new()),
        Act::AskAnew => desk::ask_anew(fold, incident),
        Act::GoOn => go_on(fold, incident),
        Act::Fallback => fall_back(fold, incident),
        Act::Press => desk::press(fold, incident),
        Act::Remark => remark::remark(fold, incident),
        Act::Nudge => service_clock::nudge(fold, incident),
        Act::Publish => publish(
            incident,
            PostSays::Investigating { status: incident.worst, layer: incident.layer },
            fold.now,
        ),
        Act::TellProvider => provider::tell(fold, incident),
        Act::StartEscalation => calling::start(fold, incident),
        Act::Escalate => calling::step(fold, incident),
        Act::OtherWay => other_way::take(fold, incident),
        Act::AnswerEnds => holding::ends(fold, incident),
        Act::Release => {
            let held_back = std::mem::take(&mut incident.held_back);
            let names: Vec<String> = held_back.iter().map(|instance| fold.name(instance)).collect();
            let names = names.join(", ");
            let text = format!("well for now: what still fails answers for itself: {names}");
            incident.note_often(fold.now, Often::Flaps, &format!("left to itself: {names}"), text);
            fold.put_incident(incident.clone());
            released(fold, &held_back);
            if let Some(released) = fold.incident(incident.id) {
                *incident = released;
            }
        }
        Act::Resolve if incident.is_test() => *incident = test_call::run_out(fold, incident.clone()),
        Act::Resolve => *incident = resolved(fold, incident.clone(), alert::why_over(incident)),
    }
}

fn go_on(fold: &mut Fold, incident: &mut Incident) {
    incident.flaps.went_on = incident.flaps.epoch;
    if incident.flaps.unstable.is_none()
        && let Some(before) = incident.flaps.weighed.take().filter(|before| *before != incident.priority)
    {
        let told = format!("Proposed priority: {} instead of {before}, as it is now.", incident.priority);
        desk::priority_changed(fold, incident, before, told);
    }
    let since = fold.time(incident.failing_since());
    let status = incident.worst;
    if incident.flaps.unstable.is_none() {
        post(incident, PostSays::Returned { status }, fold.now);
        let same = match incident.ticket {
            Ticket::Raised { .. } => ", and the same ticket",
            Ticket::None | Ticket::Asked { .. } => "",
        };
        let text = format!("{} again since {since}: the same incident{same}.", status.plain());
        desk::go_on(fold, incident, &capital(&text));
    }
}

pub(crate) fn publish(incident: &mut Incident, says: PostSays, now: Timestamp) {
    incident.posts.push(Post { at: now, says, by: None });
}

/// Continues the public story, if it has begun.
fn post(incident: &mut Incident, says: PostSays, now: Timestamp) {
    if !incident.posts.is_empty() {
        publish(incident, says, now);
    }
}

/// The trouble went at `since`.
pub(crate) fn recovering(fold: &mut Fold, incident: &mut Incident, since: Timestamp) {
    incident.status = IncidentStatus::Recovering;
    // Never of a time to come: nothing would be over before that.
    incident.recovered_at = Some(since.min(fold.now).max(incident.started_at));
    let when = fold.time(since);
    let text = format!("has worked again since {when}; watched before it is called over");
    flapped(incident, fold.now, &format!("works since {when}"), text);
    if incident.flaps.unstable.is_some() {
        return;
    }
    post(incident, PostSays::Recovered, fold.now);
    work_note(
        fold,
        incident,
        format!("Recovered at {when}. Watched for a while before this is called over."),
    );
}

/// The trouble came back while it was watched.
pub(crate) fn returned(fold: &mut Fold, incident: &mut Incident, status: Status) {
    incident.status =
        if incident.acknowledged.is_some() { IncidentStatus::Acknowledged } else { IncidentStatus::Open };
    incident.recovered_at = None;
    let what = if status == Status::Unknown { "Cannot be seen" } else { "Failed" };
    let text = format!("{what} again: the same incident goes on.");
    flapped(incident, fold.now, &format!("{} at {}", what.to_lowercase(), fold.time(fold.now)), text.clone());
    if incident.flaps.unstable.is_none() {
        post(incident, PostSays::Returned { status }, fold.now);
        work_note(fold, incident, text);
    }
    let now = fold.now;
    came_back(fold, incident, now);
}

/// Of what is unstable nobody reads each time.
fn flapped(incident: &mut Incident, now: Timestamp, short: &str, text: String) {
    if incident.flaps.unstable.is_some() {
        incident.note_often(now, Often::Flaps, short, text);
    } else {
        incident.note(now, text);
    }
}

/// A human has it.
pub(crate) fn acknowledge(fold: &mut Fold, incident: &mut Incident, by: &str, person: Option<&PersonId>) {
    let until = holding::lasts(fold, incident);
    let before = incident.acknowledged.take().and_then(|taken| taken.person);
    incident.acknowledged =
        Some(Acknowledgement { at: fold.now, by: by.to_owned(), person: person.cloned(), until });
    incident.first_answer.get_or_insert_with(|| (by.to_owned(), fold.now));
    if incident.status == IncidentStatus::Open {
        incident.status = IncidentStatus::Acknowledged;
    }
    incident.note(fold.now, format!("acknowledged by {by}"));
    post(incident, PostSays::Acknowledged, fold.now);
    work_note(fold, incident, format!("Acknowledged by {by}."));
    calling::stop(incident, &format!("{by} has it"));
    stand_down(fold, incident, Relief::Taken(by), |other, _| Some(other) == person);
    if let Some(before) = before.filter(|before| Some(before) != person) {
        relieved(fold, incident, by, before);
    }
    provider::tell_taken(fold, incident, by);
}

/// Over: from a command, or because its cause is gone.
pub(crate) fn resolve(fold: &mut Fold, incident: Incident, why: &str) {
    let incident = resolved(fold, incident, why);
    fold.put_incident(incident);
}

/// Its cause is that of incident `by`, which goes on: nobody may hear that it is over.
pub(crate) fn taken_in(fold: &mut Fold, mut incident: Incident, by: IncidentId, why: &str) {
    incident.status = IncidentStatus::Resolved;
    incident.resolved_at = Some(fold.now);
    incident.part_of = Some(by);
    incident.held_back.clear();
    incident.write_gathered(fold.now, true);
    incident.note(fold.now, format!("taken in by {by}: {why}"));
    let words = Text::new(
        format!("This is part of a wider problem: {by}."),
        format!("Mae hyn yn rhan o broblem ehangach: {by}."),
    );
    post(&mut incident, PostSays::Words(words), fold.now);
    let whole = match fold.after.incidents.get(&by).map(|whole| &whole.ticket) {
        Some(Ticket::Raised { number, .. }) => format!("{by} ({number})"),
        Some(Ticket::Asked { .. } | Ticket::None) | None => by.to_string(),
    };
    work_note(fold, &mut incident, format!("Not over, but part of {whole}: {why}. Follow that one."));
    calling::stop(&mut incident, &format!("{by} has it"));
    stand_down(fold, &mut incident, Relief::PartOf(by), |_, _| false);
    provider::tell_taken_in(fold, &incident, &by.to_string());
    fold.put_incident(incident.clone());
    alert::passed_on(fold, &mut incident, Some(by));
    fold.put_incident(incident);
}

fn resolved(fold: &mut Fold, mut incident: Incident, why: &str) -> Incident {
    if incident.is_test() {
        return test_call::over(fold, incident, why);
    }
    incident.write_gathered(fold.now, true);
    let lasted_until = incident.recovered_at.unwrap_or(fold.now);
    incident.status = IncidentStatus::Resolved;
    incident.resolved_at = Some(fold.now);
    incident.flaps.unstable = None;
    incident.note(fold.now, format!("resolved: {why}"));
    post(&mut incident, PostSays::Resolved, fold.now);
    let lasted = duration_words(lasted_until.duration_since(incident.failing_since()), Language::En);
    ticket_over::over(fold, &mut incident, format!("Over: {why}. It lasted {lasted}."));
    calling::stop(&mut incident, "it is over");
    stand_down(fold, &mut incident, Relief::Over, |_, _| false);
    provider::tell_over(fold, &incident);
    let held_back = std::mem::take(&mut incident.held_back);
    // Its cause must be free before a dependant can take it up again.
    fold.put_incident(incident.clone());
    released(fold, &held_back);
    alert::passed_on(fold, &mut incident, None);
    provider::tell_parts_over(fold, incident.id);
    incident
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
