//! What time others have: before a certificate is called over, our own clock is held against theirs.

use hyper::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// Hosts that are remembered, the last first.
const HOSTS: usize = 8;

/// A clock that is off by more may take any certificate for over.
const OFF: SignedDuration = SignedDuration::from_hours(24);

/// How far ahead of ours the clocks of others are, by the `Date` that each host sent last.
#[derive(Default)]
pub(crate) struct Clocks(Mutex<VecDeque<(String, SignedDuration)>>);

impl Clocks {
    /// Looks at the `Date` of an answer that came just now.
    pub(crate) fn saw(&self, host: &str, headers: &HeaderMap, now: Timestamp) {
        let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
        let Some(theirs) = date.and_then(|text| rfc2822::parse(text.trim()).ok()) else { return };
        let ahead = theirs.timestamp().duration_since(now);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, of_last)) = known.front_mut().filter(|(last, _)| last == host) {
            *of_last = ahead;
            return;
        }
        known.retain(|(one, _)| one != host);
        known.push_front((host.to_owned(), ahead));
        known.truncate(HOSTS);
    }

    /// How far ahead of ours most of the clocks of other hosts are, where that is more than a day.
    pub(crate) fn ours_is_off(&self, host: &str) -> Option<SignedDuration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others: Vec<SignedDuration> =
            known.iter().filter(|(one, _)| one != host).map(|(_, ahead)| *ahead).collect();
        let off: Vec<SignedDuration> = others.iter().copied().filter(|ahead| ahead.abs() > OFF).collect();
        (off.len() * 2 > others.len()).then(|| off.first().copied()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn ours_is_off_where_most_others_have_another_day() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let says = |date: &str| HeaderMap::from_iter([(header::DATE, HeaderValue::from_str(date).unwrap())]);
        let clocks = Clocks::default();
        assert_eq!(clocks.ours_is_off("a"), None, "nobody has said anything");
        clocks.saw("a", &says("Mon, 20 Nov 2028 12:00:00 GMT"), now);
        assert_eq!(clocks.ours_is_off("a"), None, "it does not speak for itself");
        assert_eq!(clocks.ours_is_off("b"), Some(SignedDuration::from_hours(24 * 731)));
        clocks.saw("c", &says("Fri, 20 Nov 2026 12:00:09 GMT"), now);
        assert_eq!(clocks.ours_is_off("b"), None, "one of two is not most");
        clocks.saw("a", &says("Fri, 20 Nov 2026 12:00:00 GMT"), now);
        clocks.saw("d", &says("no date"), now);
        assert_eq!(clocks.ours_is_off("b"), None);
    }
}
