//! Something that is asked again and again does not answer: said once, then ever less often, and when it is over.

use std::time::Duration;
use tokio::time::Instant;

/// Said again after so long, then after twice as long each time, up to the second figure.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Whether something answers, and when to say that it does not.
#[derive(Debug, Default)]
pub struct Away(Option<Since>);

#[derive(Debug)]
struct Since {
    began: Instant,
    say_at: Instant,
    pause: Duration,
    times: u32,
}

/// How long it has been away, and how often it was asked in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting {
    /// Since it was first asked in vain.
    pub lasted: Duration,
    /// How often it was.
    pub times: u32,
}

impl Away {
    /// It was asked in vain. `Some`: it is time to say so.
    pub fn failed(&mut self) -> Option<Lasting> {
        self.fails(Instant::now())
    }

    /// It answered. `Some`: it had not before.
    pub fn answered(&mut self) -> Option<Lasting> {
        self.ends(Instant::now())
    }

    fn fails(&mut self, now: Instant) -> Option<Lasting> {
        let fresh = || Since { began: now, say_at: now, pause: FIRST_PAUSE, times: 0 };
        let since = self.0.get_or_insert_with(fresh);
        since.times = since.times.saturating_add(1);
        if now < since.say_at {
            return None;
        }
        since.say_at = now + since.pause;
        since.pause = (since.pause * 2).min(LONGEST_PAUSE);
        Some(Lasting { lasted: now - since.began, times: since.times })
    }

    fn ends(&mut self, now: Instant) -> Option<Lasting> {
        self.0.take().map(|since| Lasting { lasted: now - since.began, times: since.times })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_of_two_hours_is_a_dozen_lines_and_an_end() {
        let (began, mut away) = (Instant::now(), Away::default());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(away.ends(began), None, "all is well");
        // Asked every two seconds, as the deliverer does.
        let lines: Vec<u64> =
            (0..7_200).step_by(2).filter(|second| away.fails(at(*second)).is_some()).collect();
        assert_eq!(lines, [0, 30, 90, 210, 450, 930, 1_830, 2_730, 3_630, 4_530, 5_430, 6_330]);
        let whole = Lasting { lasted: Duration::from_secs(7_200), times: 3_600 };
        assert_eq!(away.ends(at(7_200)), Some(whole));
        assert_eq!(away.ends(at(7_202)), None, "said once");
        let again = Lasting { lasted: Duration::ZERO, times: 1 };
        assert_eq!(away.fails(at(7_300)), Some(again), "another one is said at once");
    }
}
