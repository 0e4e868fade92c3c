//! Status, and the health of checks and instances.

use crate::{InstanceId, Layer, TrackId, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the page says of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Works.
    Operational,
    /// Works, but slow or not in every part.
    Degraded,
    /// Some critical operation fails.
    PartialOutage,
    /// All critical operations fail.
    MajorOutage,
    /// Planned work is laid over whatever is measured.
    Maintenance,
    /// Not measured, or cannot tell.
    Unknown,
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 6] = [
        Self::Operational,
        Self::Degraded,
        Self::PartialOutage,
        Self::MajorOutage,
        Self::Maintenance,
        Self::Unknown,
    ];

    /// The word used in JSON and SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Degraded => "degraded",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Counts as down in availability: partial and major outage (DESIGN §5).
    pub const fn is_down(self) -> bool {
        matches!(self, Self::PartialOutage | Self::MajorOutage)
    }

    /// Down or degraded.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Degraded | Self::PartialOutage | Self::MajorOutage)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The health of a Check as seen from one Vantage: its confirmed status, and the streak that may change it.
///
/// Everything here is durable; it changes in the database only when it changes here, so a steady check costs nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Which check, from where.
    pub id: TrackId,
    /// Operational, Degraded, MajorOutage (the check fails) or Unknown.
    pub status: Status,
    /// Since when; back-dated to the first probe that showed it.
    pub since: Timestamp,
    /// Where it fails, while it does.
    pub layer: Option<Layer>,
    /// What was wrong, in words, while it fails or cannot be told.
    pub message: Option<String>,
    /// A round of probes in progress, which may change the status.
    pub round: Option<Round>,
    /// While probes are Inconclusive: the last conclusive one, or the first of them if there was none.
    pub inconclusive_since: Option<Timestamp>,
}

/// Probes that disagree with the confirmed status (DESIGN §5, `confirm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Worse than confirmed: `fail` of `of` probes decide.
    Confirm {
        /// The first of them: a confirmed change is back-dated to here.
        since: Timestamp,
        /// Conclusive probes in this round.
        probes: u32,
        /// Slow ones among them.
        slows: u32,
        /// Failed ones among them.
        fails: u32,
    },
    /// Better than confirmed: `recover` of them in a row decide.
    Recover {
        /// The first of them: recovery is back-dated to here.
        since: Timestamp,
        /// In a row so far.
        probes: u32,
        /// Slow ones among them.
        slows: u32,
    },
}

/// The last Outcome of a track, not durable as such: the outcomes themselves are.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// When.
    pub at: Timestamp,
    /// How it was judged.
    pub verdict: Verdict,
    /// The whole of it, when it came while this process runs.
    pub outcome: Option<std::sync::Arc<crate::Outcome>>,
}

/// An instance's Status, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Which instance.
    pub instance: InstanceId,
    /// What is measured: never `Maintenance`, which is laid over by `maintenance`.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// Where it fails, while it does.
    pub layer: Option<Layer>,
    /// Planned work or a test window covers it now.
    pub maintenance: bool,
}

impl Health {
    /// What the page shows: maintenance laid over what is measured.
    pub const fn shown(&self) -> Status {
        if self.maintenance {
            Status::Maintenance
        } else {
            self.status
        }
    }
}

/// A stretch of history begins: from `since` until the next one, the instance has this health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// The health from now on; its `since` may lie a little in the past (back-dated), never before the last change.
    pub health: Health,
    /// When the rules said so.
    pub decided_at: Timestamp,
    /// Why, in English, for the operators.
    pub why: String,
}
