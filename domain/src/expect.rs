//! Expectations as configured: what counts as a good answer.

use crate::Contract;
use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

/// What counts as good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Expect {
    /// Accepted status codes; empty: any of 200–299.
    pub status: Vec<Statuses>,
    /// Response headers (lower-case name) and what each must satisfy.
    pub headers: Vec<(String, Matches)>,
    /// RFC 9535 JSONPath expressions and what the first value found must satisfy.
    pub json: Vec<(String, Matches)>,
    /// XPath 1.0 expressions and what the first node found, as text, must satisfy.
    pub xpath: Vec<(String, Matches)>,
    /// The prefixes that the XPath expressions use, and the namespaces they stand for.
    pub namespaces: Vec<(String, String)>,
    /// What the body as text must satisfy.
    pub text: Vec<Matches>,
    /// Bytes of the body, unpacked.
    pub size: Option<RangeInclusive<u64>>,
    /// A good answer that takes longer, from the name to its last byte, is a failure; a token's time is no part of it.
    pub latency: Option<Duration>,
    /// Days to the end of the nearest certificate in the chain; fewer is a failure of the contract.
    pub certificate_days: Option<u32>,
    /// What the API's own document promises; all checks of an operation share it.
    pub contract: Option<Arc<Contract>>,
}

impl Expect {
    /// The words that tests hold against values: in a journey `{name}` in them stands for a value that was captured before.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().chain(&self.json).chain(&self.xpath).map(|(_, matches)| matches);
        named.chain(&self.text).filter_map(|matches| match matches {
            Matches::Equals(words) | Matches::Contains(words) => Some(words.as_str()),
            Matches::Regex(_) | Matches::Exists => None,
        })
    }
}

/// One status code, or all that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statuses {
    /// This one.
    One(u16),
    /// All of a class: 2 stands for 200–299.
    Class(u16),
}

impl Statuses {
    /// Whether `status` is among them.
    pub const fn contain(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Class(class) => class == status / 100,
        }
    }
}

impl From<u16> for Statuses {
    fn from(status: u16) -> Self {
        Self::One(status)
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}00–{class}99"),
        }
    }
}

/// A test on one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Matches {
    /// Equal, compared as text; numbers and booleans as JSON writes them.
    Equals(String),
    /// Holds this text.
    Contains(String),
    /// Matched by this regular expression (syntax of the `regex` crate), which the configuration compiled once.
    Regex(String),
    /// There at all.
    Exists,
}
