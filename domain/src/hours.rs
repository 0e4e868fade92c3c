//! Service hours: weekly windows in local time, and the bank holidays of England and Wales.

use jiff::{Timestamp, civil::Time, civil::Weekday, tz::TimeZone};

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

impl Hours {
    /// Whether these hours are open at `at`, and why.
    pub fn at(&self, at: Timestamp) -> Opening {
        let _ = at;
        Opening { open: false, why: String::new() }
    }

    /// The first time not before `at` when they are open; `None` if never within a year.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        let _ = at;
        None
    }
}
