//! How soon an incident is to be answered and how often it is to be heard of: by priority, in hours of service.

use crate::{
    Cause, Configuration, Hours, HoursId, Incident, IncidentStatus, Language, Priority, Ticket,
    duration_words, duty::signed, fold::Fold, telling::work_note,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The desk is told when so much of a time is over, in hundredths; the last: all of it.
const NUDGES: [u8; 4] = [50, 75, 90, 100];
/// Hours of service are looked at a stretch of this length at a time, and so often: a year and a quarter.
const STRETCH: SignedDuration = SignedDuration::from_hours(24 * 28);
const STRETCHES: usize = 16;

/// What a desk has agreed for incidents of a priority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceTarget {
    /// Somebody has it within this time.
    pub respond: Option<Duration>,
    /// Something is said of it, from one time to the next, within this time.
    pub update: Option<Duration>,
    /// Only these hours count. `None`: all do.
    pub hours: Option<HoursId>,
}

/// What a clock waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// That somebody has it.
    Response,
    /// That something is said of it.
    Update,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Response => "response",
            Self::Update => "update",
        })
    }
}

/// A time that runs for an incident.
#[derive(Debug, Clone, Copy)]
pub struct ServiceClock<'a> {
    /// What for.
    pub awaited: Awaited,
    /// Since when.
    pub from: Timestamp,
    /// When it is over.
    pub due: Timestamp,
    hours: Option<&'a Hours>,
    lasts: Duration,
}

/// How much of a time the desk has been told is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudged {
    /// Of which time,
    pub awaited: Awaited,
    /// which began then.
    pub from: Timestamp,
    /// In hundredths.
    pub percent: u8,
    /// The next work note says so.
    #[serde(default)]
    pub waits: bool,
}

/// The times that run for an incident at `now`, the response first. None run for what is only to come, nor once it works.
pub fn service_clocks<'a>(
    configuration: &'a Configuration,
    incident: &Incident,
    now: Timestamp,
) -> Vec<ServiceClock<'a>> {
    let policy = configuration.policy(incident.environment);
    let desk = policy.and_then(|policy| configuration.desks.get(policy.service_desk.as_ref()?));
    let Some(target) = desk.and_then(|desk| desk.targets.get(&incident.priority)) else { return Vec::new() };
    let runs = matches!(incident.status, IncidentStatus::Open | IncidentStatus::Acknowledged);
    if !runs || matches!(incident.cause, Cause::Ahead(_)) {
        return Vec::new();
    }
    let hours = target.hours.as_ref().and_then(|hours| configuration.hours.get(hours));
    let clock = |awaited, from: Timestamp, lasts: Option<Duration>| {
        let (from, lasts) = (from.min(now), lasts?);
        Some(ServiceClock { awaited, from, due: reached(hours, from, signed(lasts))?, hours, lasts })
    };
    // That somebody has it is news to the desk, too.
    let post = incident.posts.last().map(|post| post.at);
    let taken = incident.acknowledged.as_ref().map(|taken| taken.at);
    let said = post.into_iter().chain(taken).fold(incident.opened_at, Timestamp::max);
    // Of a major incident an answer is owed since it is one, whoever had it before (invariant 10).
    let asked = incident.major.as_ref().map_or(incident.opened_at, |major| major.at.max(incident.opened_at));
    let response = clock(Awaited::Response, asked, target.respond).filter(|_| !has_answer(incident));
    response.into_iter().chain(clock(Awaited::Update, said, target.update)).collect()
}

/// Somebody has it, or had it: one that was handed over has been responded to. An agent who is assigned does not answer for a major incident.
fn has_answer(incident: &Incident) -> bool {
    let assigned = incident.ticket.seen().is_some_and(|seen| seen.assigned_to.is_some());
    incident.first_answer.is_some()
        || incident.status == IncidentStatus::Acknowledged
        || (assigned && incident.major.is_none())
}

impl ServiceClock<'_> {
    /// When so many hundredths of it are over.
    fn at(&self, percent: u8) -> Option<Timestamp> {
        reached(self.hours, self.from, signed(self.lasts * u32::from(percent) / 100))
    }

    /// How much of it the desk has been told is over.
    fn told(&self, incident: &Incident) -> u8 {
        let of_it = |nudged: &&Nudged| nudged.awaited == self.awaited && nudged.from == self.from;
        incident.nudged.iter().find(of_it).map_or(0, |nudged| nudged.percent)
    }

    /// The next moment at which the desk is told of it, and the hundredths that are over then.
    fn next(&self, incident: &Incident) -> Option<(Timestamp, u8)> {
        let told = self.told(incident);
        let percent = NUDGES.into_iter().find(|percent| *percent > told)?;
        Some((self.at(percent)?, percent))
    }
}

/// When `lasts` has gone by since `from`, counting only `hours`; `None`: not within a year.
fn reached(hours: Option<&Hours>, from: Timestamp, lasts: SignedDuration) -> Option<Timestamp> {
    let Some(hours) = hours else { return from.checked_add(lasts).ok() };
    let (mut left, mut begins) = (lasts, from);
    for _ in 0..STRETCHES {
        let ends = begins.checked_add(STRETCH).ok()?;
        for open in hours.between(begins, ends)? {
            let long = open.end.duration_since(open.start);
            if left <= long {
                return open.start.checked_add(left).ok();
            }
            left -= long;
        }
        begins = ends;
    }
    None
}

/// When the desk is told next that a time runs out. `None`: none does, or there is no ticket to say it in.
pub(crate) fn nudge_at(
    configuration: &Configuration,
    incident: &Incident,
    now: Timestamp,
) -> Option<Timestamp> {
    if incident.ticket == Ticket::None {
        return None;
    }
    let clocks = service_clocks(configuration, incident, now);
    clocks.iter().filter_map(|clock| clock.next(incident)).map(|(at, _)| at).min()
}

/// Says of each time how much of it is over, once for each share: in the timeline at once, in the ticket with its next work
/// note.
pub(crate) fn nudge(fold: &mut Fold, incident: &mut Incident) {
    let configuration = fold.configuration();
    for clock in service_clocks(&configuration, incident, fold.now) {
        let told = clock.told(incident);
        let over = |percent: &u8| *percent > told && clock.at(*percent).is_some_and(|at| at <= fold.now);
        let Some(percent) = NUDGES.into_iter().rev().find(over) else { continue };
        let waits = matches!(incident.ticket, Ticket::Raised { remarked: Some(_), .. });
        incident.nudged.retain(|nudged| nudged.awaited != clock.awaited);
        incident.nudged.push(Nudged { awaited: clock.awaited, from: clock.from, percent, waits });
        let text = clock.words(&configuration, percent, (incident.priority, fold.now));
        incident.note(fold.now, text.clone());
        if !waits {
            work_note(fold, incident, text);
        }
    }
}

/// What the next work note has to say of times that run.
pub(crate) fn waiting(configuration: &Configuration, incident: &Incident, now: Timestamp) -> Vec<String> {
    if !incident.nudged.iter().any(|nudged| nudged.waits) {
        return Vec::new();
    }
    let clocks = service_clocks(configuration, incident, now);
    let of = |nudged: &Nudged| {
        let clock =
            clocks.iter().find(|clock| clock.awaited == nudged.awaited && clock.from == nudged.from)?;
        Some(clock.words(configuration, nudged.percent, (incident.priority, now)))
    };
    incident.nudged.iter().filter(|nudged| nudged.waits).filter_map(of).collect()
}

/// A work note goes out: what it says with it, and waits no more.
pub(crate) fn taken_along(fold: &Fold, incident: &mut Incident) -> Vec<String> {
    let lines = waiting(&fold.after.configuration, incident, fold.now);
    for nudged in &mut incident.nudged {
        nudged.waits = false;
    }
    lines
}

impl ServiceClock<'_> {
    fn words(
        &self,
        configuration: &Configuration,
        percent: u8,
        (priority, now): (Priority, Timestamp),
    ) -> String {
        let due = configuration.site.time(self.due, now);
        let lasts = duration_words(signed(self.lasts), Language::En);
        match (self.awaited, percent) {
            (Awaited::Response, 100) => {
                format!("Nobody has taken it in time: it was due by {due} ({priority}: {lasts}).")
            }
            (Awaited::Response, _) => format!(
                "Nobody has taken it: {percent} % of the time is over, it is due by {due} ({priority}: {lasts})."
            ),
            (Awaited::Update, 100) => {
                format!("Nothing was said of it in time: an update was due by {due} ({priority}: {lasts}).")
            }
            (Awaited::Update, _) => {
                format!("An update is due by {due}: {percent} % of the time is over ({priority}: {lasts}).")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WeeklyWindow;
    use jiff::{
        civil::{Weekday, time},
        tz::TimeZone,
    };
    use std::sync::Arc;

    #[test]
    fn only_hours_of_service_count() {
        let office = Hours {
            time_zone: TimeZone::get("Europe/London").unwrap(),
            weekly: vec![WeeklyWindow {
                days: vec![
                    Weekday::Monday,
                    Weekday::Tuesday,
                    Weekday::Wednesday,
                    Weekday::Thursday,
                    Weekday::Friday,
                ],
                from: time(9, 0, 0, 0),
                to: Some(time(17, 0, 0, 0)),
            }],
            bank_holidays: Some(Arc::default()),
            closed: Vec::new(),
            opened: Vec::new(),
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let due = |from: &str, hours| reached(Some(&office), at(from), SignedDuration::from_hours(hours));
        assert_eq!(due("2026-11-20T16:00:00Z", 2), Some(at("2026-11-23T10:00:00Z")), "over a week-end");
        assert_eq!(due("2026-11-20T02:00:00Z", 8), Some(at("2026-11-20T17:00:00Z")), "to the last second");
        assert_eq!(due("2026-12-24T16:00:00Z", 2), Some(at("2026-12-29T10:00:00Z")), "over Christmas");
        // Easter 2027, and the clocks go forward in it.
        assert_eq!(due("2027-03-25T16:30:00Z", 1), Some(at("2027-03-30T08:30:00Z")));
        assert_eq!(due("2026-11-20T16:00:00Z", 24 * 400), None, "not within a year");
    }
}
