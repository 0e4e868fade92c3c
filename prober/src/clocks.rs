//! What time others have: before a certificate is called over, our own clock is held against theirs.

use crate::announced;
use domain::FailureKind;
use hyper::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// Hosts that are remembered, the last first.
const HOSTS: usize = 8;

/// A clock that is off by more may take any certificate for over.
const OFF: SignedDuration = SignedDuration::from_hours(24);

/// Hosts whose certificates are not all over by chance.
const ALL: usize = 3;

/// A moment: by our clock, and by what no setting of a clock moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) wall: Timestamp,
    pub(crate) steady: Instant,
}

/// The `Date` that a host sent last, and when it came. How far ahead it is is worked out when that is asked: a clock of ours
/// that jumps leaves no certificate in time, so that nobody sends another.
struct Said {
    host: String,
    theirs: Timestamp,
    came: Instant,
}

impl Said {
    fn ahead(&self, now: Moment) -> SignedDuration {
        let since = SignedDuration::try_from(now.steady.saturating_duration_since(self.came));
        self.theirs.duration_since(now.wall).saturating_add(since.unwrap_or(SignedDuration::MAX))
    }
}

/// The certificate of a host, out of time by our clock.
struct OutOfTime {
    host: String,
    kind: FailureKind,
    fingerprint: String,
}

/// What is known of the clocks of others.
#[derive(Default)]
struct Known {
    said: VecDeque<Said>,
    /// Since any certificate was in time.
    out_of_time: VecDeque<OutOfTime>,
}

/// What time others have, and whose certificates are in time.
#[derive(Default)]
pub(crate) struct Clocks(Mutex<Known>);

impl Clocks {
    /// Looks at the `Date` of an answer that came just now.
    pub(crate) fn saw(&self, host: &str, headers: &HeaderMap, came: Instant) {
        let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
        let Some(theirs) = date.and_then(announced::date) else { return };
        let said = &mut self.locked().said;
        if let Some(last) = said.front_mut().filter(|last| last.host == host) {
            (last.theirs, last.came) = (theirs, came);
            return;
        }
        said.retain(|one| one.host != host);
        said.push_front(Said { host: host.to_owned(), theirs, came });
        said.truncate(HOSTS);
    }

    /// How far ahead of ours most of the clocks of other hosts are now, where that is more than a day.
    pub(crate) fn ours_is_off(&self, host: &str, now: Moment) -> Option<SignedDuration> {
        let known = self.locked();
        let others = known.said.iter().filter(|one| one.host != host).map(|one| one.ahead(now));
        let others: Vec<SignedDuration> = others.collect();
        let off: Vec<SignedDuration> = others.iter().copied().filter(|ahead| ahead.abs() > OFF).collect();
        (off.len() * 2 > others.len()).then(|| off.first().copied()).flatten()
    }

    /// Whether anybody had our day, by what they said last.
    pub(crate) fn anybody_agrees(&self, now: Moment) -> bool {
        self.locked().said.iter().any(|one| one.ahead(now).abs() <= OFF)
    }

    /// The time, by the clocks of others where ours is off.
    pub(crate) fn right(&self, host: &str, now: Moment) -> Timestamp {
        let ahead = self.ours_is_off(host, now).unwrap_or(SignedDuration::ZERO);
        now.wall.checked_add(ahead).unwrap_or(now.wall)
    }

    /// A certificate was in time by our clock.
    pub(crate) fn in_time(&self) {
        self.locked().out_of_time.clear();
    }

    /// A host's own certificate was not, `kind` says how; and of how many such there are since any was in time, if so many
    /// that it is our clock. For a start with a clock that is off, when nobody has said the time yet.
    pub(crate) fn out_of_time(&self, host: &str, kind: FailureKind, fingerprint: String) -> Option<usize> {
        let all = &mut self.locked().out_of_time;
        all.retain(|one| one.host != host);
        all.push_front(OutOfTime { host: host.to_owned(), kind, fingerprint });
        all.truncate(HOSTS);
        // One certificate may be that of many hosts.
        let alike = all.iter().filter(|one| one.kind == kind).map(|one| &one.fingerprint);
        let hosts = alike.collect::<HashSet<_>>().len();
        (hosts >= ALL).then_some(hosts)
    }

    fn locked(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use std::time::Duration;

    fn says(date: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::DATE, HeaderValue::from_str(date).unwrap())])
    }

    fn noon() -> Moment {
        Moment { wall: "2026-11-20T12:00:00Z".parse().unwrap(), steady: Instant::now() }
    }

    #[test]
    fn ours_is_off_where_most_others_have_another_day() {
        let now = noon();
        let came = now.steady;
        let clocks = Clocks::default();
        assert_eq!(clocks.ours_is_off("a", now), None, "nobody has said anything");
        clocks.saw("a", &says("Mon, 20 Nov 2028 12:00:00 GMT"), came);
        assert_eq!(clocks.ours_is_off("a", now), None, "it does not speak for itself");
        let two_years = SignedDuration::from_hours(24 * 731);
        assert_eq!(clocks.ours_is_off("b", now), Some(two_years));
        assert_eq!(clocks.right("b", now), now.wall + two_years);
        clocks.saw("c", &says("Fri, 20 Nov 2026 12:00:09 GMT"), came);
        assert_eq!(clocks.ours_is_off("b", now), None, "one of two is not most");
        assert_eq!(clocks.right("b", now), now.wall);
        clocks.saw("a", &says("Fri, 20 Nov 2026 12:00:00 GMT"), came);
        clocks.saw("d", &says("no date"), came);
        assert_eq!(clocks.ours_is_off("b", now), None);
        clocks.saw("e", &says("Fri, 31 Dec 9999 23:59:59 GMT"), came);
        assert_eq!(clocks.ours_is_off("b", now), None);
    }

    #[test]
    fn a_jump_of_ours_is_noticed_though_nobody_says_anything_more() {
        let then = noon();
        let clocks = Clocks::default();
        clocks.saw("a", &says("Fri, 20 Nov 2026 12:00:00 GMT"), then.steady);
        let (hour, days) = (Duration::from_hours(1), SignedDuration::from_hours(24 * 40));
        let passed = Moment { wall: then.wall + hour * 48, steady: then.steady + hour * 48 };
        assert_eq!(clocks.ours_is_off("b", passed), None, "time only passed");
        let jumped = Moment { wall: then.wall + hour + days, steady: then.steady + hour };
        assert_eq!(clocks.ours_is_off("b", jumped), Some(-days));
        let jumped = Moment { wall: then.wall + hour - days, steady: then.steady + hour };
        assert_eq!(clocks.ours_is_off("b", jumped), Some(days));
    }

    #[test]
    fn whoever_had_our_day_has_it_still_unless_our_clock_jumps() {
        let then = noon();
        let clocks = Clocks::default();
        assert!(!clocks.anybody_agrees(then), "nobody has said anything");
        clocks.saw("a", &says("Mon, 20 Nov 2028 12:00:00 GMT"), then.steady);
        assert!(!clocks.anybody_agrees(then));
        clocks.saw("b", &says("Fri, 20 Nov 2026 13:00:00 GMT"), then.steady);
        assert!(clocks.anybody_agrees(then));
        let (passed, days) = (Duration::from_hours(24 * 40), SignedDuration::from_hours(24 * 40));
        assert!(clocks.anybody_agrees(Moment { wall: then.wall + days, steady: then.steady + passed }));
        assert!(!clocks.anybody_agrees(Moment { wall: then.wall + days, ..then }));
    }

    #[test]
    fn certificates_that_are_all_out_of_time_are_so_by_our_clock() {
        let clocks = Clocks::default();
        let over =
            |host: &str, of: &str| clocks.out_of_time(host, FailureKind::CertificateExpired, of.to_owned());
        assert_eq!([over("a", "1"), over("a", "1"), over("b", "2")], [None; 3]);
        assert_eq!(over("c", "2"), None, "two share a certificate");
        let early = clocks.out_of_time("d", FailureKind::CertificateNotYetValid, "4".to_owned());
        assert_eq!(early, None, "no clock makes one over and another too early");
        assert_eq!(over("e", "5"), Some(3));
        clocks.in_time();
        assert_eq!(over("e", "5"), None, "one was in time meanwhile");
    }
}
