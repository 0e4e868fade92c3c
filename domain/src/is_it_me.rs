//! *Is it me?*: what a caller saw × what we saw at that time → on whose side the cause is likely to be.

use crate::{CheckId, ErrorClass, Glance, Layer, Verdict};
use jiff::Timestamp;
use std::time::Duration;

/// What a caller got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerSaw {
    /// An HTTP status, 100 to 599.
    Status(u16),
    /// No answer in time.
    Timeout,
    /// No connection.
    NoConnection,
}

impl CallerSaw {
    /// From `401`, `timeout` or `no-connection`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "timeout" => Some(Self::Timeout),
            "no-connection" => Some(Self::NoConnection),
            _ if text.len() == 3 => {
                text.parse().ok().filter(|status| (100..=599).contains(status)).map(Self::Status)
            }
            _ => None,
        }
    }

    /// As it is parsed.
    pub fn word(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Timeout => "timeout".to_owned(),
            Self::NoConnection => "no-connection".to_owned(),
        }
    }
}

/// What one probe of ours saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurOutcome {
    /// Of which check.
    pub check: CheckId,
    /// When it began.
    pub at: Timestamp,
    /// How it was judged.
    pub verdict: Verdict,
    /// What a caller would have met; `None`: a good answer.
    pub class: Option<ErrorClass>,
    /// Where it failed.
    pub layer: Option<Layer>,
    /// The status of the answer, where that is known: of good answers it is not kept for long.
    pub status: Option<u16>,
}

impl OurOutcome {
    /// What was seen of a check, so judged, says.
    pub fn of(check: &CheckId, seen: &Glance, verdict: Verdict) -> Self {
        let failure = seen.failure.as_ref().filter(|_| verdict != Verdict::Pass);
        Self {
            check: check.clone(),
            at: seen.at,
            verdict,
            class: ErrorClass::of(verdict, failure),
            layer: failure.map(|failure| failure.layer),
            status: seen.status,
        }
    }

    const fn is_answered(&self) -> bool {
        matches!(self.verdict, Verdict::Pass | Verdict::Slow)
    }

    /// Our credential or our rate was refused.
    const fn is_refused(&self) -> bool {
        matches!(self.class, Some(ErrorClass::Refused | ErrorClass::TooMany))
    }
}

/// A cause on the caller's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yours {
    /// 401: the token is over or missing, or the key is not known there.
    Credential,
    /// 403: not subscribed, or the address is not allowed.
    Access,
    /// 407: a proxy on the way.
    Proxy,
    /// 429: asked too often.
    Rate,
    /// Another 4xx: what is asked.
    Request,
    /// The network on the caller's side.
    Network,
}

impl Yours {
    /// The word used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Access => "access",
            Self::Proxy => "proxy",
            Self::Rate => "rate",
            Self::Request => "request",
            Self::Network => "network",
        }
    }

    const fn of_status(status: u16) -> Option<Self> {
        match status {
            401 => Some(Self::Credential),
            403 => Some(Self::Access),
            407 => Some(Self::Proxy),
            429 => Some(Self::Rate),
            400..=499 => Some(Self::Request),
            _ => None,
        }
    }
}

/// A cause on the API's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theirs {
    /// Our probes failed too, and so.
    Fails(ErrorClass),
    /// Our probes were answered late.
    Slow,
    /// Our credential is refused too: the gateway may refuse everybody.
    RefusesUsToo,
    /// A server error, while what we ask is answered well: it fails now and then, or for what we do not ask.
    OnlySome,
    /// Planned work was on.
    Planned,
}

impl Theirs {
    /// The word used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fails(_) => "fails",
            Self::Slow => "slow",
            Self::RefusesUsToo => "refuses_us_too",
            Self::OnlySome => "only_some",
            Self::Planned => "planned",
        }
    }
}

/// On whose side the cause is likely to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The caller's.
    You,
    /// The API's.
    Api,
    /// One of them, or both.
    Both,
    /// Nothing is wrong that we saw.
    Nobody,
    /// We saw nothing at that time, and what the caller saw says nothing by itself.
    Unknown,
}

impl Whose {
    /// The word used in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Api => "api",
            Self::Both => "both",
            Self::Nobody => "nobody",
            Self::Unknown => "unknown",
        }
    }
}

/// What is likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likely {
    /// On the caller's side.
    pub yours: Option<Yours>,
    /// On the API's side.
    pub theirs: Option<Theirs>,
    /// We saw something at that time.
    pub we_looked: bool,
}

impl Likely {
    /// On whose side.
    pub const fn whose(self) -> Whose {
        match (self.yours, self.theirs) {
            (Some(_), Some(_)) => Whose::Both,
            // What their answer says of itself is told beside it.
            (Some(_), None) if !self.we_looked => Whose::Unknown,
            (Some(_), None) => Whose::You,
            (None, Some(_)) => Whose::Api,
            (None, None) if self.we_looked => Whose::Nobody,
            (None, None) => Whose::Unknown,
        }
    }
}

/// What is likely, from what a caller `saw` (`None`: they do not say), what probes of ours saw at that time, the gravest
/// operations first, and whether work was planned then.
///
/// A 4xx is about the request even while the service behind the gateway fails; no answer at all is the caller's network only
/// where everything of ours came through.
pub fn is_it_me(saw: Option<CallerSaw>, ours: &[OurOutcome], planned: bool) -> Likely {
    let ours =
        || ours.iter().filter(|outcome| !matches!(outcome.class, Some(ErrorClass::Ours | ErrorClass::Job)));
    let failing = ours().find(|outcome| outcome.verdict == Verdict::Fail).and_then(|outcome| outcome.class);
    let answered = ours().any(OurOutcome::is_answered);
    let slow = ours().any(|outcome| outcome.verdict == Verdict::Slow);
    let refused = ours().any(OurOutcome::is_refused) && !answered;
    let we_looked = ours().next().is_some();
    let fails = failing.map(|class| if planned { Theirs::Planned } else { Theirs::Fails(class) });
    let (yours, theirs) = match saw {
        None => (None, fails.or(refused.then_some(Theirs::RefusesUsToo)).or(slow.then_some(Theirs::Slow))),
        Some(CallerSaw::Status(status)) => match Yours::of_status(status) {
            Some(Yours::Credential | Yours::Access | Yours::Rate) if refused => {
                (None, Some(Theirs::RefusesUsToo))
            }
            // Without tokens nobody gets past the gateway.
            Some(Yours::Credential | Yours::Access) if failing == Some(ErrorClass::NoToken) => (None, fails),
            Some(yours) => (Some(yours), fails),
            None if status >= 500 => {
                (None, fails.or(planned.then_some(Theirs::Planned)).or(answered.then_some(Theirs::OnlySome)))
            }
            None => (None, fails),
        },
        Some(CallerSaw::Timeout) if fails.is_none() && slow => (None, Some(Theirs::Slow)),
        Some(CallerSaw::Timeout | CallerSaw::NoConnection) => {
            ((fails.is_none() && answered).then_some(Yours::Network), fails)
        }
    };
    Likely { yours, theirs, we_looked }
}

/// People tell a time to the minute.
const SAME: Duration = Duration::from_secs(60);

/// Of the outcomes of one check, in order of time, the one that speaks of `at`: what was not good within a minute of it, the
/// gravest first; else the last one up to a minute after it, if it is not older than `validity`.
pub fn speaks_of(at: Timestamp, validity: Duration, outcomes: &[OurOutcome]) -> Option<&OurOutcome> {
    let within = |outcome: &&OurOutcome, before: Duration| {
        let from = at.checked_sub(before).unwrap_or(Timestamp::MIN);
        let to = at.checked_add(SAME).unwrap_or(Timestamp::MAX);
        (from..=to).contains(&outcome.at)
    };
    let close = || outcomes.iter().filter(|outcome| within(outcome, SAME));
    let worst = |verdict| close().rfind(|outcome| outcome.verdict == verdict);
    worst(Verdict::Fail)
        .or_else(|| worst(Verdict::Inconclusive))
        .or_else(|| worst(Verdict::Slow))
        .or_else(|| outcomes.iter().rfind(|outcome| within(outcome, validity)))
}

#[cfg(test)]
#[path = "is_it_me/tests.rs"]
mod tests;
