//! Time-weighted availability from confirmed Status.

use crate::{Health, Status};
use jiff::Timestamp;

/// Seconds in each kind of status over a range.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Operational.
    pub operational: f64,
    /// Degraded.
    pub degraded: f64,
    /// Partial and major outage.
    pub down: f64,
    /// Planned work.
    pub maintenance: f64,
    /// Not measured.
    pub unknown: f64,
}

impl Tally {
    /// Seconds by kind between `from` and `to`, from status changes in order of their `since`;
    /// `before` is the health in force at `from`, `None` if nothing was known. Time after `to` does not count.
    pub fn of(before: Option<&Health>, changes: &[Health], from: Timestamp, to: Timestamp) -> Self {
        let _ = (before, changes, from, to, Status::Unknown);
        Self::default()
    }

    /// (operational + degraded) ÷ (operational + degraded + down); `None` where nothing was measured.
    pub fn availability(&self) -> Option<f64> {
        None
    }

    /// Measured time (all but unknown) ÷ all time; `None` for an empty range.
    pub fn coverage(&self) -> Option<f64> {
        None
    }
}
