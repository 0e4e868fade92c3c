//! Time-weighted availability from confirmed Status, and percentiles of response times.

use crate::{Health, Status};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use std::{ops::AddAssign, time::Duration};

/// Seconds in each kind of status over a range.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Operational.
    pub operational: f64,
    /// Degraded.
    pub degraded: f64,
    /// Partial and major outage.
    pub down: f64,
    /// Planned work, whatever was measured during it.
    pub maintenance: f64,
    /// Not measured; also during planned work: what was not measured stays unknown (invariant 5).
    pub unknown: f64,
}

/// The most local days that [`Tally::days`] gives: eleven years.
const MAX_DAYS: usize = 4096;

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

    /// (operational + degraded) ÷ (operational + degraded + down), `0..=1`; maintenance and unknown do not count.
    /// `None` where nothing was measured.
    pub fn availability(&self) -> Option<f64> {
        let up = self.operational + self.degraded;
        share(up, up + self.down)
    }

    /// Measured time (all but unknown) ÷ all time, `0..=1`; `None` for an empty range.
    pub fn coverage(&self) -> Option<f64> {
        let total = self.total();
        share(total - self.unknown, total)
    }

    /// All seconds of the range.
    pub fn total(&self) -> f64 {
        self.operational + self.degraded + self.down + self.maintenance + self.unknown
    }

    /// The same by local day in `zone`, each cut to the range: a day on which the clocks change has 23 or 25 hours.
    /// Oldest first; at most the first 4096 days.
    pub fn days(
        before: Option<&Health>,
        changes: &[Health],
        from: Timestamp,
        to: Timestamp,
        zone: &TimeZone,
    ) -> Vec<(Date, Self)> {
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
            days.push((day, Self::of(current, within, at, end)));
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
        let kind = match health.map(|health| (health.status, health.maintenance)) {
            None | Some((Status::Unknown, _)) => &mut self.unknown,
            Some((_, true) | (Status::Maintenance, _)) => &mut self.maintenance,
            Some((Status::Operational, false)) => &mut self.operational,
            Some((Status::Degraded, false)) => &mut self.degraded,
            Some((Status::PartialOutage | Status::MajorOutage, false)) => &mut self.down,
        };
        *kind += to.duration_since(from).as_secs_f64();
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.operational += other.operational;
        self.degraded += other.degraded;
        self.down += other.down;
        self.maintenance += other.maintenance;
        self.unknown += other.unknown;
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

/// Response times that so many in a hundred did not exceed, by nearest rank: each is one that was really measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Half.
    pub p50: Duration,
    /// Nine in ten.
    pub p90: Duration,
    /// Nineteen in twenty.
    pub p95: Duration,
    /// All but one in a hundred.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Percentiles {
    /// Of these durations, which are put in order; `None` if there is none. Of raw measurements only: percentiles of
    /// percentiles are wrong.
    pub fn of(durations: &mut [Duration]) -> Option<Self> {
        durations.sort_unstable();
        let rank = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100);
            durations.get(rank.checked_sub(1)?).copied()
        };
        Some(Self { p50: rank(50)?, p90: rank(90)?, p95: rank(95)?, p99: rank(99)?, max: rank(100)? })
    }
}
