//! Rule four, *duty*: an incident becomes a ticket, callouts and posts, each in its time.
//!
//! [`plan`] says what an incident still asks for and when; [`settle`] does what is due, and [`next_action`] is the first
//! that is not. One list serves all three, so what is shown as next is what will be done (invariant 10).

use crate::{
    Acknowledgement, Cause, Channel, EnvironmentPolicy, Incident, IncidentId, IncidentStatus, Language,
    Major, Note, Notification, NotificationKind, PersonId, Post, PostSays, Publish, Situation, Status,
    Ticket, Way, calling,
    cause::{prioritise, released},
    duration_words,
    fold::Fold,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, time::Duration};

/// Rounds of duty in one decision: far above what any incident asks for at once; an endless loop would be worse.
const MOST_ROUNDS: usize = 200;
const TICKET_EXPIRES: SignedDuration = SignedDuration::from_hours(24);
const STAND_DOWN_EXPIRES: SignedDuration = SignedDuration::from_hours(4);
const TOLD_EXPIRES: SignedDuration = SignedDuration::from_hours(96);

/// Something an incident asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    RaiseTicket,
    Fallback,
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
        Act::Fallback => ("tell the desk by e-mail", desk()),
        Act::Publish => ("publish", None),
        Act::TellProvider => ("tell the provider team", None),
        Act::StartEscalation => ("start calling", calling::first_name(situation, incident, at)),
        Act::Escalate => ("call", calling::next_name(situation, incident, at)),
        Act::Resolve => ("resolve", None),
    };
    Some(NextAction { what: what.to_owned(), who, at })
}

/// Does what is due for every incident that was touched.
pub(crate) fn settle(fold: &mut Fold) {
    for _ in 0..MOST_ROUNDS {
        let Some(id) = fold.touched.pop_first() else {
            return;
        };
        let Some(mut incident) = fold.incident(id).filter(Incident::is_open) else {
            continue;
        };
        assess(fold, &mut incident);
        if let Some((_, act)) = first(&fold.after, &incident, fold.now).filter(|(at, _)| *at <= fold.now) {
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
    let Some(policy) = configuration.policy(incident.environment) else {
        return Vec::new();
    };
    match (incident.status, incident.recovered_at) {
        (IncidentStatus::Resolved, _) => return Vec::new(),
        (IncidentStatus::Recovering, recovered_at) => {
            // Counted from the recovery itself, but never shorter than what was seen of it.
            let at = recovered_at.unwrap_or(now) + signed(policy.hold.resolve);
            return vec![(at, Act::Resolve)];
        }
        (IncidentStatus::Open | IncidentStatus::Acknowledged, _) => {}
    }
    let free_from = muted_until(situation, policy, incident, now);
    let mut acts = Vec::new();
    let mut ask = |at: Timestamp, act: Act| acts.push((free_from.map_or(at, |free| at.max(free)), act));
    let told_at = incident.opened_at + signed(told_hold(policy, incident));
    if incident.ticket == Ticket::None && policy.service_desk.is_some() {
        ask(told_at, Act::RaiseTicket);
    }
    if let Ticket::Asked { desk, at, fallback_at: None, .. } = &incident.ticket
        && let Some(after) = configuration.desks.get(desk).and_then(|desk| desk.fallback_after)
    {
        ask(*at + signed(after), Act::Fallback);
    }
    if incident.posts.is_empty() {
        match policy.publish {
            Publish::Automatic => ask(told_at, Act::Publish),
            Publish::After(more) => ask(told_at + signed(more), Act::Publish),
            Publish::ByHand => {}
        }
    }
    if policy.tell_provider && incident.told_at.is_none() && incident.api.is_some() {
        ask(told_at, Act::TellProvider);
    }
    if incident.status == IncidentStatus::Open
        && incident.major.is_some()
        && (policy.major.is_some() || incident.escalation.is_some())
    {
        match &incident.escalation {
            None => ask(incident.opened_at + signed(callout_hold(policy, incident)), Act::StartEscalation),
            Some(running) => {
                if let Some(at) = running.next_at {
                    ask(at, Act::Escalate);
                }
            }
        }
    }
    acts
}

/// Trouble that was held before it opened (unknown, refused, blind) is told at once.
fn told_hold(policy: &EnvironmentPolicy, incident: &Incident) -> Duration {
    match incident.worst {
        Status::Degraded => policy.hold.degraded,
        Status::PartialOutage | Status::MajorOutage => policy.hold.ticket,
        Status::Operational | Status::Maintenance | Status::Unknown => Duration::ZERO,
    }
}

fn callout_hold(policy: &EnvironmentPolicy, incident: &Incident) -> Duration {
    match incident.worst {
        Status::Unknown => Duration::ZERO,
        Status::Degraded => policy.hold.degraded.max(policy.hold.callout),
        Status::Operational | Status::PartialOutage | Status::MajorOutage | Status::Maintenance => {
            policy.hold.callout
        }
    }
}

/// Until when silences or planned work mute an incident's notifications (DESIGN §5, "Muting"); `None`: they do not.
/// What concerns Curiad itself, or many at once, cannot be muted.
fn muted_until(
    situation: &Situation,
    policy: &EnvironmentPolicy,
    incident: &Incident,
    now: Timestamp,
) -> Option<Timestamp> {
    let Cause::Instance(instance) = &incident.cause else {
        return None;
    };
    let zone = &situation.configuration.site.time_zone;
    let silences =
        situation.silences.values().filter(|silence| silence.covers(instance, now)).map(|s| s.until);
    let windows = policy.maintenance.iter().filter_map(|window| window.covering(now, zone)).map(|(_, to)| to);
    silences.chain(windows).max()
}

/// Priority and whether it is major, as things stand. Both only rise; lowering is for humans.
fn assess(fold: &Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let Some(instance) = incident.affects.first().cloned() else {
        return;
    };
    let (priority, why) =
        prioritise(&configuration, &incident.cause, &instance, incident.worst, incident.affects.len());
    if priority < incident.priority {
        incident.note(fold.now, format!("{} → {priority}: {why}", incident.priority));
        incident.priority = priority;
    }
    let rule = configuration.policy(incident.environment).and_then(|policy| policy.major.as_ref());
    if let Some(rule) =
        rule.filter(|rule| incident.major.is_none() && incident.priority.is_at_least(rule.when))
    {
        let why =
            format!("{} in {} is major at {} or higher", incident.priority, incident.environment, rule.when);
        incident.note(fold.now, format!("major incident: {why}"));
        incident.major = Some(Major { at: fold.now, why, by: None });
    }
}

fn perform(fold: &mut Fold, incident: &mut Incident, act: Act) {
    match act {
        Act::RaiseTicket => raise_ticket(fold, incident),
        Act::Fallback => fall_back(fold, incident),
        Act::Publish => publish(incident, PostSays::Investigating { status: incident.worst }, fold.now),
        Act::TellProvider => tell_provider(fold, incident),
        Act::StartEscalation => calling::start(fold, incident),
        Act::Escalate => calling::step(fold, incident),
        Act::Resolve => *incident = resolved(fold, incident.clone(), "the trouble did not return"),
    }
}

fn raise_ticket(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let desk = configuration.policy(incident.environment).and_then(|policy| policy.service_desk.clone());
    let Some(desk) = desk else { return };
    let kind = NotificationKind::TicketOpen;
    send(fold, incident.id, "ticket", kind, Channel::Desk(desk.clone()), TICKET_EXPIRES);
    let configuration = fold.configuration();
    let at = configuration.desks.get(&desk).map_or(desk.as_str(), |desk| &desk.name.en);
    incident.note(fold.now, format!("ticket asked for at {at}: still failing after the hold"));
    incident.ticket = Ticket::Asked { desk, at: fold.now, fallback_at: None, waiting: Vec::new() };
}

/// The desk's own system has not confirmed a ticket: tell the people there.
pub(crate) fn fall_back(fold: &mut Fold, incident: &mut Incident) {
    let Ticket::Asked { desk, fallback_at, .. } = &mut incident.ticket else {
        return;
    };
    *fallback_at = Some(fold.now);
    let channel = Channel::DeskEmail(desk.clone());
    let kind = NotificationKind::TicketFallback;
    send(fold, incident.id, "fallback", kind, channel, TICKET_EXPIRES);
    incident.note(fold.now, "the desk has not confirmed a ticket: told by e-mail; unconfirmed");
}

fn tell_provider(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    let api = incident.api.as_ref().and_then(|api| configuration.apis.get(api));
    let Some(api) = api else { return };
    let team = configuration.teams.get(&api.team);
    let opens = team
        .and_then(|team| team.hours.as_ref())
        .and_then(|hours| configuration.hours.get(hours))
        .map_or(Some(fold.now), |hours| hours.next_open(fold.now));
    incident.told_at = Some(opens.unwrap_or(fold.now));
    match (team.is_some_and(|team| team.has_email), opens) {
        (false, _) => incident.note(fold.now, format!("team {} has no mailbox: not told", api.team)),
        (true, None) => incident.note(fold.now, format!("team {} is never there: not told", api.team)),
        (true, Some(opens)) => {
            let mut told = notification(
                fold,
                incident.id,
                "told",
                NotificationKind::Told,
                Channel::Team(api.team.clone()),
                TOLD_EXPIRES,
            );
            told.not_before = opens;
            told.expires_at = opens + TOLD_EXPIRES;
            fold.notify(told);
            let team = configuration.teams.get(&api.team).map_or(api.team.as_str(), |team| &team.name.en);
            let when = if opens > fold.now {
                format!(" at {}, when it is there", configuration.site.time(opens, fold.now))
            } else {
                String::new()
            };
            incident.note(fold.now, format!("the team {team} is told{when}"));
        }
    }
}

fn publish(incident: &mut Incident, says: PostSays, now: Timestamp) {
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
    incident.recovered_at = Some(since.max(incident.started_at));
    let when = fold.configuration().site.time(since, fold.now);
    incident.note(fold.now, format!("works again since {when}; watched before it is called over"));
    post(incident, PostSays::Recovered, fold.now);
    work_note(
        fold,
        incident,
        format!("Recovered at {when}. Watched for a while before this is called over."),
    );
}

/// The trouble came back while it was watched.
pub(crate) fn returned(incident: &mut Incident, status: Status, now: Timestamp) {
    incident.status =
        if incident.acknowledged.is_some() { IncidentStatus::Acknowledged } else { IncidentStatus::Open };
    incident.recovered_at = None;
    incident.note(now, "failed again: the same incident goes on");
    post(incident, PostSays::Returned { status }, now);
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

fn resolved(fold: &mut Fold, mut incident: Incident, why: &str) -> Incident {
    let lasted_until = incident.recovered_at.unwrap_or(fold.now);
    incident.status = IncidentStatus::Resolved;
    incident.resolved_at = Some(fold.now);
    incident.note(fold.now, format!("resolved: {why}"));
    post(&mut incident, PostSays::Resolved, fold.now);
    let lasted = duration_words(lasted_until.duration_since(incident.started_at), Language::En);
    work_note(fold, &mut incident, format!("Over: {why}. It lasted {lasted}."));
    calling::stop(&mut incident, "it is over");
    stand_down(fold, &incident, None, None);
    tell_provider_over(fold, &incident);
    let held_back = std::mem::take(&mut incident.held_back);
    // Its cause must be free before a dependant can take it up again.
    fold.put_incident(incident.clone());
    released(fold, &held_back);
    incident
}

fn tell_provider_over(fold: &mut Fold, incident: &Incident) {
    let configuration = fold.configuration();
    let team = incident.api.as_ref().and_then(|api| configuration.apis.get(api)).map(|api| api.team.clone());
    let (Some(told_at), Some(team)) = (incident.told_at, team) else {
        return;
    };
    if fold.now < told_at {
        let key = key(fold, incident.id, "told");
        fold.withdraw(key);
    } else if configuration.teams.get(&team).is_some_and(|team| team.has_email) {
        send(fold, incident.id, "told-over", NotificationKind::ToldOver, Channel::Team(team), TOLD_EXPIRES);
    }
}

/// Everybody who was disturbed hears that it is over, or that somebody else has it (`taken_by`).
/// Callouts not yet sent are withdrawn instead.
fn stand_down(fold: &mut Fold, incident: &Incident, taken_by: Option<&str>, but: Option<&PersonId>) {
    let Some(running) = &incident.escalation else {
        return;
    };
    let mut reached: BTreeSet<(PersonId, Way)> = BTreeSet::new();
    for callout in &running.callouts {
        for way in &callout.ways {
            let unsent = key(fold, incident.id, &format!("callout/{}/{}", callout.number, way.word()));
            fold.withdraw(unsent);
            if Some(&callout.person) != but && !callout.given_up.contains(way) {
                reached.insert((callout.person.clone(), *way));
            }
        }
    }
    let what = if taken_by.is_some() { "taken" } else { "stand-down" };
    for (person, way) in reached {
        let name = format!("{what}/{person}/{}", way.word());
        let kind = NotificationKind::StandDown { taken_by: taken_by.map(str::to_owned) };
        send(fold, incident.id, &name, kind, person_channel(way, person), STAND_DOWN_EXPIRES);
    }
}

/// A line for the ticket: now, or as soon as there is one.
pub(crate) fn work_note(fold: &mut Fold, incident: &mut Incident, text: String) {
    let note = Note { at: fold.now, text };
    match &mut incident.ticket {
        Ticket::None => {}
        Ticket::Asked { waiting, .. } => waiting.push(note),
        Ticket::Raised { desk, record, notes, .. } => {
            *notes += 1;
            let name = format!("note/{notes}");
            let kind = NotificationKind::TicketNote { record: record.clone(), note };
            let channel = Channel::Desk(desk.clone());
            send(fold, incident.id, &name, kind, channel, TICKET_EXPIRES);
        }
    }
}

/// The channel by which a way reaches a person.
pub(crate) const fn person_channel(way: Way, person: PersonId) -> Channel {
    match way {
        Way::Text => Channel::Text(person),
        Way::Email => Channel::Email(person),
    }
}

/// A notification's key: the incident, a word of this database's own (another database counts from C-1 too), and
/// what it is for.
pub(crate) fn key(fold: &Fold, incident: IncidentId, name: &str) -> String {
    format!("{incident}-{}/{name}", fold.after.key.word(&incident.to_string(), 6))
}

pub(crate) fn send(
    fold: &mut Fold,
    incident: IncidentId,
    name: &str,
    kind: NotificationKind,
    channel: Channel,
    lasts: SignedDuration,
) {
    let notification = notification(fold, incident, name, kind, channel, lasts);
    fold.notify(notification);
}

fn notification(
    fold: &Fold,
    incident: IncidentId,
    name: &str,
    kind: NotificationKind,
    channel: Channel,
    lasts: SignedDuration,
) -> Notification {
    Notification {
        key: key(fold, incident, name),
        incident,
        kind,
        channel,
        at: fold.now,
        not_before: fold.now,
        expires_at: fold.now + lasts,
    }
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
