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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::minimal::Directory;
    use domain::{Environment, Event, Failure, FailureKind, Layer, Outcome, Remembered, Status, decide};
    use std::sync::atomic::Ordering;

    /// A check of production has failed for so long that its incident is open, and has a next call.
    fn failing(began: Timestamp) -> (Situation, Timestamp) {
        let configuration = Directory::new().load().unwrap().configuration;
        let key = domain::ReferenceKey([7; 32]);
        let mut situation = Situation::new(Arc::clone(&configuration), Remembered::nothing(key));
        let check = configuration
            .checks
            .keys()
            .find(|id| id.instance.environment == Environment::Production)
            .unwrap();
        let (vantage, mut now) = (configuration.vantages[0].id.clone(), began);
        for round in 0..20 {
            now += SignedDuration::from_secs(10);
            let failure = Failure {
                layer: Layer::Connect,
                kind: FailureKind::Refused,
                message: "192.0.2.7:443 refused the connection".to_owned(),
            };
            let outcome = Outcome {
                failure: (round > 2).then_some(failure),
                total: Duration::from_millis(20),
                ..Outcome::new(check.clone(), vantage.clone(), now)
            };
            for event in [Event::Due, Event::Outcome(Arc::new(outcome))] {
                situation = decide(&situation, &event, now).after;
            }
        }
        assert_eq!(situation.status(&check.instance), Status::MajorOutage);
        assert_eq!(situation.open_incidents().count(), 1);
        (situation, now)
    }

    /// Of a Curiad that records and delivers, looked at then.
    async fn is_well(situation: Situation, at: Timestamp) -> bool {
        let recording = Arc::new(Recording::default());
        recording.committed_at_ms.store(at.as_millisecond(), Ordering::Relaxed);
        let records = Records {
            recording,
            undelivered: watch::channel(None).1,
            within: SignedDuration::from_mins(1),
            pulse: Pulse::default(),
            hangs: watch::Sender::default(),
        };
        let (well, mut said) = watch::channel(true);
        let (_kept, situation) = watch::channel(Arc::new(situation));
        let stop = CancellationToken::new();
        let looking = look_after(well, situation, records, Clock::new(move || at), stop.clone());
        let heard = async {
            said.changed().await.unwrap();
            stop.cancel();
            *said.borrow()
        };
        let (looked, is) = tokio::join!(looking, heard);
        looked.unwrap();
        is
    }

    #[tokio::test]
    async fn while_somebody_waits_in_vain_for_a_call_nothing_is_well_though_all_is_recorded() {
        let (situation, now) = failing("2026-11-21T02:00:00Z".parse().unwrap());
        assert!(is_well(situation.clone(), now).await, "the next call is to come");
        assert!(!is_well(situation, now + SignedDuration::from_mins(10)).await, "nobody places it");
    }
}
