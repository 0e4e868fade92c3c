//! Seals the hours that are over, then rolls up the days that are, then lets go of what is kept no more: a few tracks at a time,
//! so that recording never waits long for it.

use alerting::Away;
use domain::{Clock, Configuration, Environment};
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use store::{Error, Partitioned, Store};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// An hour is left alone for so long after its end: what is late by less is never sealed twice.
const REST: SignedDuration = SignedDuration::from_hours(2);
/// Whether there is something to do is looked at this often, unless somebody says otherwise.
pub(crate) const LOOK: Duration = Duration::from_secs(60);
/// Between two steps, so that whoever records comes in between.
const PAUSE: Duration = Duration::from_millis(200);
/// A step that takes longer is followed by one of fewer tracks.
const LONG: Duration = Duration::from_millis(20);
/// Tracks of one step, at most.
const TRACKS: u32 = 32;

/// What the phases of answers took is written this often: a crash loses as much of it.
const PHASES: Duration = Duration::from_secs(600);
/// Tracks of which it is written at once where nothing else is to come in between.
const AT_A_STOP: u32 = 500;

/// Partitions are looked after this often.
const PARTITIONS: Duration = Duration::from_secs(3_600);

/// What was done since there was nothing to do.
#[derive(Debug, Default)]
struct Done {
    samples: u64,
    hours: u64,
    days: u64,
    pruned: u64,
}

impl Done {
    fn say(self) {
        let Self { samples, hours, days, pruned } = self;
        if hours + days > 0 {
            tracing::info!(samples, hours, days, "sealed the hours and rolled up the days that are over");
        }
        if pruned > 0 {
            tracing::info!(times = pruned, "let go of what is kept no more");
        }
    }
}

/// Works until `stop`, and looks for work `every` so long; a step that is under way then is ended first. An error is tried
/// again, and said when it begins.
pub(crate) async fn run(
    store: Store,
    configuration: watch::Receiver<Arc<Configuration>>,
    clock: Clock,
    every: Duration,
    stop: CancellationToken,
) {
    let (mut tracks, mut away, mut done) = (TRACKS / 4, Away::default(), Done::default());
    let mut phases_at = Instant::now() + PHASES;
    let mut partitions_at = Instant::now();
    while !stop.is_cancelled() {
        let began = Instant::now();
        let turn = async {
            if phases_at <= began {
                let put = store.put_phases(tracks).await;
                if matches!(put, Ok(1..)) {
                    return Ok(true);
                }
                // Where it cannot be done, sealing goes on without it.
                phases_at = began + PHASES;
                put?;
            }
            if partitions_at <= began {
                partitions_at = began + PARTITIONS;
                let Partitioned { made, dropped } = store.partition(clock.now()).await?;
                if made + dropped > 0 {
                    tracing::info!(
                        made,
                        dropped,
                        "made the partitions to come and dropped those that are over"
                    );
                }
            }
            step(&store, &configuration, &clock, tracks, &mut done).await
        };
        let pause = match turn.await {
            Ok(more) => {
                away.answered();
                if more {
                    tracks =
                        if began.elapsed() > LONG { tracks.div_ceil(2) } else { (tracks + 1).min(TRACKS) };
                    PAUSE
                } else {
                    std::mem::take(&mut done).say();
                    every
                }
            }
            // Another program records: who keeps the lease, or who records, ends this one.
            Err(Error::Fenced) => return stop.cancelled().await,
            Err(error) => {
                if away.failed().is_some() {
                    tracing::warn!(%error, "the history that is over could not be looked after; it stays as it is");
                }
                every
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
}

/// Writes what the phases of answers took, when nothing more will be recorded.
pub(crate) async fn put_phases(store: &Store) {
    // What was being written when this was asked for, and what came meanwhile.
    let mut rounds = 2;
    while rounds > 0 {
        match store.put_phases(AT_A_STOP).await {
            Ok(0) => rounds -= 1,
            Err(Error::Fenced) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "how long the phases of the last answers took could not be kept");
                return;
            }
        }
    }
}

/// Whether there was something to do.
async fn step(
    store: &Store,
    configuration: &watch::Receiver<Arc<Configuration>>,
    clock: &Clock,
    tracks: u32,
    done: &mut Done,
) -> Result<bool, Error> {
    let before = clock.now() - REST;
    let sealed = store.seal(before, tracks).await?;
    done.hours += u64::from(sealed.tracks);
    done.samples += sealed.samples;
    if sealed.tracks > 0 {
        return Ok(true);
    }
    let zone = configuration.borrow().site.time_zone.clone();
    let days = store.roll_up(before, &zone, tracks).await?;
    done.days += u64::from(days);
    if days > 0 {
        return Ok(true);
    }
    for environment in Environment::ALL {
        let retention = configuration.borrow().policy(environment).map(|policy| policy.retention);
        let pruned = store.prune(environment, &retention.unwrap_or_default(), clock.now(), tracks).await?;
        done.pruned += u64::from(pruned);
        if pruned > 0 {
            return Ok(true);
        }
    }
    store.give_back().await
}
