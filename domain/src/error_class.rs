//! What a caller meets when something fails: the kinds of failure, put together as whoever calls an API sees them.

use crate::{Failure, FailureKind, Verdict};
use serde::{Deserialize, Serialize};

/// What a caller meets when something fails. The word (snake case) is part of the JSON interface: add, never rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The name is not found.
    NameNotFound,
    /// No connection can be made.
    NoConnection,
    /// No secure connection can be made, or its certificate is not good.
    NotSecure,
    /// No access token is to be had.
    NoToken,
    /// 401 or 403.
    Refused,
    /// 429.
    TooMany,
    /// The gateway answers for itself with an error.
    GatewayError,
    /// A server error, or none of what is behind the gateway answers.
    ServerError,
    /// No answer in time, or one that breaks off.
    NoAnswer,
    /// An answer that is not what was agreed.
    WrongAnswer,
    /// The API says of itself that it is not well: a caller may notice nothing yet.
    SaysUnwell,
    /// A good answer, late.
    Late,
    /// A scheduled job was not heard from, or failed: a caller may notice nothing yet.
    Job,
    /// Our own side: a caller notices nothing.
    Ours,
}

impl ErrorClass {
    /// All of them, from the outside in.
    pub const ALL: [Self; 14] = [
        Self::NameNotFound,
        Self::NoConnection,
        Self::NotSecure,
        Self::NoToken,
        Self::Refused,
        Self::TooMany,
        Self::GatewayError,
        Self::ServerError,
        Self::NoAnswer,
        Self::WrongAnswer,
        Self::SaysUnwell,
        Self::Late,
        Self::Job,
        Self::Ours,
    ];

    /// The word used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NameNotFound => "name_not_found",
            Self::NoConnection => "no_connection",
            Self::NotSecure => "not_secure",
            Self::NoToken => "no_token",
            Self::Refused => "refused",
            Self::TooMany => "too_many",
            Self::GatewayError => "gateway_error",
            Self::ServerError => "server_error",
            Self::NoAnswer => "no_answer",
            Self::WrongAnswer => "wrong_answer",
            Self::SaysUnwell => "says_unwell",
            Self::Late => "late",
            Self::Job => "job",
            Self::Ours => "ours",
        }
    }

    /// Of a probe that was so judged; `None`: there is nothing to meet.
    pub fn of(verdict: Verdict, failure: Option<&Failure>) -> Option<Self> {
        match (verdict, failure) {
            (Verdict::Pass, _) => None,
            (_, Some(failure)) => Some(Self::of_kind(failure.kind)),
            (Verdict::Slow, None) => Some(Self::Late),
            (Verdict::Fail, None) => Some(Self::WrongAnswer),
            (Verdict::Inconclusive, None) => Some(Self::Ours),
        }
    }

    const fn of_kind(kind: FailureKind) -> Self {
        use FailureKind as K;
        match kind {
            K::NoPermit
            | K::NoResolver
            | K::NoNetwork
            | K::NoDescriptor
            | K::NoMemory
            | K::AddressRefused
            | K::Proxy
            | K::ProbeBroke
            | K::ClientCertificate
            | K::CredentialRefused => Self::Ours,
            K::NameNotFound | K::NameFailed => Self::NameNotFound,
            K::Refused | K::Reset | K::Unreachable | K::ConnectTimeout => Self::NoConnection,
            K::Handshake
            | K::TlsTimeout
            | K::CertificateExpired
            | K::CertificateNotYetValid
            | K::CertificateUntrusted
            | K::CertificateName => Self::NotSecure,
            K::TokenUnreachable | K::TokenBroken => Self::NoToken,
            K::ClosedEarly | K::FirstByteTimeout | K::BodyTimeout | K::BodyTruncated => Self::NoAnswer,
            K::AccessRefused => Self::Refused,
            K::RateLimited => Self::TooMany,
            K::GatewayError => Self::GatewayError,
            K::BackendUnavailable | K::ServerError => Self::ServerError,
            K::TooLarge
            | K::NotHttp
            | K::UnexpectedStatus
            | K::RequestRefused
            | K::BadBody
            | K::ExpectationFailed => Self::WrongAnswer,
            K::HealthFail | K::HealthWarn | K::CertificateEndsSoon => Self::SaysUnwell,
            K::NotHeard | K::JobFailed => Self::Job,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layer;

    #[test]
    fn a_caller_meets_what_was_seen_and_nothing_of_our_own_side() {
        let failure = |kind| Failure { layer: Layer::Gateway, kind, message: String::new() };
        let of = |verdict, kind| ErrorClass::of(verdict, Some(&failure(kind)));
        assert_eq!(of(Verdict::Fail, FailureKind::ConnectTimeout), Some(ErrorClass::NoConnection));
        assert_eq!(of(Verdict::Inconclusive, FailureKind::CredentialRefused), Some(ErrorClass::Ours));
        assert_eq!(of(Verdict::Inconclusive, FailureKind::AccessRefused), Some(ErrorClass::Refused));
        assert_eq!(ErrorClass::of(Verdict::Slow, None), Some(ErrorClass::Late));
        assert_eq!(ErrorClass::of(Verdict::Pass, None), None);
    }

    #[test]
    fn each_has_the_word_that_json_has() {
        for class in ErrorClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.word());
        }
    }
}
