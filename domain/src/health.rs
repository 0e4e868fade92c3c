//! Status, and the health of checks and instances.

use crate::{Configuration, InstanceId, Layer, Track, TrackId};
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

    /// For people, in English: `partial outage`.
    pub const fn plain(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Degraded => "degraded",
            Self::PartialOutage => "partial outage",
            Self::MajorOutage => "major outage",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }

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
        if self.maintenance { Status::Maintenance } else { self.status }
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

/// A check's status from its vantages: a majority of those that can see (DESIGN §5, "Vantages").
fn check_status<'a>(tracks: impl Iterator<Item = &'a Track>) -> Status {
    let (mut known, mut slow, mut failing) = (0_usize, 0_usize, 0_usize);
    for track in tracks {
        known += usize::from(track.status != Status::Unknown);
        slow += usize::from(track.status.is_trouble());
        failing += usize::from(track.status.is_down());
    }
    match known {
        0 => Status::Unknown,
        _ if failing * 2 > known => Status::MajorOutage,
        _ if slow * 2 > known => Status::Degraded,
        _ => Status::Operational,
    }
}

/// An instance's Status, and the outermost layer at which it fails, from its checks (DESIGN §5, "Instance").
///
/// All critical operations (if none is marked, all) failing is a major outage; some, a partial one; any slow, or a
/// failing one that is not critical, is degraded; unknown only when no critical operation is known.
pub fn instance_status<'a>(
    configuration: &Configuration,
    instance: &InstanceId,
    track: impl Fn(&TrackId) -> Option<&'a Track>,
) -> (Status, Option<Layer>) {
    let any_marked = configuration.checks_of(instance).any(|check| check.operation.critical);
    let (mut critical, mut known, mut failing) = (0_usize, 0_usize, 0_usize);
    let mut degraded = false;
    let mut layer: Option<Layer> = None;
    for check in configuration.checks_of(instance) {
        let tracks: Vec<&Track> = check
            .from
            .iter()
            .filter_map(|vantage| track(&TrackId { check: check.id.clone(), vantage: vantage.clone() }))
            .collect();
        let status = check_status(tracks.iter().copied());
        let is_critical = check.operation.critical || !any_marked;
        critical += usize::from(is_critical);
        known += usize::from(is_critical && status != Status::Unknown);
        if status == Status::MajorOutage {
            let own = tracks.iter().filter(|t| t.status.is_down()).filter_map(|t| t.layer).min();
            layer = match (layer, own) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            failing += usize::from(is_critical);
            degraded |= !is_critical;
        }
        degraded |= status == Status::Degraded;
    }
    let status = match () {
        () if known == 0 => Status::Unknown,
        () if failing == critical => Status::MajorOutage,
        () if failing > 0 => Status::PartialOutage,
        () if degraded => Status::Degraded,
        () => Status::Operational,
    };
    (status, layer)
}
