//! Every check at its time from each of its vantages, evenly spread, until told to stop.

use crate::{
    Error, Metrics, Prober,
    flow::Flow,
    landing::Landing,
    timetable::{Timetable, Turn},
};
use domain::{Configuration, Outcome, Wanted};
use jiff::Timestamp;
use std::{pin::Pin, sync::Arc, task::Poll, time::Duration};
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

/// What was seen is handed to the recorder within this.
const HANDING_OVER: Duration = Duration::from_millis(100);

/// A clock that is this far from where it should be has been set.
const SET: Duration = Duration::from_secs(1);

/// By whom what is probed; exchanged as one when the configuration is read again.
#[derive(Debug, Clone)]
pub struct Work {
    /// Who probes.
    pub prober: Arc<Prober>,
    /// Who probes from other vantages, each made from `prober` by [`Prober::again`], so that they share its limits.
    pub others: Vec<Arc<Prober>>,
    /// What: the checks of their vantages.
    pub configuration: Arc<Configuration>,
}

/// Probes every check of the probers' vantages at its time, and what is `wanted` out of turn (marked *confirm*), until
/// `stop`; then waits for the probes in flight, at most [`Limits::grace`](crate::Limits::grace), and for journeys as long as
/// they may take to clean up.
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
    let first = work.borrow_and_update().clone();
    let mut prober = Arc::clone(&first.prober);
    let mut flight = Flight { outcomes, probes: JoinSet::new() };
    let mut watch = Watch::new(prober.clock().now());
    let mut lanes = lanes(Vec::new(), first);
    let (mut working, mut wanting) = (true, true);
    loop {
        let now = prober.clock().now();
        if watch.was_set(now) {
            tracing::warn!(%now, "the clock was set: every check's next time is worked out anew");
            for lane in &mut lanes {
                lane.timetable.realign(now);
            }
        }
        flight.reap();
        let held_up = lanes.iter().any(|lane| lane.prober.metrics().holds_up());
        if !held_up {
            for lane in &mut lanes {
                lane.start(&mut flight, now);
            }
        }
        let rest = rest(lanes.iter().filter_map(|lane| lane.timetable.next()).min(), now, held_up);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = flight.outcomes.closed() => return Err(Error::OutcomesClosed),
            changed = work.changed(), if working => match changed {
                Ok(()) => {
                    let new = work.borrow_and_update().clone();
                    prober = Arc::clone(&new.prober);
                    lanes = self::lanes(lanes, new);
                }
                Err(_) => working = false,
            },
            one = wanted.recv(), if wanting => match one {
                Some(one) => {
                    want(&mut lanes, one);
                    while let Ok(one) = wanted.try_recv() {
                        want(&mut lanes, one);
                    }
                }
                None => wanting = false,
            },
            () = look_out(&mut lanes) => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    let grace = prober.limits().grace;
    flight.land(grace, prober.landing()).await;
    Ok(())
}

/// One vantage: who probes from there, and what is due.
struct Lane {
    prober: Arc<Prober>,
    timetable: Timetable,
    flow: Flow,
    /// Never ends.
    looking_out: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Lane {
    fn start(&mut self, flight: &mut Flight, now: Timestamp) {
        let most = self.flow.allows(self.timetable.per_second(), Instant::now());
        for turn in self.timetable.due(now, most) {
            self.flow.began(u32::from(!turn.confirm));
            flight.start(&self.prober, turn, now);
        }
        self.prober.metrics().skip(std::mem::take(&mut self.timetable.skipped));
        self.prober.metrics().pause(std::mem::take(&mut self.timetable.paused));
    }
}

/// The lanes of new work; one whose vantage was there before goes on with its timetable.
fn lanes(mut before: Vec<Lane>, work: Work) -> Vec<Lane> {
    let Work { prober, others, configuration } = work;
    let lane = |prober: Arc<Prober>| {
        let same = before.iter().position(|lane| lane.prober.vantage() == prober.vantage());
        let same = same.map(|at| before.swap_remove(at));
        let anew = same.as_ref().is_none_or(|lane| !prober.prepares_like(&lane.prober));
        let (mut timetable, flow) = same.map_or_else(
            || (Timetable::default(), Flow::new(Instant::now())),
            |lane| (lane.timetable, lane.flow),
        );
        configure(&mut timetable, &prober, &configuration, anew);
        Lane { looking_out: Box::pin(Arc::clone(&prober).look_out()), timetable, flow, prober }
    };
    std::iter::once(prober).chain(others).map(lane).collect()
}

fn want(lanes: &mut [Lane], one: Wanted) {
    if let Some(lane) = lanes.iter_mut().find(|lane| *lane.prober.vantage() == one.track.vantage) {
        lane.timetable.want(lane.prober.vantage(), one);
    }
}

/// All look at their guards, for ever.
fn look_out(lanes: &mut [Lane]) -> impl Future<Output = ()> {
    std::future::poll_fn(|context| {
        for lane in &mut *lanes {
            let _never = lane.looking_out.as_mut().poll(context);
        }
        Poll::Pending
    })
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
    prober.prepared_all();
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
    outcomes: mpsc::Sender<Outcome>,
    probes: JoinSet<()>,
}

impl Flight {
    fn start(&mut self, prober: &Arc<Prober>, turn: Turn, now: Timestamp) {
        let lag = Duration::try_from(now.duration_since(turn.free)).unwrap_or_default();
        let (prober, outcomes) = (Arc::clone(prober), self.outcomes.clone());
        // In a box, so that it is not moved again: into the task, and out of it at its end.
        self.probes.spawn(Box::pin(async move {
            let outcome = prober.probe_after(&turn.slot.prepared, (turn.due, turn.confirm), lag).await;
            turn.slot.pause(&outcome, prober.clock().now());
            hand_off(&outcomes, outcome, prober.metrics()).await;
        }));
    }

    fn reap(&mut self) {
        while let Some(ended) = self.probes.try_join_next() {
            tell_if_broken(ended);
        }
    }

    /// No new probes; those in flight may end in their own time, but not for ever: journeys when they have cleaned up.
    async fn land(&mut self, grace: Duration, landing: &Landing) {
        landing.land();
        let cleaned = async {
            tokio::time::sleep(grace).await;
            landing.cleaned().await;
            // What they saw is handed over.
            tokio::time::sleep(HANDING_OVER).await;
        };
        let all = async {
            while let Some(ended) = self.probes.join_next().await {
                tell_if_broken(ended);
            }
        };
        let landed = tokio::select! {
            biased;
            () = all => true,
            () = cleaned => false,
        };
        if !landed {
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
