//! How many probes may be in flight, in all, per environment and per host (invariant 13); and who may not take the places of
//! others.
//!
//! A host that says nothing keeps each probe for as long as it may take. Two hundred of them would soon have all places:
//! so hosts from which nothing is heard share one half of the places, and the others are for those that answer. At a start
//! nobody knows which they are: the first probe of a host goes ahead of its others, for a second at most, and those that go
//! ahead have no more than three quarters of the places, together with those of hosts that say nothing. So silent hosts do not
//! take all of them at a start; and who comes later than they finds a quarter to show that it answers. An environment other
//! than production has no more than half of all places either, whatever it does: there, load tests are run.

use crate::{Limits, Metrics};
use domain::{Environment, FailureKind, Outcome};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit, TryAcquireError},
    time::Instant,
};

/// Nothing heard for so long from a host that was asked something: it may say nothing at all.
const QUIET: Duration = Duration::from_secs(1);

/// So many probes in a row without a word: nothing is expected of the host any more.
const WORDLESS: u32 = 2;

/// The places that probes in flight take.
pub(crate) struct Permits {
    all: Budget,
    /// By their order in [`Environment::ALL`].
    environments: [Budget; Environment::ALL.len()],
    per_host: usize,
    /// Weak, so that a host nobody probes any more is forgotten.
    hosts: Mutex<HashMap<String, Weak<Host>>>,
}

/// Places, in all or of one environment.
struct Budget {
    places: Semaphore,
    /// Three quarters of them, for hosts that have not said anything yet or say nothing any more.
    unheard: Semaphore,
    /// Half of them, of those three quarters, for hosts that say nothing.
    wordless: Semaphore,
}

/// Whose places those are that a probe takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// Of a host that answers.
    Heard,
    /// The first of a host.
    First,
    Wordless,
}

impl Budget {
    fn new(places: usize) -> Self {
        let at_least_one = |places: usize| Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            places: at_least_one(places),
            unheard: at_least_one(places - places / 4),
            wordless: at_least_one(places / 2),
        }
    }

    /// In the order in which they are taken; everybody keeps to it.
    fn of(&self, share: Share) -> [Option<&Semaphore>; 3] {
        let wordless = (share == Share::Wordless).then_some(&self.wordless);
        let unheard = (share != Share::Heard).then_some(&self.unheard);
        [wordless, unheard, Some(&self.places)]
    }

    fn take_now(&self, share: Share) -> Option<Places<'_>> {
        let mut taken = Places::default();
        for (from, place) in self.of(share).into_iter().zip(&mut taken.0) {
            if let Some(from) = from {
                *place = Some(from.try_acquire().ok()?);
            }
        }
        Some(taken)
    }

    async fn take(&self, share: Share) -> Option<Places<'_>> {
        let mut taken = Places::default();
        for (from, place) in self.of(share).into_iter().zip(&mut taken.0) {
            if let Some(from) = from {
                *place = Some(from.acquire().await.ok()?);
            }
        }
        Some(taken)
    }
}

/// A place of a budget, and of its parts; given back when dropped.
#[derive(Default)]
struct Places<'a>([Option<SemaphorePermit<'a>>; 3]);

/// The places at one host, and how it does.
pub(crate) struct Host {
    places: Semaphore,
    /// To go ahead of its other probes; closed once something came of one that did.
    first: Semaphore,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    /// A probe has ended with a word.
    spoke: bool,
    in_flight: u32,
    /// Since when nothing was heard, while something is in flight.
    quiet_since: Option<Instant>,
    /// Probes in a row that ended without a word.
    wordless: u32,
}

/// A place in all, one of the environment, and one at the host; given back when dropped.
pub(crate) struct Permit<'a> {
    host: &'a Host,
    _first: Option<SemaphorePermit<'a>>,
    _place: SemaphorePermit<'a>,
    _environment: Places<'a>,
    _all: Places<'a>,
}

impl Permits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let all = limits.in_flight;
        let share = |environment| if environment == Environment::Production { all } else { all.div_ceil(2) };
        Self {
            all: Budget::new(all),
            environments: Environment::ALL.map(|environment| Budget::new(share(environment))),
            per_host: limits.per_host.clamp(1, Semaphore::MAX_PERMITS),
            hosts: Mutex::default(),
        }
    }

    /// The places at one host.
    pub(crate) fn at(&self, host: &str) -> Arc<Host> {
        let mut hosts = locked(&self.hosts);
        if let Some(places) = hosts.get(host).and_then(Weak::upgrade) {
            return places;
        }
        hosts.retain(|_, places| places.strong_count() > 0);
        let places = Semaphore::new(self.per_host);
        let places = Arc::new(Host { places, first: Semaphore::new(1), heard: Mutex::default() });
        hosts.insert(host.to_owned(), Arc::downgrade(&places));
        places
    }

    /// Waits at most `patience` for a place at the host, then for one of the environment and one in all: who waits for a
    /// host keeps nobody else, nor does an environment another. Where nothing came of any probe of the host yet, the first goes
    /// ahead. Says also how long it waited because others had all places: that is our own lag, unless the host may be silent.
    pub(crate) async fn take<'a>(
        &'a self,
        host: &'a Host,
        environment: Environment,
        patience: Duration,
        metrics: &Metrics,
    ) -> (Option<Permit<'a>>, Duration) {
        let environment = Environment::ALL.iter().position(|known| *known == environment);
        let environment = environment.and_then(|index| self.environments.get(index));
        let Some(environment) = environment else { return (None, Duration::ZERO) };
        let (mut first, waits) = match host.first.try_acquire() {
            Ok(first) => (Some(first), false),
            Err(TryAcquireError::Closed) => (None, false),
            Err(TryAcquireError::NoPermits) => (None, true),
        };
        if !waits && let Some(permit) = self.take_now(host, &mut first, environment) {
            return (Some(permit), Duration::ZERO);
        }
        let (mut since, mut counted) = (None, false);
        let all = async {
            if waits {
                // Not for longer: one slow answer must not cost the other checks of a host their turn.
                let ahead = tokio::time::timeout(QUIET, host.first.acquire()).await;
                first = ahead.ok().and_then(Result::ok);
                if let Some(permit) = self.take_now(host, &mut first, environment) {
                    return Some(permit);
                }
            }
            metrics.waited();
            counted = true;
            let place = host.places.acquire().await.ok()?;
            let share = host.share(first.is_some());
            since = Some(Instant::now()).filter(|_| share == Share::Heard);
            let environment = environment.take(share).await?;
            Some(host.begins((first, place), environment, self.all.take(share).await?))
        };
        let permit = tokio::time::timeout(patience, all).await.ok().flatten();
        // To wait for who goes ahead is no want of places, unless it was in vain.
        if permit.is_none() && !counted {
            metrics.waited();
        }
        (permit, since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    fn take_now<'a>(
        &'a self,
        host: &'a Host,
        first: &mut Option<SemaphorePermit<'a>>,
        environment: &'a Budget,
    ) -> Option<Permit<'a>> {
        let place = host.places.try_acquire().ok()?;
        let share = host.share(first.is_some());
        let environment = environment.take_now(share)?;
        let all = self.all.take_now(share)?;
        Some(host.begins((first.take(), place), environment, all))
    }
}

impl Host {
    /// Whose places its next probe takes.
    fn share(&self, goes_ahead: bool) -> Share {
        if goes_ahead {
            return Share::First;
        }
        let heard = locked(&self.heard);
        let wordless = !heard.spoke
            || heard.wordless >= WORDLESS
            || heard.quiet_since.is_some_and(|since| since.elapsed() > QUIET);
        if wordless { Share::Wordless } else { Share::Heard }
    }

    fn begins<'a>(
        &'a self,
        (first, place): (Option<SemaphorePermit<'a>>, SemaphorePermit<'a>),
        environment: Places<'a>,
        all: Places<'a>,
    ) -> Permit<'a> {
        let mut heard = locked(&self.heard);
        heard.in_flight += 1;
        heard.quiet_since.get_or_insert_with(Instant::now);
        Permit { host: self, _first: first, _place: place, _environment: environment, _all: all }
    }
}

impl Permit<'_> {
    /// What came of the probe says whether the host speaks.
    pub(crate) fn saw(&self, outcome: &Outcome) {
        let mut heard = locked(&self.host.heard);
        // Those that wait behind it go on.
        self.host.first.close();
        if is_wordless(outcome) {
            heard.wordless = heard.wordless.saturating_add(1);
        } else {
            heard.spoke = true;
            heard.wordless = 0;
            heard.quiet_since = Some(Instant::now());
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut heard = locked(&self.host.heard);
        heard.in_flight = heard.in_flight.saturating_sub(1);
        if heard.in_flight == 0 {
            heard.quiet_since = None;
        }
    }
}

/// Whether it kept its place to the end of its time, or of what a name may take of it.
fn is_wordless(outcome: &Outcome) -> bool {
    outcome.failure.as_ref().is_some_and(|failure| {
        matches!(
            failure.kind,
            FailureKind::NameFailed
                | FailureKind::ConnectTimeout
                | FailureKind::TlsTimeout
                | FailureKind::FirstByteTimeout
                | FailureKind::BodyTimeout
        )
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ApiId, CheckId, Failure, InstanceId, Layer, OperationId, VantageId};

    /// Patient enough for a busy machine, and less than a host that is silent is waited for.
    const SOON: Duration = Duration::from_millis(300);
    const PATIENT: Duration = Duration::from_secs(60);

    struct Crowd {
        permits: Permits,
        metrics: Metrics,
    }

    impl Crowd {
        fn of(in_flight: usize) -> Self {
            let limits = Limits { in_flight, ..Limits::default() };
            Self { permits: Permits::new(&limits), metrics: Metrics::default() }
        }

        async fn take<'a>(&'a self, host: &'a Host, patience: Duration) -> Option<Permit<'a>> {
            self.permits.take(host, Environment::Production, patience, &self.metrics).await.0
        }
    }

    fn outcome(kind: Option<FailureKind>) -> Outcome {
        let instance =
            InstanceId { api: ApiId::parse("results").unwrap(), environment: Environment::Production };
        let check = CheckId { instance, operation: OperationId::parse("ping").unwrap() };
        let failure = |kind| Failure { layer: Layer::Backend, kind, message: String::new() };
        let vantage = VantageId::parse("internet").unwrap();
        Outcome { failure: kind.map(failure), ..Outcome::new(check, vantage, jiff::Timestamp::UNIX_EPOCH) }
    }

    #[tokio::test]
    async fn silent_hosts_take_three_quarters_of_the_places_at_a_start_and_then_half() {
        let crowd = Crowd::of(16);
        let silent: Vec<Arc<Host>> = (0..16).map(|n| crowd.permits.at(&format!("silent-{n}"))).collect();
        let (well, late) = (crowd.permits.at("well"), crowd.permits.at("late"));
        let answered = crowd.take(&well, SOON).await.unwrap();
        answered.saw(&outcome(None));
        drop(answered);
        let mut held = Vec::new();
        for host in &silent {
            held.extend(crowd.take(host, Duration::ZERO).await);
        }
        assert_eq!(held.len(), 12);
        for _ in 0..4 {
            held.push(crowd.take(&well, Duration::ZERO).await.expect("the others are for those that answer"));
        }
        assert!(crowd.take(&well, Duration::ZERO).await.is_none(), "that is all");
        drop(held);
        let mut held = Vec::new();
        for host in &silent {
            let permit = crowd.take(host, SOON).await.unwrap();
            permit.saw(&outcome(Some(FailureKind::FirstByteTimeout)));
            drop(permit);
            // Once is enough for one that has never said anything.
            held.extend(crowd.take(host, Duration::ZERO).await);
        }
        assert_eq!(held.len(), 8);
        // Who comes now is not taken for one of them.
        let first = crowd.take(&late, Duration::ZERO).await.unwrap();
        first.saw(&outcome(None));
        for _ in 0..7 {
            held.push(crowd.take(&late, Duration::ZERO).await.expect("it has spoken"));
        }
    }

    #[tokio::test]
    async fn the_first_probe_of_a_host_goes_ahead_until_something_comes_of_it() {
        let crowd = Crowd::of(16);
        let host = crowd.permits.at("host");
        let first = crowd.take(&host, SOON).await.unwrap();
        assert!(crowd.take(&host, SOON).await.is_none(), "it goes alone");
        let began = Instant::now();
        let (others, ()) = tokio::join!(
            async { tokio::join!(crowd.take(&host, PATIENT), crowd.take(&host, PATIENT)) },
            async {
                tokio::task::yield_now().await;
                first.saw(&outcome(None));
            }
        );
        assert!(others.0.is_some() && others.1.is_some() && began.elapsed() < QUIET, "{:?}", began.elapsed());
        // Of one that broke, nothing came.
        let host = crowd.permits.at("another");
        drop(crowd.take(&host, SOON).await.unwrap());
        let first = crowd.take(&host, SOON).await.unwrap();
        assert!(crowd.take(&host, SOON).await.is_none());
        drop(first);
    }

    #[tokio::test]
    async fn a_slow_first_answer_keeps_the_others_for_no_longer_than_a_second() {
        let crowd = Crowd::of(16);
        let host = crowd.permits.at("host");
        let _first = crowd.take(&host, SOON).await.unwrap();
        let began = Instant::now();
        let _second = crowd.take(&host, PATIENT).await.unwrap();
        assert!(began.elapsed() >= QUIET, "{:?}", began.elapsed());
    }
}
