//! The one place where the system's clock is read (invariant 2), and where it is seen that somebody sets it.

use domain::{CLOCK_IS_SET, Clock, Message, Told};
use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often the clock is held against time itself.
const LOOK: Duration = Duration::from_secs(1);

/// Two clocks that were read further apart say nothing of each other: the machine did something else in between.
const AT_ONCE: Duration = Duration::from_millis(200);

/// What goes on while the machine sleeps, too: to wake up is not to be set.
#[cfg(target_os = "linux")]
const STEADY: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const STEADY: ClockId = ClockId::Monotonic;

/// The system's clock, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the clock is read; everybody else is handed a Clock"
)]
pub(crate) fn system() -> Clock {
    Clock::new(Timestamp::now)
}

/// Since some moment, whatever anybody does to the clock.
fn steady() -> Duration {
    Duration::try_from(clock_gettime(STEADY)).unwrap_or_default()
}

/// The same moment by both.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: Timestamp,
    steady: Duration,
}

impl Moment {
    fn read(clock: &Clock) -> Option<Self> {
        let before = steady();
        let (wall, after) = (clock.now(), steady());
        (after.saturating_sub(before) < AT_ONCE).then_some(Self { wall, steady: before })
    }

    /// By how much the clock moved more than time did.
    fn set_by(self, before: Self) -> SignedDuration {
        let lasted = SignedDuration::try_from(self.steady.saturating_sub(before.steady));
        self.wall.duration_since(before.wall).saturating_sub(lasted.unwrap_or(SignedDuration::MAX))
    }
}

/// Tells the recorder when the clock is set.
pub(crate) async fn watch(
    store: Store,
    inbox: Arc<Notify>,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK);
    let mut last = Moment::read(&clock);
    // What could not be told yet: the store may take nothing just now.
    let mut untold = SignedDuration::ZERO;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
        let Some(now) = Moment::read(&clock) else { continue };
        let by = last.map_or(SignedDuration::ZERO, |before| now.set_by(before));
        last = Some(now);
        if by.unsigned_abs() > CLOCK_IS_SET {
            tracing::warn!(by = %format_args!("{by:#}"), "the clock was set");
            untold = untold.saturating_add(by);
        }
        if untold.is_zero() {
            continue;
        }
        let by_ms = i64::try_from(untold.as_millis()).unwrap_or(i64::MAX);
        match store.tell(&Told { at: now.wall, what: Message::ClockSet { by_ms } }).await {
            Ok(_) => {
                untold = SignedDuration::ZERO;
                inbox.notify_one();
            }
            Err(error) => tracing::debug!(%error, "that the clock was set could not be told yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[test]
    fn time_that_passes_is_no_setting_of_the_clock_and_what_it_moves_beside_that_is() {
        let before = Moment { wall: system().now(), steady: Duration::from_secs(100) };
        let after = |wall: i64, steady| Moment {
            wall: before.wall + SignedDuration::from_secs(wall),
            steady: Duration::from_secs(steady),
        };
        assert_eq!(after(3_600, 3_700).set_by(before), SignedDuration::ZERO);
        assert_eq!(after(37, 100).set_by(before), SignedDuration::from_secs(37));
        assert_eq!(after(-3_599, 101).set_by(before), SignedDuration::from_secs(-3_600));
    }

    #[tokio::test]
    async fn a_clock_that_is_set_is_told_to_the_recorder_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = format!("sqlite:{}", directory.path().join("curiad.db").display());
        let store = Store::open(&path, [1; 32]).await.unwrap();
        let (ahead, looked) = (Arc::new(AtomicI64::new(0)), Arc::new(Notify::new()));
        let (real, moved, looks) = (system(), Arc::clone(&ahead), Arc::clone(&looked));
        let clock = Clock::new(move || {
            looks.notify_one();
            real.now() + SignedDuration::from_secs(moved.load(Ordering::Relaxed))
        });
        let (stop, inbox) = (CancellationToken::new(), Arc::new(Notify::new()));
        let watching = watch(store.clone(), Arc::clone(&inbox), clock, stop.clone());
        // Each look finds it set back once more, until that is told.
        let setting = async {
            loop {
                tokio::select! {
                    biased;
                    () = inbox.notified() => break,
                    () = looked.notified() => ahead.fetch_sub(90, Ordering::Relaxed),
                };
            }
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(watching, setting);
        ended.unwrap();
        let told = store.inbox(10).await.unwrap();
        let [(_, Told { what: Message::ClockSet { by_ms }, .. })] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert!(*by_ms < -89_000, "{by_ms}");
    }
}
