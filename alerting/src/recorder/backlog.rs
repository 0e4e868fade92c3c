//! What waits while the store takes nothing: first in memory, after a moment in the spool; the oldest goes first.

use super::narrowing::Narrowing;
use crate::{
    Recording, Spool,
    spool::{Late, Record},
};
use jiff::Timestamp;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};
use tokio::task::spawn_blocking;

/// Records kept in memory where the spool takes none; about 10 MB.
pub(super) const MOST_IN_MEMORY: usize = 20_000;

/// The spool, as those share it that put in and take out.
pub(super) type Shared = Arc<Mutex<Spool>>;

/// What waits, in the order in which it came: in an attempt, in the spool, in memory.
pub(super) struct Backlog {
    pub(super) spool: Option<Shared>,
    /// In an attempt under way and in no spool.
    pub(super) in_hand: Vec<Record>,
    memory: VecDeque<Record>,
    /// Records in the spool.
    pub(super) on_disk: u64,
    /// The spool takes no more: its disk is full, or it is.
    pub(super) stuck: bool,
    recording: Arc<Recording>,
}

/// Records on their way into the spool, and how many arrived.
pub(super) struct Written {
    records: Vec<Record>,
    count: usize,
    rest: Result<(), io::Error>,
}

impl Backlog {
    pub(super) fn new(spool: Option<Shared>, recording: Arc<Recording>) -> Self {
        let on_disk = spool.as_ref().map_or(0, |spool| lock(spool).waiting());
        let backlog =
            Self { spool, in_hand: Vec::new(), memory: VecDeque::new(), on_disk, stuck: false, recording };
        backlog.count();
        backlog
    }

    /// At the start of a program: with what an earlier one left in the spool.
    pub(super) async fn begin(spool: Option<Shared>, recording: Arc<Recording>) -> Self {
        if let Some(spool) = spool.clone() {
            let reserved = spawn_blocking(move || lock(&spool).reserve()).await;
            if let Err(error) = reserved.unwrap_or_else(|error| Err(io::Error::other(error))) {
                tracing::warn!(%error, "no room can be kept for the spool: on a full disk, what cannot be recorded waits in memory alone");
            }
        }
        Self::new(spool, recording)
    }

    /// The newest stay outside when there is no room: the oldest say when trouble began, and how things stand now is
    /// seen again once the store is back.
    pub(super) fn push(&mut self, record: Record) {
        if self.memory.len() < MOST_IN_MEMORY {
            self.memory.push_back(record);
        } else if self.recording.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            let what = match (&self.spool, self.stuck) {
                (None, _) => "there is no spool; configure one",
                (Some(_), true) => "the spool takes no more; make room on its disk",
                (Some(_), false) => {
                    "outcomes come faster than the spool writes them; probe less often, or give it a faster disk"
                }
            };
            tracing::error!(
                "the store takes no outcomes, memory is full, and {what}. the newest are lost from now on; history will \
                 have a gap"
            );
        }
        self.count();
    }

    /// Of the oldest in memory as many as are to be tried, to be recorded from there.
    pub(super) fn take(&mut self, narrowing: &Narrowing) -> Vec<Record> {
        let (_, reach) = narrowing.reach(self.memory.iter());
        self.in_hand = self.memory.drain(..reach).collect();
        self.in_hand.clone()
    }

    /// What was in hand could not be recorded: it is the oldest of all in memory.
    pub(super) fn put_back(&mut self) {
        for record in self.in_hand.drain(..).rev() {
            self.memory.push_front(record);
        }
    }

    /// How many more memory takes before any is lost; where the spool takes none, nobody waits for that.
    pub(super) fn room(&self) -> usize {
        let spools = self.spool.is_some() && !self.stuck;
        if spools { MOST_IN_MEMORY.saturating_sub(self.memory.len()) } else { usize::MAX }
    }

    pub(super) fn in_memory(&self) -> usize {
        self.in_hand.len() + self.memory.len()
    }

    /// Puts all that is in memory into the spool, what an attempt has in hand too: twice recorded is once recorded.
    pub(super) fn write(&mut self) -> impl Future<Output = Written> + Send + use<> {
        let records: Vec<Record> = self.in_hand.drain(..).chain(self.memory.drain(..)).collect();
        let spool = self.spool.clone();
        async move {
            let Some(spool) = spool else {
                let rest = Err(io::Error::other("there is no spool"));
                return Written { records, count: 0, rest };
            };
            let written = spawn_blocking(move || {
                let taken = lock(&spool).append(&records);
                Written { records, count: taken.count, rest: taken.rest }
            });
            // It neither panics nor is it ever cancelled; if it did, its records would be gone, and this says so.
            written.await.unwrap_or_else(|error| Written {
                records: Vec::new(),
                count: 0,
                rest: Err(io::Error::other(error)),
            })
        }
    }

    /// What arrived in the spool is there; the rest goes back to where it came from.
    pub(super) fn written(&mut self, written: Written) {
        let Written { mut records, count, rest } = written;
        self.on_disk += count as u64;
        let left = records.split_off(count);
        let stuck = !left.is_empty();
        if stuck && !self.stuck {
            match rest {
                Ok(()) => tracing::error!("the spool is full: outcomes wait in memory, within a bound"),
                Err(error) => {
                    tracing::error!(%error, "the spool takes no more: outcomes wait in memory, within a bound");
                }
            }
        }
        self.stuck = stuck;
        for record in left.into_iter().rev() {
            self.memory.push_front(record);
        }
        self.count();
    }

    /// All that is left in memory.
    pub(super) fn into_memory(mut self) -> Vec<Late> {
        self.put_back();
        let lates = self.memory.into_iter().filter_map(|record| match record {
            Record::Late(late) => Some(late),
            Record::Told(_) => None,
        });
        self.recording.waiting.store(0, Ordering::Relaxed);
        lates.collect()
    }

    /// So many records are out of the spool, and so many were lost in it.
    pub(super) fn settled(&mut self, settled: usize, damaged: u64) {
        self.on_disk = self.on_disk.saturating_sub(settled as u64 + damaged);
        self.recording.lost.fetch_add(damaged, Ordering::Relaxed);
        self.count();
    }

    /// So many are set aside; and one more attempt failed that others follow.
    pub(super) fn set_aside(&self, count: usize) {
        self.recording.set_aside.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.recording.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// When the last resort was told, by the spool.
    pub(super) fn told_at(&self) -> Option<Timestamp> {
        self.spool.as_ref().and_then(|spool| lock(spool).told_at())
    }

    /// The program stops: all that is in memory goes into the spool, after what is on its way there.
    pub(super) async fn put_by(&mut self, writing: Option<impl Future<Output = Written>>) {
        if let Some(writing) = writing {
            self.written(writing.await);
        }
        if self.in_memory() > 0 {
            let written = self.write().await;
            self.written(written);
        }
        let (in_spool, lost) = (self.on_disk, self.in_memory());
        if lost > 0 {
            self.recording.lost.fetch_add(lost as u64, Ordering::Relaxed);
            tracing::error!(in_spool, lost, "outcomes that no spool took are lost: history has a gap");
        } else {
            tracing::warn!(in_spool, "outcomes wait in the spool: the next start records them");
        }
    }

    fn count(&self) {
        self.recording.spooled.store(self.on_disk, Ordering::Relaxed);
        self.recording.waiting.store(self.on_disk + self.in_memory() as u64, Ordering::Relaxed);
    }
}

/// A thread that broke while it held the spool left it as it was on the disk.
pub(super) fn lock(spool: &Shared) -> std::sync::MutexGuard<'_, Spool> {
    spool.lock().unwrap_or_else(PoisonError::into_inner)
}
