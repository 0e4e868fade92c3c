//! Planned work and test windows.

use crate::{ApiId, Environment, InstanceId, Text};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A window that repeats by a cron expression in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When it begins: five fields, checked when it was read.
    pub cron: crate::Cron,
    /// How long it lasts, as a stop-watch tells it: a window over a change of the clocks ends an hour off.
    pub lasts: Duration,
    /// Why.
    pub why: Text,
}

impl Window {
    /// The stretch that covers `at`, if one does: `[from, to)`. Of several that overlap, the one that began last.
    pub fn covering(&self, at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let (from, to) = self.from(self.cron.previous_or_at(at, zone)?);
        (at < to).then_some((from, to))
    }

    /// The stretch that covers `at`, or else the last one before it.
    pub(crate) fn last(&self, at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        self.cron.previous_or_at(at, zone).map(|from| self.from(from))
    }

    /// Until when trouble that began in the stretch that ended last is taken to be that work's. `None`: it is not, at `now`.
    pub(crate) fn overruns_until(&self, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let (_, to) = self.last(now, zone)?;
        let until = to.checked_add(Maintenance::GRACE).unwrap_or(to);
        (to <= now && now < until).then_some((to, until))
    }

    /// The first stretch that begins after `after`: `[from, to)`.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        self.cron.next(after, zone).map(|from| self.from(from))
    }

    fn from(&self, from: Timestamp) -> (Timestamp, Timestamp) {
        (from, from.checked_add(self.lasts).unwrap_or(Timestamp::MAX))
    }
}

/// Planned work that somebody announced: once, with an owner, of one API or of a whole environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// A running number.
    pub id: u64,
    /// Whose.
    pub by: String,
    /// Why, for everybody.
    pub why: Text,
    /// When it was announced.
    pub announced_at: Timestamp,
    /// From when,
    pub from: Timestamp,
    /// until when; ended early, this is when.
    pub until: Timestamp,
    /// Who ended it before its time, or called it off.
    #[serde(default)]
    pub ended_by: Option<String>,
    /// When its owner was told that it does not end in time.
    #[serde(default)]
    pub overran_at: Option<Timestamp>,
    /// Where.
    pub environment: Environment,
    /// Only this API.
    pub api: Option<ApiId>,
}

impl Maintenance {
    /// Trouble that is still there when it ends is nobody's incident for so much longer: work overruns by minutes.
    pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(10);

    /// Whether `instance` is worked on at `now`.
    pub fn covers(&self, instance: &InstanceId, now: Timestamp) -> bool {
        self.from <= now && now < self.until && self.concerns(instance)
    }

    /// Until when trouble that began before its end is taken to be the work's: none is left of work that somebody ended.
    pub fn overruns_until(&self) -> Timestamp {
        match &self.ended_by {
            Some(_) => self.until,
            None => self.until.checked_add(Self::GRACE).unwrap_or(self.until),
        }
    }

    /// Whether it is about `instance`, whenever it is.
    pub fn concerns(&self, instance: &InstanceId) -> bool {
        self.environment == instance.environment && self.api.as_ref().is_none_or(|api| *api == instance.api)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cron;
    use proptest::prelude::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    fn window(cron: &str, hours: u64) -> Window {
        Window {
            cron: Cron::parse(cron).unwrap(),
            lasts: Duration::from_hours(hours),
            why: Text::new("Load tests", "Profion llwyth"),
        }
    }

    fn show(stretch: Option<(Timestamp, Timestamp)>) -> String {
        stretch.map_or("-".to_owned(), |(from, to)| format!("{from}..{to}"))
    }

    fn check(window: &Window, at: &str, covering: &str, next: &str) {
        let moment = at.parse().unwrap();
        assert_eq!(show(window.covering(moment, &london())), covering, "covering {at}");
        assert_eq!(show(window.next(moment, &london())), next, "next after {at}");
    }

    #[test]
    fn load_tests_by_night_from_monday_to_friday() {
        let nights = window("0 19 * * Mon-Fri", 10);
        let friday = "2026-09-11T18:00:00Z..2026-09-12T04:00:00Z";
        let monday = "2026-09-14T18:00:00Z..2026-09-15T04:00:00Z";
        check(&nights, "2026-09-11T17:59:59.999Z", "-", friday);
        check(&nights, "2026-09-11T18:00:00Z", friday, monday);
        check(&nights, "2026-09-12T03:59:59.999Z", friday, monday);
        check(&nights, "2026-09-12T04:00:00Z", "-", monday);
        check(&nights, "2026-09-13T23:00:00Z", "-", monday);
    }

    #[test]
    fn a_window_lasts_as_long_over_a_change_of_the_clocks() {
        let nightly = window("0 23 * * *", 4);
        check(
            &nightly,
            "2026-03-29T02:59:59Z",
            "2026-03-28T23:00:00Z..2026-03-29T03:00:00Z",
            "2026-03-29T22:00:00Z..2026-03-30T02:00:00Z",
        );
        check(
            &nightly,
            "2026-10-25T01:59:59Z",
            "2026-10-24T22:00:00Z..2026-10-25T02:00:00Z",
            "2026-10-25T23:00:00Z..2026-10-26T03:00:00Z",
        );
    }

    #[test]
    fn of_windows_that_overlap_the_one_that_began_last_counts() {
        let overlapping = window("0 * * * *", 3);
        check(
            &overlapping,
            "2026-11-11T12:30:00Z",
            "2026-11-11T12:00:00Z..2026-11-11T15:00:00Z",
            "2026-11-11T13:00:00Z..2026-11-11T16:00:00Z",
        );
    }

    proptest! {
        #[test]
        fn every_window_covers_from_its_beginning_to_before_its_end(
            hour in 0_u8..24, minute in 0_u8..60, hours in 1_u64..24, second in 1_735_689_600_i64..1_861_920_000,
        ) {
            let window = window(&format!("{minute} {hour} * * *"), hours);
            let now = Timestamp::from_second(second).unwrap();
            let (from, to) = window.next(now, &london()).unwrap();
            let instant = jiff::SignedDuration::from_nanos(1);
            prop_assert!(now < from);
            prop_assert_eq!(window.covering(from, &london()), Some((from, to)));
            if let Some((begins, _)) = window.covering(to - instant, &london()) {
                prop_assert!(begins >= from);
            } else {
                prop_assert!(false, "its last instant is covered");
            }
            prop_assert!(window.covering(from - instant, &london()).is_none_or(|(_, to)| to >= from));
        }
    }
}
