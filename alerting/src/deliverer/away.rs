//! The store takes nothing from the deliverer: said once, then ever less often, and when it is over.

use std::time::Duration;
use tokio::time::Instant;

/// Said again after so long, then after twice as long each time, up to the second figure.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Whether the store answers the deliverer.
#[derive(Debug, Default)]
pub(super) struct Away(Option<Since>);

#[derive(Debug)]
struct Since {
    began: Instant,
    say_at: Instant,
    pause: Duration,
    times: u32,
}

/// What is to be said of it.
#[derive(Debug, PartialEq, Eq)]
enum Saying {
    Nothing,
    /// It goes on: for so long, and so often asked in vain.
    GoesOn(Duration, u32),
    Over(Duration, u32),
}

impl Away {
    /// It was asked in vain.
    pub(super) fn failed(&mut self, error: &store::Error) {
        if let Saying::GoesOn(lasted, times) = self.fails(Instant::now()) {
            tracing::warn!(%error, ?lasted, times, "nothing can be delivered: the outbox cannot be read; it is tried again");
        }
    }

    /// It answered.
    pub(super) fn answered(&mut self) {
        if let Saying::Over(lasted, times) = self.ends(Instant::now()) {
            tracing::info!(?lasted, times, "the outbox can be read again: what waited is delivered");
        }
    }

    fn fails(&mut self, now: Instant) -> Saying {
        let fresh = || Since { began: now, say_at: now, pause: FIRST_PAUSE, times: 0 };
        let since = self.0.get_or_insert_with(fresh);
        since.times = since.times.saturating_add(1);
        if now < since.say_at {
            return Saying::Nothing;
        }
        since.say_at = now + since.pause;
        since.pause = (since.pause * 2).min(LONGEST_PAUSE);
        Saying::GoesOn(now - since.began, since.times)
    }

    fn ends(&mut self, now: Instant) -> Saying {
        self.0.take().map_or(Saying::Nothing, |since| Saying::Over(now - since.began, since.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_of_two_hours_is_a_dozen_lines_and_an_end() {
        let (began, mut away) = (Instant::now(), Away::default());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(away.ends(began), Saying::Nothing, "all is well");
        // Asked every two seconds, as the deliverer does.
        let lines: Vec<u64> = (0..7_200)
            .step_by(2)
            .filter(|second| matches!(away.fails(at(*second)), Saying::GoesOn(..)))
            .collect();
        assert_eq!(lines, [0, 30, 90, 210, 450, 930, 1_830, 2_730, 3_630, 4_530, 5_430, 6_330]);
        assert_eq!(away.ends(at(7_200)), Saying::Over(Duration::from_secs(7_200), 3_600));
        assert_eq!(away.ends(at(7_202)), Saying::Nothing, "said once");
        assert_eq!(away.fails(at(7_300)), Saying::GoesOn(Duration::ZERO, 1), "another one is said at once");
    }
}
