//! Service hours: weekly windows in local time, and the bank holidays of England and Wales.

use crate::{bank_holidays::bank_holiday, local};
use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// When somebody is there. No window at all means never.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Local time of the windows.
    pub time_zone: TimeZone,
    /// Windows within one day, each `[from, to)`; `to` of 24:00 is `None`.
    pub weekly: Vec<WeeklyWindow>,
    /// Closed on the bank holidays of England and Wales.
    pub bank_holidays: bool,
}

/// A window on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyWindow {
    /// The days.
    pub days: Vec<Weekday>,
    /// Opens.
    pub from: Time,
    /// Closes; `None`: at midnight.
    pub to: Option<Time>,
}

/// Open or not, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whether somebody is there.
    pub open: bool,
    /// Why, in a sentence.
    pub why: String,
}

/// How far ahead an opening is looked for, in days: a window of one day a week cannot be a bank holiday all year.
const OPENS_WITHIN: usize = 366;

/// How far ahead a closing is looked for, in days; open for longer is said to be round the clock.
const CLOSES_WITHIN: usize = 8;

impl Hours {
    /// Whether these hours are open at `at`, and why: "open until 17:00 BST",
    /// "closed: bank holiday (Boxing Day, substitute day); opens Tuesday 09:00 GMT".
    pub fn at(&self, at: Timestamp) -> Opening {
        let today = self.time_zone.to_datetime(at).date();
        let stretches = self.stretches(today);
        if let Some((_, to)) = stretches.iter().find(|(from, to)| *from <= at && at < *to) {
            return Opening {
                open: true,
                why: match self.closes(today, *to) {
                    Some(closes) => format!("open until {}", self.when(closes, today)),
                    None => "open round the clock".to_owned(),
                },
            };
        }
        let mut why = format!("closed: {}", self.closed_because(today, &stretches, at));
        if let Some(opens) = self.next_open(at) {
            why.push_str("; opens ");
            why.push_str(&self.when(opens, today));
        }
        Opening { open: false, why }
    }

    /// The first time not before `at` when they are open; `None` if never within a year.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        if self.weekly.is_empty() {
            return None;
        }
        days_from(self.time_zone.to_datetime(at).date())
            .take(OPENS_WITHIN)
            .find_map(|day| self.stretches(day).into_iter().find(|(_, to)| at < *to))
            .map(|(from, _)| from.max(at))
    }

    /// When they are open on the local day `day`: in order, apart, none empty.
    fn stretches(&self, day: Date) -> Vec<(Timestamp, Timestamp)> {
        if self.bank_holidays && bank_holiday(day).is_some() {
            return Vec::new();
        }
        let mut windows: Vec<(Timestamp, Timestamp)> = self
            .weekly
            .iter()
            .filter(|window| window.days.contains(&day.weekday()))
            .map(|window| {
                let to = match (window.to, day.tomorrow()) {
                    (Some(to), _) => local::last(&self.time_zone, day.to_datetime(to)),
                    (None, Ok(tomorrow)) => {
                        local::first(&self.time_zone, tomorrow.to_datetime(Time::midnight()))
                    }
                    (None, Err(_)) => Timestamp::MAX,
                };
                (local::first(&self.time_zone, day.to_datetime(window.from)), to)
            })
            .filter(|(from, to)| from < to)
            .collect();
        windows.sort_unstable();
        let mut apart: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(windows.len());
        for (from, to) in windows {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                Some(_) | None => apart.push((from, to)),
            }
        }
        apart
    }

    /// When a stretch that lasts until `to` on `today` really ends, past midnights on which it simply goes on.
    fn closes(&self, today: Date, to: Timestamp) -> Option<Timestamp> {
        let mut closes = to;
        for day in days_from(today).skip(1).take(CLOSES_WITHIN) {
            match self.stretches(day).first() {
                Some((from, to)) if *from == closes => closes = *to,
                Some(_) | None => return Some(closes),
            }
        }
        None
    }

    fn closed_because(&self, today: Date, stretches: &[(Timestamp, Timestamp)], at: Timestamp) -> String {
        if self.weekly.is_empty() {
            return "these hours have no window".to_owned();
        }
        if self.bank_holidays
            && let Some(holiday) = bank_holiday(today)
        {
            let substitute = if holiday.substitute { ", substitute day" } else { "" };
            return format!("bank holiday ({}{substitute})", holiday.name.en);
        }
        match (stretches.first(), stretches.last()) {
            (Some((opens, _)), _) if at < *opens => "before hours".to_owned(),
            (_, Some((_, closed))) if *closed <= at => "after hours".to_owned(),
            (Some(_), _) => "between hours".to_owned(),
            (None, _) => today.strftime("%A").to_string(),
        }
    }

    /// An instant for a person who knows that today is `today`: no more of the date than is needed.
    fn when(&self, instant: Timestamp, today: Date) -> String {
        let local = instant.to_zoned(self.time_zone.clone());
        let days = today.duration_until(local.date()).as_hours() / 24;
        match days {
            0 => local.strftime("%H:%M %Z"),
            1 if local.time() == Time::midnight() => local.strftime("midnight %Z"),
            1..=6 => local.strftime("%A %H:%M %Z"),
            _ => local.strftime("%A %-d %B %H:%M %Z"),
        }
        .to_string()
    }
}

fn days_from(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
}
