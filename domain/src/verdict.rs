//! Rule one, *judge*: an Outcome becomes a Verdict.

use crate::{FailureKind, Layer, Outcome};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// An Outcome judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good and in time.
    Pass,
    /// Good but late, or the API says it is degraded.
    Slow,
    /// Not good.
    Fail,
    /// Cannot tell: our own side, our credential or our rate.
    Inconclusive,
}

impl Verdict {
    /// The word used in JSON and SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Slow => "slow",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Judges `outcome` of a check whose good answers are Slow after `slow`.
///
/// Trouble on our own side is never the API's failure (invariant 4); nor is a refusal of our credential or rate.
pub fn judge(outcome: &Outcome, slow: Duration) -> Verdict {
    match &outcome.failure {
        None if outcome.total > slow => Verdict::Slow,
        None => Verdict::Pass,
        Some(failure) if failure.layer == Layer::Ours => Verdict::Inconclusive,
        Some(failure) if matches!(failure.kind, FailureKind::AccessRefused | FailureKind::RateLimited) => {
            Verdict::Inconclusive
        }
        Some(failure) if failure.kind == FailureKind::HealthWarn => Verdict::Slow,
        Some(_) => Verdict::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiId, CheckId, Environment, Failure, FailureKind::*, InstanceId, OperationId, VantageId};

    const SLOW: Duration = Duration::from_millis(800);

    fn outcome(total: Duration, failure: Option<(Layer, FailureKind)>) -> Outcome {
        let check = CheckId {
            instance: InstanceId {
                api: ApiId::parse("results").unwrap(),
                environment: Environment::Production,
            },
            operation: OperationId::parse("read").unwrap(),
        };
        Outcome {
            total,
            failure: failure.map(|(layer, kind)| Failure { layer, kind, message: "it broke".to_owned() }),
            ..Outcome::new(check, VantageId::parse("internet").unwrap(), jiff::Timestamp::UNIX_EPOCH)
        }
    }

    fn check(failure: Option<(Layer, FailureKind)>, milliseconds: u64, expected: Verdict) {
        let outcome = outcome(Duration::from_millis(milliseconds), failure);
        assert_eq!(judge(&outcome, SLOW), expected, "{failure:?} after {milliseconds} ms");
    }

    #[test]
    fn a_good_answer_passes_and_is_slow_only_beyond_the_limit() {
        check(None, 0, Verdict::Pass);
        check(None, 800, Verdict::Pass);
        check(None, 801, Verdict::Slow);
    }

    #[test]
    fn what_the_api_gets_wrong_is_a_failure_however_fast_or_slow() {
        for kind in [
            NameNotFound,
            NameFailed,
            Refused,
            Reset,
            Unreachable,
            ConnectTimeout,
            Handshake,
            TlsTimeout,
            CertificateExpired,
            CertificateNotYetValid,
            CertificateUntrusted,
            CertificateName,
            ClientCertificate,
            TokenUnreachable,
            TokenBroken,
            ClosedEarly,
            FirstByteTimeout,
            BodyTimeout,
            BodyTruncated,
            TooLarge,
            NotHttp,
            GatewayError,
            BackendUnavailable,
            ServerError,
            UnexpectedStatus,
            HealthFail,
            RequestRefused,
            BadBody,
            ExpectationFailed,
            CertificateEndsSoon,
        ] {
            for milliseconds in [1, 5_000] {
                check(Some((Layer::Backend, kind)), milliseconds, Verdict::Fail);
            }
        }
    }

    #[test]
    fn an_api_that_says_it_is_degraded_is_slow() {
        check(Some((Layer::Backend, HealthWarn)), 1, Verdict::Slow);
    }

    #[test]
    fn a_refusal_of_our_credential_or_rate_cannot_tell() {
        check(Some((Layer::Gateway, AccessRefused)), 1, Verdict::Inconclusive);
        check(Some((Layer::Backend, AccessRefused)), 1, Verdict::Inconclusive);
        check(Some((Layer::Gateway, RateLimited)), 5_000, Verdict::Inconclusive);
    }

    #[test]
    fn trouble_on_our_own_side_is_never_the_apis_failure() {
        for kind in [
            NoPermit,
            NoResolver,
            NoNetwork,
            Proxy,
            ProbeBroke,
            ClientCertificate,
            CredentialRefused,
            Refused,
            HealthWarn,
            ServerError,
        ] {
            check(Some((Layer::Ours, kind)), 5_000, Verdict::Inconclusive);
        }
    }
}
