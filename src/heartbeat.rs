//! Whether Curiad itself is well, and the heartbeat that says so to somebody outside.

use crate::equipment::Beating;
use alerting::{Recording, heartbeat};
use domain::{Clock, Incident, Situation, next_action};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often it is asked whether all is well.
const LOOK: Duration = Duration::from_secs(1);

/// Whether what is seen is recorded.
pub(crate) struct Records {
    pub(crate) recording: Arc<Recording>,
    /// A recorder that has committed nothing for so long is not well: the heartbeat stops (invariant 6).
    pub(crate) within: Duration,
}

/// Says whether Curiad itself is well: the recorder commits, and nobody waits for a human in vain (invariant 10).
pub(crate) async fn look_after(
    well: watch::Sender<bool>,
    situation: watch::Receiver<Arc<Situation>>,
    records: Records,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK);
    let began = clock.now();
    let within = SignedDuration::try_from(records.within).unwrap_or(SignedDuration::MAX);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
        let now = clock.now();
        let committed_at = records.recording.committed_at();
        if committed_at.is_none() && now.duration_since(began) < within {
            continue;
        }
        let current = Arc::clone(&situation.borrow());
        let records = committed_at.is_some_and(|at| now.duration_since(at).abs() < within);
        well.send_replace(records && is_attended(&current, now));
    }
}

fn is_attended(situation: &Situation, now: Timestamp) -> bool {
    let attended = |incident: &Incident| {
        !Situation::is_waiting_for_a_human(incident) || next_action(situation, incident, now).is_some()
    };
    situation.open_incidents().all(|incident| attended(incident))
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
