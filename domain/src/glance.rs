//! What pages say of a probe: little enough to be kept with every view.

use crate::{Deprecation, Failure, Outcome};
use jiff::Timestamp;
use std::time::Duration;

/// Of an outcome what pages say of it: who keeps this keeps no outcome that a newer one has taken the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub total: Duration,
    /// What was wrong, if anything.
    pub failure: Option<Failure>,
    /// The status of the answer, if one came over HTTP.
    pub status: Option<u16>,
    /// A hand was shaken for it, or the connection was kept.
    pub secured: bool,
    /// What the answer says of the API's end.
    pub deprecation: Option<Box<Deprecation>>,
}

impl From<&Outcome> for Glance {
    fn from(outcome: &Outcome) -> Self {
        Self {
            at: outcome.at,
            total: outcome.total,
            failure: outcome.failure.clone(),
            status: outcome.http.as_ref().map(|http| http.status),
            secured: outcome.phases.tls.is_some() || outcome.warm,
            deprecation: outcome.deprecation.clone(),
        }
    }
}
