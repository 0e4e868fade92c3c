//! A check made ready: everything that can be worked out before the first probe, worked out once.

use crate::{
    alike::Alike,
    credential::{Credentials, OwnCertificate, Tokens},
    dns::Dns,
    journey::Journey,
    mllp::Mllp,
    permits::{self, Permits},
    resolve::Resolve,
    schema::Schemas,
    target::{Form, Place, Target},
    tcp::Tcp,
};
use domain::{Check, Outcome, Question, Request, TrackId, VantageId};
use hyper::header::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// A check made ready by [`Prober::prepare`](crate::Prober::prepare): addresses parsed, expressions compiled.
pub struct Prepared {
    pub(crate) check: Arc<Check>,
    pub(crate) track: TrackId,
    pub(crate) question: Question,
    /// Why it cannot be sent at all, if so: told by every probe, as our own trouble.
    pub(crate) protocol: Result<Protocol, String>,
    /// From when on what a good one shows is written down again, in milliseconds since the Unix epoch.
    good_from: AtomicI64,
}

/// What a good probe shows is written down so often.
const GOOD_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What is spoken, and all that is needed for it.
pub(crate) enum Protocol {
    Http(Box<Target>),
    Tcp(Box<Tcp>),
    Dns(Box<Dns>),
    Mllp(Box<Mllp>),
    Journey(Box<Journey>),
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the target: its headers hold credentials.
        f.debug_struct("Prepared").field("track", &self.track).finish_non_exhaustive()
    }
}

/// What checks share of what is made ready for them.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) credentials: Credentials,
    pub(crate) schemas: Schemas,
    pub(crate) places: Alike<Place>,
    pub(crate) forms: Alike<Form>,
}

impl Shared {
    /// Forgets what no check uses any more.
    pub(crate) fn forget(&self) {
        self.places.forget();
        self.forms.forget();
    }
}

impl Prepared {
    pub(crate) fn new(
        check: Arc<Check>,
        vantage: &VantageId,
        user_agent: &HeaderValue,
        resolve: &Resolve,
        permits: &Permits,
        shared: &Shared,
    ) -> Self {
        let track = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let protocol = Protocol::new(&check, user_agent, resolve, permits, shared);
        let question = check.question();
        let good_from = AtomicI64::new(i64::MIN);
        Self { check, track, question, protocol, good_from }
    }

    /// Whether what is seen now is to be written down if it is good.
    pub(crate) fn shows_good(&self, now: Timestamp) -> bool {
        let from = self.good_from.load(Ordering::Relaxed);
        // A clock that was set back must not make it longer.
        now.as_millisecond() >= from || (now + GOOD_EVERY).as_millisecond() < from
    }

    /// Notes what came of a probe: after a failure the next that is good is written down, and after one that was, none for a
    /// while.
    pub(crate) fn showed(&self, outcome: &Outcome, now: Timestamp) {
        if outcome.failure.is_some() {
            self.good_from.store(i64::MIN, Ordering::Relaxed);
        } else if outcome.transcript.is_some() {
            self.good_from.store((now + GOOD_EVERY).as_millisecond(), Ordering::Relaxed);
        }
    }

    /// The check.
    pub fn check(&self) -> &Arc<Check> {
        &self.check
    }

    /// Why no probe of this check can be sent, if so.
    pub fn problem(&self) -> Option<&str> {
        self.protocol.as_ref().err().map(String::as_str)
    }
}

impl Protocol {
    fn new(
        check: &Check,
        user_agent: &HeaderValue,
        resolve: &Resolve,
        permits: &Permits,
        shared: &Shared,
    ) -> Result<Self, String> {
        let ready =
            check.credential.as_deref().map(|credential| shared.credentials.ready(credential)).transpose()?;
        let ready = ready.unwrap_or_default();
        Ok(match &check.operation.request {
            Request::Http(request) => {
                let asked = (&*check.url, request, &check.operation.expect);
                Self::Http(Box::new(Target::new(asked, user_agent, permits, (ready, shared))?))
            }
            Request::Journey(journey) => Self::Journey(Box::new(Journey::new(
                (&check.url, &check.test_patients),
                journey,
                user_agent,
                permits,
                (&ready, shared),
            )?)),
            Request::Tcp(request) => {
                let mut tcp = Tcp::new(check, request, permits)?;
                tcp.door.certificate = ready.certificate;
                Self::Tcp(Box::new(tcp))
            }
            Request::Dns(request) => Self::Dns(Box::new(Dns::new(check, request, resolve, permits)?)),
            Request::Heartbeat(_) => return Err("nothing is sent: a job calls us".to_owned()),
            Request::Mllp(request) => {
                let mut mllp = Mllp::new(check, request, permits)?;
                mllp.door.certificate = ready.certificate;
                Self::Mllp(Box::new(mllp))
            }
        })
    }

    /// What is shown of ours in the handshake.
    pub(crate) fn certificate(&self) -> Option<&Arc<OwnCertificate>> {
        match self {
            Self::Http(target) => target.certificate.as_ref(),
            Self::Tcp(tcp) => tcp.door.certificate.as_ref(),
            Self::Mllp(mllp) => mllp.door.certificate.as_ref(),
            Self::Journey(journey) => journey.first().certificate.as_ref(),
            Self::Dns(_) => None,
        }
    }

    /// Where the tokens come from that go with it.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Http(target) => target.tokens.as_deref(),
            Self::Journey(journey) => journey.first().tokens.as_deref(),
            Self::Tcp(_) | Self::Dns(_) | Self::Mllp(_) => None,
        }
    }

    /// The places at the host that is spoken to.
    pub(crate) fn places(&self) -> &permits::Host {
        match self {
            Self::Http(target) => &target.places,
            Self::Tcp(tcp) => &tcp.door.places,
            Self::Dns(dns) => &dns.places,
            Self::Mllp(mllp) => &mllp.door.places,
            Self::Journey(journey) => &journey.first().places,
        }
    }
}
