//! What an incident still asks for, and when. One list serves what is done, what is shown as the next action, and when the
//! recorder wakes: so what is shown as next is what will be done (invariant 10).

use crate::{
    Cause, EnvironmentPolicy, Incident, IncidentStatus, Publish, Running, Situation, Status, Ticket, desk,
    duty::signed,
    flapping::{lets_go_at, resolve_hold},
    holds::{callout_hold, looked_at, major_since, told_at, told_hold},
    muting::muted_until,
    other_way, remark, service_clock, whom,
};
use jiff::Timestamp;

/// Something an incident asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    RaiseTicket,
    /// The desk did not take the ticket, and the trouble goes on.
    AskAnew,
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
    /// The newest call has not arrived, and there is another way.
    OtherWay,
    /// Nothing was heard for long of whoever has it.
    AnswerEnds,
    /// It comes and goes, and is well for now: what it holds back may have a reason of its own.
    Release,
    Resolve,
}

impl Act {
    const fn calls(self) -> bool {
        matches!(self, Self::StartEscalation | Self::Escalate | Self::OtherWay)
    }
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
    Some(named(situation, incident, act, at))
}

/// Who is called next, and when, unless something changes. `None`: nobody is.
pub(crate) fn next_call(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<NextAction> {
    let calls = plan(situation, incident, now).into_iter().filter(|(_, act)| act.calls());
    let (at, act) = calls.min_by_key(|(at, _)| *at)?;
    Some(named(situation, incident, act, at))
}

fn named(situation: &Situation, incident: &Incident, act: Act, at: Timestamp) -> NextAction {
    let desk = || {
        let desk = situation.configuration.policy(incident.environment)?.service_desk.as_ref()?;
        situation.configuration.desks.get(desk).map(|desk| desk.name.en.clone())
    };
    let (what, who) = match act {
        Act::RaiseTicket => ("raise a ticket", desk()),
        Act::AskAnew => ("ask for a ticket again", desk()),
        Act::GoOn => ("go on with the ticket", desk()),
        Act::Fallback => ("tell the desk by e-mail", desk()),
        Act::Press => ("say that the ticket is over and the trouble is not", desk()),
        Act::Remark => ("tell the desk how it stands", desk()),
        Act::Nudge => ("tell the desk that a time of service runs out", desk()),
        Act::Publish => ("publish", None),
        Act::TellProvider => ("tell the provider team", None),
        Act::StartEscalation => ("start calling", whom::first_name(situation, incident, at)),
        Act::Escalate => ("call", whom::next_name(situation, incident, at)),
        Act::OtherWay => ("call by another way", whom::last_name(situation, incident)),
        Act::AnswerEnds => match &incident.acknowledged {
            Some(taken) if whom::may_be_asked(situation, taken) => ("ask again", Some(taken.by.clone())),
            // As the rules do: whoever cannot be called is not asked, and the next is.
            Some(_) | None => ("call", whom::instead(situation, incident, at)),
        },
        Act::Release => ("let what still fails answer for itself", None),
        Act::Resolve => ("resolve", None),
    };
    NextAction { what: what.to_owned(), who, at }
}

/// When somebody is called next for an incident unless something changes. `None`: nobody is.
pub fn next_call_at(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<Timestamp> {
    plan(situation, incident, now).into_iter().filter(|(_, act)| act.calls()).map(|(at, _)| at).min()
}

pub(crate) fn first(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<(Timestamp, Act)> {
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
                | Cause::Gateway(_)
                | Cause::Refused(_)
                | Cause::Blind(_)
                | Cause::Rota(_)
                | Cause::Behind(_)
                | Cause::Storm(_)
                | Cause::Ahead(_)
                | Cause::Alert(_)
                | Cause::Test(_) => None,
            };
            let at = recovered_at.max(seen_since).unwrap_or(now) + signed(resolve_hold(policy, incident));
            let release = lets_go_at(policy, incident).filter(|_| !incident.held_back.is_empty());
            let release = release.map(|at| {
                (seen_since.map_or(at, |seen| at.max(seen + signed(policy.hold.resolve))), Act::Release)
            });
            return release.into_iter().chain([(at, Act::Resolve)]).collect();
        }
        (IncidentStatus::Open | IncidentStatus::Acknowledged, _) => {}
    }
    let free_from = muted_until(situation, policy, incident, now).max(looked_at(situation, incident, now));
    let mut acts = Vec::new();
    let mut ask = |at: Timestamp, act: Act| acts.push((free_from.map_or(at, |free| at.max(free)), act));
    let told_at = told_at(configuration, policy, incident);
    if let Some(at) = incident.forgotten_at().filter(|_| matches!(incident.cause, Cause::Alert(_))) {
        ask(at, Act::Resolve);
    }
    for (at, act) in of_ticket(situation, policy, incident, (told_at, now)) {
        ask(at, act);
    }
    if incident.posts.is_empty() && !incident.cause.is_internal() {
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
    if let Some(until) = incident.acknowledged.as_ref().and_then(|taken| taken.until)
        && incident.status == IncidentStatus::Acknowledged
        && policy.major.is_some()
    {
        ask(until, Act::AnswerEnds);
    }
    if let Some(at) = other_way::due_at(configuration, incident) {
        ask(at, Act::OtherWay);
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

/// What it asks for of the desk.
fn of_ticket(
    situation: &Situation,
    policy: &EnvironmentPolicy,
    incident: &Incident,
    (told_at, now): (Timestamp, Timestamp),
) -> Vec<(Timestamp, Act)> {
    let configuration = &situation.configuration;
    let mut acts = Vec::new();
    if incident.ticket == Ticket::None && policy.service_desk.is_some() {
        acts.push((told_at, Act::RaiseTicket));
    }
    // Before the news that it is back, which the new one hears of.
    acts.extend(desk::ask_anew_at(incident, told_at).map(|at| (at, Act::AskAnew)));
    if incident.flaps.went_on < incident.flaps.epoch {
        acts.push((told_at, Act::GoOn));
    }
    if let Ticket::Asked { desk, at, fallback_at: None, .. } = &incident.ticket
        && let Some(after) = configuration.desks.get(desk).and_then(|desk| desk.fallback_after)
    {
        acts.push((*at + signed(after), Act::Fallback));
    }
    let press = desk::press_at(policy, incident).map(|at| (at, Act::Press));
    // Before what takes it along.
    let nudge = service_clock::nudge_at(configuration, incident, now).map(|at| (at, Act::Nudge));
    let remark = remark::remark_at(configuration, incident, now).map(|at| (at, Act::Remark));
    acts.extend(press.into_iter().chain(nudge).chain(remark));
    acts
}

/// From when an incident is told to whoever is not called: its hold is over, and nothing mutes it. `None`: nothing is told.
pub fn told_from(situation: &Situation, incident: &Incident, now: Timestamp) -> Option<Timestamp> {
    let policy = situation.configuration.policy(incident.environment)?;
    let free_from = muted_until(situation, policy, incident, now).max(looked_at(situation, incident, now));
    let told_at = incident.opened_at + signed(told_hold(policy, incident));
    Some(free_from.map_or(told_at, |free| told_at.max(free)))
}
