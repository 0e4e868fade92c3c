//! Whether Curiad itself is well, and the heartbeat that says so to somebody outside.

use crate::equipment::Beating;
use alerting::{Recording, heartbeat};
use domain::{Clock, Incident, Situation, next_action};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A recorder that has committed nothing for so long is not well: the heartbeat stops (invariant 6).
const RECORDS_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// How often it is asked whether all is well.
const LOOK: Duration = Duration::from_secs(1);

/// Says whether Curiad itself is well: the recorder commits, and nobody waits for a human in vain (invariant 10).
pub(crate) async fn look_after(
    well: watch::Sender<bool>,
    situation: watch::Receiver<Arc<Situation>>,
    recording: Arc<Recording>,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK);
    let began = clock.now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
        let now = clock.now();
        let committed_at = recording.committed_at();
        if committed_at.is_none() && now.duration_since(began) < RECORDS_WITHIN {
            continue;
        }
        let current = Arc::clone(&situation.borrow());
        well.send_replace(is_well(&current, committed_at, now));
    }
}

fn is_well(situation: &Situation, committed_at: Option<Timestamp>, now: Timestamp) -> bool {
    let records = committed_at.is_some_and(|at| now.duration_since(at).abs() < RECORDS_WITHIN);
    let attended = |incident: &Incident| {
        !Situation::is_waiting_for_a_human(incident) || next_action(situation, incident, now).is_some()
    };
    records && situation.open_incidents().all(|incident| attended(incident))
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
