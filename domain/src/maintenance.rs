//! Planned work and test windows.

use crate::Text;
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// A window that repeats by a cron expression in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When it begins: five fields, checked when it was read.
    pub cron: crate::Cron,
    /// How long it lasts, as a stop-watch tells it: a window over a change of the clocks ends an hour off.
    pub lasts: Duration,
    /// Why.
    pub why: Text,
}

impl Window {
    /// The stretch that covers `at`, if one does: `[from, to)`. Of several that overlap, the one that began last.
    pub fn covering(&self, at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let (from, to) = self.from(self.cron.previous_or_at(at, zone)?);
        (at < to).then_some((from, to))
    }

    /// The first stretch that begins after `after`: `[from, to)`.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        self.cron.next(after, zone).map(|from| self.from(from))
    }

    fn from(&self, from: Timestamp) -> (Timestamp, Timestamp) {
        (from, from.checked_add(self.lasts).unwrap_or(Timestamp::MAX))
    }
}
