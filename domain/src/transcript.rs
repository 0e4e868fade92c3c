//! What was seen of one exchange, for people who want to see for themselves: by allow-list, never a body.

use crate::StepSeen;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was seen of one exchange, beside the facts of its [`Outcome`](crate::Outcome).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// Headers of the answer that are on the list, cut short and scrubbed, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The peer's certificates as it sent them, its own first; also when they were refused.
    pub chain: Vec<ChainCertificate>,
    /// What became of the steps of a journey, its clean-up last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepSeen>,
    /// The proxy that led there, as `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
}

/// One certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainCertificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names it is good for; at most 16.
    pub names: Vec<String>,
    /// Beginning of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// Hex SHA-256 of the certificate.
    pub fingerprint: String,
}
