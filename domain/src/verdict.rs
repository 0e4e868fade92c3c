//! Rule one, *judge*: an Outcome becomes a Verdict.

use crate::{FailureKind, Layer, Outcome};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// An Outcome judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good and in time.
    Pass,
    /// Good but late, or the API says it is degraded.
    Slow,
    /// Not good.
    Fail,
    /// Cannot tell: our own side, our credential or our rate.
    Inconclusive,
}

impl Verdict {
    /// The word used in JSON and SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Slow => "slow",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Judges `outcome` of a check whose good answers are Slow after `slow`.
///
/// Trouble on our own side is never the API's failure (invariant 4); nor is a refusal of our credential or rate.
pub fn judge(outcome: &Outcome, slow: Duration) -> Verdict {
    match &outcome.failure {
        None if outcome.total > slow => Verdict::Slow,
        None => Verdict::Pass,
        Some(failure) if failure.layer == Layer::Ours => Verdict::Inconclusive,
        Some(failure) if matches!(failure.kind, FailureKind::AccessRefused | FailureKind::RateLimited) => {
            Verdict::Inconclusive
        }
        Some(failure) if failure.kind == FailureKind::HealthWarn => Verdict::Slow,
        Some(_) => Verdict::Fail,
    }
}
