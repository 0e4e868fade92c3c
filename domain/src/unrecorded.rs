//! What is said of a time in which nothing can be recorded.

use crate::Situation;
use jiff::Timestamp;

/// For a while now the store has taken nothing (invariant 6): probing goes on, and what comes of it is known to nobody else.
#[derive(Debug, Clone)]
pub struct Unrecorded {
    /// Since when.
    pub since: Timestamp,
    /// What the store says, in English.
    pub why: String,
    /// How things stand by what was seen since. Never shown: it is not recorded, and may never be.
    pub known: Situation,
}
