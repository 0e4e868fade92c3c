//! Five-field cron in local time. The only file that knows the `cron` and `chrono` crates.

use jiff::{Timestamp, tz::TimeZone};
use std::fmt;

/// A five-field cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron(String);

impl Cron {
    /// Parses five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday).
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }

    /// The next time after `after`, in `zone`.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let _ = (after, zone);
        None
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
