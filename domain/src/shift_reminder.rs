//! Whoever goes on duty hears of it before, and by answering proves that they are reached.

use crate::{Cause, Configuration, Incident, PersonId, Rota, RotaId, TestCall, fold::Fold, local, test_call};
use jiff::{SignedDuration, Timestamp, civil::Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// So far ahead shifts are looked at. What begins later is told of later than [`LOOK_AGAIN`]: at most a day and a half lies
/// between the time at which it is told and the shift.
const AHEAD: SignedDuration = SignedDuration::from_hours(48);
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(12);
/// Whoever was on call on the rota so shortly before knows: a shift that follows their own, or the rest of it after a swap.
const KNOWS: SignedDuration = SignedDuration::from_hours(20);

/// Somebody's shift begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DutyBegins {
    /// Who goes on duty.
    pub person: PersonId,
    /// On which rota.
    pub rota: RotaId,
    /// When.
    pub from: Timestamp,
}

impl fmt::Display for DutyBegins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.person, self.rota, self.from)
    }
}

/// Tells those whose shifts begin and whose time to hear of it has come: once each, for the incident of each is remembered
/// longer than that. What is no longer so, because of a swap, is not told any more.
/// Says when it is to be looked at again.
pub(crate) fn remind(fold: &mut Fold) -> Timestamp {
    let begins = beginning(&fold.configuration(), fold.now);
    let known = |begins: &DutyBegins, incident: &Incident| matches!(&incident.cause, Cause::Test(TestCall::BeforeShift(told)) if told == begins);
    let stale: Vec<Incident> = fold
        .after
        .open_incidents()
        .filter(|incident| {
            let Cause::Test(TestCall::BeforeShift(told)) = &incident.cause else { return false };
            told.from > fold.now && !begins.iter().any(|(_, begins)| begins == told)
        })
        .map(|incident| (**incident).clone())
        .collect();
    for incident in stale {
        test_call::over(fold, incident, "the rota has changed");
    }
    let mut next = fold.now + LOOK_AGAIN;
    for (at, begins) in begins {
        if at > fold.now {
            next = next.min(at);
        } else if !fold.after.incidents.values().any(|incident| known(&begins, incident)) {
            let why = format!("{} goes on duty on {} at {}", begins.person, begins.rota, begins.from);
            test_call::call(fold, TestCall::BeforeShift(begins), why);
        }
    }
    next
}

/// Whose shifts begin after `now`, and when each is told.
fn beginning(configuration: &Configuration, now: Timestamp) -> Vec<(Timestamp, DutyBegins)> {
    let mut all = Vec::new();
    for (id, rota) in &configuration.rotas {
        let Some(time) = rota.remind else { continue };
        for shift in rota.shifts(now, now + AHEAD).into_iter().filter(|shift| shift.from > now) {
            let knows =
                rota.shifts(shift.from - KNOWS, shift.from).iter().any(|it| it.person == shift.person);
            if !knows {
                let at = told_at(rota, time, shift.from);
                all.push((at, DutyBegins { person: shift.person, rota: id.clone(), from: shift.from }));
            }
        }
    }
    all
}

/// The last time before `from` at which the rota's clock shows `time`, or would but for the hour that it skips: on the day of
/// the shift where that begins later, else on the day before.
fn told_at(rota: &Rota, time: Time, from: Timestamp) -> Timestamp {
    let day = rota.time_zone.to_datetime(from).date();
    let on = |day: jiff::civil::Date| local::first(&rota.time_zone, day.to_datetime(time));
    let today = on(day);
    if today < from { today } else { on(day.yesterday().unwrap_or(day)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{civil::time, tz::TimeZone};

    fn rota() -> Rota {
        Rota {
            time_zone: TimeZone::get("Europe/London").unwrap(),
            layers: Vec::new(),
            overrides: Vec::new(),
            remind: None,
        }
    }

    fn check(remind: Time, from: &str, expected: &str) {
        let at = told_at(&rota(), remind, from.parse().unwrap());
        assert_eq!(at.to_string(), expected, "{remind} for {from}");
    }

    #[test]
    fn on_the_day_before_or_earlier_on_the_day_itself_by_the_clock_on_the_wall() {
        let (five, half_past_one) = (time(17, 0, 0, 0), time(1, 30, 0, 0));
        check(five, "2026-11-23T09:00:00Z", "2026-11-22T17:00:00Z");
        check(five, "2026-11-23T18:00:00Z", "2026-11-23T17:00:00Z");
        check(five, "2026-11-23T17:00:00Z", "2026-11-22T17:00:00Z"); // When it begins is too late.
        check(five, "2026-10-26T09:00:00Z", "2026-10-25T17:00:00Z"); // The clocks have gone back.
        check(five, "2026-10-25T09:00:00Z", "2026-10-24T16:00:00Z"); // They go back in between.
        check(five, "2027-03-28T08:00:00Z", "2027-03-27T17:00:00Z"); // They go forward in between.
        check(five, "2027-03-28T17:30:00Z", "2027-03-28T16:00:00Z");
        check(half_past_one, "2027-03-28T01:00:00Z", "2027-03-27T01:30:00Z"); // Skipped: it would be when the shift begins.
        check(half_past_one, "2027-03-28T08:00:00Z", "2027-03-28T01:00:00Z");
        check(half_past_one, "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"); // Shown twice: the first is before the second.
        check(half_past_one, "2026-10-25T00:30:00Z", "2026-10-24T00:30:00Z");
    }

    #[test]
    fn whenever_a_shift_begins_it_is_told_before_and_at_most_a_day_and_an_hour_before() {
        for start in ["2026-10-23T00:00:00Z", "2027-03-26T00:00:00Z"] {
            let start: Timestamp = start.parse().unwrap();
            for minutes in (0..5 * 24 * 60).step_by(30) {
                let from = start + SignedDuration::from_mins(minutes);
                for hour in 0..24 {
                    let before = from.duration_since(told_at(&rota(), time(hour, 30, 0, 0), from));
                    let day = SignedDuration::from_hours(25);
                    assert!(before > SignedDuration::ZERO && before <= day, "{hour}:30 for {from}: {before}");
                }
            }
        }
    }
}
