//! When each check is due: the phase comes from the check's id, so load is even and a restart changes nothing.

use crate::TrackId;
use jiff::Timestamp;
use std::time::Duration;

/// The first time after `now` at which the track is due: `phase + n × every`, counted from the Unix epoch.
///
/// The phase is the [FNV-1a] hash (64 bits) of the track's id as it is written (`api/environment/operation from
/// vantage`), in milliseconds modulo `every`. It must never change between releases: every check would be due at
/// another time. `every` shorter than 1 ms counts as 1 ms.
///
/// [FNV-1a]: http://www.isthe.com/chongo/tech/comp/fnv/
pub fn next_due(track: &TrackId, every: Duration, now: Timestamp) -> Timestamp {
    const NANOSECONDS_IN_MILLISECOND: i128 = 1_000_000;
    let every = i128::try_from(every.as_nanos()).unwrap_or(i128::MAX / 4).max(NANOSECONDS_IN_MILLISECOND);
    let hash = i128::from(fnv_1a(OFFSET, track.to_string().as_bytes()));
    let phase = hash % (every / NANOSECONDS_IN_MILLISECOND) * NANOSECONDS_IN_MILLISECOND;
    let periods = (now.as_nanosecond() - phase).div_euclid(every) + 1;
    Timestamp::from_nanosecond(phase + periods * every).unwrap_or(Timestamp::MAX)
}

/// What FNV-1a begins with.
pub(crate) const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a (64 bits) of what came so far, as `hash`, and of `bytes` after it.
pub(crate) fn fnv_1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiId, CheckId, Environment, InstanceId, OperationId, VantageId};
    use proptest::prelude::*;

    fn track(api: &str, environment: Environment, operation: &str, vantage: &str) -> TrackId {
        TrackId {
            check: CheckId {
                instance: InstanceId { api: ApiId::parse(api).unwrap(), environment },
                operation: OperationId::parse(operation).unwrap(),
            },
            vantage: VantageId::parse(vantage).unwrap(),
        }
    }

    fn phase(track: &TrackId, every: Duration) -> i64 {
        let epoch = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_nanos(1);
        next_due(track, every, epoch).as_millisecond()
    }

    #[test]
    fn the_hash_is_fnv_1a_by_its_published_vectors() {
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("b", 0xaf63_df4c_8601_f1a5),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(fnv_1a(OFFSET, text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_phase_never_changes_between_releases() {
        let check = |api: &str, operation: &str, every: u64, expected: i64| {
            let track = track(api, Environment::Production, operation, "internet");
            assert_eq!(phase(&track, Duration::from_secs(every)), expected, "{track}");
        };
        check("patient-demographics", "ping", 10, 5_817);
        check("patient-demographics", "ping", 60, 55_817);
        check("patient-demographics", "status", 10, 4_963);
        check("results", "ping", 10, 3_483);
    }

    #[test]
    fn phases_are_even_over_many_tracks() {
        for every in [1, 10, 15, 60, 3600] {
            let every = Duration::from_secs(every);
            let mut tenths = [0_u32; 10];
            for api in 0..100 {
                for environment in Environment::ALL {
                    for operation in ["ping", "status", "read", "search"] {
                        let track = track(&format!("api-{api}"), environment, operation, "internet");
                        let millisecond = usize::try_from(phase(&track, every)).unwrap();
                        tenths[millisecond * 10 / usize::try_from(every.as_millis()).unwrap()] += 1;
                    }
                }
            }
            // 2000 tracks, 200 in each tenth; four standard deviations are 54.
            assert!(tenths.iter().all(|count| (146..=254).contains(count)), "every {every:?}: {tenths:?}");
        }
    }

    #[test]
    fn an_interval_beyond_all_bounds_is_no_failure() {
        let track = track("results", Environment::Sit, "ping", "internet");
        assert_eq!(next_due(&track, Duration::MAX, Timestamp::MAX), Timestamp::MAX);
        assert!(next_due(&track, Duration::ZERO, Timestamp::UNIX_EPOCH) > Timestamp::UNIX_EPOCH);
    }

    proptest! {
        #[test]
        fn dues_are_every_so_often_and_a_restart_changes_nothing(
            api in "[a-z][a-z-]{0,20}",
            every in 1_u64..100_000_000,
            now in -10_000_000_000_000_000_i64..4_000_000_000_000_000_000,
            restart in 0.0..1.0_f64,
        ) {
            let track = track(&api, Environment::Production, "ping", "internet");
            let every = Duration::from_micros(every).max(Duration::from_millis(1));
            let now = Timestamp::from_nanosecond(now.into()).unwrap();
            let due = next_due(&track, every, now);
            prop_assert!(due > now, "strictly after");
            prop_assert!(due.duration_since(now).unsigned_abs() <= every);
            prop_assert_eq!(next_due(&track, every, due), due + every);
            // Asked again at any moment in between: the same.
            let in_between = due + every.mul_f64(restart);
            if in_between < due + every {
                prop_assert_eq!(next_due(&track, every, in_between), due + every);
            }
        }
    }
}
