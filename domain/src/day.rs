//! Local days: of 23, 24 or 25 hours.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

/// The most local days that anything is counted by: eleven years.
pub const MAX_DAYS: usize = 4096;

/// One local day, or the part of it that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// When it begins.
    pub begins: Timestamp,
    /// When the next one begins.
    pub ends: Timestamp,
}

impl Day {
    /// The day of `date` in `zone`, whole.
    pub fn of(date: Date, zone: &TimeZone) -> Self {
        let begins = |date: Date| crate::local::first(zone, date.to_datetime(Time::midnight()));
        Self { date, begins: begins(date), ends: date.tomorrow().map_or(Timestamp::MAX, begins) }
    }

    /// The day in which `at` is, whole.
    pub fn around(at: Timestamp, zone: &TimeZone) -> Self {
        Self::of(zone.to_datetime(at).date(), zone)
    }

    /// The days between `from` and `to`, each whole even if it is not all within them. Oldest first, at most [`MAX_DAYS`].
    pub fn between(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Self> {
        let mut days = Vec::new();
        let mut at = from;
        while at < to && days.len() < MAX_DAYS {
            let day = Self::around(at, zone);
            days.push(day);
            // Never back, whatever a zone does.
            at =
                day.ends.max(at.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX));
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_without_a_gap_also_when_the_clocks_change() {
        let london = TimeZone::get("Europe/London").unwrap();
        let days = Day::between(
            "2026-10-23T12:00:00Z".parse().unwrap(),
            "2026-10-27T00:00:00Z".parse().unwrap(),
            &london,
        );
        let hours: Vec<i64> = days.iter().map(|day| day.ends.duration_since(day.begins).as_hours()).collect();
        assert_eq!(hours, [24, 24, 25, 24]);
        assert!(days.windows(2).all(|pair| pair[0].ends == pair[1].begins));
        assert_eq!(days[0].begins.to_string(), "2026-10-22T23:00:00Z");
    }

    #[test]
    fn the_ends_of_the_calendar_are_bounded() {
        assert_eq!(Day::between(Timestamp::MIN, Timestamp::MAX, &TimeZone::UTC).len(), MAX_DAYS);
        assert!(Day::between(Timestamp::MAX, Timestamp::MIN, &TimeZone::UTC).is_empty());
    }
}
