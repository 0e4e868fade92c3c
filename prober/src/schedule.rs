//! Every check of one vantage at its time, evenly spread, until told to stop.

use crate::{
    Error, Metrics, Prober,
    timetable::{Timetable, Turn},
};
use domain::{Configuration, LATE, Outcome, Wanted};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Probes that are due within one tick start together: at 1,000 probes a second the waking, not the probing, would be
/// the cost (reference/performance.md §2).
const TICK_MS: i64 = 10;

/// The clock is looked at at least this often: it may have been set.
const LOOK: Duration = Duration::from_secs(1);

/// A clock that is this far from where it should be has been set.
const SET: Duration = Duration::from_secs(1);

/// By whom what is probed; exchanged as one when the configuration is read again.
#[derive(Debug, Clone)]
pub struct Work {
    /// Who probes.
    pub prober: Arc<Prober>,
    /// What: the checks of its vantage.
    pub configuration: Arc<Configuration>,
}

/// Probes every check of the prober's vantage at its time, and what is `wanted` out of turn (marked *confirm*), until
/// `stop`; then waits for the probes in flight, at most [`Limits::grace`](crate::Limits::grace).
///
/// New `work` is taken up at once and leaves probes in flight alone. While `outcomes` is full no
/// new probe is started and no Outcome is lost; [`Metrics::outcomes_held_up`] counts. Ends with an error only when
/// nobody takes the outcomes any more.
pub async fn run(
    mut work: watch::Receiver<Work>,
    mut wanted: mpsc::Receiver<Wanted>,
    outcomes: mpsc::Sender<Outcome>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let Work { prober, configuration } = work.borrow_and_update().clone();
    let mut flight = Flight { prober, outcomes, probes: JoinSet::new() };
    let mut timetable = Timetable::default();
    let mut watch = Watch::new(flight.prober.clock().now());
    configure(&mut timetable, &flight.prober, &configuration, true);
    drop(configuration);
    let (mut working, mut wanting) = (true, true);
    let mut looking_out = Box::pin(Arc::clone(&flight.prober).look_out());
    loop {
        let prober = Arc::clone(&flight.prober);
        let now = prober.clock().now();
        if watch.was_set(now) {
            tracing::warn!(%now, "the clock was set: every check's next time is worked out anew");
            timetable.realign(now);
        }
        flight.reap();
        let held_up = prober.metrics().holds_up();
        if !held_up {
            for turn in timetable.due(now) {
                flight.start(turn, now);
            }
            prober.metrics().skip(std::mem::take(&mut timetable.skipped));
            prober.metrics().pause(std::mem::take(&mut timetable.paused));
        }
        let rest = rest(timetable.next(), now, held_up);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = flight.outcomes.closed() => return Err(Error::OutcomesClosed),
            changed = work.changed(), if working => match changed {
                Ok(()) => {
                    let new = work.borrow_and_update().clone();
                    configure(&mut timetable, &new.prober, &new.configuration, !new.prober.prepares_like(&prober));
                    looking_out = Box::pin(Arc::clone(&new.prober).look_out());
                    flight.prober = new.prober;
                }
                Err(_) => working = false,
            },
            one = wanted.recv(), if wanting => match one {
                Some(one) => {
                    timetable.want(prober.vantage(), one);
                    while let Ok(one) = wanted.try_recv() {
                        timetable.want(prober.vantage(), one);
                    }
                }
                None => wanting = false,
            },
            () = &mut looking_out => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    let grace = flight.prober.limits().grace;
    flight.land(grace).await;
    Ok(())
}

/// `anew`: also checks that did not change are made ready again.
fn configure(timetable: &mut Timetable, prober: &Prober, configuration: &Configuration, anew: bool) {
    let checks = configuration.checks.values().filter(|check| check.from.contains(prober.vantage()));
    timetable.configure(checks, prober.clock().now(), anew, |check| {
        let prepared = prober.prepare(check);
        if let Some(problem) = prepared.problem() {
            tracing::error!(check = %prepared.track, problem, "a check cannot be sent");
        }
        prepared
    });
}

/// How long there is nothing to do: to the end of the tick that the next is due in.
fn rest(next: Option<Timestamp>, now: Timestamp, held_up: bool) -> Duration {
    let tick = Duration::from_millis(TICK_MS.unsigned_abs());
    if held_up {
        return tick;
    }
    let Some(next) = next else { return LOOK };
    if next <= now {
        // Wanted, but its check is in flight.
        return tick;
    }
    let end = next.as_millisecond().div_euclid(TICK_MS).saturating_add(1).saturating_mul(TICK_MS);
    let end = Timestamp::from_millisecond(end).unwrap_or(next);
    end.duration_since(now).unsigned_abs().min(LOOK)
}

/// Sees when the wall clock was set, by the one that never is.
struct Watch {
    wall: Timestamp,
    steady: Instant,
}

impl Watch {
    fn new(now: Timestamp) -> Self {
        Self { wall: now, steady: Instant::now() }
    }

    fn was_set(&mut self, now: Timestamp) -> bool {
        let steady = Instant::now();
        let passed = jiff::SignedDuration::try_from(steady - self.steady).unwrap_or_default();
        let drift = now.duration_since(self.wall) - passed;
        (self.wall, self.steady) = (now, steady);
        drift.unsigned_abs() > SET
    }
}

/// The probes in flight.
struct Flight {
    prober: Arc<Prober>,
    outcomes: mpsc::Sender<Outcome>,
    probes: JoinSet<()>,
}

impl Flight {
    fn start(&mut self, turn: Turn, now: Timestamp) {
        let lag = Duration::try_from(now.duration_since(turn.free)).unwrap_or_default();
        self.prober.metrics().started(lag);
        let (prober, outcomes) = (self.prober.clone(), self.outcomes.clone());
        // In a box, so that it is not moved again: into the task, and out of it at its end.
        self.probes.spawn(Box::pin(async move {
            let mut outcome = prober.probe_prepared(&turn.slot.prepared, turn.due, turn.confirm).await;
            outcome.late = Some(lag).filter(|lag| *lag > LATE);
            turn.slot.pause(&outcome, prober.clock().now());
            hand_off(&outcomes, outcome, prober.metrics()).await;
        }));
    }

    fn reap(&mut self) {
        while let Some(ended) = self.probes.try_join_next() {
            tell_if_broken(ended);
        }
    }

    /// No new probes; those in flight may end in their own time, but not for ever.
    async fn land(&mut self, grace: Duration) {
        let all = async {
            while let Some(ended) = self.probes.join_next().await {
                tell_if_broken(ended);
            }
        };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!(
                probes = self.probes.len(),
                ?grace,
                "probes still in flight after the grace are abandoned"
            );
            self.probes.shutdown().await;
        }
    }
}

fn tell_if_broken(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("handing over an outcome broke");
    }
}

/// Hands an Outcome to the recorder; if that is behind, waits, and is counted.
async fn hand_off(outcomes: &mpsc::Sender<Outcome>, outcome: Outcome, metrics: &Metrics) {
    match outcomes.try_send(outcome) {
        // When it is closed, `run` ends with an error.
        Ok(()) | Err(TrySendError::Closed(_)) => {}
        Err(TrySendError::Full(outcome)) => {
            let _held = metrics.hold_up();
            if outcomes.send(outcome).await.is_err() {
                tracing::error!("an outcome could not be handed over: the recorder has ended");
            }
        }
    }
}
