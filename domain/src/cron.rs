//! Five-field cron in local time. The only file that knows the `cron` and `chrono` crates.
//!
//! The `cron` crate knows neither five fields nor Unix's days of the week (it counts from Sunday = 1), skips days over
//! a change of the clocks and repeats others. So expressions are read here, it searches on wall-clock time (in UTC
//! as a carrier), and jiff turns that into instants.

mod field;

use chrono::{DateTime, Utc};
use field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH};
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
mod tests;
