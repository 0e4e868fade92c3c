//! How long what was measured is kept: ever less of it, the older it is.

use jiff::{SignedDuration, Timestamp};

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many days of 24 hours.
    Days(u32),
    /// Until somebody says otherwise.
    Forever,
}

impl Keep {
    /// What is older than this is kept no more; `None`: everything is kept.
    pub fn since(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok(),
            Self::Forever => None,
        }
    }
}

/// What of an environment is kept for how long. Statuses and incidents are kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Every probe: when, how it was judged, how long it took.
    pub samples: Keep,
    /// What they add up to by the hour.
    pub hours: Keep,
    /// What they add up to by the day.
    pub days: Keep,
    /// Probes that were no Pass, in full.
    pub failures: Keep,
}

impl Default for Retention {
    /// 90 days, 25 months (so that a month can be compared with the same one two years before), for ever, 25 months.
    fn default() -> Self {
        let months = Keep::Days(763);
        Self { samples: Keep::Days(90), hours: months, days: Keep::Forever, failures: months }
    }
}
