//! What probers count about themselves, each vantage for itself.

use domain::VantageId;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of the start-lag histogram's buckets, in milliseconds; above the last there is one more bucket.
pub const LAG_BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 15, 20, 30, 50, 100, 250, 1_000, 10_000];

/// What is counted at each vantage that has a prober. A vantage that leaves the configuration takes its figures with it.
#[derive(Debug, Default)]
pub struct ByVantage(Mutex<BTreeMap<VantageId, Weak<Metrics>>>);

impl ByVantage {
    /// Of every vantage, by name.
    pub fn all(&self) -> Vec<(VantageId, Arc<Metrics>)> {
        let known = self.known();
        known.iter().filter_map(|(vantage, metrics)| Some((vantage.clone(), metrics.upgrade()?))).collect()
    }

    /// Of this one: those that were counted already, where a prober there still counts.
    pub(crate) fn of(&self, vantage: &VantageId) -> Arc<Metrics> {
        let mut known = self.known();
        if let Some(metrics) = known.get(vantage).and_then(Weak::upgrade) {
            return metrics;
        }
        known.retain(|_, metrics| metrics.strong_count() > 0);
        let metrics = Arc::default();
        known.insert(vantage.clone(), Arc::downgrade(&metrics));
        metrics
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<VantageId, Weak<Metrics>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the probers of one vantage count about themselves, since the first of them started.
#[derive(Debug, Default)]
pub struct Metrics {
    lag: [AtomicU64; LAG_BOUNDS_MS.len() + 1],
    lag_sum: AtomicU64,
    probes: AtomicU64,
    in_flight: AtomicU64,
    permits_waited: AtomicU64,
    held_up: AtomicU64,
    holding: AtomicU64,
    skipped: AtomicU64,
    paused: AtomicU64,
    broke: AtomicU64,
}

/// A histogram at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell into each bucket of [`LAG_BOUNDS_MS`], and above the last.
    pub buckets: [u64; LAG_BOUNDS_MS.len() + 1],
    /// The sum of all.
    pub sum: Duration,
}

impl Histogram {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Metrics {
    /// How late probes started after the moment they were scheduled for.
    pub fn start_lag(&self) -> Histogram {
        let mut buckets = [0; LAG_BOUNDS_MS.len() + 1];
        buckets.iter_mut().zip(&self.lag).for_each(|(to, from)| *to = read(from));
        Histogram { buckets, sum: Duration::from_micros(read(&self.lag_sum)) }
    }

    /// Probes that were started.
    pub fn probes(&self) -> u64 {
        read(&self.probes)
    }

    /// Probes in flight now, with those that wait for a permit.
    pub fn in_flight(&self) -> u64 {
        read(&self.in_flight)
    }

    /// Probes that had to wait for a permit.
    pub fn permits_waited(&self) -> u64 {
        read(&self.permits_waited)
    }

    /// Outcomes that had to wait because the recorder was behind; probing slows meanwhile.
    pub fn outcomes_held_up(&self) -> u64 {
        read(&self.held_up)
    }

    /// Beats left out because the check's last probe was still in flight.
    pub fn beats_skipped(&self) -> u64 {
        read(&self.skipped)
    }

    /// Beats left out because the API asked to be left alone (`Retry-After`).
    pub fn beats_paused(&self) -> u64 {
        read(&self.paused)
    }

    /// Probes that panicked and were reported as our own trouble.
    pub fn probes_broke(&self) -> u64 {
        read(&self.broke)
    }

    pub(crate) fn started(&self, lag: Duration) {
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        let bucket = LAG_BOUNDS_MS.partition_point(|bound| micros > bound.saturating_mul(1_000));
        if let Some(bucket) = self.lag.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.lag_sum.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn flying(&self) -> Gauge<'_> {
        self.probes.fetch_add(1, Ordering::Relaxed);
        Gauge::new(&self.in_flight)
    }

    pub(crate) fn waited(&self) {
        self.permits_waited.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn hold_up(&self) -> Gauge<'_> {
        self.held_up.fetch_add(1, Ordering::Relaxed);
        Gauge::new(&self.holding)
    }

    /// Whether an outcome waits right now.
    pub(crate) fn holds_up(&self) -> bool {
        read(&self.holding) > 0
    }

    pub(crate) fn skip(&self, beats: u64) {
        self.skipped.fetch_add(beats, Ordering::Relaxed);
    }

    pub(crate) fn pause(&self, beats: u64) {
        self.paused.fetch_add(beats, Ordering::Relaxed);
    }

    pub(crate) fn broke(&self) {
        self.broke.fetch_add(1, Ordering::Relaxed);
    }
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// Counts one up for as long as it lives.
pub(crate) struct Gauge<'a>(&'a AtomicU64);

impl<'a> Gauge<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vantage_goes_on_counting_while_a_prober_is_there_and_its_figures_leave_with_it() {
        let (all, here) = (ByVantage::default(), VantageId::parse("internet").unwrap());
        let first = all.of(&here);
        first.broke();
        let second = all.of(&here);
        drop(first);
        second.broke();
        let there = all.of(&VantageId::parse("network").unwrap());
        let seen: Vec<(String, u64)> = all
            .all()
            .iter()
            .map(|(vantage, metrics)| (vantage.to_string(), metrics.probes_broke()))
            .collect();
        assert_eq!(seen, [("internet".to_owned(), 2), ("network".to_owned(), 0)]);
        drop((second, there));
        assert!(all.all().is_empty());
    }

    #[test]
    fn a_lag_falls_into_the_first_bucket_that_holds_it() {
        for (micros, bucket) in [(0, 0), (1_000, 0), (1_001, 1), (15_000, 4), (15_001, 5), (99_000_000, 12)] {
            let metrics = Metrics::default();
            metrics.started(Duration::from_micros(micros));
            let seen = metrics.start_lag();
            assert_eq!(seen.buckets[bucket], 1, "{micros} µs");
            assert_eq!((seen.count(), seen.sum), (1, Duration::from_micros(micros)));
        }
    }
}
