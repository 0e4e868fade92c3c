//! Roll-ups as bytes and back: those of the days of a month, or of the hours of a day.
//!
//! Under the head of `packed.rs`, for each: its key (day of the month, hour of the day) and the length of what follows; how
//! many of each verdict; then for fresh and for kept connections the histogram: how many buckets, the shortest, how much longer
//! the longest is, and the buckets, each as how far it is from the one before and its count.
//!
//! Version 2, which is read and no longer written, says before its histograms what `summary.rs` keeps now by itself.

use crate::{
    packed::{self, Damaged, IMPOSSIBLE, get, put},
    summary,
};
use domain::{Histogram, Rollup};
use std::collections::BTreeMap;

const VERSION: u8 = 1;
const NEWEST: u8 = 2;

/// By day of the month, or by hour of the day.
pub(crate) type Rollups = BTreeMap<u8, Rollup>;

pub(crate) fn encode(rollups: &Rollups) -> Vec<u8> {
    let mut body = Vec::with_capacity(rollups.len() * 200);
    for (key, rollup) in rollups {
        let mut one = Vec::with_capacity(200);
        for count in rollup.verdicts {
            put(&mut one, packed::narrow(count));
        }
        histogram(&mut one, &rollup.fresh);
        histogram(&mut one, &rollup.kept);
        body.push(*key);
        put(&mut body, u32::try_from(one.len()).unwrap_or(u32::MAX));
        body.extend(one);
    }
    packed::close(VERSION, &body)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Rollups, Damaged> {
    let (version, body) = packed::open(NEWEST, bytes)?;
    read(version, body).ok_or(IMPOSSIBLE)
}

fn histogram(bytes: &mut Vec<u8>, histogram: &Histogram) {
    let (counts, shortest, longest) = histogram.parts();
    put(bytes, u32::try_from(counts.len()).unwrap_or(u32::MAX));
    if counts.is_empty() {
        return;
    }
    put(bytes, shortest);
    put(bytes, longest - shortest);
    let mut last = 0;
    for (bucket, count) in counts {
        put(bytes, u32::from(bucket - last));
        put(bytes, *count);
        last = *bucket;
    }
}

fn read(version: u8, mut left: &[u8]) -> Option<Rollups> {
    let mut rollups = Rollups::new();
    while let Some((&key, rest)) = left.split_first() {
        left = rest;
        let length = get(&mut left)? as usize;
        let (mut one, rest) = left.split_at_checked(length)?;
        left = rest;
        if rollups.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return None;
        }
        let mut verdicts = [0; 4];
        for count in &mut verdicts {
            *count = get(&mut one)?.into();
        }
        if version == 2 {
            summary::read_answers(&mut one)?;
            summary::read_answers(&mut one)?;
        }
        let (fresh, kept) = (read_histogram(&mut one)?, read_histogram(&mut one)?);
        if !one.is_empty() {
            return None;
        }
        rollups.insert(key, Rollup { verdicts, fresh, kept });
    }
    Some(rollups)
}

fn read_histogram(bytes: &mut &[u8]) -> Option<Histogram> {
    let count = get(bytes)? as usize;
    // Each bucket takes two bytes at the least.
    if count > bytes.len() / 2 {
        return None;
    }
    if count == 0 {
        return Some(Histogram::default());
    }
    let shortest = get(bytes)?;
    let longest = shortest.checked_add(get(bytes)?)?;
    let mut counts = Vec::with_capacity(count);
    let mut bucket = 0_u16;
    for _ in 0..count {
        bucket = bucket.checked_add(u16::try_from(get(bytes)?).ok()?)?;
        counts.push((bucket, get(bytes)?));
    }
    Histogram::from_parts(counts, shortest, longest)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::Verdict;
    use proptest::{
        collection::{btree_map, vec},
        prelude::*,
    };

    pub(crate) fn rollups() -> impl Strategy<Value = Rollups> {
        let verdict = prop_oneof![
            6 => Just(Verdict::Pass), 1 => Just(Verdict::Slow), 1 => Just(Verdict::Fail), 1 => Just(Verdict::Inconclusive)
        ];
        let length = prop_oneof![9 => 300..6_000_u32, 1 => any::<u32>()];
        btree_map(0..32_u8, vec((verdict, any::<bool>(), length), 0..80), 0..8).prop_map(|all| {
            all.into_iter()
                .map(|(key, samples)| {
                    let mut rollup = Rollup::default();
                    for (verdict, kept, steps) in samples {
                        rollup.add(verdict, kept, steps);
                    }
                    (key, rollup)
                })
                .collect()
        })
    }

    #[test]
    fn what_other_versions_of_it_say_is_read() {
        let version_1 = [
            1, 42, 153, 5, 72, 3, 29, 5, 1, 1, 0, 5, 172, 2, 148, 148, 177, 2, 203, 1, 1, 2, 1, 74, 1, 183,
            2, 1, 254, 3, 1, 1, 50, 0, 50, 1, 31, 6, 0, 0, 0, 1, 0, 0,
        ];
        let mut third = Rollup::default();
        for steps in [300, 310, 700, 5_000_000] {
            third.add(Verdict::Pass, false, steps);
        }
        third.add(Verdict::Slow, false, 20_000);
        third.add(Verdict::Fail, false, 9);
        third.add(Verdict::Pass, true, 50);
        let mut last = Rollup::default();
        last.add(Verdict::Inconclusive, true, 8);
        let both = Rollups::from([(3, third), (31, last)]);
        assert_eq!(encode(&both), version_1);
        assert_eq!(decode(&version_1).as_ref(), Ok(&both));
        let version_2 = [
            2, 103, 58, 77, 3, 3, 45, 5, 1, 1, 0, 5, 188, 5, 132, 145, 177, 2, 0, 0, 0, 1, 50, 0, 0, 0, 0, 5,
            172, 2, 148, 148, 177, 2, 203, 1, 1, 2, 1, 74, 1, 183, 2, 1, 254, 3, 1, 1, 50, 0, 50, 1, 31, 8,
            0, 0, 0, 1, 0, 0, 0, 0,
        ];
        assert_eq!(decode(&version_2), Ok(both));
    }

    proptest! {
        #[test]
        fn what_comes_out_is_what_went_in(rollups in rollups()) {
            prop_assert_eq!(decode(&encode(&rollups)), Ok(rollups));
        }

        #[test]
        fn damage_is_an_error_and_never_a_wrong_number(
            rollups in rollups(), place in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<prop::sample::Index>(),
        ) {
            let bytes = encode(&rollups);
            let mut changed = bytes.clone();
            changed[place.index(bytes.len())] ^= flip;
            // The version of an empty one is no number.
            prop_assert!(decode(&changed).is_ok_and(|read| read.is_empty() && rollups.is_empty()) || decode(&changed).is_err());
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        }

        #[test]
        fn no_bytes_whatever_are_more_than_an_error(version in 1..=NEWEST, bytes in vec(any::<u8>(), 0..200)) {
            read(version, &bytes);
        }
    }
}
