//! What an examination of an outside system found, for a person who wants to know whether all is well before it matters.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was looked at and is well.
    Ok,
    /// It was not looked at, and the detail says why.
    Skipped,
    /// It works, or may work, but somebody should look at it.
    Warning,
    /// It does not work.
    Problem,
}

/// One thing that was looked at. Never holds a secret, an address of a person or a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing, in a few words.
    pub what: String,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do about it; always there with a warning or a problem.
    pub next: Option<String>,
}

impl Finding {
    /// It is well.
    pub fn ok(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Ok, detail: detail.into(), next: None }
    }

    /// It was not looked at.
    pub fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Skipped, detail: why.into(), next: None }
    }

    /// Somebody should look at it.
    pub fn warning(what: impl Into<String>, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Warning, detail: detail.into(), next: Some(next.into()) }
    }

    /// It does not work.
    pub fn problem(what: impl Into<String>, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Problem, detail: detail.into(), next: Some(next.into()) }
    }
}

/// What another machine's clock showed when it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockSeen {
    /// Whose clock.
    pub whose: String,
    /// What it showed: whole seconds.
    pub theirs: Timestamp,
    /// What ours showed when the answer came.
    pub ours: Timestamp,
}

impl ClockSeen {
    /// How far theirs is ahead of ours; negative: behind. Exact to about a second.
    pub fn ahead(&self) -> SignedDuration {
        self.theirs.duration_since(self.ours)
    }
}

/// What an examination of one outside system found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examined {
    /// Thing by thing.
    pub findings: Vec<Finding>,
    /// Its clock, where it told.
    pub clock: Option<ClockSeen>,
    /// Its certificate (DER), where nobody else sees it.
    pub certificate: Option<Vec<u8>>,
}
