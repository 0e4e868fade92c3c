//! The deliverer: claims from the outbox by lease, sends with nothing held, settles (DESIGN §4, step 6).

mod in_time;
mod programs;
mod send;
mod under_way;

use crate::{Away, Course, Lasting, SendError, Setup, retry::LONGEST};
use domain::{Clock, Configuration, NotificationKind, Receipt, Sent, Situation};
use in_time::in_time;
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use store::{Claimed, Settlement, Store, crash_point};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
pub use under_way::UnderWay;

/// Sends under way, those that wait for a turn on their channel among them: beyond the first figure only callouts
/// are begun, beyond the second nothing is claimed.
const UNDER_WAY: usize = 128;
const UNDER_WAY_WITH_CALLOUTS: usize = 256;
/// A clock is set back by this much all the time, and nobody minds.
const CORRECTION: SignedDuration = SignedDuration::from_secs(1);
/// See [`Limits::drain`].
const DRAIN: Duration = Duration::from_secs(6);
/// What was put back when stopping is settled within this; else its lease runs out.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often a settlement that the store cannot take is tried again, before the lease is left to run out.
const SETTLE_TRIES: u32 = 5;

/// How much and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a claim is ours. A quarter of it may go by waiting for a turn on the channel, half of it is for the
    /// send, all its requests together: so it is settled before anybody else may claim it.
    pub lease: Duration,
    /// The store is asked at least this often, whether a hint came or not.
    pub poll: Duration,
    /// Claimed at a time; 1 or more.
    pub batch: u32,
    /// Once stopped, what is under way has so long to come to its end. What has none by then is put back, to be
    /// reconciled by whoever delivers next. Well below the program's own grace.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let lease = Duration::from_secs(60);
        #[cfg(debug_assertions)]
        let lease = crash_point::lease().unwrap_or(lease);
        Self { lease, poll: Duration::from_secs(2), batch: 32, drain: DRAIN }
    }
}

impl Limits {
    fn turn(&self) -> Duration {
        self.lease / 4
    }

    fn send(&self) -> Duration {
        self.lease / 2
    }
}

/// Sends what waits in the outbox.
#[derive(Debug, Clone)]
pub struct Deliverer {
    /// Where the outbox and the inbox are.
    pub store: Store,
    /// Configuration and channels, as they now are.
    pub setup: watch::Receiver<Setup>,
    /// How things stand: what was added to rotas is in it.
    pub situation: watch::Receiver<Arc<Situation>>,
    /// The time.
    pub clock: Clock,
    /// "Look now": something new may wait in the outbox. A hint, never data.
    pub look: Arc<Notify>,
    /// We hint here when receipts were put into the inbox.
    pub told: Arc<Notify>,
    /// Since when the outbox cannot be read, for those who must know: nobody is told anything.
    pub undelivered: watch::Sender<Option<Timestamp>>,
    /// What is being sent.
    pub under_way: UnderWay,
    /// How much and how long.
    pub limits: Limits,
}

impl Deliverer {
    /// Delivers until `stop`, then lets what is under way come to its end (at most [`Limits::drain`]).
    ///
    /// Each send is a task of its own; channels have turns of their own, and what waits too long for one is put back:
    /// so a desk that does not answer never holds up a callout.
    pub async fn run(&self, stop: CancellationToken) {
        let (mut sends, cut) = (JoinSet::new(), CancellationToken::new());
        let (mut seen, mut away) = (self.clock.now(), Away::default());
        // The program before this one may have left what waits for a clock that was ahead.
        let mut late = Some(LONGEST);
        while !stop.is_cancelled() {
            let before = std::mem::replace(&mut seen, self.clock.now());
            if before.duration_since(seen) > CORRECTION {
                tracing::warn!("the clock was set back: what waits to be sent waits no longer for it");
                late = Some(Duration::ZERO);
            }
            if let Some(waits) = late {
                match self.store.clock_set_back(self.clock.now(), waits, self.limits.lease).await {
                    Ok(()) => late = None,
                    Err(error) => {
                        tracing::debug!(%error, "what waits for a clock that was ahead is not brought back yet");
                    }
                }
            }
            let wait = match self.start(&mut sends, &cut).await {
                Ok(started) if started >= self.limits.batch as usize => Duration::ZERO,
                // Nothing can be claimed before something under way has ended.
                Ok(_) if sends.len() >= UNDER_WAY_WITH_CALLOUTS => self.limits.poll,
                Ok(_) => self.until_next(&mut away).await,
                Err(store::Error::Fenced) => {
                    // Its deliverer reconciles what is under way here; nothing of ours can be settled any more.
                    tracing::info!("another curiad delivers now");
                    sends.shutdown().await;
                    return stop.cancelled().await;
                }
                Err(error) => {
                    self.cannot(&error, &mut away);
                    self.limits.poll
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some(ended) = sends.join_next(), if !sends.is_empty() => report(ended),
                () = self.look.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        if timeout(self.limits.drain, ended(&mut sends)).await.is_err() {
            tracing::info!(under_way = sends.len(), "stopping: what is still under way is put back");
            cut.cancel();
            if timeout(LAST_WORDS, ended(&mut sends)).await.is_err() {
                tracing::warn!(under_way = sends.len(), "not settled: their leases run out");
            }
        }
        crash_point!("deliverer/drained");
    }

    /// One step: claims what is due now, sends all of it at once, settles each. Answers how many there were.
    pub async fn deliver_once(&self) -> Result<usize, store::Error> {
        let mut sends = JoinSet::new();
        let started = self.start(&mut sends, &CancellationToken::new()).await?;
        ended(&mut sends).await;
        Ok(started)
    }

    async fn start(&self, sends: &mut JoinSet<()>, cut: &CancellationToken) -> Result<usize, store::Error> {
        while let Some(ended) = sends.try_join_next() {
            report(ended);
        }
        if sends.len() >= UNDER_WAY_WITH_CALLOUTS {
            return Ok(0);
        }
        let claimed = self.store.claim(self.clock.now(), self.limits.lease, self.limits.batch).await?;
        let started = claimed.len();
        if started == 0 {
            return Ok(0);
        }
        let mut setup = self.setup.borrow().clone();
        let added = self.situation.borrow().overrides.clone();
        setup.configuration = Configuration::with_overrides(&setup.configuration, added.values());
        for one in claimed {
            crash_point!("deliverer/claimed");
            // Its new lease runs out, and then it is known what became of it.
            let Some(begun) = self.under_way.begin(&one.notification.key) else { continue };
            let (deliverer, setup, cut) = (self.clone(), setup.clone(), cut.clone());
            let room =
                sends.len() < UNDER_WAY || matches!(one.notification.kind, NotificationKind::Callout { .. });
            sends.spawn(async move {
                let _begun = begun;
                deliverer.deliver(&setup, &one, room, &cut).await;
            });
        }
        Ok(started)
    }

    /// How long until something is due, and not longer than one poll.
    async fn until_next(&self, away: &mut Away) -> Duration {
        let now = self.clock.now();
        match self.store.next_delivery(now).await {
            Ok(at) => {
                if let Some(Lasting { lasted, times }) = away.answered() {
                    tracing::info!(?lasted, times, "the outbox can be read again: what waited is delivered");
                }
                self.undelivered.send_if_modified(|since| since.take().is_some());
                let next = at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
                next.map_or(self.limits.poll, |next| next.min(self.limits.poll))
            }
            Err(error) => {
                self.cannot(&error, away);
                self.limits.poll
            }
        }
    }

    /// Nothing can be claimed, so nobody is told anything.
    fn cannot(&self, error: &store::Error, away: &mut Away) {
        if let Some(Lasting { lasted, times }) = away.failed() {
            tracing::warn!(%error, ?lasted, times, "nothing can be delivered: the outbox cannot be read; it is tried again");
        }
        let now = self.clock.now();
        self.undelivered.send_if_modified(|since| since.replace(since.unwrap_or(now)).is_none());
    }

    /// Sends one and settles it. Without `room` it is put back: too many wait for their turn already. So it is at `cut`.
    async fn deliver(&self, setup: &Setup, claimed: &Claimed, room: bool, cut: &CancellationToken) {
        let notification = &claimed.notification;
        let course = Course::of(claimed);
        let (number, key) = (course.number(), notification.key.as_str());
        let patience = if room { self.limits.turn() } else { Duration::ZERO };
        let turn = tokio::select! {
            turn = setup.channels.turn(&notification.channel, patience) => turn,
            () = cut.cancelled() => None,
        };
        let sent = match turn {
            Some(_turn) => {
                crash_point!("deliverer/turn");
                let limit = self.limits.send();
                tokio::select! {
                    sent = in_time(limit, send::send(&self.store, setup, claimed, &self.clock)) => sent.unwrap_or_else(|| {
                        Err(SendError::unclear(format!("no end within {limit:?}: what became of it is not known")))
                    }),
                    () = cut.cancelled() => {
                        Err(SendError::unclear("Curiad stopped before it was answered: what became of it is not known"))
                    }
                }
            }
            None => Err(SendError::retryable(
                "as much goes through this channel as may at a time: it waits its turn",
            )),
        };
        match &sent {
            Ok(sent) => {
                crash_point!("deliverer/sent");
                tracing::info!(key, try_number = number, ?sent, "delivered");
            }
            Err(error) => {
                crash_point!("deliverer/refused");
                tracing::warn!(key, try_number = number, %error, "not delivered");
            }
        }
        let (settlement, said) = course.ended(sent, self.clock.now());
        if let Settlement::GivenUp { why } = &settlement {
            tracing::error!(key, why, "given up");
        }
        self.settle(claimed, settlement, said).await;
    }

    /// Settles, with a receipt for each thing there is to say of it.
    async fn settle(&self, claimed: &Claimed, settlement: Settlement, said: Vec<Sent>) {
        let key = claimed.notification.key.as_str();
        let now = self.clock.now();
        let receipts: Vec<Receipt> = said
            .into_iter()
            .map(|outcome| Receipt {
                notification: key.to_owned(),
                incident: claimed.notification.incident,
                at: now,
                outcome,
            })
            .collect();
        for attempt in 1..=SETTLE_TRIES {
            match self.store.settle(&claimed.claim, &settlement, &receipts, now).await {
                Ok(true) => {
                    crash_point!("deliverer/settled");
                    if !receipts.is_empty() {
                        self.told.notify_one();
                    }
                    crash_point!("deliverer/hinted");
                    return;
                }
                Ok(false) => {
                    tracing::warn!(key, "the lease ran out: somebody else settles it");
                    return;
                }
                Err(store::Error::Fenced) => {
                    tracing::info!(key, "another curiad delivers now, and reconciles this");
                    return;
                }
                Err(error) => {
                    tracing::warn!(key, attempt, %error, "cannot settle");
                    tokio::time::sleep(Duration::from_millis(200) * attempt).await;
                }
            }
        }
        tracing::error!(key, "not settled: its lease runs out, and it is reconciled before it is sent again");
    }
}

async fn ended(sends: &mut JoinSet<()>) {
    while let Some(ended) = sends.join_next().await {
        report(ended);
    }
}

/// A send that panicked leaves its lease to run out; the others go on.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a send broke: its notification is reconciled when the lease has run out");
    }
}
