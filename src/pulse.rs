//! Whether the thread on which the recorder and the prober run still turns: whatever keeps it busy stops both.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often it says so.
const BEAT: Duration = Duration::from_secs(1);

/// One that has not turned for so long hangs: all that it does in one go takes less than a second.
const HANGS: Duration = Duration::from_secs(10);

/// When the thread last turned; nothing before it begins, and once it is to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// Beats on the thread that it is about, until `stop`.
    pub(crate) async fn beat(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.turned(Some(Instant::now()));
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(BEAT) => {}
            }
        }
        // What is still to be done then is bounded by the stop itself.
        self.turned(None);
    }

    fn turned(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// For how long the thread hangs, if it does.
    pub(crate) fn hangs(&self, now: Instant) -> Option<Duration> {
        let turned = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turned.map(|at| now.saturating_duration_since(at)).filter(|still| *still >= HANGS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_turns_no_more_hangs_after_ten_seconds() {
        let (pulse, stop) = (Pulse::default(), CancellationToken::new());
        let before = Instant::now();
        assert_eq!(pulse.hangs(before + HANGS), None, "it has not begun");
        {
            let beating = std::pin::pin!(pulse.beat(&stop));
            // Once around, and never again.
            tokio::select! {
                biased;
                () = beating => unreachable!("nobody has stopped it"),
                () = tokio::task::yield_now() => {}
            }
        }
        let after = Instant::now();
        assert_eq!(pulse.hangs(before + HANGS.mul_f64(0.9)), None, "it is only busy");
        assert!(pulse.hangs(after + HANGS).is_some_and(|still| still >= HANGS));
        stop.cancel();
        pulse.beat(&stop).await;
        assert_eq!(pulse.hangs(after + HANGS), None, "it has stopped");
    }
}
