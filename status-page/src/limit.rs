//! Token buckets: so many requests at once, refilled steadily. Guesses are limited per address and in all; a callout that
//! exists has a bucket of its own, so that no crowd of guessers keeps a called person from answering. A guess that hits is
//! therefore let in however many went before: references are long enough for that (60 bits).

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};

/// Addresses that are remembered; a full bucket needs no memory.
const MAX_ADDRESSES: usize = 4096;
const READS: usize = 2;
/// Wall views that are told of news at a time.
const WALLS: usize = 64;
const PER_ADDRESS: Rate = Rate { burst: 20.0, refill: Duration::from_secs(1) };
const IN_ALL: Rate = Rate { burst: 100.0, refill: Duration::from_millis(50) };
/// A person who presses again and again, on two telephones, and a scanner of links in between.
const PER_CALLOUT: Rate = Rate { burst: 30.0, refill: Duration::from_millis(500) };
/// Requests for e-mails, of an address: many may share one behind a proxy, and one alone asks for fewer in 48 hours than may
/// be unconfirmed in all ([`store::UNCONFIRMED`])…
const SUBSCRIPTIONS_PER_ADDRESS: Rate = Rate { burst: 10.0, refill: Duration::from_secs(120) };
/// …and in all.
const SUBSCRIPTIONS: Rate = Rate { burst: 30.0, refill: Duration::from_secs(2) };
/// E-mails about what works again to one mailbox, which nobody confirmed: nine in 48 hours at most.
const BACK: Rate = Rate { burst: 5.0, refill: Duration::from_secs(12 * 3600) };
/// Mailboxes of which that is remembered; a full bucket needs no memory.
const MAX_MAILBOXES: usize = 4096;
/// Asked by e-mail whether it was them, and said "no": so often, before they are asked no more for a while.
const REFUSALS: Rate = Rate { burst: 3.0, refill: Duration::from_secs(20 * 60) };
/// Mailboxes that said so and are remembered; a full bucket needs no memory.
const MAX_REFUSERS: usize = 1024;
/// Callouts that are remembered; a full bucket needs no memory.
const MAX_CALLOUTS: usize = 1024;

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
    guesses: Mutex<Crowd>,
    callouts: Mutex<HashMap<String, Bucket>>,
    subscriptions: Mutex<Crowd>,
    /// By a hash of the mailbox, which is forgotten.
    back: Mutex<HashMap<u64, Bucket>>,
    /// Likewise.
    refusers: Mutex<HashMap<u64, Bucket>>,
    seed: RandomState,
    /// Who writes a subscription, one at a time: the store's writer is for what was measured and who is called.
    pub(crate) subscribing: Semaphore,
    /// Ranged reads at a time: a part of the store's readers.
    pub(crate) reads: Semaphore,
    /// Wall views that wait for news.
    pub(crate) walls: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guesses: Mutex::default(),
            callouts: Mutex::default(),
            subscriptions: Mutex::default(),
            back: Mutex::default(),
            refusers: Mutex::default(),
            seed: RandomState::new(),
            subscribing: Semaphore::new(1),
            reads: Semaphore::new(READS),
            walls: Semaphore::new(WALLS),
        }
    }
}

/// All who ask for something, and each.
#[derive(Debug, Default)]
struct Crowd {
    all: Option<Bucket>,
    addresses: HashMap<IpAddr, Bucket>,
}

impl Crowd {
    /// Whether one more request from `address` is let in. Without an address only the limit in all holds.
    fn admit(&mut self, (one, all): (Rate, Rate), address: Option<IpAddr>, now: Instant) -> bool {
        let full = |rate: Rate| Bucket { tokens: rate.burst, at: now };
        if let Some(address) = address.map(network) {
            if self.addresses.len() >= MAX_ADDRESSES {
                self.addresses.retain(|_, bucket| bucket.level(one, now) < one.burst);
            }
            // Still full of addresses that ask: strangers wait until some have had their rest.
            if self.addresses.len() >= MAX_ADDRESSES && !self.addresses.contains_key(&address) {
                return false;
            }
            if !self.addresses.entry(address).or_insert_with(|| full(one)).take(one, now) {
                return false;
            }
        }
        self.all.get_or_insert_with(|| full(all)).take(all, now)
    }
}

/// Whom an address stands for: one household or one host has a whole /64 of IPv6 (RFC 6177), or a few addresses of IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Limits {
    /// Whether one more request for the callout `reference`, which exists, is let in at `now`.
    pub(crate) fn admit_called(&self, reference: &str, now: Instant) -> bool {
        let mut callouts = self.callouts.lock().unwrap_or_else(PoisonError::into_inner);
        if callouts.len() >= MAX_CALLOUTS {
            callouts.retain(|_, bucket| bucket.level(PER_CALLOUT, now) < PER_CALLOUT.burst);
        }
        if let Some(bucket) = callouts.get_mut(reference) {
            return bucket.take(PER_CALLOUT, now);
        }
        // More that are asked for at once than there are people: let in, and not remembered.
        if callouts.len() < MAX_CALLOUTS {
            callouts.insert(reference.to_owned(), Bucket { tokens: PER_CALLOUT.burst - 1.0, at: now });
        }
        true
    }

    /// Whether one more request for e-mails from `address` is let in at `now`.
    pub(crate) fn admit_subscription(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let mut crowd = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        crowd.admit((SUBSCRIPTIONS_PER_ADDRESS, SUBSCRIPTIONS), address, now)
    }

    /// Whether `mailbox` may be told once more what works again, though it never confirmed that it wants to be.
    pub(crate) fn may_wait(&self, mailbox: &str, now: Instant) -> bool {
        let mut mailboxes = self.back.lock().unwrap_or_else(PoisonError::into_inner);
        if mailboxes.len() >= MAX_MAILBOXES {
            mailboxes.retain(|_, bucket| bucket.level(BACK, now) < BACK.burst);
        }
        let mailbox = self.seed.hash_one(mailbox);
        if mailboxes.len() >= MAX_MAILBOXES && !mailboxes.contains_key(&mailbox) {
            return false;
        }
        mailboxes.entry(mailbox).or_insert(Bucket { tokens: BACK.burst, at: now }).take(BACK, now)
    }

    /// Who has `mailbox` did not ask for what was asked in their name.
    pub(crate) fn left_in_peace(&self, mailbox: &str, now: Instant) {
        let mut refusers = self.refusers.lock().unwrap_or_else(PoisonError::into_inner);
        if refusers.len() >= MAX_REFUSERS {
            refusers.retain(|_, bucket| bucket.level(REFUSALS, now) < REFUSALS.burst);
        }
        if refusers.len() < MAX_REFUSERS {
            let full = Bucket { tokens: REFUSALS.burst, at: now };
            refusers.entry(self.seed.hash_one(mailbox)).or_insert(full).take(REFUSALS, now);
        }
    }

    /// Whether that happened so often that they are not asked again yet.
    pub(crate) fn wants_peace(&self, mailbox: &str, now: Instant) -> bool {
        let refusers = self.refusers.lock().unwrap_or_else(PoisonError::into_inner);
        refusers.get(&self.seed.hash_one(mailbox)).is_some_and(|bucket| bucket.level(REFUSALS, now) < 1.0)
    }

    /// Whether one more guess from `address` is let in at `now`. Without an address only the limit in all holds.
    pub(crate) fn admit_guess(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let mut crowd = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        crowd.admit((PER_ADDRESS, IN_ALL), address, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_limited_and_rests() {
        let (limits, now) = (Limits::default(), Instant::now());
        let address = Some("192.0.2.1".parse().unwrap());
        let admitted = (0..50).filter(|_| limits.admit_guess(address, now)).count();
        assert_eq!(admitted, 20);
        assert!(limits.admit_guess(Some("192.0.2.2".parse().unwrap()), now));
        let of_a_host = |n: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]));
        assert_eq!((0..50).filter(|n| limits.admit_guess(of_a_host(*n), now)).count(), 20);
        assert!(limits.admit_guess(address, now + Duration::from_secs(1)));
        assert!(!limits.admit_guess(address, now + Duration::from_secs(1)));
    }

    #[test]
    fn all_together_are_limited_too() {
        let (limits, now) = (Limits::default(), Instant::now());
        let admitted =
            (0..250_u8).filter(|n| limits.admit_guess(Some(IpAddr::from([192, 0, 2, *n])), now)).count();
        assert_eq!(admitted, 100);
    }

    #[test]
    fn requests_for_e_mails_are_limited_in_all() {
        let (limits, now) = (Limits::default(), Instant::now());
        let ask = |n: u8, now| limits.admit_subscription(Some(IpAddr::from([192, 0, 2, n])), now);
        assert_eq!((0..100).filter(|n| ask(*n, now)).count(), 30);
        assert!(ask(200, now + Duration::from_secs(2)));
        assert!(!ask(201, now + Duration::from_secs(2)));
    }

    #[test]
    fn one_who_asks_for_e_mails_keeps_nobody_else_from_it() {
        let limits = Limits::default();
        let begins = Instant::now();
        let at = |seconds: u64| begins + Duration::from_secs(seconds);
        let two_days = 48 * 3600;
        let taken = (0..two_days)
            .filter(|second| limits.admit_subscription(Some([192, 0, 2, 1].into()), at(*second)));
        assert_eq!(taken.count(), 10 + 1439);
        assert!(limits.admit_subscription(Some([192, 0, 2, 2].into()), at(two_days)));
    }

    #[test]
    fn a_mailbox_is_told_what_is_back_nine_times_in_two_days_and_no_more() {
        let limits = Limits::default();
        let begins = Instant::now();
        let times = (0..48 * 60)
            .filter(|minute| limits.may_wait("one@example.wales", begins + Duration::from_secs(minute * 60)));
        assert_eq!(times.count(), 5 + 3);
        assert!(limits.may_wait("two@example.wales", begins));
        for n in 0..9_000 {
            limits.may_wait(&n.to_string(), begins);
        }
        assert_eq!(limits.back.lock().unwrap().len(), MAX_MAILBOXES);
    }

    #[test]
    fn who_refused_three_times_is_left_in_peace_for_a_while() {
        let (limits, now) = (Limits::default(), Instant::now());
        for _ in 0..3 {
            assert!(!limits.wants_peace("one@example.wales", now));
            limits.left_in_peace("one@example.wales", now);
        }
        assert!(limits.wants_peace("one@example.wales", now + Duration::from_secs(19 * 60)));
        assert!(!limits.wants_peace("one@example.wales", now + Duration::from_secs(21 * 60)));
        assert!(!limits.wants_peace("two@example.wales", now));
        for n in 0..3_000 {
            limits.left_in_peace(&n.to_string(), now);
        }
        assert_eq!(limits.refusers.lock().unwrap().len(), MAX_REFUSERS);
    }

    #[test]
    fn a_callout_has_its_own_limit_whatever_is_guessed() {
        let (limits, now) = (Limits::default(), Instant::now());
        while limits.admit_guess(None, now) {}
        let admitted = (0..100).filter(|_| limits.admit_called("kq3v8m2p7xwz", now)).count();
        assert_eq!(admitted, 30);
        assert!(limits.admit_called("another", now));
        assert!(limits.admit_called("kq3v8m2p7xwz", now + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_remembered_of_callouts_is_bounded() {
        let (limits, now) = (Limits::default(), Instant::now());
        assert!((0..3_000).all(|n| limits.admit_called(&n.to_string(), now)));
        assert_eq!(limits.callouts.lock().unwrap().len(), MAX_CALLOUTS);
        assert!(limits.admit_called("later", now + Duration::from_secs(60)));
        assert_eq!(limits.callouts.lock().unwrap().len(), 1);
    }
}
