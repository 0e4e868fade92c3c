//! How fast an instance answered: day by day over 90 days, and over ranges up to a year.

use domain::{Answers, OperationId, Percentiles};
use jiff::{ToSpan as _, civil::Date};
use store::Days;

use crate::DAYS;

/// What an instance's first critical operation took, by what its samples add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct Responses {
    /// The operation.
    pub operation: OperationId,
    /// Of 24 hours, 7, 90 and 365 days; `None`: no good answer in it.
    pub ranges: [Answers; 4],
    today: Date,
    /// Of those days with a good answer, oldest first, how long they took: as ranks, for there may be ten thousand instances of
    /// ninety days.
    days: Box<[(Date, [u32; 5])]>,
    weeks: Box<[(Date, Answers)]>,
}

impl Responses {
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

    /// From the sums of local days up to `today`, and those of the last 24 hours; of an operation that keeps its connections
    /// (`warm`) or does not. `None`: it never answered in a year.
    pub fn of(operation: OperationId, days: &Days, last_day: &Days, today: Date, warm: bool) -> Option<Self> {
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
        let days = dates.iter().filter_map(ranks).collect();
        Some(Self { operation, ranges, today, days, weeks: weeks.into() })
    }
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
        let responses = Responses::of(read(), &days, &last_day, today, false).unwrap();
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
        let none = Responses::of(read, &days, &days, date(2026, 11, 28), false);
        assert_eq!(none, None);
    }
}
