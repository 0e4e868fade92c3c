//! Planned work and test windows.

use crate::Text;
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// A window that repeats by a cron expression in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When it begins: five fields, checked when it was read.
    pub cron: crate::Cron,
    /// How long it lasts.
    pub lasts: Duration,
    /// Why.
    pub why: Text,
}

impl Window {
    /// The stretch that covers `at`, if one does: `[from, to)`.
    pub fn covering(&self, at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let _ = (at, zone);
        None
    }
}
