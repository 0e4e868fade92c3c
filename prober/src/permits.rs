//! How many probes may be in flight, in all and per host (invariant 13); and who may not take the places of others.
//!
//! A host that says nothing keeps each probe for as long as it may take. Two hundred of them would soon have all places:
//! so hosts from which nothing is heard share one half of the places, and the other half is for those that answer.

use crate::{Limits, Metrics};
use domain::{FailureKind, Outcome};
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
    all: Semaphore,
    /// Half of all, for hosts that say nothing.
    wordless: Semaphore,
    per_host: usize,
    /// Weak, so that a host nobody probes any more is forgotten.
    hosts: Mutex<HashMap<String, Weak<Host>>>,
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

/// A place in all, and one at the host; given back when dropped.
pub(crate) struct Permit<'a> {
    host: &'a Host,
    _place: SemaphorePermit<'a>,
    _wordless: Option<SemaphorePermit<'a>>,
    _all: SemaphorePermit<'a>,
}

impl Permits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let at_most = |n: usize| n.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Semaphore::new(at_most(limits.in_flight)),
            wordless: Semaphore::new(at_most(limits.in_flight / 2)),
            per_host: at_most(limits.per_host),
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

    /// Waits at most `patience` for a place at the host, then for one in all: who waits for a host keeps nobody else.
    pub(crate) async fn take<'a>(
        &'a self,
        host: &'a Host,
        patience: Duration,
        metrics: &Metrics,
    ) -> Option<Permit<'a>> {
        let wordless = host.is_wordless();
        if let Some(permit) = self.take_now(host, wordless) {
            return Some(permit);
        }
        metrics.waited();
        let all = async {
            let place = host.places.acquire().await.ok()?;
            let wordless = if wordless { Some(self.wordless.acquire().await.ok()?) } else { None };
            Some(host.begins(place, wordless, self.all.acquire().await.ok()?))
        };
        tokio::time::timeout(patience, all).await.ok().flatten()
    }

    fn take_now<'a>(&'a self, host: &'a Host, wordless: bool) -> Option<Permit<'a>> {
        let place = host.places.try_acquire().ok()?;
        let wordless = if wordless { Some(self.wordless.try_acquire().ok()?) } else { None };
        Some(host.begins(place, wordless, self.all.try_acquire().ok()?))
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
        wordless: Option<SemaphorePermit<'a>>,
        all: SemaphorePermit<'a>,
    ) -> Permit<'a> {
        let mut heard = locked(&self.heard);
        heard.in_flight += 1;
        heard.quiet_since.get_or_insert_with(Instant::now);
        Permit { host: self, _place: place, _wordless: wordless, _all: all }
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

/// Whether it kept its place to the end of its time.
fn is_wordless(outcome: &Outcome) -> bool {
    outcome.failure.as_ref().is_some_and(|failure| {
        matches!(
            failure.kind,
            FailureKind::ConnectTimeout
                | FailureKind::TlsTimeout
                | FailureKind::FirstByteTimeout
                | FailureKind::BodyTimeout
        )
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
