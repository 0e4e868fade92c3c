//! Local clock time to instants, also on the two days a year when that is not one to one.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// The instant at which a clock in `zone` first shows `local`. A time that the clock skips is the first instant
/// after the gap; a time that it shows twice is the first of the two.
pub(crate) fn first(zone: &TimeZone, local: DateTime) -> Timestamp {
    instant(zone, local, false)
}

/// As [`first`], but a time that the clock shows twice is the second of the two: for what ends then.
pub(crate) fn last(zone: &TimeZone, local: DateTime) -> Timestamp {
    instant(zone, local, true)
}

/// Beyond the calendar's ends the nearest end: these functions are total.
fn instant(zone: &TimeZone, local: DateTime, second: bool) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => ambiguous
            .earlier()
            .map(|before| zone.following(before).next().map_or(before, |transition| transition.timestamp())),
        AmbiguousOffset::Fold { .. } if second => ambiguous.later(),
        AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } => ambiguous.compatible(),
    }
    .unwrap_or(if local.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, local: &str, expected_first: &str, expected_last: &str) {
        let zone = TimeZone::get(zone).unwrap();
        let at: DateTime = local.parse().unwrap();
        assert_eq!(first(&zone, at).to_string(), expected_first, "first {local}");
        assert_eq!(last(&zone, at).to_string(), expected_last, "last {local}");
    }

    #[test]
    fn a_skipped_time_is_the_end_of_the_gap_and_a_doubled_one_is_two() {
        let london = "Europe/London";
        check(london, "2027-03-28T00:59", "2027-03-28T00:59:00Z", "2027-03-28T00:59:00Z");
        check(london, "2027-03-28T01:00", "2027-03-28T01:00:00Z", "2027-03-28T01:00:00Z");
        check(london, "2027-03-28T01:30", "2027-03-28T01:00:00Z", "2027-03-28T01:00:00Z");
        check(london, "2027-03-28T02:00", "2027-03-28T01:00:00Z", "2027-03-28T01:00:00Z");
        check(london, "2027-10-31T01:00", "2027-10-31T00:00:00Z", "2027-10-31T01:00:00Z");
        check(london, "2027-10-31T01:59", "2027-10-31T00:59:00Z", "2027-10-31T01:59:00Z");
        check(london, "2027-10-31T02:00", "2027-10-31T02:00:00Z", "2027-10-31T02:00:00Z");
        // A gap of half an hour: 02:15 does not exist, the clock goes from 02:00 to 02:30 (15:30 UTC).
        check("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z");
    }

    #[test]
    fn the_ends_of_the_calendar_are_not_a_failure() {
        let zone = TimeZone::get("Europe/London").unwrap();
        assert_eq!(first(&zone, DateTime::MAX), Timestamp::MAX);
        assert_eq!(first(&zone, DateTime::MIN), Timestamp::MIN);
    }
}
