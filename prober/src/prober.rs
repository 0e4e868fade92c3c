//! One probe, from permit to Outcome.

mod authorised;
mod reach;

use crate::{
    Error, Limits, Metrics, Settings,
    answer::{self, Answer},
    complaints::Complaints,
    connect,
    credential::{Bearer, Credentials},
    exchange::{self, Received, Terms},
    lookout::Lookout,
    memory::Memory,
    permits::Permits,
    prepared::{Address, Prepared, Target},
    request::request,
    request_id::RequestIds,
    resolve::Resolve,
    tls::{Tls, Witness},
    unbroken::unbroken,
};
use domain::{Check, Clock, Failure, FailureKind, Http, Layer, Outcome, VantageId};
use hyper::{Version, header::HeaderValue};
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::client::TlsStream;

pub use reach::Reach;

/// Exercises the APIs from one vantage and says what it saw.
pub struct Prober {
    vantage: VantageId,
    clock: Clock,
    limits: Limits,
    user_agent: HeaderValue,
    request_ids: RequestIds,
    resolve: Resolve,
    lookout: Lookout,
    tls: Tls,
    permits: Arc<Permits>,
    memory: Arc<Memory>,
    credentials: Arc<Credentials>,
    complaints: Arc<Complaints>,
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
        Ok(Self {
            tls,
            user_agent: HeaderValue::try_from(&user_agent).map_err(|_| Error::UserAgent(user_agent))?,
            request_ids: RequestIds::new(&settings.identity.request_id_key),
            resolve: Resolve::new(&settings.name_servers),
            lookout: Lookout::new(settings.guards),
            permits: Arc::new(Permits::new(&settings.limits)),
            memory: Arc::new(Memory::new(settings.limits.bodies)),
            vantage: settings.vantage,
            clock: settings.clock,
            limits: settings.limits,
            credentials: Arc::default(),
            complaints: Arc::default(),
            metrics: Arc::default(),
        })
    }

    /// The one that takes its place when the settings change: it goes on counting, and what is in flight by the old one
    /// holds its places. The limits stay as they were.
    pub fn again(&self, settings: Settings) -> Result<Self, Error> {
        let limits = self.limits.clone();
        let fresh = Self::new(Settings { limits, ..settings })?;
        Ok(Self {
            permits: Arc::clone(&self.permits),
            memory: Arc::clone(&self.memory),
            credentials: Arc::clone(&self.credentials),
            complaints: Arc::clone(&self.complaints),
            metrics: Arc::clone(&self.metrics),
            ..fresh
        })
    }

    /// Whether a check that `before` made ready is so for this one too.
    pub(crate) fn prepares_like(&self, before: &Self) -> bool {
        self.user_agent == before.user_agent && self.vantage == before.vantage
    }

    /// Where its probes are sent from.
    pub fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    /// What it counts about itself.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Looks at the guards of its own network now and then, for ever.
    pub(crate) async fn look_out(self: Arc<Self>) {
        self.lookout.watch(&self.resolve, &self.tls).await;
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a check ready: worth it when it is probed more than once.
    pub fn prepare(&self, check: Arc<Check>) -> Prepared {
        Prepared::new(check, &self.vantage, &self.user_agent, &self.permits, &self.credentials)
    }

    /// One probe of a check, scheduled for `at` (which makes its request id). Whatever happens is an Outcome.
    pub async fn probe(&self, check: &Check, at: Timestamp, confirm: bool) -> Outcome {
        self.probe_prepared(&self.prepare(Arc::new(check.clone())), at, confirm).await
    }

    /// As [`Prober::probe`], of a check that was made ready before.
    pub async fn probe_prepared(&self, prepared: &Prepared, at: Timestamp, confirm: bool) -> Outcome {
        let _flying = self.metrics.flying();
        let began = Instant::now();
        let whole = async {
            let mut outcome = self.authorised(prepared, at, confirm).await;
            if outcome.failure.is_some() {
                Box::pin(self.lookout.judge(&mut outcome, began, (&self.resolve, &self.tls))).await;
            }
            outcome
        };
        if let Some(outcome) = unbroken(whole).await {
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
        Outcome {
            confirm,
            question: Some(prepared.question),
            ..Outcome::new(prepared.check.id.clone(), self.vantage.clone(), at)
        }
    }

    /// Waits for a permit as long as the probe itself may take; only then does the probe's own time begin.
    async fn permitted(
        &self,
        prepared: &Prepared,
        at: Timestamp,
        confirm: bool,
        bearer: Option<&Bearer>,
    ) -> Outcome {
        let patience = prepared.check.timeout;
        let target = match &prepared.target {
            Ok(target) => target,
            Err(problem) => {
                let mut outcome = self.nothing_yet(prepared, self.clock.now(), confirm);
                let message = format!("this check cannot be sent: {problem}");
                outcome.failure = Some(ours(FailureKind::ProbeBroke, message));
                return outcome;
            }
        };
        let permit = self.permits.take(&target.places, patience, &self.metrics).await;
        let mut outcome = self.nothing_yet(prepared, self.clock.now(), confirm);
        let Some(permit) = permit else {
            let message = format!(
                "too many probes in flight for {patience:.1?}; raise the limits, or probe less often"
            );
            outcome.failure = Some(ours(FailureKind::NoPermit, message));
            return outcome;
        };
        let started = Instant::now();
        let id = self.request_ids.of(&prepared.track_word, at).to_string();
        outcome.failure = self.exercise(target, started + patience, (&id, bearer), &mut outcome).await.err();
        outcome.request_id = Some(id);
        outcome.total = started.elapsed();
        permit.saw(&outcome);
        outcome
    }

    /// The phases in their order; each writes down how long it took, also when it was the last.
    async fn exercise(
        &self,
        target: &Target,
        deadline: Instant,
        (id, bearer): (&str, Option<&Bearer>),
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let addresses = self.addresses(target, deadline, outcome).await?;
        let (connected, took) =
            timed(connect::connect(addresses.as_slice(), target.port, half(deadline))).await;
        outcome.phases.connect = Some(took);
        let (stream, remote_ip) = connected?;
        self.lookout.connected(remote_ip, &outcome.check);
        let keeps_body = |status| target.keeps_body(status);
        let mut terms = Terms {
            limits: &self.limits,
            memory: &self.memory,
            deadline,
            keeps_body: &keeps_body,
            witness: None,
        };
        let received = if let Some(name) = &target.server_name {
            let (stream, witness) =
                self.secured(target, name.clone(), stream, half(deadline), outcome).await?;
            terms.witness = Some(witness);
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                let request = request(target, id, bearer, Version::HTTP_2);
                Box::pin(exchange::http2(stream, request, &terms, &mut outcome.phases)).await?
            } else {
                let request = request(target, id, bearer, Version::HTTP_11);
                Box::pin(exchange::http1(stream, request, &terms, &mut outcome.phases)).await?
            }
        } else {
            let request = request(target, id, bearer, Version::HTTP_11);
            exchange::http1(stream, request, &terms, &mut outcome.phases).await?
        };
        outcome.http = Some(Http {
            status: received.status,
            version: version_word(received.version),
            remote_ip: Some(remote_ip),
            bytes: received.bytes,
        });
        #[cfg(debug_assertions)]
        crate::break_point::pass(&outcome.check);
        self.understand(target, received, outcome)
    }

    async fn addresses(
        &self,
        target: &Target,
        deadline: Instant,
        outcome: &mut Outcome,
    ) -> Result<Vec<IpAddr>, Failure> {
        match &target.address {
            Address::Ip(ip) => Ok(vec![*ip]),
            Address::Name(name) => {
                let (found, took) =
                    timed(Box::pin(self.resolve.addresses(name, half(deadline), deadline))).await;
                outcome.phases.dns = Some(took);
                found
            }
        }
    }

    async fn secured(
        &self,
        target: &Target,
        name: ServerName<'static>,
        stream: TcpStream,
        limit: Instant,
        outcome: &mut Outcome,
    ) -> Result<(Box<TlsStream<TcpStream>>, Arc<Witness>), Failure> {
        let Some(witness) = self.tls.witness_with(target.certificate.as_deref()) else {
            let message =
                "this host trusts no certificate at all; install ca-certificates, or set egress.roots";
            return Err(ours(FailureKind::ProbeBroke, message));
        };
        let handshake = Box::pin(self.tls.handshake(witness.clone(), name, stream));
        let (shaken, took) = timed(timeout_at(limit, handshake)).await;
        outcome.phases.tls = Some(took);
        outcome.certificate = witness.certificate();
        match shaken {
            Ok(Ok(stream)) => Ok((stream, witness)),
            Ok(Err(error)) => Err(crate::tls::failure(&error, &witness)),
            Err(_) => Err(Failure {
                layer: Layer::Tls,
                kind: FailureKind::TlsTimeout,
                message: format!("connected, but no TLS handshake within {took:.1?}"),
            }),
        }
    }

    fn understand(
        &self,
        target: &Target,
        received: Received<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let answer = Answer {
            status: received.status,
            headers: &received.headers,
            body: &received.body,
            broke_off: received.broke_off,
            certificate: outcome.certificate.as_ref(),
        };
        let reading = answer::read(&target.expectations, target.health, answer, self.clock.now());
        outcome.expectations = reading.expectations;
        outcome.health = reading.health;
        reading.failure.map_or(Ok(()), Err)
    }
}

fn version_word(version: Version) -> String {
    if version == Version::HTTP_2 { "HTTP/2".to_owned() } else { format!("{version:?}") }
}

fn ours(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { layer: Layer::Ours, kind, message: message.into() }
}

async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let started = Instant::now();
    let output = future.await;
    (output, started.elapsed())
}

/// A phase before the request may take half of what is left, so that the one that hangs is named, and a late one
/// leaves time for the next.
fn half(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}
