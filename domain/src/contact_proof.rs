//! That somebody was reached: they answered a call, by a way they were called.

use crate::{PersonId, Way};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody answered a call: the way it came by reaches them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProof {
    /// Who.
    pub person: PersonId,
    /// By which way.
    pub way: Way,
    /// When they answered last.
    pub at: Timestamp,
}
