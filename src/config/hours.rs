//! Service hours.

use super::{
    problem::Rank,
    reading::Reading,
    section::Section,
    tree::{Node, Value},
};
use domain::{BankHolidays, Hours, WeeklyWindow};
use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use std::sync::Arc;

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// A day of the week by its three letters.
pub(super) fn parse_day(word: &str) -> Result<Weekday, String> {
    DAYS.iter()
        .find(|(name, _)| *name == word)
        .map(|(_, day)| *day)
        .ok_or_else(|| format!("'{word}' is not a day: Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
}

/// A time of day as `09:00`.
pub(super) fn parse_time(word: &str) -> Result<Time, String> {
    let wrong = || format!("'{word}' is not a time of day such as 09:00");
    let (hour, minute) = word.split_once(':').ok_or_else(wrong)?;
    if hour.len() != 2 || minute.len() != 2 {
        return Err(wrong());
    }
    let number = |digits: &str| digits.parse::<i8>().map_err(|_| wrong());
    Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| wrong())
}

/// Reads `"09:00"`, which without quotes is a number to some readers of YAML.
pub(super) fn time_of_day(node: &Node, reading: &mut Reading<'_>) -> Option<Time> {
    let text = reading.text(node, "a time of day")?;
    parse_time(text).map_err(|why| reading.wrong(&node.place, why)).ok()
}

/// `Mon-Fri 09:00-17:00`, `Sat,Sun 10:00-24:00`.
fn parse_window(text: &str) -> Result<WeeklyWindow, String> {
    let wrong = || format!("'{text}' is not a window such as 'Mon-Fri 09:00-17:00', nor 'never'");
    let (days, times) = text.split_once(' ').ok_or_else(wrong)?;
    let (from, to) = times.trim().split_once('-').ok_or_else(wrong)?;
    let from = parse_time(from)?;
    let to = if to == "24:00" { None } else { Some(parse_time(to)?) };
    if to.is_some_and(|to| to <= from) {
        return Err(format!("'{text}' ends before it begins; split a night at 24:00 into two windows"));
    }
    let mut all = Vec::new();
    for part in days.split(',') {
        match part.split_once('-') {
            None => all.push(parse_day(part)?),
            Some((first, last)) => {
                let (first, last) = (parse_day(first)?, parse_day(last)?);
                let length = first.until(last);
                all.extend(first.cycle_forward().take(usize::try_from(length).unwrap_or_default() + 1));
            }
        }
    }
    all.sort_by_key(|day| day.to_monday_zero_offset());
    all.dedup();
    Ok(WeeklyWindow { days: all, from, to })
}

/// Reads service hours; `zone` is the site's, and `known` are the bank holidays of England and Wales.
pub(super) fn read(
    node: &Node,
    (zone, known): (&TimeZone, &Arc<BankHolidays>),
    reading: &mut Reading<'_>,
) -> Option<Hours> {
    let mut section = Section::open(node, "hours", reading)?;
    let time_zone = match section.optional("time_zone", reading) {
        None => Some(zone.clone()),
        Some(node) => reading.time_zone(node),
    };
    let weekly = section.required("weekly", reading).and_then(|node| weekly(node, reading));
    let bank_holidays = match section.optional("holidays", reading) {
        None => Some(None),
        Some(node) => reading
            .choice(node, "a calendar of holidays", &[("england-and-wales", ())])
            .map(|()| Some(Arc::clone(known))),
    };
    let closed = days(&mut section, "closed", reading);
    let opened = days(&mut section, "opened", reading);
    section.close(reading);
    Some(Hours { time_zone: time_zone?, weekly: weekly?, bank_holidays: bank_holidays?, closed, opened })
}

/// Single days, as `2027-06-18`.
fn days(section: &mut Section<'_>, key: &'static str, reading: &mut Reading<'_>) -> Vec<Date> {
    let Some(items) = section.optional(key, reading).and_then(|node| reading.list_of_some(node, "days"))
    else {
        return Vec::new();
    };
    items.iter().filter_map(|item| reading.parsed(item, "a day", parse_date)).collect()
}

/// A day of the calendar.
pub(super) fn parse_date(text: &str) -> Result<Date, String> {
    // Another form may have a time in it, which would be lost.
    let day = text.parse().ok().filter(|_| text.len() == "2027-06-18".len());
    day.ok_or_else(|| format!("'{text}' is not a day such as 2027-06-18"))
}

fn weekly(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<WeeklyWindow>> {
    match &node.value {
        Value::Word { text, .. } if text == "never" => Some(Vec::new()),
        Value::List(items) if items.is_empty() => {
            let hint = Some("write 'never' when that is meant".to_owned());
            reading.problems.error(Rank::Value, &node.place, "these hours have no window", hint);
            None
        }
        Value::List(items) => {
            let windows: Vec<Option<WeeklyWindow>> =
                items.iter().map(|item| reading.parsed(item, "a window", parse_window)).collect();
            windows.into_iter().collect()
        }
        Value::Nothing | Value::Word { .. } | Value::Map(_) => reading
            .parsed(node, "a window, a list of windows, or 'never'", parse_window)
            .map(|window| vec![window]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

    #[test]
    fn a_window_is_days_and_times() {
        let check = |text: &str, days: &[Weekday], from: i8, to: Option<i8>| {
            let window = parse_window(text).unwrap();
            assert_eq!(window.days, days, "{text}");
            assert_eq!(window.from, Time::constant(from, 0, 0, 0), "{text}");
            assert_eq!(window.to, to.map(|hour| Time::constant(hour, 0, 0, 0)), "{text}");
        };
        check("Mon-Fri 09:00-17:00", &[Monday, Tuesday, Wednesday, Thursday, Friday], 9, Some(17));
        check("Fri-Mon 00:00-24:00", &[Monday, Friday, Saturday, Sunday], 0, None);
        check("Sat,Sun 10:00-12:00", &[Saturday, Sunday], 10, Some(12));
        check("Mon 10:00-12:00", &[Monday], 10, Some(12));
    }

    #[test]
    fn a_window_is_nothing_else() {
        for text in [
            "",
            "Mon",
            "Mon-Fri",
            "Mon-Fri 9-17",
            "Mon-Fri 17:00-09:00",
            "Mon-Fri 09:00-25:00",
            "Mo 09:00-17:00",
            "Mon 09:00-09:00",
            "Mon  -  17:00",
            "Mon 24:00-24:00",
            "Mon é9:00-17:00",
        ] {
            assert!(parse_window(text).is_err(), "{text}");
        }
    }
}
