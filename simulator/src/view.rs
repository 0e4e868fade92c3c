//! What the world tells those who ask: an instance as it stands, and why something could not be done.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::fault::Fault;

/// One instance as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceView {
    /// The API's identifier.
    pub api: String,
    /// The API's name for people.
    pub title: String,
    /// The environment.
    pub environment: String,
    /// Its base URL, plain.
    pub url: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// How many requests it has seen.
    pub requests: u64,
    /// How many of them asked for a token.
    pub tokens: u64,
    /// When it saw the last.
    pub asked_at: Option<Timestamp>,
}

/// There is no such API in such an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchInstance {
    /// The API that was named.
    pub api: String,
    /// The environment that was named.
    pub environment: String,
}

impl fmt::Display for NoSuchInstance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "there is no API {:?} in an environment {:?}", self.api, self.environment)
    }
}

impl std::error::Error for NoSuchInstance {}

/// What was waited for did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut(pub Duration);

impl fmt::Display for TimedOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "what was waited for did not come within {:?}", self.0)
    }
}

impl std::error::Error for TimedOut {}
