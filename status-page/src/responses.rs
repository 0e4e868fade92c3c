//! How fast an instance answered: hour by hour over a week, day by day over 90 days, week by week over a year; and over those ranges.

use domain::{Answers, OperationId, Percentiles, Summary};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use store::Days;

use crate::DAYS;

/// What an instance's first critical operation took, by what its samples add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct Responses {
    /// The operation.
    pub operation: OperationId,
    /// Of 24 hours, 7, 90 and 365 days; `None`: no good answer in it.
    pub ranges: [Answers; 4],
    /// Up to when the hours go: the one that is not over.
    hour: Timestamp,
    hours: Hours,
    today: Date,
    /// Of those days with a good answer, oldest first, how long they took: as ranks, for there may be ten thousand instances of
    /// ninety days.
    days: Box<[(Date, [u32; 5])]>,
    weeks: Box<[(Date, Answers)]>,
    year: Box<[Option<[u32; 5]>]>,
}

/// Hours in which there was an answer, oldest first, and how long they took.
pub(crate) type Hours = Box<[(Timestamp, [u32; 5])]>;

/// Hours that are drawn one by one.
pub(crate) const HOURS_OF_WEEK: i64 = 7 * 24;
/// Days of a year that are drawn by the week.
const DAYS_OF_YEAR: i64 = 52 * 7;

/// When the clock hour of `at` began, in UTC: hours of London are whole hours of UTC.
pub(crate) fn hour(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(3600) * 3600).unwrap_or(at)
}

impl Responses {
    /// The last `count` clock hours, oldest first; the last is not over.
    pub fn hours(&self, count: i64) -> impl Iterator<Item = Option<Percentiles>> {
        (0..count).rev().map(|ago| {
            let begins = self.hour.checked_sub(SignedDuration::from_hours(ago)).ok()?;
            let found = self.hours.binary_search_by_key(&begins, |(begins, _)| *begins).ok()?;
            self.hours.get(found).map(|(_, ranks)| Percentiles::of_steps(*ranks))
        })
    }

    /// When the first of the last `count` clock hours began.
    pub fn hours_begin(&self, count: i64) -> Timestamp {
        self.hour.checked_sub(SignedDuration::from_hours(count - 1)).unwrap_or(Timestamp::MIN)
    }

    /// Those hours as they were read.
    pub(crate) fn known_hours(&self) -> &[(Timestamp, [u32; 5])] {
        &self.hours
    }

    /// The last 52 weeks of seven days to today, oldest first.
    pub fn year(&self) -> impl Iterator<Item = Option<Percentiles>> {
        self.year.iter().map(|ranks| ranks.map(Percentiles::of_steps))
    }

    /// The day on which the year begins.
    pub fn year_begins(&self) -> Date {
        self.today.checked_sub((DAYS_OF_YEAR - 1).days()).unwrap_or(Date::MIN)
    }

    /// The last 90 local days, oldest first.
    pub fn days(&self) -> impl Iterator<Item = (Date, Option<Percentiles>)> {
        last_days(self.today).map(|date| {
            let found = self.days.binary_search_by_key(&date, |(date, _)| *date).ok();
            (date, found.and_then(|at| self.days.get(at)).map(|(_, ranks)| Percentiles::of_steps(*ranks)))
        })
    }

    /// Those days by seven, the newest seven first, where there was an answer.
    pub fn weeks(&self) -> impl Iterator<Item = (Date, Answers)> {
        self.weeks.iter().copied()
    }

    /// From the sums of local days up to `today`, those of the last 24 hours, and the hours of a week to `now`; of an operation
    /// that keeps its connections (`warm`) or does not. `None`: it never answered in a year.
    pub(crate) fn of(
        operation: OperationId,
        (days, last_day, hours): (&Days, &Days, Hours),
        (now, today): (Timestamp, Date),
        warm: bool,
    ) -> Option<Self> {
        let first = |ago: i64| today.checked_sub((ago - 1).days()).unwrap_or(Date::MIN);
        let since = |ago: i64| days.sum(first(ago)..).summary().latency(warm);
        let ranges = [last_day.sum(..).summary().latency(warm), since(7), since(90), since(365)];
        let [.., year] = &ranges;
        year.ranks?;
        let dates: Vec<Date> = last_days(today).collect();
        let mut weeks = Vec::new();
        for week in dates.rchunks(7) {
            let (Some(first), Some(last)) = (week.first(), week.last()) else { continue };
            let answers = days.sum(*first..=*last).summary().latency(warm);
            weeks.extend(answers.ranks.map(|_| (*first, answers)));
        }
        let ranks = |date: &Date| Some((*date, days.on(*date)?.summary().latency(warm).ranks?));
        let year = (0..DAYS_OF_YEAR / 7).map(|week| {
            let first = today.checked_sub((DAYS_OF_YEAR - 1 - 7 * week).days()).ok()?;
            days.sum(first..=first.checked_add(6.days()).ok()?).summary().latency(warm).ranks
        });
        let year = year.collect();
        let days = dates.iter().filter_map(ranks).collect();
        Some(Self { operation, ranges, hour: hour(now), hours, today, days, weeks: weeks.into(), year })
    }
}

/// Of hours in which it answered, how long that took.
pub(crate) fn ranks(
    hours: Vec<(Timestamp, Summary)>,
    warm: bool,
) -> impl Iterator<Item = (Timestamp, [u32; 5])> {
    hours.into_iter().filter_map(move |(begins, hour)| Some((begins, hour.latency(warm).ranks?)))
}

/// The last 90 local days, oldest first.
fn last_days(today: Date) -> impl Iterator<Item = Date> {
    (0..DAYS).rev().filter_map(move |ago| today.checked_sub(i64::try_from(ago).ok()?.days()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Rollup, Verdict};
    use jiff::civil::date;
    use std::time::Duration;

    fn day(steps: &[u32]) -> Rollup {
        let mut rollup = Rollup::default();
        for steps in steps {
            rollup.add(Verdict::Pass, false, *steps);
        }
        rollup.add(Verdict::Fail, false, 90_000);
        rollup.add(Verdict::Pass, true, 1);
        rollup
    }

    #[test]
    fn each_range_is_made_of_its_days_and_never_of_percentiles() {
        let today = date(2026, 11, 28);
        let days = Days::from_iter([
            (date(2026, 1, 10), day(&[100])),
            (date(2026, 9, 1), day(&[90, 90])),
            (date(2026, 11, 21), day(&[80])),
            (date(2026, 11, 22), day(&[70, 70])),
            (today, day(&[10])),
        ]);
        let last_day = Days::from_iter([(today, day(&[10]))]);
        let read = || OperationId::parse("read").unwrap();
        let now: Timestamp = "2026-11-28T12:30:00Z".parse().unwrap();
        let an_hour = [(hour(now), [10; 5])].into();
        let responses = Responses::of(read(), (&days, &last_day, an_hour), (now, today), false).unwrap();
        let of_hours: Vec<bool> = responses.hours(24).map(|took| took.is_some()).collect();
        assert_eq!((of_hours.len(), of_hours.iter().position(|answered| *answered)), (24, Some(23)));
        let of_year: Vec<usize> =
            responses.year().enumerate().filter_map(|(week, took)| took.map(|_| week)).collect();
        assert_eq!((responses.year().count(), of_year), (52, vec![5, 39, 50, 51]));
        assert_eq!(responses.year_begins(), date(2025, 11, 30));
        let ms = |steps: u32| Duration::from_micros(64) * steps;
        let seen = responses.ranges.map(|range| (range.count, range.took().map(|took| took.max)));
        assert_eq!(seen, [(1, Some(ms(10))), (3, Some(ms(70))), (6, Some(ms(90))), (7, Some(ms(100)))]);
        let of_days: Vec<(Date, Option<Percentiles>)> = responses.days().collect();
        assert_eq!(of_days.len(), 90);
        assert_eq!((of_days[0].0, of_days[89].0), (date(2026, 8, 31), today));
        let longest: Vec<Duration> =
            of_days.iter().filter_map(|(_, took)| Some(took.as_ref()?.max)).collect();
        assert_eq!(longest, [ms(90), ms(80), ms(70), ms(10)]);
        let weeks: Vec<(Date, u64)> = responses.weeks().map(|(first, week)| (first, week.count)).collect();
        assert_eq!(weeks, [(date(2026, 11, 22), 3), (date(2026, 11, 15), 1), (date(2026, 8, 31), 2)]);
    }

    #[test]
    fn an_operation_that_never_answered_has_no_response_time() {
        let days = Days::from_iter([(date(2026, 11, 28), day(&[]))]);
        let read = OperationId::parse("read").unwrap();
        let now = "2026-11-28T12:30:00Z".parse().unwrap();
        let none = Responses::of(read, (&days, &days, Box::default()), (now, date(2026, 11, 28)), false);
        assert_eq!(none, None);
    }
}
