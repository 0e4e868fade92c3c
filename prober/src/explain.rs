//! From a request id back to the probe that carried it: an id says nothing by itself, so those of all probes that may have
//! been sent are made again until one is the same.

use crate::request_id::RequestIds;
use domain::{TrackId, next_due};
use jiff::Timestamp;
use std::{fmt, num::NonZero, str::FromStr, thread, time::Duration};
use uuid::Uuid;

/// A millisecond, in the times of probes.
const MILLISECOND: Duration = Duration::from_millis(1);

/// A request id that is looked for: all of it, or the first 20 of its hexadecimal digits, which is what HL7 v2 has room for
/// in a message's MSH-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    bits: u128,
    /// How many of the last bits are not known.
    unknown: u32,
}

/// Digits of a message control id that probes send.
const DIGITS: usize = 20;

impl Wanted {
    /// The id, if all of it is known.
    pub fn whole(self) -> Option<Uuid> {
        (self.unknown == 0).then(|| Uuid::from_u128(self.bits))
    }

    const fn is(self, id: Uuid) -> bool {
        (id.as_u128() ^ self.bits) >> self.unknown == 0
    }
}

impl From<Uuid> for Wanted {
    fn from(id: Uuid) -> Self {
        Self { bits: id.as_u128(), unknown: 0 }
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = Uuid::parse_str(text) {
            return Ok(id.into());
        }
        let unknown = 128 - 4 * u32::try_from(DIGITS).unwrap_or(32);
        let all = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| all);
        let bits = bits.ok_or("write an X-Request-ID (a UUID), or an MSH-10 (20 hexadecimal digits)")?;
        Ok(Self { bits: bits << unknown, unknown })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole() {
            Some(id) => id.fmt(f),
            None => write!(f, "{:0DIGITS$x}", self.bits >> self.unknown),
        }
    }
}

/// The probe of one of these tracks, each probed `every` so often, that was due from `from` to `to` and carried this id.
///
/// It takes about half a microsecond for each probe that is tried: a second for a thousand checks every 10 s over 5 hours,
/// divided by the cores of this machine.
pub fn scheduled(
    key: &[u8; 32],
    id: Wanted,
    tracks: &[(TrackId, Duration)],
    from: Timestamp,
    to: Timestamp,
) -> Option<(TrackId, Timestamp)> {
    search(key, id, tracks, |track, every| {
        let first = next_due(track, every, from.checked_sub(MILLISECOND).unwrap_or(from));
        (first, every.max(MILLISECOND), to)
    })
}

/// The same of probes sent at any time, to the millisecond: those that were wanted out of turn keep to no schedule.
pub fn at_any_time(
    key: &[u8; 32],
    id: Wanted,
    tracks: &[(TrackId, Duration)],
    from: Timestamp,
    to: Timestamp,
) -> Option<(TrackId, Timestamp)> {
    search(key, id, tracks, |_, _| (from, MILLISECOND, to))
}

/// `times`: of a track, the first time, the step and the last.
fn search(
    key: &[u8; 32],
    id: Wanted,
    tracks: &[(TrackId, Duration)],
    times: impl Fn(&TrackId, Duration) -> (Timestamp, Duration, Timestamp) + Sync,
) -> Option<(TrackId, Timestamp)> {
    let ids = RequestIds::new(key);
    let one = |(track, every): &(TrackId, Duration)| {
        let word = track.to_string();
        let (first, step, last) = times(track, *every);
        let mut at = first;
        while at <= last {
            if id.is(ids.of(&word, at)) {
                return Some((track.clone(), at));
            }
            at = at.checked_add(step).ok()?;
        }
        None
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = tracks.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> =
            tracks.chunks(share).map(|share| scope.spawn(|| share.iter().find_map(&one))).collect();
        workers.into_iter().find_map(|worker| worker.join().ok().flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_id;
    use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, VantageId};
    use jiff::SignedDuration;

    const KEY: [u8; 32] = [3; 32];

    fn tracks() -> Vec<(TrackId, Duration)> {
        let track = |operation: &str| TrackId {
            check: CheckId {
                instance: InstanceId { api: ApiId::parse("results").unwrap(), environment: Environment::Uat },
                operation: OperationId::parse(operation).unwrap(),
            },
            vantage: VantageId::parse("internet").unwrap(),
        };
        [("ping", 10), ("status", 60), ("read", 15)]
            .map(|(operation, every)| (track(operation), Duration::from_secs(every)))
            .into()
    }

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_probe_of_a_day_is_found_by_its_id() {
        let day = now() - SignedDuration::from_hours(24);
        for (track, every) in tracks() {
            let first = next_due(&track, every, day);
            for at in [first, first + every * 100, next_due(&track, every, now() - every * 2)] {
                let id = request_id(&KEY, &track, at);
                assert_eq!(scheduled(&KEY, id.into(), &tracks(), day, now()), Some((track.clone(), at)));
            }
        }
    }

    #[test]
    fn what_was_sent_out_of_turn_is_found_near_its_time() {
        let (track, _) = tracks().remove(1);
        let at = now() + Duration::from_millis(1_234);
        let id = request_id(&KEY, &track, at);
        let second = Duration::from_secs(2);
        assert_eq!(scheduled(&KEY, id.into(), &tracks(), now() - second, now() + second), None);
        assert_eq!(
            at_any_time(&KEY, id.into(), &tracks(), now() - second, now() + second),
            Some((track, at))
        );
    }

    #[test]
    fn a_message_is_found_by_its_control_id() {
        let (track, every) = tracks().remove(0);
        let at = next_due(&track, every, now());
        let sent: String = request_id(&KEY, &track, at).simple().to_string().chars().take(20).collect();
        let id: Wanted = sent.to_uppercase().parse().unwrap();
        assert_eq!((id.to_string(), id.whole()), (sent, None));
        let hour = SignedDuration::from_hours(1);
        assert_eq!(scheduled(&KEY, id, &tracks(), now() - hour, now() + hour), Some((track, at)));
        for wrong in ["", "0123456789abcdef012", "0123456789abcdef0123x", "+123456789abcdef0123", "ŵ"] {
            assert!(wrong.parse::<Wanted>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_key_or_another_time_finds_nothing() {
        let (track, every) = tracks().remove(0);
        let at = next_due(&track, every, now());
        let id = request_id(&KEY, &track, at);
        let hour = SignedDuration::from_hours(1);
        assert_eq!(scheduled(&[4; 32], id.into(), &tracks(), now() - hour, now() + hour), None);
        assert_eq!(scheduled(&KEY, id.into(), &tracks(), now() - hour, now()), None);
        assert_eq!(scheduled(&KEY, id.into(), &[], now() - hour, now()), None);
    }
}
