//! How many probes may be in flight, in all and per host (invariant 13).

use crate::{Limits, Metrics};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The places that probes in flight take.
pub(crate) struct Permits {
    all: Semaphore,
    per_host: usize,
    /// Weak, so that a host nobody probes any more is forgotten.
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A place in all, and one at the host; given back when dropped.
pub(crate) struct Permit<'a> {
    _host: SemaphorePermit<'a>,
    _all: SemaphorePermit<'a>,
}

impl Permits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let at_most = |n: usize| n.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Semaphore::new(at_most(limits.in_flight)),
            per_host: at_most(limits.per_host),
            hosts: Mutex::default(),
        }
    }

    /// The places at one host.
    pub(crate) fn at(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = hosts.get(host).and_then(Weak::upgrade) {
            return places;
        }
        hosts.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.per_host));
        hosts.insert(host.to_owned(), Arc::downgrade(&places));
        places
    }

    /// Waits at most `patience` for a place at the host, then for one in all: who waits for a host keeps nobody else.
    pub(crate) async fn take<'a>(
        &'a self,
        host: &'a Semaphore,
        patience: Duration,
        metrics: &Metrics,
    ) -> Option<Permit<'a>> {
        if let Ok(at_host) = host.try_acquire()
            && let Ok(all) = self.all.try_acquire()
        {
            return Some(Permit { _host: at_host, _all: all });
        }
        metrics.waited();
        let both = async {
            Some(Permit { _host: host.acquire().await.ok()?, _all: self.all.acquire().await.ok()? })
        };
        tokio::time::timeout(patience, both).await.ok().flatten()
    }
}
