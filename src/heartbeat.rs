//! Whether Curiad itself is well, and the heartbeat that says so to somebody outside.

use crate::{equipment::Beating, pulse::Pulse};
use alerting::{Recording, heartbeat};
use domain::{Clock, Situation, is_attended};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// How often it is asked whether all is well.
const LOOK: Duration = Duration::from_secs(1);

/// Whether what is seen is recorded.
pub(crate) struct Records {
    pub(crate) recording: Arc<Recording>,
    /// Since when what is to be told cannot be read.
    pub(crate) undelivered: watch::Receiver<Option<Timestamp>>,
    /// A recorder that has committed nothing for so long is not well, nor a deliverer that could read nothing: the heartbeat
    /// stops (invariant 6).
    pub(crate) within: SignedDuration,
    /// Whether the thread that probes and records still turns.
    pub(crate) pulse: Pulse,
    /// Since when it does not, for those who show it.
    pub(crate) hangs: watch::Sender<Option<Timestamp>>,
}

impl Records {
    fn tell_whether_it_hangs(&self, now: Timestamp) {
        let hangs = self.pulse.hangs(Instant::now());
        self.hangs.send_if_modified(|since| {
            match (hangs, since.is_some()) {
                (Some(still), false) => {
                    tracing::error!(
                        "nothing was probed or recorded for {still:.0?}: the thread that does hangs"
                    );
                    *since = Some(SignedDuration::try_from(still).map_or(now, |still| now - still));
                }
                (None, true) => {
                    tracing::info!("probing and recording go on");
                    *since = None;
                }
                (Some(_), true) | (None, false) => return false,
            }
            true
        });
    }
}

/// Says whether Curiad itself is well: what is seen is recorded, what is to be told can be, and nobody waits for a human in
/// vain (invariant 10).
pub(crate) async fn look_after(
    well: watch::Sender<bool>,
    situation: watch::Receiver<Arc<Situation>>,
    records: Records,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK);
    let began = clock.now();
    let within = records.within;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
        let now = clock.now();
        records.tell_whether_it_hangs(now);
        let committed_at = records.recording.committed_at();
        if committed_at.is_none() && now.duration_since(began) < within {
            continue;
        }
        let current = Arc::clone(&situation.borrow());
        let recorded = committed_at.is_some_and(|at| now.duration_since(at).abs() < within);
        let delivered = records.undelivered.borrow().is_none_or(|since| now.duration_since(since) < within);
        well.send_replace(recorded && delivered && is_attended(&current, now));
    }
}

/// Beats to whom the configuration names, while all is well.
pub(crate) async fn beat(
    mut to: watch::Receiver<Option<Beating>>,
    well: watch::Receiver<bool>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // Nothing can be said of a program that has only begun.
    let mut first = well.clone();
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        _ = first.changed() => {}
    }
    loop {
        let current = to.borrow_and_update().clone();
        let beating = async {
            match &current {
                Some(to) => heartbeat(&to.dead_man, &to.client, well.clone(), stop.clone()).await,
                None => stop.cancelled().await,
            }
        };
        tokio::select! {
            () = beating => return Ok(()),
            // Another address, or another pace; who would say so may have stopped before us.
            Ok(()) = to.changed() => {}
        }
    }
}
