//! One probe, from permit to Outcome.

mod authorised;
mod connecting;
mod http;
mod journey;
mod reach;
mod spoken;
mod warm;

use crate::{
    ByVantage, Error, Limits, Metrics, Settings, announced,
    answer::{self, Answer},
    clocks::{Clocks, Moment},
    complaints::Complaints,
    credential::Bearer,
    exchange::Received,
    landing::Landing,
    lookout::{Lookout, Ways},
    memory::Memory,
    permits::Permits,
    prepared::{Prepared, Protocol, Shared},
    request_id::RequestIds,
    resolve::Resolve,
    target::Target,
    tls::Tls,
    transcript,
    unbroken::unbroken,
};
use domain::{Check, Clock, Egress, Failure, FailureKind, LATE, Layer, Outcome, PrivateAddresses, VantageId};
use hyper::header::HeaderValue;
use jiff::Timestamp;
use std::{fmt, pin::pin, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::Instant};

pub use reach::Reach;

/// Exercises the APIs from one vantage and says what it saw.
pub struct Prober {
    vantage: VantageId,
    private_addresses: PrivateAddresses,
    egress: Egress,
    transcripts: bool,
    clock: Clock,
    limits: Limits,
    user_agent: HeaderValue,
    request_ids: RequestIds,
    resolve: Resolve,
    lookout: Lookout,
    tls: Tls,
    permits: Arc<Permits>,
    /// Connections that may be kept; each holds a descriptor beside those of probes in flight.
    lines: Arc<Semaphore>,
    memory: Arc<Memory>,
    shared: Arc<Shared>,
    complaints: Arc<Complaints>,
    clocks: Arc<Clocks>,
    landing: Landing,
    by_vantage: Arc<ByVantage>,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober")
            .field("vantage", &self.vantage)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Prober {
    /// A prober at one vantage. Reads the host's certificate store and `/etc/resolv.conf` once, now.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let tls = Tls::new(&settings)?;
        let user_agent = settings.identity.user_agent;
        let by_vantage: Arc<ByVantage> = Arc::default();
        Ok(Self {
            tls,
            user_agent: HeaderValue::try_from(&user_agent).map_err(|_| Error::UserAgent(user_agent))?,
            request_ids: RequestIds::new(&settings.identity.request_id_key),
            resolve: Resolve::new(&settings.name_servers),
            lookout: Lookout::new(settings.guards),
            permits: Arc::new(Permits::new(&settings.limits)),
            lines: Arc::new(Semaphore::new(settings.limits.in_flight.clamp(8, Semaphore::MAX_PERMITS) / 8)),
            memory: Arc::new(Memory::new(settings.limits.bodies)),
            metrics: by_vantage.of(&settings.vantage),
            by_vantage,
            vantage: settings.vantage,
            private_addresses: settings.private_addresses,
            egress: settings.egress,
            transcripts: settings.transcripts,
            clock: settings.clock,
            limits: settings.limits,
            shared: Arc::default(),
            complaints: Arc::default(),
            clocks: Arc::default(),
            landing: Landing::default(),
        })
    }

    /// The one that takes its place when the settings change: it goes on counting, and what is in flight by the old one
    /// holds its places. The limits stay as they were.
    pub fn again(&self, settings: Settings) -> Result<Self, Error> {
        let limits = self.limits.clone();
        let fresh = Self::new(Settings { limits, ..settings })?;
        Ok(Self {
            resolve: fresh.resolve.after(&self.resolve),
            permits: Arc::clone(&self.permits),
            lines: Arc::clone(&self.lines),
            memory: Arc::clone(&self.memory),
            shared: Arc::clone(&self.shared),
            complaints: Arc::clone(&self.complaints),
            clocks: Arc::clone(&self.clocks),
            landing: self.landing.clone(),
            metrics: self.by_vantage.of(&fresh.vantage),
            by_vantage: Arc::clone(&self.by_vantage),
            ..fresh
        })
    }

    /// Whether a check that `before` made ready is so for this one too.
    pub(crate) fn prepares_like(&self, before: &Self) -> bool {
        self.user_agent == before.user_agent
            && self.vantage == before.vantage
            && self.resolve.servers() == before.resolve.servers()
            // Connections that are kept lead the old way.
            && self.egress == before.egress
    }

    /// Where its probes are sent from.
    pub fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    /// What those that share its limits count, each vantage for itself.
    pub fn by_vantage(&self) -> &Arc<ByVantage> {
        &self.by_vantage
    }

    /// What is counted at its vantage.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Looks at the guards of its own network now and then, for ever.
    pub(crate) async fn look_out(self: Arc<Self>) {
        self.lookout.watch(self.ways()).await;
    }

    const fn ways(&self) -> Ways<'_> {
        Ways { resolve: &self.resolve, tls: &self.tls, egress: &self.egress }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Now.
    fn moment(&self) -> Moment {
        Moment { wall: self.clock.now(), steady: Instant::now() }
    }

    pub(crate) const fn landing(&self) -> &Landing {
        &self.landing
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a check ready: worth it when it is probed more than once.
    pub fn prepare(&self, check: Arc<Check>) -> Prepared {
        Prepared::new(check, &self.vantage, &self.user_agent, &self.resolve, &self.permits, &self.shared)
    }

    /// All checks are ready: forgets what none of them shares any more.
    pub(crate) fn prepared_all(&self) {
        self.shared.forget();
    }

    /// One probe of a check, scheduled for `at` (which makes its request id). Whatever happens is an Outcome.
    pub async fn probe(&self, check: &Check, at: Timestamp, confirm: bool) -> Outcome {
        self.probe_prepared(&self.prepare(Arc::new(check.clone())), at, confirm).await
    }

    /// As [`Prober::probe`], of a check that was made ready before.
    pub async fn probe_prepared(&self, prepared: &Prepared, at: Timestamp, confirm: bool) -> Outcome {
        self.probe_after(prepared, (at, confirm), Duration::ZERO).await
    }

    /// The same, so long after the time at which it might have begun.
    pub(crate) async fn probe_after(
        &self,
        prepared: &Prepared,
        (at, confirm): (Timestamp, bool),
        lag: Duration,
    ) -> Outcome {
        let _flying = self.metrics.flying();
        let began = Instant::now();
        let whole = pin!(async {
            let mut outcome = self.authorised(prepared, (at, confirm), lag).await;
            if outcome.failure.is_some() {
                Box::pin(self.lookout.judge(&mut outcome, began, self.ways())).await;
            }
            outcome
        });
        if let Some(outcome) = unbroken(whole).await {
            prepared.showed(&outcome, self.clock.now());
            outcome.failure.iter().for_each(|failure| self.complaints.hear(failure));
            return outcome;
        }
        self.metrics.broke();
        tracing::error!(check = %prepared.track, "a probe broke; reported as inconclusive");
        let mut outcome = self.nothing_yet(prepared, at, confirm);
        // Without the panic's own words: they may quote what was being read.
        let message = "the probe itself broke; the program's log says where";
        outcome.failure = Some(ours(FailureKind::ProbeBroke, message));
        outcome
    }

    fn nothing_yet(&self, prepared: &Prepared, at: Timestamp, confirm: bool) -> Outcome {
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let shows = self.transcripts || prepared.shows_good(at);
        Outcome {
            confirm,
            question: Some(prepared.question),
            transcript: shows.then(Box::default),
            ..Outcome::new(prepared.check.id.clone(), self.vantage.clone(), at)
        }
    }

    /// Waits for a permit as long as the probe itself may take; only then does the probe's own time begin.
    async fn permitted(
        &self,
        prepared: &Prepared,
        (at, confirm): (Timestamp, bool),
        lag: Duration,
        bearer: Option<&Bearer>,
    ) -> Outcome {
        let patience = prepared.check.timeout;
        let protocol = match &prepared.protocol {
            Ok(protocol) => protocol,
            Err(problem) => {
                let mut outcome = self.nothing_yet(prepared, self.clock.now(), confirm);
                let message = format!("this check cannot be sent: {problem}");
                outcome.failure = Some(ours(FailureKind::ProbeBroke, message));
                return outcome;
            }
        };
        let environment = prepared.check.id.instance.environment;
        let (permit, waited) =
            self.permits.take(protocol.places(), environment, patience, &self.metrics).await;
        let lag = lag + waited;
        self.metrics.started(lag);
        let mut outcome = self.nothing_yet(prepared, self.clock.now(), confirm);
        outcome.late = Some(lag).filter(|lag| *lag > LATE);
        let Some(permit) = permit else {
            let message = format!(
                "too many probes in flight for {patience:.1?}; raise the limits, or probe less often"
            );
            outcome.failure = Some(ours(FailureKind::NoPermit, message));
            return outcome;
        };
        let started = Instant::now();
        let id = self.request_ids.of(&prepared.track, at).to_string();
        outcome.failure =
            self.exercise(protocol, started + patience, (&id, bearer), &mut outcome).await.err();
        outcome.request_id = Some(id);
        // An answer that came says itself when; to judge it is our own time, and so is a journey's clean-up.
        if outcome.total.is_zero() {
            outcome.total = started.elapsed();
        }
        permit.saw(&outcome);
        if outcome.failure.is_none() && outcome.transcript.is_none() {
            // Nobody asks what was as agreed, and each check's last outcome is kept until the next.
            outcome.expectations = Vec::new();
        }
        outcome
    }

    /// Speaks the check's protocol. Each phase writes down how long it took, also when it was the last.
    async fn exercise(
        &self,
        protocol: &Protocol,
        deadline: Instant,
        (id, bearer): (&str, Option<&Bearer>),
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        match protocol {
            Protocol::Http(target) => {
                self.http(target, deadline, (id, bearer), outcome, Self::understand).await
            }
            // The rare ones apart, so that they do not make the common one's future larger.
            Protocol::Tcp(tcp) => Box::pin(self.tcp(tcp, deadline, outcome)).await,
            Protocol::Dns(dns) => Box::pin(dns.ask(deadline, outcome)).await,
            Protocol::Mllp(mllp) => Box::pin(self.mllp(mllp, deadline, id, outcome)).await,
            Protocol::Journey(journey) => {
                Box::pin(self.journey(journey, deadline, (id, bearer), outcome)).await
            }
        }
    }

    fn understand(
        &self,
        target: &Target,
        received: Received<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        outcome.total = outcome.phases.sum();
        let answer = Answer {
            status: received.status,
            headers: &received.headers,
            body: &received.body,
            size: received.size,
            took: outcome.total,
            broke_off: received.broke_off,
            certificate: outcome.certificate.as_ref(),
            asked: target.form.method == hyper::Method::GET && received.status != NO_CONTENT,
        };
        let (host, moment) = (target.place.address.host(), self.moment());
        let now = moment.wall;
        self.clocks.saw(&host, &received.headers, moment.steady);
        outcome.retry_after = announced::retry_after(&received.headers, now);
        outcome.deprecation = announced::deprecation(&received.headers).map(Box::new);
        let right = self.clocks.right(&host, moment);
        let reading = answer::read(&target.form.expectations, target.form.dialect, answer, right);
        if reading.failure.is_some() || outcome.transcript.is_some() {
            outcome.transcript.get_or_insert_default().headers = transcript::headers(&received.headers);
        }
        outcome.expectations.extend(reading.expectations);
        outcome.health = reading.health.map(Box::new);
        // Where such an answer is what is expected, it is no failure at all.
        let failure = reading.failure.map(|failure| received.wants_ours.unwrap_or(failure));
        failure.map_or(Ok(()), Err)
    }
}

/// What an answer is that has no body.
const NO_CONTENT: u16 = 204;

fn ours(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { layer: Layer::Ours, kind, message: message.into() }
}

/// Another stretch of a phase.
pub(crate) fn add(phase: &mut Option<Duration>, took: Duration) {
    *phase = Some(phase.unwrap_or_default() + took);
}

async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let started = Instant::now();
    let output = future.await;
    (output, started.elapsed())
}

/// A phase before the request may take half of what is left, so that the one that hangs is named, and a late one
/// leaves time for the next.
pub(crate) fn half(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}
