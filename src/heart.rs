//! The watch over Curiad itself, and the heartbeat that stops when it is not well.

use crate::tasks::Tasks;
use alerting::{DeadMan, Recording, heartbeat};
use domain::{Clock, Incident, Situation, next_action};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often it is asked whether all is well.
const LOOK: Duration = Duration::from_secs(1);

/// What the heart listens to.
pub(crate) struct Watch {
    pub(crate) situation: watch::Receiver<Arc<Situation>>,
    pub(crate) recording: Arc<Recording>,
    /// A recorder that has committed nothing for so long is not well (invariant 6).
    pub(crate) within: SignedDuration,
    pub(crate) clock: Clock,
}

/// The heartbeat, and the watch that it beats by.
pub(crate) fn beat(dead_man: DeadMan, client: reqwest::Client, watch: Watch, tasks: &mut Tasks) {
    let (well_in, well) = watch::channel(false);
    tasks.add("watch over itself", watch.look_after(well_in, tasks.stop.clone()));
    let stopping = tasks.stop.clone();
    tasks.add("heartbeat", async move {
        // Nothing can be said of a program that has only begun.
        let mut first = well.clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            _ = first.changed() => {}
        }
        heartbeat(&dead_man, &client, well, stopping).await;
        anyhow::Ok(())
    });
}

impl Watch {
    /// Says whether Curiad itself is well: the recorder commits, and nobody waits for a human in vain (invariant 10).
    async fn look_after(self, well: watch::Sender<bool>, stop: CancellationToken) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(LOOK);
        let began = self.clock.now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = look.tick() => {}
            }
            let now = self.clock.now();
            let committed_at = self.recording.committed_at();
            if committed_at.is_none() && now.duration_since(began) < self.within {
                continue;
            }
            let current = Arc::clone(&self.situation.borrow());
            let records = committed_at.is_some_and(|at| now.duration_since(at) < self.within);
            well.send_replace(records && is_attended(&current, now));
        }
    }
}

fn is_attended(situation: &Situation, now: Timestamp) -> bool {
    let attended = |incident: &Incident| {
        !Situation::is_waiting_for_a_human(incident) || next_action(situation, incident, now).is_some()
    };
    situation.open_incidents().all(|incident| attended(incident))
}
