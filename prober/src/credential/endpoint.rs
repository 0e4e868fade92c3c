//! The hosts that tokens are had from: how many are asked at the same time, and who is silent.
//!
//! A host that says nothing keeps each place for as long as it may take. So each host has few of all places; those that say
//! nothing, or have not yet, share one half of them beyond their first; and what one client has waited for in vain, the
//! others of the same endpoint are told.

use super::fetch::Refused;
use domain::Failure;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

/// Tokens that are fetched at the same time; each holds a file descriptor.
const AT_ONCE: usize = 32;

/// Of these, at one host.
const AT_A_HOST: usize = 4;

/// Of these, at hosts that say nothing.
const AT_SILENT_ONES: usize = AT_ONCE / 2;

/// All hosts that tokens are had from.
pub(crate) struct Endpoints {
    all: Semaphore,
    silent: Semaphore,
    /// Weak, so that one that nobody needs any more is forgotten.
    hosts: Mutex<HashMap<String, Weak<Host>>>,
}

impl Default for Endpoints {
    fn default() -> Self {
        let (all, silent) = (Semaphore::new(AT_ONCE), Semaphore::new(AT_SILENT_ONES));
        Self { all, silent, hosts: Mutex::default() }
    }
}

/// One of them, and how it does.
pub(crate) struct Host {
    places: Semaphore,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    asked: u32,
    /// Whether it answered whoever asked last.
    speaks: bool,
    /// By URL: that somebody waited in vain.
    in_vain: HashMap<String, InVain>,
}

/// Why somebody waited in vain.
struct InVain {
    failure: Failure,
    seen: Instant,
    /// Until then nobody else need.
    until: Instant,
}

/// The right to ask; given back when dropped.
pub(crate) struct Place<'a> {
    _asks: Asks<'a>,
    _silent: Option<SemaphorePermit<'a>>,
    _at_host: SemaphorePermit<'a>,
    _of_all: SemaphorePermit<'a>,
}

impl Endpoints {
    /// The host of this token endpoint.
    pub(super) fn at(&self, url: &str) -> Arc<Host> {
        let place = reqwest::Url::parse(url).map_or_else(
            |_| url.to_owned(),
            |url| {
                format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
            },
        );
        let mut hosts = locked(&self.hosts);
        if let Some(host) = hosts.get(&place).and_then(Weak::upgrade) {
            return host;
        }
        hosts.retain(|_, host| host.strong_count() > 0);
        let host = Arc::new(Host { places: Semaphore::new(AT_A_HOST), heard: Mutex::default() });
        hosts.insert(place, Arc::downgrade(&host));
        host
    }

    /// Waits for a place at the host, then for one of all: who waits for a host keeps nobody else.
    pub(super) async fn place<'a>(&'a self, host: &'a Host) -> Option<Place<'a>> {
        let at_host = host.places.acquire().await.ok()?;
        let silent = if host.is_silent() { Some(self.silent.acquire().await.ok()?) } else { None };
        let asks = Asks::begin(host);
        let of_all = self.all.acquire().await.ok()?;
        Some(Place { _asks: asks, _silent: silent, _at_host: at_host, _of_all: of_all })
    }
}

/// One who asks, or waits to.
struct Asks<'a>(&'a Host);

impl<'a> Asks<'a> {
    fn begin(host: &'a Host) -> Self {
        locked(&host.heard).asked += 1;
        Self(host)
    }
}

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        let mut heard = locked(&self.0.heard);
        heard.asked = heard.asked.saturating_sub(1);
    }
}

impl Host {
    /// The first to ask one of whom nothing is known is trusted.
    fn is_silent(&self) -> bool {
        let heard = locked(&self.heard);
        !heard.speaks && (heard.asked > 0 || !heard.in_vain.is_empty())
    }

    /// Why nobody need ask there now: another has just waited in vain.
    pub(super) fn in_vain(&self, url: &str) -> Option<Refused> {
        let heard = locked(&self.heard);
        let InVain { failure, seen, until } = heard.in_vain.get(url)?;
        let pause = until.saturating_duration_since(Instant::now());
        (!pause.is_zero()).then(|| Refused { failure: failure.clone(), pause, seen: *seen })
    }

    /// It answered, whatever it said.
    pub(super) fn spoke(&self, url: &str) {
        let mut heard = locked(&self.heard);
        heard.speaks = true;
        heard.in_vain.remove(url);
    }

    /// It said nothing to the end of the time: so it need not be asked again by others for a while.
    pub(super) fn kept_silent(&self, url: &str, failure: &Failure, (seen, pause): (Instant, Duration)) {
        let mut heard = locked(&self.heard);
        heard.speaks = false;
        heard.in_vain.retain(|_, known| known.until > seen);
        let known = InVain { failure: failure.clone(), seen, until: seen + pause };
        heard.in_vain.insert(url.to_owned(), known);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
