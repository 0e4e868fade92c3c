//! Priority P1–P5 by impact × urgency, the matrix as data.

use crate::{Environment, ServiceLevel, Status};
use serde::{Deserialize, Serialize};
use std::fmt;

/// P1 (highest) to P5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// The highest.
    pub const P1: Self = Self(1);
    /// The lowest.
    pub const P5: Self = Self(5);

    /// `1..=5`, else `None`.
    pub const fn new(number: u8) -> Option<Self> {
        if matches!(number, 1..=5) { Some(Self(number)) } else { None }
    }

    /// `1..=5`; 1 is the highest.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether this is at least as high as `other` (P1 is higher than P2).
    pub const fn is_at_least(self, other: Self) -> bool {
        self.0 <= other.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        Self::new(number).ok_or_else(|| format!("a priority is 1 to 5, not {number}"))
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}

/// How much is hurt (rows) and how soon it must be mended (columns): 1 is the worst of five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// `1..=5`.
    pub impact: u8,
    /// `1..=5`.
    pub urgency: u8,
}

/// Impact 1–5 × urgency 1–5 → P1–P5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix([[Priority; 5]; 5]);

impl Matrix {
    /// Rows are impact 1–5, columns urgency 1–5.
    pub const fn new(cells: [[Priority; 5]; 5]) -> Self {
        Self(cells)
    }

    /// The cell for `rating`; a rating beyond 1–5 counts as the nearest end.
    pub fn priority(&self, rating: Rating) -> Priority {
        let row = usize::from(rating.impact.clamp(1, 5) - 1);
        let column = usize::from(rating.urgency.clamp(1, 5) - 1);
        self.0.get(row).and_then(|r| r.get(column)).copied().unwrap_or(Priority::P5)
    }
}

impl Default for Matrix {
    /// The HSCIC Severity Level Guidelines (2017): incident-systems.md §4.
    fn default() -> Self {
        const CELLS: [[u8; 5]; 5] =
            [[1, 1, 2, 2, 3], [1, 2, 2, 3, 4], [2, 3, 3, 4, 4], [3, 3, 4, 4, 5], [4, 5, 5, 5, 5]];
        Self(CELLS.map(|row| row.map(Priority)))
    }
}

/// Impact from where and how important; urgency from how bad. Many instances at once weigh one step more.
pub fn rate(environment: Environment, level: ServiceLevel, status: Status, instances: usize) -> Rating {
    let impact = match (environment, level) {
        (Environment::Production, ServiceLevel::Critical) => 1,
        (Environment::Production, ServiceLevel::Standard) => 3,
        (Environment::Uat, _) => 4,
        (Environment::Sandbox | Environment::Development | Environment::Sit, _) => 5,
    };
    let urgency = match status {
        Status::MajorOutage => 1,
        Status::PartialOutage => 2,
        Status::Degraded | Status::Unknown => 3,
        Status::Operational | Status::Maintenance => 5,
    };
    let impact = if instances >= 3 && impact > 1 { impact - 1 } else { impact };
    Rating { impact, urgency }
}
