//! Seconds by what confirmed Status says of them: what availability is counted from.

use crate::{Health, Status, day::MAX_DAYS};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use std::ops::{AddAssign, Range};

/// Seconds in each kind of status over a range: enough for every [`AvailabilityPolicy`](crate::AvailabilityPolicy).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Operational.
    pub operational: f64,
    /// Degraded.
    pub degraded: f64,
    /// Partial and major outage.
    pub down: f64,
    /// Planned work, by what was measured during it.
    pub maintenance: Measured,
    /// Not measured; also during planned work: what was not measured stays unknown (invariant 5).
    pub unknown: f64,
}

/// Seconds in each kind of status that was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// Operational.
    pub operational: f64,
    /// Degraded.
    pub degraded: f64,
    /// Partial and major outage.
    pub down: f64,
}

impl Measured {
    /// All of them.
    pub fn total(&self) -> f64 {
        self.operational + self.degraded + self.down
    }
}

impl Tally {
    /// Seconds by kind between `from` and `to`, from status changes in order of their `since`;
    /// `before` is the health in force at `from`, `None` if nothing was known. Time after `to` does not count.
    ///
    /// Maintenance is laid over: a health under maintenance counts as such, unless its status is Unknown.
    pub fn of(before: Option<&Health>, changes: &[Health], from: Timestamp, to: Timestamp) -> Self {
        let mut tally = Self::default();
        let mut current = before;
        let mut at = from;
        for change in changes {
            let next = change.since.clamp(at, to.max(at));
            tally.add(current, at, next);
            current = Some(change);
            at = next;
        }
        tally.add(current, at, to);
        tally
    }

    /// The same of that part of the range that is `open`: in order and apart, as [`crate::Hours::between`] gives it.
    pub fn within(
        open: &[Range<Timestamp>],
        before: Option<&Health>,
        changes: &[Health],
        from: Timestamp,
        to: Timestamp,
    ) -> Self {
        let mut tally = Self::default();
        let mut current = before;
        let mut ahead = changes;
        let first = open.partition_point(|open| open.end <= from);
        for open in open.iter().skip(first).take_while(|open| open.start < to) {
            let (opens, closes) = (from.max(open.start), to.min(open.end));
            let (earlier, later) = ahead.split_at(ahead.partition_point(|change| change.since <= opens));
            current = earlier.last().or(current);
            let (within, later) = later.split_at(later.partition_point(|change| change.since < closes));
            tally += Self::of(current, within, opens, closes);
            current = within.last().or(current);
            ahead = later;
        }
        tally
    }

    /// Measured time (all but unknown) ÷ all time, `0..=1`; `None` for an empty range.
    pub fn coverage(&self) -> Option<f64> {
        let total = self.total();
        (total > 0.0).then(|| ((total - self.unknown) / total).clamp(0.0, 1.0))
    }

    /// All seconds of the range.
    pub fn total(&self) -> f64 {
        self.operational + self.degraded + self.down + self.maintenance.total() + self.unknown
    }

    /// The same by local day in `zone`, each cut to the range: a day on which the clocks change has 23 or 25 hours.
    /// Oldest first, each with what of it is in the range; at most the first 4096 days.
    pub fn days(
        before: Option<&Health>,
        changes: &[Health],
        from: Timestamp,
        to: Timestamp,
        zone: &TimeZone,
    ) -> Vec<(Date, Range<Timestamp>, Self)> {
        let mut days = Vec::new();
        let mut at = from;
        let mut current = before;
        let mut ahead = changes;
        while at < to && days.len() < MAX_DAYS {
            let day = zone.to_datetime(at).date();
            let next = day.tomorrow().map_or(Timestamp::MAX, |tomorrow| {
                crate::local::first(zone, tomorrow.to_datetime(Time::midnight()))
            });
            let end = next.min(to);
            let (within, later) = ahead.split_at(ahead.partition_point(|change| change.since < end));
            days.push((day, at..end, Self::of(current, within, at, end)));
            current = within.last().or(current);
            ahead = later;
            at = end;
        }
        days
    }

    fn add(&mut self, health: Option<&Health>, from: Timestamp, to: Timestamp) {
        if from >= to {
            return;
        }
        let planned = &mut self.maintenance;
        let kind = match health.map(|health| (health.status, health.maintenance)) {
            None | Some((Status::Unknown | Status::Maintenance, _)) => &mut self.unknown,
            Some((Status::Operational, false)) => &mut self.operational,
            Some((Status::Degraded, false)) => &mut self.degraded,
            Some((Status::PartialOutage | Status::MajorOutage, false)) => &mut self.down,
            Some((Status::Operational, true)) => &mut planned.operational,
            Some((Status::Degraded, true)) => &mut planned.degraded,
            Some((Status::PartialOutage | Status::MajorOutage, true)) => &mut planned.down,
        };
        *kind += to.duration_since(from).as_secs_f64();
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.operational += other.operational;
        self.degraded += other.degraded;
        self.down += other.down;
        self.maintenance.operational += other.maintenance.operational;
        self.maintenance.degraded += other.maintenance.degraded;
        self.maintenance.down += other.maintenance.down;
        self.unknown += other.unknown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiId, AvailabilityPolicy, Environment, InstanceId};
    use jiff::civil::date;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn health(status: Status, maintenance: bool, since: Timestamp) -> Health {
        Health {
            instance: InstanceId {
                api: ApiId::parse("results").unwrap(),
                environment: Environment::Production,
            },
            status,
            since,
            layer: None,
            maintenance,
        }
    }

    /// `changes` are minutes after noon; the range is from noon to one; all in minutes.
    fn check(
        before: Option<Status>,
        changes: &[(i64, Status, bool)],
        expected: [u64; 5],
        shares: [Option<f64>; 2],
    ) {
        let noon = at("2026-09-11T12:00:00Z");
        let after = |minutes| noon + jiff::SignedDuration::from_mins(minutes);
        let changes: Vec<Health> = changes
            .iter()
            .map(|(minutes, status, maintenance)| health(*status, *maintenance, after(*minutes)))
            .collect();
        let before = before.map(|status| health(status, false, after(-600)));
        let tally = Tally::of(before.as_ref(), &changes, noon, after(60));
        let seconds =
            [tally.operational, tally.degraded, tally.down, tally.maintenance.total(), tally.unknown];
        assert_eq!(
            seconds.map(Duration::from_secs_f64),
            expected.map(|minutes| Duration::from_secs(60 * minutes))
        );
        let availability = AvailabilityPolicy::default().availability(&tally);
        assert_eq!([availability, tally.coverage()], shares);
    }

    #[test]
    fn seconds_are_counted_by_the_status_in_force() {
        use Status::{Degraded, MajorOutage, Operational, PartialOutage, Unknown};
        check(None, &[], [0, 0, 0, 0, 60], [None, Some(0.0)]);
        check(Some(Operational), &[], [60, 0, 0, 0, 0], [Some(1.0), Some(1.0)]);
        check(
            Some(Operational),
            &[
                (15, MajorOutage, false),
                (20, PartialOutage, false),
                (30, Degraded, false),
                (45, Operational, false),
            ],
            [30, 15, 15, 0, 0],
            [Some(0.75), Some(1.0)],
        );
        // A gap is in coverage, not in availability.
        check(
            Some(Operational),
            &[(15, Unknown, false), (45, Operational, false)],
            [30, 0, 0, 0, 30],
            [Some(1.0), Some(0.5)],
        );
        // Planned work hides the failure from availability, but what was not measured stays unknown.
        check(
            Some(MajorOutage),
            &[(0, MajorOutage, true), (15, Unknown, true), (30, Operational, true), (45, Operational, false)],
            [15, 0, 0, 30, 15],
            [Some(1.0), Some(0.75)],
        );
        // What changed before the range is in force when it begins; what changes after it does not count.
        check(
            Some(Operational),
            &[(-5, MajorOutage, false), (60, Operational, false), (90, Unknown, false)],
            [0, 0, 60, 0, 0],
            [Some(0.0), Some(1.0)],
        );
    }

    #[test]
    fn a_range_that_is_empty_or_runs_backwards_counts_nothing() {
        let noon = at("2026-09-11T12:00:00Z");
        let down = health(Status::MajorOutage, false, noon);
        for to in [noon, at("2026-09-11T11:00:00Z")] {
            let tally = Tally::of(Some(&down), std::slice::from_ref(&down), noon, to);
            assert_eq!(tally, Tally::default());
            assert_eq!(tally.coverage(), None);
            assert!(Tally::days(None, &[], noon, to, &TimeZone::UTC).is_empty());
        }
    }

    #[test]
    fn days_are_local_and_have_23_or_25_hours_when_the_clocks_change() {
        let london = TimeZone::get("Europe/London").unwrap();
        let hours_by_day = |from: &str, to: &str| -> Vec<(Date, f64)> {
            Tally::days(None, &[], at(from), at(to), &london)
                .into_iter()
                .map(|(day, _, tally)| (day, tally.unknown / 3600.0))
                .collect()
        };
        assert_eq!(
            hours_by_day("2027-03-27T12:00:00Z", "2027-03-29T05:00:00Z"),
            [(date(2027, 3, 27), 12.0), (date(2027, 3, 28), 23.0), (date(2027, 3, 29), 6.0)]
        );
        assert_eq!(
            hours_by_day("2027-10-29T23:00:00Z", "2027-11-01T00:00:00Z"),
            [(date(2027, 10, 30), 24.0), (date(2027, 10, 31), 25.0)]
        );
    }

    #[test]
    fn the_days_of_all_time_are_bounded() {
        let days = Tally::days(None, &[], Timestamp::MIN, Timestamp::MAX, &TimeZone::UTC);
        assert_eq!(days.len(), MAX_DAYS);
    }

    fn any_changes() -> impl Strategy<Value = Vec<Health>> {
        prop::collection::vec((0..30 * 86_400_000_i64, 0..Status::ALL.len(), any::<bool>()), 0..40).prop_map(
            |all| {
                let mut changes: Vec<Health> = all
                    .into_iter()
                    .map(|(millisecond, status, maintenance)| {
                        health(Status::ALL[status], maintenance, moment(millisecond))
                    })
                    .collect();
                changes.sort_by_key(|health| health.since);
                changes
            },
        )
    }

    /// From 14 March 2027, with the change of the clocks two weeks later.
    fn moment(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_804_982_400_000 + millisecond).unwrap()
    }

    fn near(left: Tally, right: Tally) -> bool {
        [
            (left.operational, right.operational),
            (left.degraded, right.degraded),
            (left.down, right.down),
            (left.maintenance.operational, right.maintenance.operational),
            (left.maintenance.degraded, right.maintenance.degraded),
            (left.maintenance.down, right.maintenance.down),
            (left.unknown, right.unknown),
        ]
        .iter()
        .all(|(left, right)| (left - right).abs() < 1e-6)
    }

    proptest! {
        #[test]
        fn the_kinds_add_up_and_a_range_can_be_split_anywhere(
            changes in any_changes(),
            known_before: bool,
            mut edges in prop::array::uniform3(0..30 * 86_400_000_i64),
        ) {
            edges.sort_unstable();
            let [from, middle, to] = edges.map(moment);
            let before = known_before.then(|| health(Status::Degraded, false, moment(-1)));
            let whole = Tally::of(before.as_ref(), &changes, from, to);
            prop_assert!((whole.total() - to.duration_since(from).as_secs_f64()).abs() < 1e-6);

            let mut halves = Tally::of(before.as_ref(), &changes, from, middle);
            let in_force = changes.iter().rfind(|change| change.since <= middle).or(before.as_ref());
            let later: Vec<Health> = changes.iter().filter(|change| change.since > middle).cloned().collect();
            halves += Tally::of(in_force, &later, middle, to);
            prop_assert!(near(whole, halves), "{whole:?} is not {halves:?}");

            let availability = AvailabilityPolicy::default().availability(&whole);
            for share in [availability, whole.coverage()].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&share));
            }
            prop_assert_eq!(whole.coverage().is_none(), from == to);
            let measured = whole.operational + whole.degraded + whole.down > 0.0;
            prop_assert_eq!(availability.is_some(), measured);
        }

        #[test]
        fn days_add_up_to_the_range(changes in any_changes(), mut edges in prop::array::uniform2(0..30 * 86_400_000_i64)) {
            edges.sort_unstable();
            let [from, to] = edges.map(moment);
            let london = TimeZone::get("Europe/London").unwrap();
            let days = Tally::days(None, &changes, from, to, &london);
            let mut sum = Tally::default();
            for (_, _, tally) in &days {
                sum += *tally;
            }
            prop_assert!(near(sum, Tally::of(None, &changes, from, to)));
            prop_assert!(days.is_sorted_by(|left, right| left.0 < right.0), "each day once");
            prop_assert!(days.iter().all(|(_, _, tally)| tally.total() > 0.0 && tally.total() <= 25.0 * 3600.0));
        }
    }
}
