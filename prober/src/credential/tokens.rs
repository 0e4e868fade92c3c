//! Tokens that many checks share: fetched once, renewed before they end, one flight at a time.

use super::{
    OwnCertificate,
    endpoint::{Endpoints, Host},
    fetch::{AGAIN, Issued, Refused, fetch},
    jwt::Signer,
};
use crate::{resolve::Resolve, tls::Tls};
use domain::{Clock, Egress, Failure, FailureKind, Layer, OAuth2, Proof, TrackId};
use hyper::header::HeaderValue;
use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

/// A token is not used any more so long before it ends, or for the last tenth of its life if that is shorter.
const MARGIN: Duration = Duration::from_secs(10);
/// So young a token, or one in the first tenth of its life, is not fetched anew because it was refused: then the next one
/// would be, too.
const YOUNG: Duration = Duration::from_secs(30);
/// While an older token is still good, a renewal that failed is tried again after so long.
const RENEWAL: Duration = Duration::from_secs(10);

/// The tokens of one client at one endpoint.
pub(crate) struct Tokens {
    pub(super) oauth2: Arc<OAuth2>,
    pub(super) signer: Option<Signer>,
    pub(super) certificate: Option<Arc<OwnCertificate>>,
    pub(super) host: Arc<Host>,
    kept: Mutex<Kept>,
}

/// With what tokens are fetched.
#[derive(Clone, Copy)]
pub(crate) struct Fetching<'a> {
    pub(crate) tls: &'a Tls,
    pub(crate) egress: &'a Egress,
    pub(crate) resolve: &'a Resolve,
    pub(crate) clock: &'a Clock,
    pub(crate) user_agent: &'a HeaderValue,
    pub(crate) endpoints: &'a Endpoints,
}

/// A token, as a header carries it.
#[derive(Clone)]
pub(crate) struct Bearer {
    pub(crate) value: HeaderValue,
    fetched: Instant,
    /// Until then it is not fetched anew because it was refused.
    young: Instant,
    /// From then on it is to be renewed.
    renew: Instant,
    /// From then on it is of no use.
    ends: Instant,
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(***)")
    }
}

/// For which track a token is wanted, and whether that is to confirm a failure.
pub(crate) type For<'a> = (&'a TrackId, bool);

#[derive(Default)]
struct Kept {
    bearer: Option<Bearer>,
    failed: Option<Failed>,
    /// Ends when the one who fetches is done, or gone.
    flight: Option<watch::Receiver<()>>,
}

/// Why the last try failed.
struct Failed {
    failure: Failure,
    /// When that was seen.
    seen: Instant,
    /// Until then there is no other try.
    until: Instant,
    /// Who was told. What is remembered is no new observation: whoever hears it twice has seen nothing the second time.
    told: HashSet<TrackId>,
}

impl Failed {
    /// Whether it is the answer to whoever asks now. What confirms a failure is to be seen, not remembered: then all that
    /// counts is how often the endpoint may be asked.
    fn holds(&self, to: Option<For<'_>>, now: Instant) -> bool {
        let confirms = to.is_some_and(|(_, confirm)| confirm) && self.is_the_endpoints();
        now < if confirms { self.until.min(self.seen + AGAIN) } else { self.until }
    }

    fn tell(&mut self, to: Option<For<'_>>) -> Failure {
        let Failure { kind, message, .. } = &self.failure;
        let again = to.is_some_and(|(track, _)| !self.told.insert(track.clone()));
        if again && self.is_the_endpoints() {
            let message = format!("{message}; until it is asked again nothing new is known");
            return Failure { layer: Layer::Ours, kind: *kind, message };
        }
        self.failure.clone()
    }

    /// Whether it says that the endpoint does not work.
    fn is_the_endpoints(&self) -> bool {
        self.failure.layer == Layer::Token && self.failure.kind != FailureKind::RateLimited
    }
}

/// What is to be done for a token.
enum Next {
    Use(Bearer),
    Fail(Failure),
    Fetch(watch::Sender<()>),
    Wait(watch::Receiver<()>),
}

impl Tokens {
    pub(super) fn new(
        oauth2: &Arc<OAuth2>,
        certificate: Option<Arc<OwnCertificate>>,
        host: Arc<Host>,
    ) -> Result<Self, String> {
        let signer = match &oauth2.proof {
            Proof::Secret { .. } => None,
            Proof::PrivateKeyJwt(key) | Proof::JwtBearer(key) => Some(
                Signer::new(key).map_err(|error| format!("the key of its auth cannot be used: {error}"))?,
            ),
        };
        Ok(Self { oauth2: Arc::clone(oauth2), signer, certificate, host, kept: Mutex::default() })
    }

    /// A token that is good now. Whoever comes while somebody fetches one waits for that; a renewal keeps nobody else
    /// waiting. No lock is held meanwhile.
    pub(crate) async fn bearer(&self, by: Fetching<'_>, to: Option<For<'_>>) -> Result<Bearer, Failure> {
        loop {
            match self.next(to, Instant::now()) {
                Next::Use(bearer) => return Ok(bearer),
                Next::Fail(failure) => return Err(failure),
                Next::Wait(mut flight) => {
                    // An error: whoever fetched was called off. Either way, look again.
                    flight.changed().await.ok();
                }
                Next::Fetch(flight) => {
                    let began = Instant::now();
                    let fetched = Box::pin(fetch(self, by)).await;
                    let bearer = self.keep(fetched, began, to);
                    drop(flight);
                    return bearer;
                }
            }
        }
    }

    /// The API refused this token though its time is not over: the next probe has another. Says whether there will be one.
    pub(crate) fn refused(&self, bearer: &Bearer) -> bool {
        let mut kept = self.kept();
        let ours = kept.bearer.as_ref().is_none_or(|kept| kept.fetched == bearer.fetched);
        if ours && Instant::now() >= bearer.young {
            kept.bearer = None;
        }
        kept.bearer.as_ref().is_none_or(|kept| kept.fetched != bearer.fetched)
    }

    /// How long the token that is kept is still good, if it is.
    pub(crate) fn lasts(&self) -> Option<Duration> {
        let ends = self.kept().bearer.as_ref()?.ends;
        ends.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    fn next(&self, to: Option<For<'_>>, now: Instant) -> Next {
        let mut kept = self.kept();
        let good = kept.bearer.clone().filter(|bearer| now < bearer.ends);
        let waits = kept.failed.as_ref().is_some_and(|failed| now < failed.until);
        let flight = kept.flight.clone().filter(|flight| flight.has_changed().is_ok());
        let failed = kept.failed.as_mut().filter(|failed| failed.holds(to, now));
        match (good, failed, flight) {
            (Some(bearer), _, flight) if now < bearer.renew || waits || flight.is_some() => Next::Use(bearer),
            (None, Some(failed), _) => Next::Fail(failed.tell(to)),
            (None, None, Some(flight)) => Next::Wait(flight),
            (_, _, _) => {
                let (done, flight) = watch::channel(());
                kept.flight = Some(flight);
                Next::Fetch(done)
            }
        }
    }

    fn keep(
        &self,
        fetched: Result<Issued, Refused>,
        began: Instant,
        to: Option<For<'_>>,
    ) -> Result<Bearer, Failure> {
        let mut kept = self.kept();
        kept.flight = None;
        match fetched {
            Ok(Issued { value, lasts }) => {
                let bearer = Bearer {
                    value,
                    fetched: began,
                    young: began + YOUNG.min(lasts / 10),
                    renew: began + lasts.mul_f64(renewal_share()),
                    ends: began + lasts.saturating_sub(MARGIN.min(lasts / 10)),
                };
                kept.failed = None;
                kept.bearer = Some(bearer.clone());
                Ok(bearer)
            }
            Err(Refused { failure, pause, seen }) => {
                let now = Instant::now();
                let good = kept.bearer.clone().filter(|bearer| now < bearer.ends);
                if good.is_some() {
                    let (url, why) = (&self.oauth2.token_url, &failure.message);
                    tracing::warn!(url, why, "a token could not be renewed; the one before it is still good");
                }
                let pause = if good.is_some() { pause.max(RENEWAL) } else { pause };
                // Another client may have seen it, and it may be known here already.
                let known = kept.failed.take().filter(|known| known.seen == seen);
                let told = known.map(|known| known.told).unwrap_or_default();
                let failed = kept.failed.insert(Failed { failure, seen, until: now + pause, told });
                good.ok_or_else(|| failed.tell(to))
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When in its life a token is renewed: after 70 to 85 %, so that many do not come at once.
fn renewal_share() -> f64 {
    let [random, ..] = *Uuid::new_v4().as_bytes();
    0.7 + 0.15 * f64::from(random) / 255.0
}
