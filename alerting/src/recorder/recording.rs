//! What the recorder counts.

use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::sync::Notify;

/// What the recorder counts; read by `/metrics`, `/readyz` and the heartbeat.
#[derive(Debug, Default)]
pub struct Recording {
    /// Outcomes committed; one that was read again from the spool counts once.
    pub outcomes: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Transactions that failed and were tried again.
    pub failures: AtomicU64,
    /// When all that was to be stored last was, in Unix milliseconds; 0 before the first batch.
    pub committed_at_ms: AtomicI64,
    /// Outcomes that wait for the store, in memory and in the spool.
    pub waiting: AtomicU64,
    /// Of these, in the spool.
    pub spooled: AtomicU64,
    /// Outcomes that nothing took, or that the spool did not give back: gaps of history.
    pub lost: AtomicU64,
    /// Outcomes that the store refused for good while it took others: set aside, and gaps of history.
    pub set_aside: AtomicU64,
    /// When the last resort was last told that nothing is recorded, in Unix milliseconds; 0: not in this outage.
    pub last_resort_told_at_ms: AtomicI64,
    told: Notify,
}

impl Recording {
    /// When all that was to be stored last was: with nothing to store, that is now.
    pub fn committed_at(&self) -> Option<Timestamp> {
        match self.committed_at_ms.load(Ordering::Relaxed) {
            0 => None,
            ms => Timestamp::from_millisecond(ms).ok(),
        }
    }

    /// When the last resort was told, during an outage that goes on.
    pub fn last_resort_told_at(&self) -> Option<Timestamp> {
        match self.last_resort_told_at_ms.load(Ordering::Acquire) {
            0 => None,
            ms => Timestamp::from_millisecond(ms).ok(),
        }
    }

    pub(crate) fn last_resort_told(&self, at: Option<Timestamp>) {
        let ms = at.map_or(0, Timestamp::as_millisecond);
        self.last_resort_told_at_ms.store(ms, Ordering::Release);
        self.told.notify_one();
    }

    /// Waits until that changes: it goes into the spool at once, as a program that is killed has told them all the same.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }
}
