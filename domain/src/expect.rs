//! Expectations as configured: what counts as a good answer.

/// What counts as good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// Accepted status codes; empty: any of 200–299.
    pub status: Vec<u16>,
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
    /// Days to the end of the nearest certificate in the chain; fewer is a failure of the contract.
    pub certificate_days: Option<u32>,
}

/// A test on one value.
#[derive(Debug, Clone, PartialEq, Eq)]
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
