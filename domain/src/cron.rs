//! Five-field cron in local time. The only file that knows the `cron` and `chrono` crates.
//!
//! The `cron` crate knows neither five fields nor Unix's days of the week (it counts from Sunday = 1), skips days over
//! a change of the clocks and repeats others. So expressions are read here, it searches on wall-clock time (in UTC
//! as a carrier), and jiff turns that into instants.

use chrono::{DateTime, Utc};
use jiff::{Timestamp, civil, tz::TimeZone};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// A five-field cron expression: minute, hour, day of month, month, day of week.
///
/// In local time: a start that the clock skips is an hour later (01:30 becomes 02:30), one that it shows twice
/// happens the first time only. So hourly is 24 times on the day of 25 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    schedule: ::cron::Schedule,
}

/// Longest expression, in bytes.
const MAX_LENGTH: usize = 200;

/// The longest gap or fold of the clocks that is looked across.
const CLOCK_CHANGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(3);

/// One of the five fields.
struct Field {
    name: &'static str,
    min: u8,
    max: u8,
    /// The names of its values, from `min` on; three letters are enough.
    names: &'static [&'static str],
}

const MINUTE: Field = field("minute", 0, 59, &[]);
const HOUR: Field = field("hour", 0, 23, &[]);
const DAY_OF_MONTH: Field = field("day of month", 1, 31, &[]);
const MONTH: Field = field(
    "month",
    1,
    12,
    &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
);
const DAY_OF_WEEK: Field = field(
    "day of week",
    0,
    7,
    &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
);

const fn field(name: &'static str, min: u8, max: u8, names: &'static [&'static str]) -> Field {
    Field { name, min, max, names }
}

impl Field {
    /// The values that `text` stands for; `None`: all (`*`).
    fn parse(&self, text: &str) -> Result<Option<BTreeSet<u8>>, String> {
        if text == "*" {
            return Ok(None);
        }
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (part, None),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (self.min, self.top()),
                Some((from, to)) => self.range(from, to)?,
                None if step.is_some() => {
                    return Err(format!(
                        "{}: a step needs '*' or a range before it: '*/15' or '{}-{}/2', not '{part}'",
                        self.name,
                        self.min,
                        self.top()
                    ));
                }
                None => {
                    let value = self.value(range)?;
                    (value, value)
                }
            };
            values.extend((from..=to).step_by(step.unwrap_or(1)));
        }
        Ok(Some(values))
    }

    /// The highest value that is not another name for a lower one (7 is Sunday, as 0 is).
    fn top(&self) -> u8 {
        if self.max == 7 { 6 } else { self.max }
    }

    fn range(&self, from: &str, to: &str) -> Result<(u8, u8), String> {
        let (first, mut last) = (self.value(from)?, self.value(to)?);
        if self.max == 7 && last == 0 && first > 0 {
            last = 7; // a week that ends on Sunday: Fri-Sun
        }
        if last < first {
            return Err(format!(
                "{}: a range goes upwards; '{from}-{to}' must be two: '{first}-{},{}-{last}'",
                self.name,
                self.top(),
                self.min
            ));
        }
        Ok((first, last))
    }

    fn step(&self, step: &str) -> Result<usize, String> {
        step.parse::<u8>()
            .ok()
            .filter(|step| *step > 0)
            .map(usize::from)
            .ok_or_else(|| format!("{}: a step is a number from 1, not '{step}'", self.name))
    }

    fn value(&self, word: &str) -> Result<u8, String> {
        if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
            return word.parse::<u8>().ok().filter(|value| (self.min..=self.max).contains(value)).ok_or_else(
                || format!("{}: {word} is not between {} and {}", self.name, self.min, self.max),
            );
        }
        let lower = word.to_ascii_lowercase();
        (self.min..)
            .zip(self.names)
            .find(|(_, name)| lower.len() >= 3 && name.starts_with(&lower))
            .map(|(value, _)| value)
            .ok_or_else(|| {
                let or_name = if self.names.is_empty() { "" } else { " or a name" };
                format!("{}: '{word}' is not a number from {} to {}{or_name}", self.name, self.min, self.max)
            })
    }
}

impl Cron {
    /// Parses five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday).
    ///
    /// Each is `*`, a value, a range, a list of them, or a step over `*` or a range; months and days of the week also by
    /// English names. Refused: a day of the month and a day of the week together (cron means *either*, people mean
    /// *both*), and what never comes (30 February). The error names the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("a cron expression has at most {MAX_LENGTH} characters"));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "five fields are needed (minute, hour, day of month, month, day of week), not {}",
                fields.len()
            ));
        };
        let minutes = MINUTE.parse(minute)?;
        let hours = HOUR.parse(hour)?;
        let days = DAY_OF_MONTH.parse(day)?;
        let months = MONTH.parse(month)?;
        let weekdays = DAY_OF_WEEK.parse(weekday)?;
        if days.is_some() && weekdays.is_some() {
            return Err(
                "day of month and day of week: only one of them can be chosen; write '*' for the other"
                    .to_owned(),
            );
        }
        never_comes(days.as_ref(), months.as_ref())?;
        let carried = format!(
            "0 {} {} {} {} {}",
            list(minutes),
            list(hours),
            list(days),
            list(months),
            // Its Sunday is 1, its Saturday 7.
            list(weekdays.map(|days| days.into_iter().map(|day| day % 7 + 1).collect())),
        );
        Ok(Self {
            text: fields.join(" "),
            schedule: ::cron::Schedule::from_str(&carried).map_err(|error| error.to_string())?,
        })
    }

    /// The next time after `after`, in `zone`; `None` after the year 2100.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = carrier(zone.to_datetime(after).saturating_sub(CLOCK_CHANGE))?;
        let mut next: Option<Timestamp> = None;
        for shown in self.schedule.after(&start).map_while(shown) {
            // Only a time within a gap comes later than one after the gap.
            if next.is_some_and(|next| shown >= zone.to_datetime(next)) {
                break;
            }
            let at = instant(shown, zone)?;
            if at > after && next.is_none_or(|next| at < next) {
                next = Some(at);
            }
        }
        next
    }

    /// The last time not after `at`, in `zone`; `None` before the year 1970.
    pub fn previous_or_at(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = carrier(zone.to_datetime(at).saturating_add(CLOCK_CHANGE))?;
        let mut previous: Option<Timestamp> = None;
        for shown in self.schedule.after(&start).rev().map_while(shown) {
            if previous
                .is_some_and(|previous| shown <= zone.to_datetime(previous).saturating_sub(CLOCK_CHANGE))
            {
                break;
            }
            let candidate = instant(shown, zone)?;
            if candidate <= at && previous.is_none_or(|previous| candidate > previous) {
                previous = Some(candidate);
            }
        }
        previous
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Refuses days that none of the months has.
fn never_comes(days: Option<&BTreeSet<u8>>, months: Option<&BTreeSet<u8>>) -> Result<(), String> {
    let longest = months
        .into_iter()
        .flatten()
        .map(|month| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        })
        .max()
        .unwrap_or(31);
    match days.and_then(BTreeSet::first) {
        Some(day) if *day > longest => Err(format!(
            "day of month: {day} does not come in the months asked for, which have at most {longest} days"
        )),
        Some(_) | None => Ok(()),
    }
}

fn list(values: Option<BTreeSet<u8>>) -> String {
    match values {
        None => "*".to_owned(),
        Some(values) => values.iter().map(u8::to_string).collect::<Vec<_>>().join(","),
    }
}

/// What a clock on the wall shows, as the only kind of time the crate searches in.
fn carrier(shown: civil::DateTime) -> Option<DateTime<Utc>> {
    let seconds = TimeZone::UTC.to_timestamp(shown).ok()?.as_second();
    DateTime::from_timestamp(seconds, 0)
}

fn shown(carrier: DateTime<Utc>) -> Option<civil::DateTime> {
    let at = Timestamp::from_second(carrier.timestamp()).ok()?;
    Some(TimeZone::UTC.to_datetime(at))
}

fn instant(shown: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(shown).compatible().ok()
}

#[cfg(test)]
mod tests {
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
        check_refused(
            "@daily",
            "five fields are needed (minute, hour, day of month, month, day of week), not 1",
        );
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
        check_refused(
            "0 0 * * Fri-Mon",
            "day of week: a range goes upwards; 'Fri-Mon' must be two: '5-6,0-1'",
        );
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
}
