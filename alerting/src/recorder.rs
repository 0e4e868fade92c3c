//! The recorder: the one task that folds Events over the Situation and commits what comes of it (DESIGN §4, step 5).
//!
//! Nobody else writes health, incidents or escalations. It folds a batch over an overlay of the Situation, commits the
//! batch in one transaction — at once when something changed, else after at most [`LONGEST_BATCH`] — and then publishes
//! the overlay. A commit that fails drops the overlay; the same Events are folded again (invariant 6).

use domain::{Change, Clock, Configuration, Decision, Event, Outcome, Situation, Wanted, decide};
use jiff::{SignedDuration, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{Batch, InboxId, Store, crash_point};
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
/// Outcomes do not wait longer for the inbox than this: readers may all be busy with somebody's history.
const INBOX_PATIENCE: Duration = Duration::from_secs(1);
/// Events of one batch, and rows of the inbox in it: a batch that cannot be committed must stay small enough to keep.
const LARGEST_BATCH: usize = 2_000;
const INBOX_ROWS: u32 = 200;
/// Pause after a commit that failed, doubled up to the second figure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Resolved incidents stay in memory, and on the page, for so long.
pub const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(24 * 14);
/// On stopping, what is in hand is committed within this, or left to be measured again.
const GRACE: Duration = Duration::from_secs(5);

/// What the recorder counts; read by `/metrics`, `/readyz` and the heartbeat.
#[derive(Debug, Default)]
pub struct Recording {
    /// Outcomes committed.
    pub outcomes: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Transactions that failed and were folded again.
    pub failures: AtomicU64,
    /// When all that was to be stored last was, in Unix milliseconds; 0 before the first batch.
    pub committed_at_ms: AtomicI64,
}

impl Recording {
    /// When all that was to be stored last was: with nothing to store, that is now.
    pub fn committed_at(&self) -> Option<Timestamp> {
        match self.committed_at_ms.load(Ordering::Relaxed) {
            0 => None,
            ms => Timestamp::from_millisecond(ms).ok(),
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
    /// "Look at the outbox."
    pub outbox: Arc<Notify>,
    /// Counters.
    pub recording: Arc<Recording>,
}

/// A batch in the making: the events, so that they can be folded again, and what came of them so far.
struct Overlay {
    situation: Situation,
    events: Vec<(Event, Option<InboxId>)>,
    batch: Batch,
    wanted: Vec<Wanted>,
    /// Something changed that somebody waits for.
    urgent: bool,
    /// A new configuration is in force, whether or not anything durable came of it.
    configured: bool,
    began: Instant,
}

impl Overlay {
    fn new(situation: &Situation) -> Self {
        Self {
            situation: situation.clone(),
            events: Vec::new(),
            batch: Batch::default(),
            wanted: Vec::new(),
            urgent: false,
            configured: false,
            began: Instant::now(),
        }
    }

    fn fold(&mut self, event: Event, inbox: Option<InboxId>, now: Timestamp) {
        if !self.is_worth_committing() {
            self.began = Instant::now();
        }
        let Decision { after, changes, probes, verdict, answer } = decide(&self.situation, &event, now);
        self.situation = after;
        self.configured |= matches!(event, Event::Configured(_));
        self.urgent |= inbox.is_some() || changes.iter().any(|change| !matches!(change, Change::Track(_)));
        self.batch.changes.extend(changes);
        self.wanted.extend(probes);
        if let (Event::Outcome(outcome), Some(verdict)) = (&event, verdict) {
            self.batch.outcomes.push((Arc::clone(outcome), verdict));
        }
        if let (Some(id), Some(answer)) = (inbox, answer) {
            self.batch.folded.push((id, answer));
        }
        self.events.push((event, inbox));
    }

    /// The same events over the situation as it was: the commit failed.
    fn again(self, situation: &Situation, now: Timestamp) -> Self {
        let mut fresh = Self::new(situation);
        for (event, inbox) in self.events {
            fresh.fold(event, inbox, now);
        }
        fresh
    }

    fn is_worth_committing(&self) -> bool {
        !self.batch.outcomes.is_empty() || !self.batch.changes.is_empty() || !self.batch.folded.is_empty()
    }
}

impl Recorder {
    /// Records until `stop`, then commits what is in hand. An error is one that no repetition mends.
    pub async fn run(mut self, situation: Situation, stop: CancellationToken) -> Result<(), store::Error> {
        let mut situation = situation;
        for wanted in situation.wanted(self.clock.now()) {
            self.want(wanted);
        }
        let mut inbox_read_at = Instant::now();
        let mut due_at = Instant::now();
        let mut overlay = Overlay::new(&situation);
        let mut configurable = true;
        // What left the configuration while nobody looked is brought to its end.
        let configured = Event::Configured(Arc::clone(&situation.configuration));
        crash_point!("recorder/begun");
        overlay.fold(configured, None, self.clock.now());
        crash_point!("recorder/folded-configuration");
        loop {
            let wake = wake(&overlay, due_at);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.configuration.changed(), if configurable => {
                    configurable = changed.is_ok();
                    if configurable {
                        let configuration = Arc::clone(&self.configuration.borrow_and_update());
                        overlay.fold(Event::Configured(configuration), None, self.clock.now());
                        overlay.urgent = true;
                    }
                }
                () = self.inbox.notified() => inbox_read_at = Instant::now(),
                outcome = self.outcomes.recv() => match outcome {
                    Some(outcome) => self.take(&mut overlay, outcome),
                    None => break,
                },
                () = sleep_until(wake) => {}
            }
            let now = self.clock.now();
            if inbox_read_at <= Instant::now() {
                let more = self.read_inbox(&mut overlay, now).await;
                inbox_read_at = Instant::now() + if more { Duration::ZERO } else { INBOX_POLL };
            }
            if due_at <= Instant::now() {
                overlay.fold(Event::Due, None, now);
                crash_point!("recorder/folded-due");
                due_at = Instant::now() + until_due(&overlay.situation, now);
            }
            let waited = overlay.began.elapsed() >= LONGEST_BATCH || overlay.events.len() >= LARGEST_BATCH;
            if (overlay.urgent || waited) && overlay.is_worth_committing() {
                let Some(committed) = self.commit(overlay, &situation, &stop).await? else { return Ok(()) };
                situation = committed;
                situation.forget(now - REMEMBERED_FOR);
                due_at = due_at.min(Instant::now() + until_due(&situation, self.clock.now()));
                overlay = Overlay::new(&situation);
            } else if !overlay.is_worth_committing() {
                // Nothing durable came of it: there is nothing to store, and all that is known is in force.
                let configured = overlay.configured;
                situation = overlay.situation;
                if configured {
                    self.situation.send_replace(Arc::new(situation.clone()));
                }
                if self.recording.committed_at().is_some() {
                    self.recording.committed_at_ms.store(now.as_millisecond(), Ordering::Relaxed);
                }
                overlay = Overlay::new(&situation);
            }
        }
        self.drain(overlay).await;
        Ok(())
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
        let in_hand: Vec<InboxId> = overlay.events.iter().filter_map(|(_, id)| *id).collect();
        for (id, told) in rows.into_iter().filter(|(id, _)| !in_hand.contains(id)) {
            overlay.fold(Event::Told(told), Some(id), now);
            crash_point!("recorder/folded-told");
        }
        more
    }

    /// Commits, however often it takes; `None`: stopped before the store took it.
    async fn commit(
        &mut self,
        mut overlay: Overlay,
        situation: &Situation,
        stop: &CancellationToken,
    ) -> Result<Option<Situation>, store::Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            crash_point!("recorder/before-commit");
            match self.store.record(&overlay.batch).await {
                Ok(()) => return Ok(Some(self.publish(overlay))),
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    self.recording.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(%error, events = overlay.events.len(), "the store did not take a batch; the same events are folded again");
                    if timeout(pause, stop.cancelled()).await.is_ok() {
                        self.drain(overlay.again(situation, self.clock.now())).await;
                        return Ok(None);
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    overlay = overlay.again(situation, self.clock.now());
                }
            }
        }
    }

    /// The batch is durable: tell everybody who looks.
    fn publish(&self, overlay: Overlay) -> Situation {
        crash_point!("recorder/committed");
        self.recording.commits.fetch_add(1, Ordering::Relaxed);
        let outcomes = u64::try_from(overlay.batch.outcomes.len()).unwrap_or(u64::MAX);
        self.recording.outcomes.fetch_add(outcomes, Ordering::Relaxed);
        self.recording.committed_at_ms.store(self.clock.now().as_millisecond(), Ordering::Relaxed);
        for change in &overlay.batch.changes {
            say(change);
        }
        if overlay.batch.changes.iter().any(|change| matches!(change, Change::Notify(_))) {
            crash_point!("recorder/before-hint");
            self.outbox.notify_one();
            crash_point!("recorder/hinted");
        }
        for wanted in overlay.wanted {
            self.want(wanted);
        }
        let situation = overlay.situation;
        self.situation.send_replace(Arc::new(situation.clone()));
        crash_point!("recorder/published");
        situation
    }

    /// A hint: when the prober's ear is full, the check's own turn comes soon enough.
    fn want(&self, wanted: Wanted) {
        if let Err(error) = self.wanted.try_send(wanted) {
            tracing::debug!(%error, "a probe out of turn was not taken");
        }
    }

    /// What is in hand when the program stops.
    async fn drain(&mut self, mut overlay: Overlay) {
        let now = self.clock.now();
        while let Ok(outcome) = self.outcomes.try_recv() {
            overlay.fold(Event::Outcome(Arc::new(outcome)), None, now);
        }
        crash_point!("recorder/draining");
        if !overlay.is_worth_committing() {
            return;
        }
        match timeout(GRACE, self.store.record(&overlay.batch)).await {
            Ok(Ok(())) => {
                crash_point!("recorder/drained");
                self.publish(overlay);
            }
            Ok(Err(error)) => tracing::error!(%error, "the last batch was not stored"),
            Err(_) => tracing::error!("the last batch was not stored within the grace period"),
        }
    }
}

/// When to look again: something is due, or a batch has waited long enough.
fn wake(overlay: &Overlay, due_at: Instant) -> Instant {
    let batch = overlay.is_worth_committing().then(|| overlay.began + LONGEST_BATCH);
    batch.map_or(due_at, |batch| batch.min(due_at))
}

/// What is due and was not done by the last look cannot be done now: it is tried again a tick later, not at once.
fn until_due(situation: &Situation, now: Timestamp) -> Duration {
    let next = situation.next_action_at(now).map(|at| at.duration_since(now));
    next.filter(SignedDuration::is_positive)
        .map_or(TICK, |next| Duration::try_from(next).unwrap_or(TICK).min(TICK))
}

/// What no repetition mends: the program ends and says so, rather than probe for nothing.
const fn is_final(error: &store::Error) -> bool {
    match error {
        store::Error::Newer { .. }
        | store::Error::Outdated { .. }
        | store::Error::Fenced
        | store::Error::Refused { .. }
        | store::Error::Corrupt { .. } => true,
        store::Error::Busy { .. }
        | store::Error::Unknown { .. }
        | store::Error::Denied { .. }
        | store::Error::Full { .. }
        | store::Error::Unavailable { .. }
        | store::Error::TooMuch { .. }
        | store::Error::Other { .. } => false,
    }
}

/// A line of the log for what operators want to follow.
fn say(change: &Change) {
    match change {
        Change::Status(change) => tracing::info!(
            instance = %change.health.instance,
            status = %change.health.status,
            since = %change.health.since,
            why = change.why,
            "status",
        ),
        Change::Incident(incident) => {
            if let Some(entry) = incident.timeline.last() {
                tracing::info!(incident = %incident.id, cause = %incident.cause, status = %incident.status, "{}", entry.text);
            }
        }
        Change::Notify(notification) => tracing::info!(notification = notification.key, "to be told"),
        Change::Withdraw(key) => tracing::debug!(notification = key, "withdrawn"),
        Change::Silence(silence) => tracing::info!(silence = silence.id, until = %silence.until, "silence"),
        Change::Track(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::example;

    #[test]
    fn what_is_due_and_cannot_be_done_is_tried_a_tick_later() {
        let remembered = domain::Remembered {
            tracks: Vec::new(),
            latest: Vec::new(),
            healths: Vec::new(),
            incidents: vec![example::incident()],
            silences: Vec::new(),
            last_incident: 42,
            last_silence: 0,
            key: domain::ReferenceKey([7; 32]),
        };
        let situation = Situation::new(Arc::new(example::configuration()), remembered);
        let due = situation.next_action_at(example::at("02:20:00")).unwrap();
        assert_eq!(until_due(&situation, due + SignedDuration::from_mins(5)), TICK);
        assert_eq!(until_due(&situation, due), TICK);
        let soon = SignedDuration::from_millis(300);
        assert_eq!(until_due(&situation, due - soon), Duration::from_millis(300));
    }
}
