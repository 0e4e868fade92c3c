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
/// [FNV-1a]: https://www.rfc-editor.org/rfc/rfc9923
pub fn next_due(track: &TrackId, every: Duration, now: Timestamp) -> Timestamp {
    const NANOSECONDS_IN_MILLISECOND: i128 = 1_000_000;
    let every = i128::try_from(every.as_nanos()).unwrap_or(i128::MAX / 4).max(NANOSECONDS_IN_MILLISECOND);
    let hash = i128::from(fnv_1a(track.to_string().as_bytes()));
    let phase = hash % (every / NANOSECONDS_IN_MILLISECOND) * NANOSECONDS_IN_MILLISECOND;
    let periods = (now.as_nanosecond() - phase).div_euclid(every) + 1;
    Timestamp::from_nanosecond(phase + periods * every).unwrap_or(Timestamp::MAX)
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
