//! How many beats may begin.
//!
//! When all was held up, far more is due at once than could have a place in its time; of each of those we would say that we
//! had none, and to record that would hold all up again. So they begin a little faster than the schedule has them, and the
//! others late. How many are under way does not count: many that hang must not keep others from beginning.

use std::time::Duration;
use tokio::time::Instant;

/// Beats that may always begin at once.
const FEW: f64 = 256.0;
/// Faster than the schedule by this: what is late is caught up with in four intervals.
const FASTER: f64 = 1.25;

/// Beats that may begin now, by what the schedule has a second.
#[derive(Debug)]
pub(crate) struct Flow {
    left: f64,
    at: Instant,
}

impl Flow {
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: FEW, at: now }
    }

    /// How many may begin now; a second of the schedule at the most, however long none did.
    pub(crate) fn allows(&mut self, per_second: f64, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.at);
        self.at = now;
        self.left = (self.left + per_second * FASTER * passed.as_secs_f64()).min(FEW.max(per_second));
        // Beyond what a duration of so many seconds can be there is no number of beats.
        Duration::try_from_secs_f64(self.left)
            .map_or(0, |left| usize::try_from(left.as_secs()).unwrap_or(usize::MAX))
    }

    /// So many began.
    pub(crate) fn began(&mut self, beats: u32) {
        self.left -= f64::from(beats);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beats that begin in each of so many ticks of 10 ms while more is due than may begin.
    fn held(flow: &mut Flow, per_second: f64, from: Instant, ticks: std::ops::Range<u32>) -> usize {
        ticks
            .map(|tick| {
                let begin = flow.allows(per_second, from + Duration::from_millis(10) * tick);
                flow.began(u32::try_from(begin).unwrap());
                begin
            })
            .sum()
    }

    #[test]
    fn what_is_late_begins_a_little_faster_than_the_schedule_has_it() {
        let now = Instant::now();
        let mut flow = Flow::new(now);
        assert_eq!(held(&mut flow, 5_000.0, now, 0..1), 256);
        assert_eq!(held(&mut flow, 5_000.0, now, 1..101), 6_250);
        // Nothing began for a minute.
        assert_eq!(held(&mut flow, 5_000.0, now, 6_100..6_101), 5_000);
        assert_eq!(held(&mut flow, 5_000.0, now, 6_101..6_201), 6_250);
    }

    #[test]
    fn few_begin_at_once_however_seldom_they_are() {
        let now = Instant::now();
        let mut flow = Flow::new(now);
        assert_eq!(held(&mut flow, 0.1, now, 0..1), 256);
        assert_eq!(held(&mut flow, 0.1, now, 1_000_000..1_000_001), 256);
    }
}
