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
    /// The next.
    pub const P2: Self = Self(2);
    /// For what has time.
    pub const P4: Self = Self(4);
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

/// Impact from where and how important; urgency from how bad.
pub(crate) const fn rate(environment: Environment, level: ServiceLevel, status: Status) -> Rating {
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
    Rating { impact, urgency }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Priorities, Weighed};

    #[test]
    fn a_priority_is_one_to_five() {
        assert_eq!(Priority::new(0), None);
        assert_eq!(Priority::new(1), Some(Priority::P1));
        assert_eq!(Priority::new(5), Some(Priority::P5));
        assert_eq!(Priority::new(6), None);
        assert_eq!(Priority::try_from(9).unwrap_err(), "a priority is 1 to 5, not 9");
        assert_eq!(Priority::P1.to_string(), "P1");
        assert!(Priority::P1.is_at_least(Priority::P5) && !Priority::P5.is_at_least(Priority::P1));
        assert!(Priority::P1.is_at_least(Priority::P1));
    }

    #[test]
    fn it_is_a_number_in_json_and_nothing_beyond_it_is_read() {
        assert_eq!(serde_json::to_string(&Priority::P1).unwrap(), "1");
        assert_eq!(serde_json::from_str::<Priority>("5").unwrap(), Priority::P5);
        for wrong in ["0", "6", "-1", "\"P1\""] {
            assert!(serde_json::from_str::<Priority>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_matrix_is_that_of_the_guidelines() {
        for (impact, expected) in (1..).zip(["11223", "12234", "23344", "33445", "45555"]) {
            let row: String = (1..=5)
                .map(|urgency| Matrix::default().priority(Rating { impact, urgency }).number().to_string())
                .collect();
            assert_eq!(row, expected, "impact {impact}");
        }
    }

    #[test]
    fn a_rating_beyond_the_matrix_counts_as_its_nearest_end() {
        let of = |impact, urgency| Matrix::default().priority(Rating { impact, urgency });
        assert_eq!(of(0, 0), Priority::P1);
        assert_eq!(of(255, 255), Priority::P5);
        assert_eq!(of(0, 9), of(1, 5));
    }

    const LEVELS: [ServiceLevel; 2] = [ServiceLevel::Critical, ServiceLevel::Standard];
    /// From the mildest to the worst.
    const WORSE: [Status; 4] =
        [Status::Operational, Status::Degraded, Status::PartialOutage, Status::MajorOutage];

    fn priority(environment: Environment, level: ServiceLevel, status: Status, instances: usize) -> Priority {
        let (of, level) = (instances, Some(level));
        // However many use it: outside production that weighs nothing.
        let consumers = if environment == Environment::Production { 0 } else { u32::MAX };
        let weighed = Weighed { environment, level, status, instances, of, consumers, lasted: None };
        Priorities { many_consumers: Some(1), ..Priorities::default() }.cell(weighed).priority
    }

    #[test]
    fn an_outage_of_a_critical_api_in_production_is_the_highest_there_is() {
        use ServiceLevel::{Critical, Standard};
        let outage = Status::MajorOutage;
        assert_eq!(priority(Environment::Production, Critical, outage, 1), Priority::P1);
        assert_eq!(priority(Environment::Production, Standard, outage, 1).number(), 2);
        assert_eq!(priority(Environment::Production, Standard, outage, 3), Priority::P1);
        for environment in
            [Environment::Sandbox, Environment::Development, Environment::Sit, Environment::Uat]
        {
            for status in Status::ALL {
                for instances in [1, 3, 100] {
                    let priority = priority(environment, Critical, status, instances);
                    assert!(!priority.is_at_least(Priority::P1), "{environment} {status} {instances}");
                }
            }
        }
    }

    #[test]
    fn worse_is_never_less_urgent_nor_is_production_nor_are_many() {
        for environment in Environment::ALL {
            for level in LEVELS {
                for instances in [0, 1, 2, 3, 60] {
                    for worse in WORSE.windows(2) {
                        assert!(priority(environment, level, worse[1], instances).is_at_least(priority(
                            environment,
                            level,
                            worse[0],
                            instances
                        )));
                    }
                    for status in Status::ALL {
                        let here = priority(environment, level, status, instances);
                        assert!(priority(environment, level, status, instances + 1).is_at_least(here));
                        assert!(
                            priority(Environment::Production, level, status, instances).is_at_least(here)
                        );
                        assert!(
                            priority(environment, ServiceLevel::Critical, status, instances)
                                .is_at_least(here)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn not_knowing_weighs_between_degraded_and_a_partial_outage() {
        for environment in Environment::ALL {
            for level in LEVELS {
                let of = |status| priority(environment, level, status, 1);
                assert!(of(Status::PartialOutage).is_at_least(of(Status::Unknown)));
                assert!(of(Status::Unknown).is_at_least(of(Status::Degraded)));
            }
        }
    }
}
