//! Rule four, *duty*: an incident becomes a ticket, callouts and posts, each in its time.
//!
//! [`plan`] says what an incident still asks for and when; [`settle`] does what is due, and [`next_action`] is the first
//! that is not. One list serves all three, so what is shown as next is what will be done (invariant 10).

use crate::{
    Acknowledgement, Cause, Incident, IncidentId, IncidentStatus, Language, Major, PersonId, Post, PostSays,
    Priority, Publish, Running, Situation, Status, Text, Ticket, calling,
    cause::prioritise,
    children::released,
    desk, duration_words,
    flapping::{came_back, resolve_hold},
    fold::Fold,
    holds::{callout_hold, in_office_hours, looked_at, major_since, told_hold},
    muting::muted_until,
    service_clock,
    telling::{fall_back, key, raise_ticket, stand_down, tell_provider, tell_provider_over, work_note},
    test_call,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// What is done for one incident in one decision: far above what any asks for at once; an endless loop would be worse.
const MOST_ACTS: usize = 50;

/// Something an incident asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    RaiseTicket,
    /// It was over and is back: what the ticket and the public post go on with.
    GoOn,
    Fallback,
    /// The desk has done with the ticket, and the trouble goes on.
    Press,
    /// What changes all the time has changed.
    Remark,
    /// A time of service runs out.
    Nudge,
    Publish,
    TellProvider,
    StartEscalation,
    Escalate,
    Resolve,
}

/// The next thing that will happen to an incident unless something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAction {
    /// What.
    pub what: String,
    /// Whom it concerns, where it is known.
    pub who: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// The next thing that will happen to an incident unless something changes. `None`: it waits for people or probes.
pub fn next_action(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<NextAction> {
    let (at, act) = first(situation, incident, now)?;
    let desk = || {
        let desk = situation.configuration.policy(incident.environment)?.service_desk.as_ref()?;
        situation.configuration.desks.get(desk).map(|desk| desk.name.en.clone())
    };
    let (what, who) = match act {
        Act::RaiseTicket => ("raise a ticket", desk()),
        Act::GoOn => ("go on with the ticket", desk()),
        Act::Fallback => ("tell the desk by e-mail", desk()),
        Act::Press => ("say that the ticket is over and the trouble is not", desk()),
        Act::Remark => ("tell the desk how it stands", desk()),
        Act::Nudge => ("tell the desk that a time of service runs out", desk()),
        Act::Publish => ("publish", None),
        Act::TellProvider => ("tell the provider team", None),
        Act::StartEscalation => ("start calling", calling::first_name(situation, incident, at)),
        Act::Escalate => ("call", calling::next_name(situation, incident, at)),
        Act::Resolve => ("resolve", None),
    };
    Some(NextAction { what: what.to_owned(), who, at })
}

/// Does what is due for every incident that was touched: each has its own bound, so that none waits for another's.
pub(crate) fn settle(fold: &mut Fold) {
    let mut acts: BTreeMap<IncidentId, usize> = BTreeMap::new();
    while let Some(id) = fold.touched.pop_first() {
        let Some(mut incident) = fold.incident(id).filter(Incident::is_open) else {
            continue;
        };
        let acted = acts.entry(id).or_default();
        assess(fold, &mut incident);
        let due = first(&fold.after, &incident, fold.now).filter(|(at, act)| {
            // Of what is past nobody is told now that it was due: only its end is decided.
            *at <= fold.now && (!fold.late || *act == Act::Resolve)
        });
        if let Some((_, act)) = due.filter(|_| *acted < MOST_ACTS) {
            *acted += 1;
            perform(fold, &mut incident, act);
            fold.touched.insert(id);
        }
        fold.put_incident(incident);
    }
}

fn first(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<(Timestamp, Act)> {
    plan(situation, incident, now).into_iter().min_by_key(|(at, _)| *at)
}

/// All that an incident asks for, and when.
fn plan(situation: &Situation, incident: &Incident, now: Timestamp) -> Vec<(Timestamp, Act)> {
    let configuration = &situation.configuration;
    if let Cause::Test(test) = &incident.cause {
        let ends = (test.ends_at(incident.opened_at), Act::Resolve);
        return if incident.is_open() { vec![ends] } else { Vec::new() };
    }
    let Some(policy) = configuration.policy(incident.environment) else {
        return Vec::new();
    };
    match (incident.status, incident.recovered_at) {
        (IncidentStatus::Resolved, _) => return Vec::new(),
        (IncidentStatus::Recovering, recovered_at) => {
            // Counted from the recovery itself, but never shorter than what was seen of it.
            let seen_since = match &incident.cause {
                Cause::Instance(instance) => match situation.healths.get(instance) {
                    // A status of a time to come is from a clock that was ahead.
                    Some(health) if health.status == Status::Operational => {
                        Some(health.since).filter(|since| *since <= now)
                    }
                    Some(_) | None => return Vec::new(),
                },
                Cause::Token(_)
                | Cause::Burn(_)
                | Cause::Certificate(_)
                | Cause::Refused(_)
                | Cause::Blind(_)
                | Cause::Rota(_)
                | Cause::Behind(_)
                | Cause::Storm(_)
                | Cause::Ahead(_)
                | Cause::Test(_) => None,
            };
            let at = recovered_at.max(seen_since).unwrap_or(now) + signed(resolve_hold(policy, incident));
            return vec![(at, Act::Resolve)];
        }
        (IncidentStatus::Open | IncidentStatus::Acknowledged, _) => {}
    }
    let free_from = muted_until(situation, policy, incident, now).max(looked_at(situation, incident, now));
    let mut acts = Vec::new();
    let mut ask = |at: Timestamp, act: Act| acts.push((free_from.map_or(at, |free| at.max(free)), act));
    let told_at = incident.opened_at + signed(told_hold(policy, incident));
    let told_at = if matches!(incident.cause, Cause::Ahead(_)) {
        in_office_hours(configuration, policy, told_at)
    } else {
        told_at
    };
    if incident.ticket == Ticket::None && policy.service_desk.is_some() {
        ask(told_at, Act::RaiseTicket);
    }
    if incident.flaps.went_on < incident.flaps.epoch {
        ask(told_at, Act::GoOn);
    }
    if let Ticket::Asked { desk, at, fallback_at: None, .. } = &incident.ticket
        && let Some(after) = configuration.desks.get(desk).and_then(|desk| desk.fallback_after)
    {
        ask(*at + signed(after), Act::Fallback);
    }
    if let Some(at) = desk::press_at(policy, incident) {
        ask(at, Act::Press);
    }
    if let Some(at) = desk::remark_at(incident) {
        ask(at, Act::Remark);
    }
    if let Some(at) = service_clock::nudge_at(configuration, incident, now) {
        ask(at, Act::Nudge);
    }
    // Who is on call, whether Curiad keeps up and what was promised is no matter for the public.
    if incident.posts.is_empty()
        && !matches!(incident.cause, Cause::Rota(_) | Cause::Behind(_) | Cause::Ahead(_) | Cause::Burn(_))
    {
        match policy.publish {
            Publish::Automatic => ask(told_at, Act::Publish),
            Publish::After(more) => ask(told_at + signed(more), Act::Publish),
            Publish::ByHand => {}
        }
    }
    let api_known = incident.api.as_ref().is_some_and(|api| configuration.apis.contains_key(api));
    if policy.tell_provider && incident.told_at.is_none() && api_known {
        ask(told_at, Act::TellProvider);
    }
    if incident.status == IncidentStatus::Open
        && incident.major.is_some()
        && (policy.major.is_some() || incident.escalation.is_some())
    {
        match &incident.escalation {
            Some(Running { next_at: Some(at), .. }) => ask(*at, Act::Escalate),
            // Stopped when it was over the last time.
            None | Some(Running { next_at: None, .. }) if policy.major.is_some() => {
                ask(major_since(incident) + signed(callout_hold(policy, incident)), Act::StartEscalation);
            }
            None | Some(Running { next_at: None, .. }) => {}
        }
    }
    acts
}

/// Priority and whether it is major, as things stand. Both only rise; lowering is for humans.
fn assess(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let Some(instance) = incident.affects.first().cloned() else {
        return;
    };
    let affected = incident.affects.len();
    let own = prioritise(&configuration, &incident.cause, &instance, incident.worst, affected);
    // What is held back has no ticket and no calls of its own: this one stands for the gravest of all.
    let is_highest = own.0 == Priority::P1;
    let held_back = incident.held_back.iter().filter(|_| !is_highest).map(|held| {
        let status = fold.after.status(held);
        prioritise(&configuration, &Cause::Instance(held.clone()), held, status, affected)
    });
    let (priority, why) = held_back.fold(own, |a, b| if b.0 < a.0 { b } else { a });
    if priority < incident.priority {
        incident.note(fold.now, format!("{} → {priority}: {why}", incident.priority));
        let before = std::mem::replace(&mut incident.priority, priority);
        desk::priority_rose(fold, incident, before, &why);
    }
    let rule = configuration.policy(incident.environment).and_then(|policy| policy.major.as_ref());
    if let Some(rule) = rule
        .filter(|rule| incident.major.is_none() && incident.priority.is_at_least(rule.when))
        .filter(|_| !matches!(incident.cause, Cause::Ahead(_)))
    {
        let why =
            format!("{} in {} is major at {} or higher", incident.priority, incident.environment, rule.when);
        incident.note(fold.now, format!("major incident: {why}"));
        let major = Major { at: fold.now, why, by: None };
        becomes_major(fold, incident, major);
    }
}

/// Who took it before has not answered for a major incident (invariant 10): where majors call out, the calls begin.
pub(crate) fn becomes_major(fold: &mut Fold, incident: &mut Incident, major: Major) {
    incident.major = Some(major);
    let calls = fold.after.configuration.policy(incident.environment).is_some_and(|p| p.major.is_some());
    let Some(taken) = incident.acknowledged.take_if(|_| calls) else {
        return;
    };
    if incident.status == IncidentStatus::Acknowledged {
        incident.status = IncidentStatus::Open;
    }
    let text = format!("{} took it before it was a major incident: it has to be answered anew", taken.by);
    incident.note(fold.now, text.clone());
    work_note(fold, incident, text);
}

fn perform(fold: &mut Fold, incident: &mut Incident, act: Act) {
    match act {
        Act::RaiseTicket => raise_ticket(fold, incident),
        Act::GoOn => go_on(fold, incident),
        Act::Fallback => fall_back(fold, incident),
        Act::Press => desk::press(fold, incident),
        Act::Remark => desk::remark(fold, incident),
        Act::Nudge => service_clock::nudge(fold, incident),
        Act::Publish => publish(
            incident,
            PostSays::Investigating { status: incident.worst, layer: incident.layer },
            fold.now,
        ),
        Act::TellProvider => tell_provider(fold, incident),
        Act::StartEscalation => calling::start(fold, incident),
        Act::Escalate => calling::step(fold, incident),
        Act::Resolve if incident.is_test() => *incident = test_call::run_out(fold, incident.clone()),
        Act::Resolve => *incident = resolved(fold, incident.clone(), "the trouble did not return"),
    }
}

fn go_on(fold: &mut Fold, incident: &mut Incident) {
    incident.flaps.went_on = incident.flaps.epoch;
    let since = fold.time(incident.failing_since());
    let status = incident.worst;
    if incident.flaps.unstable.is_none() {
        post(incident, PostSays::Returned { status }, fold.now);
        let text = format!("{} again since {since}: the same incident, and the same ticket.", status.plain());
        desk::go_on(fold, incident, capital(&text));
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
    incident.note(fold.now, format!("works again since {when}; watched before it is called over"));
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
    incident.note(fold.now, text.clone());
    if incident.flaps.unstable.is_none() {
        post(incident, PostSays::Returned { status }, fold.now);
        work_note(fold, incident, text);
    }
    let now = fold.now;
    came_back(fold, incident, now);
}

/// A human has it.
pub(crate) fn acknowledge(fold: &mut Fold, incident: &mut Incident, by: &str, person: Option<&PersonId>) {
    incident.acknowledged = Some(Acknowledgement { at: fold.now, by: by.to_owned() });
    if incident.status == IncidentStatus::Open {
        incident.status = IncidentStatus::Acknowledged;
    }
    incident.note(fold.now, format!("acknowledged by {by}"));
    post(incident, PostSays::Acknowledged, fold.now);
    work_note(fold, incident, format!("Acknowledged by {by}."));
    calling::stop(incident, &format!("{by} has it"));
    stand_down(fold, incident, Some(by), person);
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
    incident.held_back.clear();
    incident.note(fold.now, format!("taken in by {by}: {why}"));
    let words = Text::new(
        format!("This is part of a wider problem: {by}."),
        format!("Mae hyn yn rhan o broblem ehangach: {by}."),
    );
    post(&mut incident, PostSays::Words(words), fold.now);
    work_note(fold, &mut incident, format!("Not over, but part of {by}: {why}. Follow that one."));
    calling::stop(&mut incident, &format!("{by} has it"));
    stand_down(fold, &mut incident, Some(&by.to_string()), None);
    let told = key(fold, incident.id, &incident.named("told"));
    fold.withdraw(told);
    fold.put_incident(incident);
}

fn resolved(fold: &mut Fold, mut incident: Incident, why: &str) -> Incident {
    if incident.is_test() {
        return test_call::over(fold, incident, why);
    }
    let lasted_until = incident.recovered_at.unwrap_or(fold.now);
    incident.status = IncidentStatus::Resolved;
    incident.resolved_at = Some(fold.now);
    incident.flaps.unstable = None;
    incident.note(fold.now, format!("resolved: {why}"));
    post(&mut incident, PostSays::Resolved, fold.now);
    let lasted = duration_words(lasted_until.duration_since(incident.failing_since()), Language::En);
    desk::over(fold, &mut incident, format!("Over: {why}. It lasted {lasted}."));
    calling::stop(&mut incident, "it is over");
    stand_down(fold, &mut incident, None, None);
    tell_provider_over(fold, &incident);
    let held_back = std::mem::take(&mut incident.held_back);
    // Its cause must be free before a dependant can take it up again.
    fold.put_incident(incident.clone());
    released(fold, &held_back);
    incident
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
