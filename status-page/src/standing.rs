//! How the configuration in force stands to the files it is read from: for `/readyz` and the internal page.

use domain::ApiId;
use jiff::Timestamp;

/// How the configuration in force stands to the files it is read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// By which the configuration in force is told from others.
    pub version: String,
    /// Since when it is in force.
    pub taken_at: Option<Timestamp>,
    /// The files as they now are, where they could not be put in force.
    pub refused: Option<Refused>,
    /// Keys that were changed since the start and that only a restart puts in force.
    pub waits_for_restart: Vec<&'static str>,
    /// How often changed files were read since the start, whether they could be put in force or not.
    pub readings: u64,
    /// APIs that had an instance in production before the start, have none now, and were not retired.
    pub left_production: Vec<ApiId>,
}

/// Files that could not be put in force: the configuration before them still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When they were read.
    pub at: Timestamp,
    /// What is wrong, with file, line and column; best first, at least one. Holds no secret.
    pub problems: Vec<String>,
}

impl Standing {
    /// The files as they now are, all of them, are in force.
    pub const fn is_whole(&self) -> bool {
        self.refused.is_none() && self.waits_for_restart.is_empty() && self.left_production.is_empty()
    }
}
