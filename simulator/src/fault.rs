//! What can be wrong with an API in an environment. Each fault is real at the level where it happens in life.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What is wrong with one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Fault {
    /// Nothing: it answers well.
    #[default]
    None,
    /// Nothing listens on its port: connection refused.
    Refuse,
    /// The connection is reset once the request has come.
    Reset,
    /// The connection is accepted and nothing is ever said, not even a TLS hello.
    Hang,
    /// Every answer is late by this much.
    Slow(Duration),
    /// The answer comes a byte at a time.
    SlowLoris,
    /// Every path, `_ping` too, answers this HTTP status; 429 and 503 carry `Retry-After`.
    Status(u16),
    /// The backend answers this HTTP status; `_ping`, which the gateway answers itself, is well.
    Backend(u16),
    /// The gateway cannot reach the backend: 503 `messaging.adaptors.http.flow.ServiceUnavailable`; `_ping` is well.
    GatewayUnavailable,
    /// The gateway waited for the backend in vain: 504 `messaging.adaptors.http.flow.GatewayTimeout`; `_ping` is well.
    GatewayTimeout,
    /// The gateway refuses by quota: 429 `policies.ratelimit.QuotaViolation` with `Retry-After`.
    Quota,
    /// The gateway refuses by spike arrest: 429 `policies.ratelimit.SpikeArrestViolation`.
    SpikeArrest,
    /// The gateway refuses the access token: 401 `keymanagement.service.invalid_access_token`; `_ping` is well.
    TokenRefused,
    /// `/oauth2/token` answers 503; all else is well.
    NoTokens,
    /// `_status` answers 200 with a body that says fail or DOWN; all else is well.
    SaysFail,
    /// `_status` answers 200 with a body that says DEGRADED or warn; all else is well.
    SaysDegraded,
    /// 200 with a web page where JSON or XML should be.
    NotJson,
    /// 200 with a well-formed body of the wrong kind; `_ping` and `_status` are well.
    WrongResource,
    /// The body never ends.
    Endless,
    /// The body is cut in the middle, short of its `Content-Length`.
    Truncated,
    /// Every answer leads to itself.
    RedirectLoop,
    /// The answer's head has ten megabytes.
    HugeHead,
    /// Interim answers (`100 Continue`) without end, and never a real one.
    Interim,
    /// The answer is not HTTP.
    Garbage,
    /// The TLS certificate ran out in 2021. A plain connection sees nothing of it.
    ExpiredCertificate,
    /// The TLS certificate is another host's. A plain connection sees nothing of it.
    WrongHost,
    /// The TLS certificate is signed by an authority nobody trusts. A plain connection sees nothing of it.
    Untrusted,
}

impl Fault {
    /// One of each, with everyday parameters, in the order the page shows them.
    pub const CATALOGUE: [Self; 30] = [
        Self::None,
        Self::Refuse,
        Self::Reset,
        Self::Hang,
        Self::Slow(Duration::from_secs(2)),
        Self::SlowLoris,
        Self::Backend(500),
        Self::Backend(503),
        Self::Status(503),
        Self::Status(401),
        Self::Status(429),
        Self::GatewayUnavailable,
        Self::GatewayTimeout,
        Self::Quota,
        Self::SpikeArrest,
        Self::TokenRefused,
        Self::NoTokens,
        Self::SaysFail,
        Self::SaysDegraded,
        Self::NotJson,
        Self::WrongResource,
        Self::Endless,
        Self::Truncated,
        Self::RedirectLoop,
        Self::HugeHead,
        Self::Interim,
        Self::Garbage,
        Self::ExpiredCertificate,
        Self::WrongHost,
        Self::Untrusted,
    ];

    /// What a caller sees, in a few words.
    pub fn describe(self) -> String {
        match self {
            Self::None => "well".to_owned(),
            Self::Refuse => "refuses connections".to_owned(),
            Self::Reset => "resets connections".to_owned(),
            Self::Hang => "hangs".to_owned(),
            Self::Slow(by) => format!("slow by {by:?}"),
            Self::SlowLoris => "a byte at a time".to_owned(),
            Self::Status(status) => format!("all answer {status}"),
            Self::Backend(status) => format!("backend answers {status}"),
            Self::GatewayUnavailable => "gateway: backend unavailable".to_owned(),
            Self::GatewayTimeout => "gateway: backend timed out".to_owned(),
            Self::Quota => "gateway: over quota".to_owned(),
            Self::SpikeArrest => "gateway: spike arrest".to_owned(),
            Self::TokenRefused => "gateway: token refused".to_owned(),
            Self::NoTokens => "issues no tokens".to_owned(),
            Self::SaysFail => "200 that says fail".to_owned(),
            Self::SaysDegraded => "200 that says degraded".to_owned(),
            Self::NotJson => "a web page for JSON".to_owned(),
            Self::WrongResource => "wrong kind of body".to_owned(),
            Self::Endless => "endless body".to_owned(),
            Self::Truncated => "truncated body".to_owned(),
            Self::RedirectLoop => "redirects to itself".to_owned(),
            Self::HugeHead => "10 MB of headers".to_owned(),
            Self::Interim => "100 Continue without end".to_owned(),
            Self::Garbage => "no HTTP at all".to_owned(),
            Self::ExpiredCertificate => "expired certificate".to_owned(),
            Self::WrongHost => "certificate of another host".to_owned(),
            Self::Untrusted => "untrusted certificate".to_owned(),
        }
    }

    /// True when the fault shows before HTTP does, so that connections already made must be dropped for it to be true.
    pub(crate) const fn is_below_http(self) -> bool {
        matches!(
            self,
            Self::Refuse
                | Self::Reset
                | Self::Hang
                | Self::SlowLoris
                | Self::HugeHead
                | Self::Interim
                | Self::Garbage
                | Self::ExpiredCertificate
                | Self::WrongHost
                | Self::Untrusted
        )
    }

    /// What an API that depends on this one can say of it.
    pub(crate) const fn as_dependency(self) -> Dependency {
        match self {
            // Who is given a token needs nobody to see that it is good.
            Self::None | Self::NoTokens | Self::ExpiredCertificate | Self::WrongHost | Self::Untrusted => {
                Dependency::Up
            }
            Self::Slow(_) | Self::SaysDegraded | Self::SpikeArrest | Self::Quota => Dependency::Degraded,
            Self::Refuse
            | Self::Reset
            | Self::Hang
            | Self::SlowLoris
            | Self::Status(_)
            | Self::Backend(_)
            | Self::GatewayUnavailable
            | Self::GatewayTimeout
            | Self::TokenRefused
            | Self::SaysFail
            | Self::NotJson
            | Self::WrongResource
            | Self::Endless
            | Self::Truncated
            | Self::RedirectLoop
            | Self::HugeHead
            | Self::Interim
            | Self::Garbage => Dependency::Down,
        }
    }
}

/// How a dependency looks from the API that depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dependency {
    Up,
    Degraded,
    Down,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Slow(by) => return write!(out, "slow:{}", by.as_millis()),
            Self::Status(status) => return write!(out, "status:{status}"),
            Self::Backend(status) => return write!(out, "backend:{status}"),
            Self::None => "none",
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::Hang => "hang",
            Self::SlowLoris => "slow-loris",
            Self::GatewayUnavailable => "gateway-unavailable",
            Self::GatewayTimeout => "gateway-timeout",
            Self::Quota => "quota",
            Self::SpikeArrest => "spike-arrest",
            Self::TokenRefused => "token-refused",
            Self::NoTokens => "no-tokens",
            Self::SaysFail => "says-fail",
            Self::SaysDegraded => "says-degraded",
            Self::NotJson => "not-json",
            Self::WrongResource => "wrong-resource",
            Self::Endless => "endless",
            Self::Truncated => "truncated",
            Self::RedirectLoop => "redirect-loop",
            Self::HugeHead => "huge-head",
            Self::Interim => "interim",
            Self::Garbage => "garbage",
            Self::ExpiredCertificate => "expired-certificate",
            Self::WrongHost => "wrong-host",
            Self::Untrusted => "untrusted",
        };
        out.write_str(name)
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.chars().take(80).collect());
        match text.split_once(':') {
            Some(("slow", millis)) => {
                let millis = millis.parse::<u32>().map_err(|_| unknown())?;
                Ok(Self::Slow(Duration::from_millis(millis.into())))
            }
            Some((kind @ ("status" | "backend"), status)) => {
                let status = status.parse::<u16>().map_err(|_| unknown())?;
                if !(200..=599).contains(&status) {
                    return Err(unknown());
                }
                Ok(if kind == "status" { Self::Status(status) } else { Self::Backend(status) })
            }
            Some(_) => Err(unknown()),
            None => Self::CATALOGUE.into_iter().find(|fault| fault.to_string() == text).ok_or_else(unknown),
        }
    }
}

/// A name that no fault has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Fault::CATALOGUE.iter().map(Fault::to_string).collect();
        write!(
            out,
            "no fault is called {:?}; there are {}, with any milliseconds and any status from 200 to 599",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faults_name_reads_back_as_the_fault() {
        for fault in Fault::CATALOGUE {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert_eq!("slow:35".parse(), Ok(Fault::Slow(Duration::from_millis(35))));
        assert_eq!("status:418".parse(), Ok(Fault::Status(418)));
    }

    #[test]
    fn a_name_that_no_fault_has_is_refused_with_those_that_exist() {
        for name in ["", "sulk", "slow", "slow:", "slow:-1", "status:99", "status:600", "backend:x", "none:1"]
        {
            let refused = name.parse::<Fault>().expect_err(name);
            assert!(refused.to_string().contains("slow-loris"), "{refused}");
        }
    }
}
