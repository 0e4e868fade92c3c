//! What an instance has been like: 24 hours by the hour, 90 days by the day. Never invents: what was not measured is a gap.

use crate::{Outage, Responses, Runs};
use domain::{ErrorClass, Health, Incident, InstanceId, Objective, Percentiles, Release, Status, Tally};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

/// Hours of a strip.
pub const HOURS: usize = 24;
/// Days of the bars, today included.
pub const DAYS: usize = 90;

/// What the store remembers for the pages; taken at the start and then at most every half minute, never in a request.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// When it was taken; `None`: not yet.
    pub taken_at: Option<Timestamp>,
    /// When its response times were taken.
    pub responses_at: Option<Timestamp>,
    /// By instance.
    pub instances: HashMap<InstanceId, Arc<Past>>,
    /// When the first incident of all began.
    pub first_incident_at: Option<Timestamp>,
    /// Incidents that are over and no longer in the Situation, newest first.
    pub incidents: Vec<Arc<Incident>>,
}

/// One instance's past.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The last 24 hours of the clock, oldest first; the last one is not over.
    pub hours: Vec<Span>,
    /// The last 90 local days, oldest first; the last one is not over.
    pub days: Runs,
    /// Seconds by kind over the 24 hours to now.
    pub last_day: Tally,
    /// Seconds by kind over the 90 days to now.
    pub last_quarter: Tally,
    /// The same two of its supported hours, where it has any.
    pub supported: Option<[Tally; 2]>,
    /// What is promised of it, and seconds by kind over that time: in supported hours, where it has any.
    pub promised: Option<(Objective, Tally)>,
    /// The last time it did not work, if that is over.
    pub last_outage: Option<Outage>,
    /// Versions that began to run in these days and the one before them, in order: the newest few.
    pub releases: Arc<[Release]>,
    /// How fast the first critical operation answered lately.
    pub latency: Option<Percentiles>,
    /// Errors of the last 24 hours, the most frequent first; `None`: not read yet.
    pub errors: Option<Arc<[Errors]>>,
    /// How fast it answered over longer times; `None`: not read yet, or it never did.
    pub responses: Option<Arc<Responses>>,
}

/// What a caller met, as far as our probes met it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errors {
    /// What.
    pub class: ErrorClass,
    /// How often.
    pub count: u64,
    /// When last.
    pub last_at: Timestamp,
}

/// A stretch of time drawn as one bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The worst status measured in it; Unknown when nothing was.
    pub worst: Status,
    /// Some of it, but not all, was not measured.
    pub gap: bool,
}

/// A local day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Its bar.
    pub span: Span,
    /// Seconds by kind.
    pub tally: Tally,
}

impl Past {
    /// From the health in force 90 days ago (`before`) and the changes since, in order; with when it was
    /// supported, and what is promised of it.
    pub fn of(
        (before, changes): (Option<&Health>, &[Health]),
        now: Timestamp,
        zone: &TimeZone,
        (open, objective): (Option<&[Range<Timestamp>]>, Option<Objective>),
    ) -> Self {
        let line = Line { before, changes };
        let day_ago = back(now, Duration::from_secs(24 * 3600));
        let quarter_ago = back(now, Duration::from_secs(90 * 24 * 3600));
        let within = |open, from| Tally::within(open, before, changes, from, now);
        let promised = |objective: Objective| {
            let from = back(now, objective.window());
            (objective, open.map_or_else(|| line.tally(from, now), |open| within(open, from)))
        };
        Self {
            hours: hours(now).map(|(from, to)| line.span(from, to)).collect(),
            days: days(now, zone)
                .map(|(date, from, to)| Day { date, span: line.span(from, to), tally: line.tally(from, to) })
                .collect(),
            last_day: line.tally(day_ago, now),
            last_quarter: line.tally(quarter_ago, now),
            supported: open.map(|open| [within(open, day_ago), within(open, quarter_ago)]),
            promised: objective.map(promised),
            last_outage: Outage::last(before, changes),
            releases: Arc::default(),
            latency: None,
            errors: None,
            responses: None,
        }
    }

    /// When the oldest bar of [`Past::of`] begins: changes are needed from here on.
    pub fn begins(now: Timestamp, zone: &TimeZone) -> Timestamp {
        let quarter_ago = back(now, Duration::from_secs(90 * 24 * 3600));
        days(now, zone).next().map_or(quarter_ago, |(_, from, _)| from.min(quarter_ago))
    }
}

fn back(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The 24 clock hours up to `now`, UTC: hours are whole hours of London's clock too.
fn hours(now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let this = Timestamp::from_second(now.as_second().div_euclid(3600) * 3600).unwrap_or(now);
    (0..24_u64).rev().map(move |ago| {
        let from = back(this, Duration::from_secs(ago * 3600));
        let to = from.checked_add(Duration::from_secs(3600)).unwrap_or(now).min(now);
        (from, to)
    })
}

/// The 90 local days up to `now`; a day may have 23 or 25 hours.
fn days(now: Timestamp, zone: &TimeZone) -> impl Iterator<Item = (Date, Timestamp, Timestamp)> {
    let today = now.to_zoned(zone.clone()).date();
    let zone = zone.clone();
    (0..90_i64).rev().filter_map(move |ago| {
        let date = today.checked_sub(ago.days()).ok()?;
        let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
        let to = midnight(date.tomorrow().ok()?)?.min(now);
        Some((date, midnight(date)?, to))
    })
}

/// Health over time: a step function.
pub(crate) struct Line<'a> {
    pub(crate) before: Option<&'a Health>,
    pub(crate) changes: &'a [Health],
}

impl Line<'_> {
    /// The changes within `(from, to)` and the health in force at `from`.
    fn cut(&self, from: Timestamp, to: Timestamp) -> (Option<&Health>, &[Health]) {
        let first = self.changes.partition_point(|change| change.since <= from);
        let last = self.changes.partition_point(|change| change.since < to).max(first);
        let before = first.checked_sub(1).and_then(|i| self.changes.get(i)).or(self.before);
        (before, self.changes.get(first..last).unwrap_or_default())
    }

    pub(crate) fn tally(&self, from: Timestamp, to: Timestamp) -> Tally {
        let (before, changes) = self.cut(from, to);
        Tally::of(before, changes, from, to)
    }

    pub(crate) fn span(&self, from: Timestamp, to: Timestamp) -> Span {
        let (before, changes) = self.cut(from, to);
        let statuses = std::iter::once(before.map_or(Status::Unknown, Health::shown))
            .chain(changes.iter().map(Health::shown));
        let mut worst: Option<Status> = None;
        let mut unmeasured = false;
        for status in statuses {
            if status == Status::Unknown {
                unmeasured = true;
            } else {
                worst = Some(
                    worst.map_or(status, |worst| if rank(status) < rank(worst) { status } else { worst }),
                );
            }
        }
        Span { worst: worst.unwrap_or(Status::Unknown), gap: unmeasured && worst.is_some() }
    }
}

/// Worst first: the order of rows, sentences and bars.
pub(crate) const fn rank(status: Status) -> u8 {
    match status {
        Status::MajorOutage => 0,
        Status::PartialOutage => 1,
        Status::Degraded => 2,
        Status::Unknown => 3,
        Status::Maintenance => 4,
        Status::Operational => 5,
    }
}

/// Minutes begun, for tables: a second of outage is not nothing.
pub(crate) fn minutes(seconds: f64) -> i64 {
    Duration::try_from_secs_f64(seconds.max(0.0))
        .map_or(0, |duration| i64::try_from(duration.as_secs().div_ceil(60)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ApiId, Environment};

    fn health(status: Status, since: &str) -> Health {
        Health {
            instance: InstanceId {
                api: ApiId::parse("results").unwrap(),
                environment: Environment::Production,
            },
            status,
            since: since.parse().unwrap(),
            layer: None,
            maintenance: false,
        }
    }

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    #[test]
    fn time_that_was_not_measured_is_a_gap_and_never_green() {
        let now = "2026-11-21T12:30:00Z".parse().unwrap();
        let changes = [
            health(Status::Operational, "2026-11-21T09:20:00Z"),
            health(Status::MajorOutage, "2026-11-21T10:10:00Z"),
            health(Status::Operational, "2026-11-21T10:12:00Z"),
            health(Status::Unknown, "2026-11-21T12:00:00Z"),
        ];
        let past = Past::of((None, &changes), now, &london(), (None, None));
        let days: Vec<Day> = past.days.iter().collect();
        assert_eq!((past.hours.len(), days.len()), (HOURS, DAYS));
        let unknown = Span { worst: Status::Unknown, gap: false };
        assert!(past.hours[..20].iter().all(|span| *span == unknown));
        assert_eq!(past.hours[20], Span { worst: Status::Operational, gap: true });
        assert_eq!(past.hours[21], Span { worst: Status::MajorOutage, gap: false });
        assert_eq!(past.hours[22], Span { worst: Status::Operational, gap: false });
        assert_eq!(past.hours[23], unknown);
        assert!(days[..89].iter().all(|day| day.span == unknown));
        assert_eq!(days[89].span, Span { worst: Status::MajorOutage, gap: true });
    }

    #[test]
    fn the_health_in_force_before_the_range_counts() {
        let now = "2026-11-21T12:30:00Z".parse().unwrap();
        let before = health(Status::Operational, "2026-01-01T00:00:00Z");
        let past = Past::of((Some(&before), &[]), now, &london(), (None, None));
        assert!(past.hours.iter().all(|span| span.worst == Status::Operational && !span.gap));
        assert!(past.days.iter().all(|day| day.span.worst == Status::Operational));
    }

    #[test]
    fn days_are_local_days_also_when_the_clocks_change() {
        let now = "2026-10-26T12:00:00Z".parse().unwrap();
        let past = Past::of((None, &[]), now, &london(), (None, None));
        let dates: Vec<String> = past.days.iter().map(|day| day.date.to_string()).collect();
        assert_eq!(dates[88..], ["2026-10-25", "2026-10-26"]);
        let of = days(now, &london()).collect::<Vec<_>>();
        assert_eq!(of[88].2.duration_since(of[88].1).as_hours(), 25);
    }
}
