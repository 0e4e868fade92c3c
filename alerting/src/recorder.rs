//! The recorder: the one task that folds Events over the Situation and commits what comes of it (DESIGN §4, step 5).
//!
//! Nobody else writes health, incidents or escalations. It folds a batch over an overlay of the Situation, commits the
//! batch in one transaction — at once when something changed, else after at most [`LONGEST_BATCH`] — and then publishes
//! the overlay. A commit that fails drops the overlay: its Outcomes wait, in memory and then in the spool, and are
//! decided late, when the store is back (invariant 6).

mod attempt;
mod backlog;
mod failing;
mod live;
mod narrowing;
mod outage;
mod outlast;
mod overlay;
mod recording;

pub use recording::Recording;

use crate::{
    Spool,
    spool::{Late, Record},
};
use attempt::{InTime, record};
use backlog::{Backlog, Shared};
use domain::{Change, Clock, Configuration, Event, Outcome, Situation, TOLD_WITHIN, Unrecorded, Wanted};
use failing::Failing;
use jiff::{SignedDuration, Timestamp};
use live::{Live, until_due};
use outage::{Back, Outage};
use overlay::{Overlay, say};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{Store, crash_point};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Outcomes that change nothing wait at most so long for company: one transaction for many costs little.
const LONGEST_BATCH: Duration = Duration::from_millis(250);
/// Time is looked at so often even when nothing is known to be due: what no longer speaks, windows, silences.
const TICK: Duration = Duration::from_secs(1);
/// The inbox is read so often even when nobody says that something came.
const INBOX_POLL: Duration = Duration::from_secs(2);
/// What was told so long ago is in the inbox, or was refused; with a second for whoever is slow.
const KEPT_WITHIN: Duration = TOLD_WITHIN.saturating_add(Duration::from_secs(1));
/// Outcomes do not wait longer for the inbox than this: readers may all be busy with somebody's history.
const INBOX_PATIENCE: Duration = Duration::from_secs(1);
/// Events of one batch, and rows of the inbox in it: a batch that cannot be committed must stay small enough to keep.
const LARGEST_BATCH: usize = 2_000;
const INBOX_ROWS: u32 = 200;
/// Resolved incidents stay in memory, and on the page, for so long.
pub const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(24 * 14);
/// On stopping, what is in hand is committed within this, or left to be measured again.
const GRACE: Duration = Duration::from_secs(5);

/// How long the recorder is patient with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutageLimits {
    /// A commit that takes longer holds up nothing any more: what comes waits in memory.
    pub patience: Duration,
    /// A commit that takes longer has failed, and nobody knows whether it was made.
    pub answer: Duration,
    /// What has waited longer is put into the spool.
    pub spool_after: Duration,
    /// When nothing was recorded for so long, the last resort is told and pages say so (invariant 6).
    pub tell_after: Duration,
}

impl Default for OutageLimits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(1),
            answer: Duration::from_secs(10),
            spool_after: Duration::from_secs(2),
            tell_after: Duration::from_secs(30),
        }
    }
}

/// Everything the recorder hears from and speaks to.
#[derive(Debug)]
pub struct Recorder {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Outcomes, from the prober.
    pub outcomes: mpsc::Receiver<Outcome>,
    /// New configurations.
    pub configuration: watch::Receiver<Arc<Configuration>>,
    /// Probes wanted out of turn, to the prober.
    pub wanted: mpsc::Sender<Wanted>,
    /// The Situation, for all who show it.
    pub situation: watch::Sender<Arc<Situation>>,
    /// "Look at the inbox."
    pub inbox: Arc<Notify>,
    /// A heartbeat was refused, because it could not be kept, since this was last looked at.
    pub unheard: Arc<AtomicBool>,
    /// "Look at the outbox."
    pub outbox: Arc<Notify>,
    /// Counters.
    pub recording: Arc<Recording>,
    /// Where outcomes wait while the store takes nothing; `None`: in memory alone.
    pub spool: Option<Spool>,
    /// Said when nothing was recorded for long, and every second while it lasts; `None`: it is recorded.
    pub unrecorded: watch::Sender<Option<Arc<Unrecorded>>>,
    /// How long the store may take.
    pub limits: OutageLimits,
}

/// A configuration, and when it came.
type Configured = (Timestamp, Arc<Configuration>);

impl Recorder {
    /// Records until `stop`, then commits what is in hand. An error is one that no repetition mends.
    pub async fn run(mut self, situation: Situation, stop: CancellationToken) -> Result<(), store::Error> {
        let spool = self.spool.take().map(|spool| Arc::new(Mutex::new(spool)));
        let mut failing = None;
        crash_point!("recorder/begun");
        let Some(mut live) = self.begin(situation, spool.clone(), &mut failing, &stop).await? else {
            return Ok(());
        };
        loop {
            let wake = live.wake();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Ok(()) = self.configuration.changed() => {
                    let configuration = Arc::clone(&self.configuration.borrow_and_update());
                    live.overlay.fold(Event::Configured(configuration), None, self.clock.now());
                    live.overlay.urgent = true;
                }
                () = self.inbox.notified() => live.inbox_at = Instant::now(),
                outcome = self.outcomes.recv() => match outcome {
                    Some(outcome) => self.take(&mut live.overlay, outcome),
                    None => break,
                },
                () = sleep_until(wake) => {}
            }
            let now = self.clock.now();
            if live.inbox_at <= Instant::now() {
                let more = self.read_inbox(&mut live.overlay, now).await;
                live.inbox_at = Instant::now() + if more { Duration::ZERO } else { INBOX_POLL };
            }
            if live.due_at <= Instant::now() {
                live.overlay.fold(Event::Due, None, now);
                crash_point!("recorder/folded-due");
                live.due_at = Instant::now() + until_due(&live.overlay.situation, now);
            }
            if live.overlay.is_due() {
                let overlay = std::mem::replace(&mut live.overlay, Overlay::new(&live.situation));
                match self.commit(overlay, &live.situation, (&spool, &mut failing), &stop).await? {
                    Some(Committed::InTime(situation)) => live.goes_on(situation, self.clock.now()),
                    Some(Committed::Late(back)) => live = self.resume(back),
                    None => return Ok(()),
                }
            } else if !live.overlay.is_worth_committing() {
                // Nothing durable came of it: there is nothing to store, and all that is known is in force.
                let Overlay { configured, situation, wanted, .. } =
                    std::mem::replace(&mut live.overlay, Overlay::new(&live.situation));
                self.want_all(wanted);
                if configured {
                    self.situation.send_replace(Arc::new(situation.clone()));
                }
                if self.recording.committed_at().is_some() && failing.is_none() {
                    self.recording.committed_at_ms.store(now.as_millisecond(), Ordering::Relaxed);
                }
                live.overlay = Overlay::new(&situation);
                live.situation = situation;
            }
        }
        self.drain(live.overlay, spool).await;
        Ok(())
    }

    /// What an earlier program left in the spool is recorded first. `None`: it was stopped.
    async fn begin(
        &mut self,
        situation: Situation,
        spool: Option<Shared>,
        failing: &mut Option<Failing>,
        stop: &CancellationToken,
    ) -> Result<Option<Live>, store::Error> {
        let now = self.clock.now();
        // What left the configuration while nobody looked is brought to its end.
        let configuration = Arc::clone(&situation.written);
        let backlog = Backlog::begin(spool, Arc::clone(&self.recording)).await;
        if backlog.on_disk == 0 {
            let configured = Some((now, configuration));
            return Ok(Some(self.resume(Back { situation, late: Vec::new(), configured })));
        }
        let (records, told_at) = (backlog.on_disk, backlog.told_at());
        tracing::warn!(records, "an earlier program left outcomes in the spool: they are recorded first");
        let failing = failing.insert(Failing::new(now, String::new(), told_at.is_some()));
        let outage = Outage::new(backlog, situation, Some((Timestamp::MIN, configuration)));
        if told_at.is_some() {
            // Both at once for who looks: it may be over in a moment, and who was told is to hear of that, once.
            self.unrecorded.send_modify(|unrecorded| {
                *unrecorded = Some(outage.unrecorded(failing));
                self.recording.last_resort_told(told_at);
            });
        }
        Ok(self.outlast(outage, failing, stop).await?.map(|back| self.resume(back)))
    }

    /// From what is recorded, with what has just come.
    fn resume(&self, back: Back) -> Live {
        let Back { situation, late, configured } = back;
        let now = self.clock.now();
        self.want_all(situation.wanted(now));
        let mut overlay = Overlay::new(&situation);
        for Late { then, outcome } in late {
            overlay.fold_late(Event::Outcome(outcome), then, now);
        }
        if let Some((_, configuration)) = configured {
            overlay.fold(Event::Configured(configuration), None, now);
            crash_point!("recorder/folded-configuration");
        }
        Live { situation, overlay, inbox_at: Instant::now(), due_at: Instant::now() }
    }

    /// One outcome, and whatever else has arrived by now.
    fn take(&mut self, overlay: &mut Overlay, outcome: Outcome) {
        let now = self.clock.now();
        overlay.fold(Event::Outcome(Arc::new(outcome)), None, now);
        crash_point!("recorder/folded-outcome");
        while overlay.events.len() < LARGEST_BATCH {
            match self.outcomes.try_recv() {
                Ok(outcome) => overlay.fold(Event::Outcome(Arc::new(outcome)), None, now),
                Err(_) => break,
            }
        }
    }

    /// Whether there may be more.
    async fn read_inbox(&self, overlay: &mut Overlay, now: Timestamp) -> bool {
        // Before it is read: who is refused from now on is seen the next time.
        let whole = !self.unheard.swap(false, Ordering::AcqRel);
        let rows = match timeout(INBOX_PATIENCE, self.store.inbox(INBOX_ROWS)).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the inbox cannot be read; it is tried again");
                return false;
            }
            Err(_) => {
                tracing::warn!("the inbox was not read in time; it is tried again");
                return false;
            }
        };
        let more = rows.len() >= INBOX_ROWS as usize;
        let in_hand = overlay.inbox.clone();
        for (id, told) in rows.into_iter().filter(|(id, _)| !in_hand.contains(id)) {
            overlay.fold(Event::Told(told), Some(id), now);
            crash_point!("recorder/folded-told");
        }
        if !more {
            overlay.fold(Event::Heard { until: now - KEPT_WITHIN, whole }, None, now);
            crash_point!("recorder/folded-heard");
        } else if !whole {
            self.unheard.store(true, Ordering::Release);
        }
        more
    }

    /// Commits, however long it takes; `None`: stopped before the store took it.
    async fn commit(
        &mut self,
        overlay: Overlay,
        situation: &Situation,
        (spool, failing): (&Option<Shared>, &mut Option<Failing>),
        stop: &CancellationToken,
    ) -> Result<Option<Committed>, store::Error> {
        let store = self.store.clone();
        crash_point!("recorder/before-commit");
        let mut attempt: InTime = Box::pin(record(store, Arc::clone(&overlay.batch), self.limits.answer));
        let ended = timeout(self.limits.patience, &mut attempt).await;
        if matches!(ended, Ok(Ok(()))) {
            drop(attempt);
            self.recovered(failing.take());
            return Ok(Some(Committed::InTime(self.publish(overlay))));
        }
        // What was told meanwhile may not have been taken either; and what is dropped here may have been the word of that.
        self.unheard.store(true, Ordering::Release);
        let since = overlay.events.first().map_or_else(|| self.clock.now(), |(_, at)| *at);
        let failing = failing.get_or_insert_with(|| Failing::new(since, String::new(), false));
        failing.again(since);
        let backlog = Backlog::new(spool.clone(), Arc::clone(&self.recording));
        let outage = Outage::new(backlog, situation.clone(), None);
        let outage = match ended {
            Ok(Err(trouble)) => {
                self.recording.failures.fetch_add(1, Ordering::Relaxed);
                outage.after(&overlay, failing, trouble)?
            }
            Ok(Ok(())) | Err(_) => outage.during(attempt, overlay),
        };
        Ok(self.outlast(outage, failing, stop).await?.map(Committed::Late))
    }

    /// What comes is recorded as it comes, again.
    fn recovered(&self, failing: Option<Failing>) {
        let Some(failing) = failing else { return };
        let lost = self.recording.lost.load(Ordering::Relaxed);
        tracing::info!(since = %failing.since, lost, "all that waited is recorded");
    }

    /// The batch is durable: tell everybody who looks.
    fn publish(&self, overlay: Overlay) -> Situation {
        crash_point!("recorder/committed");
        self.recording.commits.fetch_add(1, Ordering::Relaxed);
        // Of what is read again from the spool, much may have been recorded before: only the store knows.
        self.recording.outcomes.store(self.store.recorded(), Ordering::Relaxed);
        self.recording.committed_at_ms.store(self.clock.now().as_millisecond(), Ordering::Relaxed);
        for change in &overlay.batch.changes {
            say(change);
        }
        if overlay.batch.changes.iter().any(|change| matches!(change, Change::Notify(_))) {
            crash_point!("recorder/before-hint");
            self.outbox.notify_one();
            crash_point!("recorder/hinted");
        }
        self.want_all(overlay.wanted);
        let situation = overlay.situation;
        self.situation.send_replace(Arc::new(situation.clone()));
        crash_point!("recorder/published");
        situation
    }

    /// Hints: when the prober's ear is full, the check's own turn comes soon enough.
    fn want_all(&self, wanted: Vec<Wanted>) {
        for wanted in wanted {
            if let Err(error) = self.wanted.try_send(wanted) {
                tracing::debug!(%error, "a probe out of turn was not taken");
            }
        }
    }

    /// What is in hand when the program stops: into the store, or else into the spool.
    async fn drain(&mut self, mut overlay: Overlay, spool: Option<Shared>) {
        let now = self.clock.now();
        while let Ok(outcome) = self.outcomes.try_recv() {
            overlay.fold(Event::Outcome(Arc::new(outcome)), None, now);
        }
        crash_point!("recorder/draining");
        if !overlay.is_worth_committing() {
            return;
        }
        match record(self.store.clone(), Arc::clone(&overlay.batch), GRACE).await {
            Ok(()) => {
                crash_point!("recorder/drained");
                self.publish(overlay);
            }
            Err(trouble) => {
                tracing::error!(error = %trouble, "the last batch was not stored");
                let mut backlog = Backlog::new(spool, Arc::clone(&self.recording));
                for late in overlay.late() {
                    backlog.push(Record::Late(late));
                }
                if timeout(GRACE, backlog.put_by(None::<std::future::Ready<_>>)).await.is_err() {
                    tracing::error!("the spool did not take it within the grace period: it is lost");
                }
            }
        }
    }
}

/// What came in time is committed; or what came late, and what is in hand now is to be.
enum Committed {
    InTime(Situation),
    Late(Back),
}
