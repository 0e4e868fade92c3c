use super::*;
use jiff::SignedDuration;
use proptest::prelude::*;

fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next times after `after`, joined by spaces.
fn check(cron: &str, after: &str, expected: &[&str]) {
    let cron = Cron::parse(cron).unwrap();
    let zone = london();
    let times: Vec<Timestamp> =
        std::iter::successors(cron.next(at(after), &zone), |after| cron.next(*after, &zone))
            .take(expected.len())
            .collect();
    assert_eq!(times.iter().map(Timestamp::to_string).collect::<Vec<_>>(), expected, "{cron}");
    for time in times {
        assert_eq!(cron.previous_or_at(time, &zone), Some(time), "{cron}");
    }
}

fn check_refused(cron: &str, expected: &str) {
    assert_eq!(Cron::parse(cron).unwrap_err(), expected, "{cron}");
}

#[test]
fn five_fields_in_local_time() {
    check(
        "0 19 * * Mon-Fri",
        "2026-09-11T12:00:00Z", // a Friday
        &["2026-09-11T18:00:00Z", "2026-09-14T18:00:00Z", "2026-09-15T18:00:00Z"],
    );
    check("*/30 8-9 * * *", "2026-11-10T09:00:00Z", &["2026-11-10T09:30:00Z", "2026-11-11T08:00:00Z"]);
    check("15 0 1,15 * *", "2026-11-02T00:00:00Z", &["2026-11-15T00:15:00Z", "2026-12-01T00:15:00Z"]);
    check("0 0 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
    check("0 0 31 2,3 *", "2026-01-01T00:00:00Z", &["2026-03-30T23:00:00Z"]);
    check("0 12 1 JAN-feb/1 *", "2026-01-01T12:00:00Z", &["2026-02-01T12:00:00Z"]);
}

#[test]
fn days_of_the_week_are_unixs() {
    let sunday = &["2026-11-15T00:00:00Z", "2026-11-22T00:00:00Z"];
    for day in ["0", "7", "Sun", "sunday"] {
        check(&format!("0 0 * * {day}"), "2026-11-12T12:00:00Z", sunday);
    }
    check("0 0 * * 1", "2026-11-12T12:00:00Z", &["2026-11-16T00:00:00Z"]);
    check("0 0 * * sat", "2026-11-12T12:00:00Z", &["2026-11-14T00:00:00Z"]);
    for days in ["5-7", "Fri-Sun", "5,6,0"] {
        check(
            &format!("0 0 * * {days}"),
            "2026-11-14T12:00:00Z",
            &["2026-11-15T00:00:00Z", "2026-11-20T00:00:00Z"],
        );
    }
    check("0 0 * * */6", "2026-11-14T12:00:00Z", &["2026-11-15T00:00:00Z", "2026-11-21T00:00:00Z"]);
}

#[test]
fn a_time_the_clock_skips_is_an_hour_later_and_one_it_shows_twice_comes_once() {
    check(
        "30 1 * * *",
        "2026-03-28T00:00:00Z",
        &["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"],
    );
    check(
        "30 1 * * *",
        "2026-10-24T00:00:00Z",
        &["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
    );
    // In order, though 01:30 (which becomes 02:30) is written before 02:00.
    check("0,30 1-2 * * *", "2026-03-29T00:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
    check("30 1 29 3 *", "2026-03-29T01:10:00Z", &["2026-03-29T01:30:00Z"]);
}

#[test]
fn hourly_is_24_times_on_the_day_of_25_hours() {
    let hourly = Cron::parse("0 * * * *").unwrap();
    let zone = london();
    let (from, to) = (at("2026-10-24T23:00:00Z"), at("2026-10-26T00:00:00Z"));
    let before = from - SignedDuration::from_nanos(1);
    let times = std::iter::successors(hourly.next(before, &zone), |after| hourly.next(*after, &zone));
    assert_eq!(times.take_while(|time| *time < to).count(), 24);
}

#[test]
fn what_is_refused_is_said_by_field() {
    check_refused(
        "0 0 * *",
        "five fields are needed (minute, hour, day of month, month, day of week), not 4",
    );
    check_refused(
        "0 0 0 * * *",
        "five fields are needed (minute, hour, day of month, month, day of week), not 6",
    );
    check_refused("@daily", "five fields are needed (minute, hour, day of month, month, day of week), not 1");
    check_refused("60 0 * * *", "minute: 60 is not between 0 and 59");
    check_refused("0 24 * * *", "hour: 24 is not between 0 and 23");
    check_refused("0 0 0 * *", "day of month: 0 is not between 1 and 31");
    check_refused("0 0 1 13 *", "month: 13 is not between 1 and 12");
    check_refused("0 0 * * 8", "day of week: 8 is not between 0 and 7");
    check_refused("0 0 * * 1234", "day of week: 1234 is not between 0 and 7");
    check_refused("0 0 * * Mo", "day of week: 'Mo' is not a number from 0 to 7 or a name");
    check_refused("0 0 * * Dydd", "day of week: 'Dydd' is not a number from 0 to 7 or a name");
    check_refused("0 0 1 Foo *", "month: 'Foo' is not a number from 1 to 12 or a name");
    check_refused("x 0 * * *", "minute: 'x' is not a number from 0 to 59");
    check_refused("1, 0 * * *", "minute: '' is not a number from 0 to 59");
    check_refused("-5 0 * * *", "minute: '' is not a number from 0 to 59");
    check_refused("0 0 L * *", "day of month: 'L' is not a number from 1 to 31");
    check_refused("0 0 * * 5#2", "day of week: '5#2' is not a number from 0 to 7 or a name");
    check_refused("*/0 0 * * *", "minute: a step is a number from 1, not '0'");
    check_refused(
        "5/15 0 * * *",
        "minute: a step needs '*' or a range before it: '*/15' or '0-59/2', not '5/15'",
    );
    check_refused("0 22-2 * * *", "hour: a range goes upwards; '22-2' must be two: '22-23,0-2'");
    check_refused("0 0 * * Fri-Mon", "day of week: a range goes upwards; 'Fri-Mon' must be two: '5-6,0-1'");
    check_refused(
        "0 0 13 * Fri",
        "day of month and day of week: only one of them can be chosen; write '*' for the other",
    );
    check_refused(
        "0 0 30 2 *",
        "day of month: 30 does not come in the months asked for, which have at most 29 days",
    );
    check_refused(
        "0 0 31 4,6,9,11 *",
        "day of month: 31 does not come in the months asked for, which have at most 30 days",
    );
    check_refused(&"0".repeat(201), "a cron expression has at most 200 characters");
}

#[test]
fn an_expression_is_shown_as_it_was_written_and_compared_by_its_words() {
    let cron = Cron::parse(" 0  19 * * Mon-Fri ").unwrap();
    assert_eq!(cron.to_string(), "0 19 * * Mon-Fri");
    assert_eq!(cron, Cron::parse("0 19 * * Mon-Fri").unwrap());
    assert_ne!(cron, Cron::parse("0 20 * * Mon-Fri").unwrap());
}

#[test]
fn beyond_the_ends_of_its_calendar_there_is_nothing() {
    let daily = Cron::parse("0 0 * * *").unwrap();
    assert_eq!(daily.next(at("2101-01-01T00:00:00Z"), &london()), None);
    assert_eq!(daily.previous_or_at(at("1960-01-01T00:00:00Z"), &london()), None);
    assert_eq!(daily.next(Timestamp::MAX, &london()), None);
    assert_eq!(daily.previous_or_at(Timestamp::MIN, &london()), None);
}

/// A list of values below `end`, or `*`.
fn any_field(start: u8, end: u8) -> impl Strategy<Value = Option<BTreeSet<u8>>> {
    prop::option::of(prop::collection::btree_set(start..end, 1..4))
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[ *0-9a-z,/#-]{0,40}") {
        let said = Cron::parse(&text).err();
        prop_assert!(said.is_none_or(|said| !said.is_empty()));
    }

    /// Around both changes of the clocks, against every minute of the days around.
    #[test]
    fn next_and_previous_are_those_of_the_list_of_all(
        minutes in any_field(0, 60),
        hours in any_field(0, 4),
        weekdays in any_field(0, 7),
        autumn: bool,
        offset in 0_i64..4 * 86_400,
    ) {
        let zone = london();
        let text = format!(
            "{} {} * * {}", list(minutes.clone()), list(hours.clone()), list(weekdays.clone())
        );
        let cron = Cron::parse(&text).unwrap();
        let first = if autumn { civil::date(2026, 10, 10) } else { civil::date(2026, 3, 14) };
        let of_field = |field: &Option<BTreeSet<u8>>, end: u8| {
            field.clone().unwrap_or_else(|| (0..end).collect()).into_iter().map(u8::cast_signed)
        };
        let mut all: Vec<Timestamp> = first
            .series(jiff::Span::new().days(1))
            .take(31)
            .filter(|day| {
                let weekday = day.weekday().to_sunday_zero_offset().cast_unsigned();
                weekdays.as_ref().is_none_or(|set| set.contains(&weekday))
            })
            .flat_map(|day| of_field(&hours, 24).map(move |hour| (day, hour)))
            .flat_map(|(day, hour)| of_field(&minutes, 60).map(move |minute| day.at(hour, minute, 0, 0)))
            .map(|shown| zone.to_ambiguous_timestamp(shown).compatible().unwrap())
            .collect();
        all.sort_unstable();
        all.dedup();
        // From two days before the change to two days after.
        let change = if autumn { "2026-10-23T00:00:00Z" } else { "2026-03-27T00:00:00Z" };
        let now = at(change) + SignedDuration::from_secs(offset);
        prop_assert_eq!(cron.next(now, &zone), all.iter().copied().find(|time| *time > now), "next of {}", text);
        prop_assert_eq!(
            cron.previous_or_at(now, &zone),
            all.iter().copied().rfind(|time| *time <= now),
            "previous of {}", text
        );
    }
}
