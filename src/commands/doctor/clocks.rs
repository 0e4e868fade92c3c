//! Is our clock right? Asked of everybody who answered with theirs.

use alerting::{ClockSeen, Finding};
use jiff::SignedDuration;

const WHAT: &str = "the clock";
/// A `Date` header has whole seconds, and an answer travels.
const SAME: SignedDuration = SignedDuration::from_secs(5);
/// GOV.UK Notify refuses whoever is further off (incident-systems.md §3.4).
const REFUSED: SignedDuration = SignedDuration::from_secs(30);

/// Ours is wrong when it differs from everybody's: two who agree with each other and not with us are right. `None`:
/// nobody told us theirs.
pub(super) fn finding(clocks: &[ClockSeen]) -> Option<Finding> {
    let nearest = clocks.iter().min_by_key(|clock| clock.ahead().abs())?;
    let furthest = clocks.iter().max_by_key(|clock| clock.ahead().abs())?;
    let next = "set it by NTP (`timedatectl`, `chronyc tracking`): times in tickets would be wrong, and Notify refuses us";
    Some(if nearest.ahead().abs() > SAME {
        let detail = format!("ours is {} the clock of {}", apart(nearest.ahead()), nearest.whose);
        if nearest.ahead().abs() > REFUSED {
            Finding::problem(WHAT, detail, next)
        } else {
            Finding::warning(WHAT, detail, next)
        }
    } else if furthest.ahead().abs() > SAME {
        let detail = format!(
            "ours agrees with {}, but is {} that of {}",
            nearest.whose,
            apart(furthest.ahead()),
            furthest.whose
        );
        Finding::warning(WHAT, detail, format!("tell those who run {}", furthest.whose))
    } else {
        let whose: Vec<&str> = clocks.iter().map(|clock| clock.whose.as_str()).collect();
        Finding::ok(WHAT, format!("agrees with {}", whose.join(" and ")))
    })
}

/// How far ours is from one that is so far `ahead` of it.
fn apart(ahead: SignedDuration) -> String {
    let way = if ahead.is_negative() { "ahead of" } else { "behind" };
    let seconds = ahead.abs().as_secs();
    if seconds < 120 { format!("{seconds} s {way}") } else { format!("{} min {way}", seconds / 60) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::State;
    use jiff::Timestamp;

    fn seen(ahead: &[i64]) -> Option<(State, String)> {
        let ours: Timestamp = "2026-11-21T03:14:00Z".parse().unwrap();
        let clock = |(number, ahead): (usize, &i64)| ClockSeen {
            whose: format!("system {number}"),
            theirs: ours + SignedDuration::from_secs(*ahead),
            ours,
        };
        let clocks: Vec<ClockSeen> = ahead.iter().enumerate().map(clock).collect();
        finding(&clocks).map(|finding| (finding.state, finding.detail))
    }

    #[test]
    fn ours_is_wrong_when_it_differs_from_everybodys() {
        assert_eq!(seen(&[]), None);
        assert_eq!(seen(&[0, -1]), Some((State::Ok, "agrees with system 0 and system 1".to_owned())));
        assert_eq!(
            seen(&[300, 301]),
            Some((State::Problem, "ours is 5 min behind the clock of system 0".to_owned()))
        );
        assert_eq!(
            seen(&[-12]),
            Some((State::Warning, "ours is 12 s ahead of the clock of system 0".to_owned()))
        );
        assert_eq!(
            seen(&[0, 90]),
            Some((
                State::Warning,
                "ours agrees with system 0, but is 90 s behind that of system 1".to_owned()
            ))
        );
    }
}
