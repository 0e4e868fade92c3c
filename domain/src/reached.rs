//! Whether an API is reached, by what its probes last saw of the way to it.

use crate::{
    Check, FailureKind, InstanceId, Latest, Layer, Outcome, Request, TrackId, VantageId, Verdict,
    blind::silent_since, duty, fold::Fold,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What hangs, and what the gateway answers for by itself, may be the trouble of another API that it depends on.
const MAY_WAIT: [FailureKind; 3] =
    [FailureKind::FirstByteTimeout, FailureKind::ClosedEarly, FailureKind::GatewayError];

/// What was seen of the way to one instance.
pub(crate) struct Seen {
    pub(crate) instance: InstanceId,
    /// When it was last reached, well or not: as half of its vantages have it.
    pub(crate) reached_at: Option<Timestamp>,
    /// Since when some probe of it that reaches nothing has failed.
    pub(crate) shut_since: Option<Timestamp>,
    /// All that reaches nothing may wait for another API instead: it hangs, or the gateway says so.
    pub(crate) may_wait: bool,
    /// Of its probes the one that was sent longest ago.
    pub(crate) oldest: TrackId,
}

impl Seen {
    pub(crate) fn is_shut(&self, since: Timestamp) -> bool {
        self.shut_since.is_some() && !self.is_reached(since)
    }

    /// Since then, and after any probe of it began to reach nothing.
    pub(crate) fn is_reached(&self, since: Timestamp) -> bool {
        self.reached_at.is_some_and(|at| at >= since && self.shut_since.is_none_or(|shut| shut <= at))
    }

    /// `None`: nothing that still speaks of the way there.
    pub(crate) fn of(fold: &Fold, instance: InstanceId) -> Option<Self> {
        let mut reached: BTreeMap<VantageId, Option<Timestamp>> = BTreeMap::new();
        let (mut shut_since, mut may_wait) = (None, true);
        let mut oldest: Option<(Timestamp, TrackId)> = None;
        for (id, latest) in speaking(fold, &instance) {
            let by_vantage = reached.entry(id.vantage.clone()).or_default();
            match &latest.outcome {
                Some(outcome) if is_not_reached(outcome) => {
                    let since = silent_since(fold.after.tracks.get(&id).map(AsRef::as_ref), outcome);
                    shut_since = shut_since.map_or(Some(since), |known: Timestamp| Some(known.min(since)));
                    may_wait &=
                        outcome.failure.as_ref().is_some_and(|failure| MAY_WAIT.contains(&failure.kind));
                }
                Some(_) => *by_vantage = (*by_vantage).max(Some(latest.at)),
                // Of a program before this one only the verdict is known.
                None if matches!(latest.verdict, Verdict::Pass | Verdict::Slow) => {
                    *by_vantage = (*by_vantage).max(Some(latest.at));
                }
                None => continue,
            }
            if oldest.as_ref().is_none_or(|(at, _)| latest.at < *at) {
                oldest = Some((latest.at, id));
            }
        }
        let mut reached: Vec<Option<Timestamp>> = reached.into_values().collect();
        reached.sort_unstable();
        // As late as at least half of them were.
        let reached_at = reached.get(reached.len() / 2).copied().flatten();
        let (_, oldest) = oldest?;
        Some(Self { instance, reached_at, shut_since, may_wait, oldest })
    }
}

/// What of each probe of an instance still speaks of the way to it: one without a token was never sent, what fails on our side
/// says nothing, nor does what was asked elsewhere.
pub(crate) fn speaking<'a>(
    fold: &'a Fold,
    instance: &'a InstanceId,
) -> impl Iterator<Item = (TrackId, &'a Latest)> + 'a {
    let tracks = probed(fold, instance).flat_map(|check| {
        let id = |vantage: &VantageId| TrackId { check: check.id.clone(), vantage: vantage.clone() };
        check.from.iter().map(move |vantage| (check, id(vantage)))
    });
    tracks.filter_map(|(check, id)| {
        let latest = fold.after.latest.get(&id)?;
        let old = fold.now.duration_since(latest.at) > duty::signed(check.validity(latest.at));
        let outcome = latest.outcome.as_ref();
        let layer = outcome.and_then(|outcome| outcome.failure.as_ref()).map(|failure| failure.layer);
        let elsewhere =
            || outcome.and_then(|outcome| outcome.question).is_some_and(|asked| asked != check.question());
        let silent = old || matches!(layer, Some(Layer::Token | Layer::Ours)) || elsewhere();
        (!silent).then_some((id, latest))
    })
}

/// The checks of an instance that go through its gateway: not those that ask a resolver or another port, nor what calls us.
pub(crate) fn probed<'a>(fold: &'a Fold, instance: &'a InstanceId) -> impl Iterator<Item = &'a Check> {
    let checks = fold.after.configuration.checks_of(instance).map(AsRef::as_ref);
    checks.filter(|check: &&Check| match &check.operation.request {
        Request::Http(_) | Request::Journey(_) => true,
        Request::Tcp(_) | Request::Mllp(_) | Request::Dns(_) | Request::Heartbeat(_) => false,
    })
}

/// Whether nothing of the API itself was reached.
pub(crate) fn is_not_reached(outcome: &Outcome) -> bool {
    use FailureKind as K;
    outcome.failure.as_ref().is_some_and(|failure| match failure.kind {
        K::NameNotFound
        | K::NameFailed
        | K::Refused
        | K::Reset
        | K::Unreachable
        | K::ConnectTimeout
        | K::Handshake
        | K::TlsTimeout
        | K::ClosedEarly
        | K::FirstByteTimeout
        | K::GatewayError => failure.layer != Layer::Ours,
        K::NoPermit
        | K::NoResolver
        | K::NoNetwork
        | K::NoDescriptor
        | K::NoMemory
        | K::AddressRefused
        | K::Proxy
        | K::ProbeBroke
        | K::CertificateExpired
        | K::CertificateNotYetValid
        | K::CertificateUntrusted
        | K::CertificateName
        | K::ClientCertificate
        | K::CredentialRefused
        | K::TokenUnreachable
        | K::TokenBroken
        | K::BodyTimeout
        | K::BodyTruncated
        | K::TooLarge
        | K::NotHttp
        | K::AccessRefused
        | K::RateLimited
        | K::BackendUnavailable
        | K::ServerError
        | K::UnexpectedStatus
        | K::HealthFail
        | K::HealthWarn
        | K::RequestRefused
        | K::BadBody
        | K::ExpectationFailed
        | K::CertificateEndsSoon
        | K::NotHeard
        | K::JobFailed => false,
    })
}
