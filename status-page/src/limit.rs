//! Token buckets: so many requests at once, refilled steadily; per address, and in all.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};

/// Addresses that are remembered; a full bucket needs no memory.
const MAX_ADDRESSES: usize = 4096;
const READS: usize = 2;
const PER_ADDRESS: Rate = Rate { burst: 20.0, refill: Duration::from_secs(1) };
const IN_ALL: Rate = Rate { burst: 100.0, refill: Duration::from_millis(50) };

/// How many at once, and how long until one more.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: f64,
    refill: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn level(&self, rate: Rate, now: Instant) -> f64 {
        let refilled = now.duration_since(self.at).as_secs_f64() / rate.refill.as_secs_f64();
        (self.tokens + refilled).min(rate.burst)
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let level = self.level(rate, now);
        let enough = level >= 1.0;
        self.tokens = if enough { level - 1.0 } else { level };
        self.at = now;
        enough
    }
}

/// The limits of what strangers may ask of us.
#[derive(Debug)]
pub(crate) struct Limits {
    state: Mutex<Option<State>>,
    /// Ranged reads at a time: a part of the store's readers.
    pub(crate) reads: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self { state: Mutex::default(), reads: Semaphore::new(READS) }
    }
}

#[derive(Debug)]
struct State {
    all: Bucket,
    addresses: HashMap<IpAddr, Bucket>,
}

impl Limits {
    /// Whether one more request from `address` is let in at `now`. Without an address only the limit in all holds.
    pub(crate) fn admit(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |rate: Rate| Bucket { tokens: rate.burst, at: now };
        let state = state.get_or_insert_with(|| State { all: full(IN_ALL), addresses: HashMap::new() });
        if let Some(address) = address {
            if state.addresses.len() >= MAX_ADDRESSES {
                state.addresses.retain(|_, bucket| bucket.level(PER_ADDRESS, now) < PER_ADDRESS.burst);
            }
            // Still full of addresses that ask: strangers wait until some have had their rest.
            if state.addresses.len() >= MAX_ADDRESSES && !state.addresses.contains_key(&address) {
                return false;
            }
            if !state.addresses.entry(address).or_insert_with(|| full(PER_ADDRESS)).take(PER_ADDRESS, now) {
                return false;
            }
        }
        state.all.take(IN_ALL, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_limited_and_rests() {
        let (limits, now) = (Limits::default(), Instant::now());
        let address = Some("192.0.2.1".parse().unwrap());
        let admitted = (0..50).filter(|_| limits.admit(address, now)).count();
        assert_eq!(admitted, 20);
        assert!(limits.admit(Some("192.0.2.2".parse().unwrap()), now));
        assert!(limits.admit(address, now + Duration::from_secs(1)));
        assert!(!limits.admit(address, now + Duration::from_secs(1)));
    }

    #[test]
    fn all_together_are_limited_too() {
        let (limits, now) = (Limits::default(), Instant::now());
        let admitted = (0..250_u8).filter(|n| limits.admit(Some(IpAddr::from([192, 0, 2, *n])), now)).count();
        assert_eq!(admitted, 100);
    }
}
