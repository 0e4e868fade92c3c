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
