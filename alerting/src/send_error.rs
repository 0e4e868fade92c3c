//! Why a message could not be sent, and whether another try can help.

use std::time::Duration;

/// Why a message could not be sent. Neither the words nor `Debug` ever hold an address, a secret or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another try may succeed.
    #[error("{why}")]
    Retryable {
        /// Not earlier than this, says the other side.
        after: Option<Duration>,
        /// What happened.
        why: String,
        /// What became of this try is not known: the other side may have done what was asked.
        unclear: bool,
    },
    /// No further try can help: another channel must take over.
    #[error("{why}")]
    Permanent {
        /// What happened, and what to do about it.
        why: String,
    },
}

impl SendError {
    /// Another try may succeed; this one did nothing.
    pub fn retryable(why: impl Into<String>) -> Self {
        Self::Retryable { after: None, why: why.into(), unclear: false }
    }

    /// Another try may succeed; what became of this one is not known.
    pub fn unclear(why: impl Into<String>) -> Self {
        Self::Retryable { after: None, why: why.into(), unclear: true }
    }

    /// No further try can help.
    pub fn permanent(why: impl Into<String>) -> Self {
        Self::Permanent { why: why.into() }
    }

    /// What happened.
    pub fn why(&self) -> &str {
        match self {
            Self::Retryable { why, .. } | Self::Permanent { why } => why,
        }
    }

    /// The other side may have done what was asked.
    pub const fn is_unclear(&self) -> bool {
        matches!(self, Self::Retryable { unclear: true, .. })
    }
}
