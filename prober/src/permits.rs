//! How many probes may be in flight, in all, per environment and per host (invariant 13); and who may not take the places of
//! others.
//!
//! A host that says nothing keeps each probe for as long as it may take. Two hundred of them would soon have all places:
//! so hosts from which nothing is heard share one half of the places, and the other half is for those that answer. An
//! environment other than production has no more than half of them either, whatever it does: there, load tests are run.

use crate::{Limits, Metrics};
use domain::{Environment, FailureKind, Outcome};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
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
    /// Half of them, for hosts that say nothing.
    wordless: Semaphore,
}

impl Budget {
    fn new(places: usize) -> Self {
        let at_least_one = |places: usize| Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS));
        Self { places: at_least_one(places), wordless: at_least_one(places / 2) }
    }

    fn take_now(&self, wordless: bool) -> Option<Places<'_>> {
        let wordless = if wordless { Some(self.wordless.try_acquire().ok()?) } else { None };
        Some(Places { _wordless: wordless, _place: self.places.try_acquire().ok()? })
    }

    async fn take(&self, wordless: bool) -> Option<Places<'_>> {
        let wordless = if wordless { Some(self.wordless.acquire().await.ok()?) } else { None };
        Some(Places { _wordless: wordless, _place: self.places.acquire().await.ok()? })
    }
}

/// A place of a budget; given back when dropped.
struct Places<'a> {
    _wordless: Option<SemaphorePermit<'a>>,
    _place: SemaphorePermit<'a>,
}

/// The places at one host, and how it does.
pub(crate) struct Host {
    places: Semaphore,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    in_flight: u32,
    /// Since when nothing was heard, while something is in flight.
    quiet_since: Option<Instant>,
    /// Probes in a row that ended without a word.
    wordless: u32,
}

/// A place in all, one of the environment, and one at the host; given back when dropped.
pub(crate) struct Permit<'a> {
    host: &'a Host,
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
        let places = Arc::new(Host { places: Semaphore::new(self.per_host), heard: Mutex::default() });
        hosts.insert(host.to_owned(), Arc::downgrade(&places));
        places
    }

    /// Waits at most `patience` for a place at the host, then for one of the environment and one in all: who waits for a
    /// host keeps nobody else, nor does an environment another.
    pub(crate) async fn take<'a>(
        &'a self,
        host: &'a Host,
        environment: Environment,
        patience: Duration,
        metrics: &Metrics,
    ) -> Option<Permit<'a>> {
        let wordless = host.is_wordless();
        let environment = Environment::ALL.iter().position(|known| *known == environment);
        let environment = environment.and_then(|index| self.environments.get(index))?;
        if let Some(permit) = self.take_now(host, environment, wordless) {
            return Some(permit);
        }
        metrics.waited();
        let all = async {
            let place = host.places.acquire().await.ok()?;
            let environment = environment.take(wordless).await?;
            Some(host.begins(place, environment, self.all.take(wordless).await?))
        };
        tokio::time::timeout(patience, all).await.ok().flatten()
    }

    fn take_now<'a>(&'a self, host: &'a Host, environment: &'a Budget, wordless: bool) -> Option<Permit<'a>> {
        let place = host.places.try_acquire().ok()?;
        let environment = environment.take_now(wordless)?;
        Some(host.begins(place, environment, self.all.take_now(wordless)?))
    }
}

impl Host {
    fn is_wordless(&self) -> bool {
        let heard = locked(&self.heard);
        heard.wordless >= WORDLESS || heard.quiet_since.is_some_and(|since| since.elapsed() > QUIET)
    }

    fn begins<'a>(
        &'a self,
        place: SemaphorePermit<'a>,
        environment: Places<'a>,
        all: Places<'a>,
    ) -> Permit<'a> {
        let mut heard = locked(&self.heard);
        heard.in_flight += 1;
        heard.quiet_since.get_or_insert_with(Instant::now);
        Permit { host: self, _place: place, _environment: environment, _all: all }
    }
}

impl Permit<'_> {
    /// What came of the probe says whether the host speaks.
    pub(crate) fn saw(&self, outcome: &Outcome) {
        let mut heard = locked(&self.host.heard);
        if is_wordless(outcome) {
            heard.wordless = heard.wordless.saturating_add(1);
        } else {
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
