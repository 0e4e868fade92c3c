//! The recorder while the store takes nothing: what happens, and what is done about it.

use super::{
    GRACE, Recorder,
    backlog::Written,
    failing::Failing,
    live::until_due,
    outage::{Back, Ended, Outage, WRITE, WRITE_AGAIN, Writing},
};
use crate::spool::{Late, Record};
use domain::{Event, Outcome};
use std::{
    future::pending,
    sync::{Arc, atomic::Ordering},
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// A write that may not be under way.
async fn written(writing: &mut Option<Writing>) -> Written {
    match writing {
        Some(writing) => writing.await,
        None => pending().await,
    }
}

impl Recorder {
    /// Until the store is back; `None`: until it was stopped, with what waits in the spool.
    pub(super) async fn outlast(
        &mut self,
        mut outage: Outage,
        failing: &mut Failing,
        stop: &CancellationToken,
    ) -> Result<Option<Back>, store::Error> {
        loop {
            outage.go_on(failing, self);
            let wake = outage.wake(failing, &self.limits);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.put_by(outage).await;
                    return Ok(None);
                }
                Ok(()) = self.configuration.changed() => {
                    let configuration = Arc::clone(&self.configuration.borrow_and_update());
                    let now = self.clock.now();
                    outage.configured = Some((now, Arc::clone(&configuration)));
                    self.want_all(outage.shadow(&Event::Configured(configuration), now));
                }
                ended = outage.attempt.ended() => {
                    let in_time = matches!(ended, Ended::InTime(_));
                    match outage.ended(ended, failing) {
                        Ok(overlay) => {
                            if let Some(mut overlay) = overlay {
                                if !in_time {
                                    // Of what is past: it is asked for again once the store is back.
                                    overlay.wanted.clear();
                                }
                                self.publish(overlay);
                            }
                            if outage.is_over() {
                                self.unrecorded.send_replace(None);
                                return Ok(Some(outage.back()));
                            }
                        }
                        Err(trouble) => {
                            self.recording.failures.fetch_add(1, Ordering::Relaxed);
                            outage.failed(failing, trouble)?;
                        }
                    }
                }
                written = written(&mut outage.writing) => {
                    outage.writing = None;
                    outage.backlog.written(written);
                    let pause = if outage.backlog.stuck { WRITE_AGAIN } else { WRITE };
                    outage.write_at = Instant::now() + pause;
                }
                outcome = self.outcomes.recv(), if outage.room() > 0 => {
                    let Some(outcome) = outcome else {
                        self.put_by(outage).await;
                        return Ok(None);
                    };
                    self.take_late(&mut outage, outcome);
                }
                () = self.recording.told() => outage.due_at = Instant::now(),
                () = sleep_until(wake) => {}
            }
            if outage.due_at <= Instant::now() {
                let now = self.clock.now();
                self.want_all(outage.shadow(&Event::Due, now));
                outage.due_at = Instant::now() + until_due(&outage.shadow, now);
                self.say_unrecorded(&mut outage, failing);
            }
        }
    }

    /// One outcome, and whatever else has arrived by now.
    fn take_late(&mut self, outage: &mut Outage, first: Outcome) {
        let (mut next, then, room) = (Some(first), self.clock.now(), outage.room());
        for left in (0..room).rev() {
            let Some(outcome) = next else { break };
            self.want_all(outage.take(outcome, then));
            next = if left > 0 { self.outcomes.try_recv().ok() } else { None };
        }
    }

    /// Says to those who must know that nothing is recorded, once it has lasted.
    fn say_unrecorded(&self, outage: &mut Outage, failing: &Failing) {
        let told_at = self.recording.last_resort_told_at();
        if told_at != outage.told_at
            && let Some(told_at) = told_at
        {
            outage.told_at = Some(told_at);
            outage.backlog.push(Record::Told(told_at));
            outage.write_at = Instant::now();
        }
        let said = failing.told || self.unrecorded.borrow().is_some();
        // What the store takes is recorded, if late.
        if said || !outage.takes && failing.began.elapsed() >= self.limits.tell_after {
            self.unrecorded.send_replace(Some(outage.unrecorded(failing)));
        }
    }

    /// On stopping: all that waits in memory goes into the spool.
    async fn put_by(&mut self, mut outage: Outage) {
        while let Ok(outcome) = self.outcomes.try_recv() {
            let late = Late { then: self.clock.now(), outcome: Arc::new(outcome) };
            outage.backlog.push(Record::Late(late));
        }
        let writing = outage.writing.take();
        if timeout(GRACE, outage.backlog.put_by(writing)).await.is_err() {
            tracing::error!("the spool did not take what waits within the grace period: it is lost");
        }
    }
}
