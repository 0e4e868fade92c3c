//! Roll-ups as bytes and back: those of the days of a month, or of the hours of a day.
//!
//! Under the head of `packed.rs`, for each: its key (day of the month, hour of the day) and the length of what follows; how
//! many of each verdict; for fresh and kept connections how many answers, and their percentiles, each as how much longer it is
//! than the one before; then for both the histogram: how many buckets, the shortest, how much longer the longest is, and the
//! buckets, each as how far it is from the one before and its count. Version 1 has no answers and percentiles.
//!
//! So a question about each of many days goes from head to head, and decodes no histogram.

use crate::packed::{self, Damaged, get, put};
use domain::{Answers, Histogram, Percentiles, Rollup, Summary};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

const VERSION: u8 = 2;

/// By day of the month, or by hour of the day.
pub(crate) type Rollups = BTreeMap<u8, Rollup>;

/// What is said of a roll-up before its histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    verdicts: [u32; 4],
    /// Over fresh and over kept connections: how many, and their percentiles in steps.
    answers: [(u32, [u32; 5]); 2],
}

impl Head {
    fn of(rollup: &Rollup) -> Self {
        let answers = |of: &Histogram| of.ranks().map_or((0, [0; 5]), |ranks| (narrow(of.count()), ranks));
        Self {
            verdicts: rollup.verdicts.map(narrow),
            answers: [answers(&rollup.fresh), answers(&rollup.kept)],
        }
    }
}

/// A roll-up whose histograms are still as they are kept.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    head: Head,
    /// All of its row, and where in it the histograms are.
    row: Arc<[u8]>,
    histograms: Range<usize>,
}

/// One roll-up of a row.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Packed(Packed),
    Whole(Box<Rollup>),
}

impl Part {
    pub(crate) fn samples(&self) -> u64 {
        match self {
            Self::Packed(packed) => packed.head.verdicts.iter().map(|count| u64::from(*count)).sum(),
            Self::Whole(rollup) => rollup.samples(),
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        match self {
            Self::Packed(Packed { head, .. }) => {
                let [fresh, kept] = head.answers.map(|(count, ranks)| Answers {
                    count: count.into(),
                    took: (count > 0).then(|| Percentiles::of_steps(ranks)),
                });
                Summary { verdicts: head.verdicts.map(u64::from), fresh, kept }
            }
            Self::Whole(rollup) => rollup.summary(),
        }
    }

    pub(crate) fn rollup(&self) -> Result<Rollup, Damaged> {
        match self {
            Self::Packed(Packed { head, row, histograms }) => {
                let mut bytes = row.get(histograms.clone()).unwrap_or_default();
                read_histograms(head.verdicts, &mut bytes).ok_or(IMPOSSIBLE)
            }
            Self::Whole(rollup) => Ok((**rollup).clone()),
        }
    }
}

const IMPOSSIBLE: Damaged = Damaged("it ends early or holds what cannot be");

pub(crate) fn encode(rollups: &Rollups) -> Vec<u8> {
    let mut body = Vec::with_capacity(rollups.len() * 200);
    for (key, rollup) in rollups {
        let mut one = Vec::with_capacity(200);
        let Head { verdicts, answers } = Head::of(rollup);
        for count in verdicts {
            put(&mut one, count);
        }
        for (count, ranks) in answers {
            put(&mut one, count);
            if count > 0 {
                let mut last = 0;
                for rank in ranks {
                    put(&mut one, rank - last);
                    last = rank;
                }
            }
        }
        histogram(&mut one, &rollup.fresh);
        histogram(&mut one, &rollup.kept);
        body.push(*key);
        put(&mut body, u32::try_from(one.len()).unwrap_or(u32::MAX));
        body.extend(one);
    }
    packed::close(VERSION, &body)
}

/// All of a row; what a roll-up says of itself fits its histograms.
pub(crate) fn decode(bytes: &[u8]) -> Result<Rollups, Damaged> {
    let whole = |(key, part): (u8, Part)| {
        let rollup = part.rollup()?;
        match part {
            Part::Packed(packed) if packed.head != Head::of(&rollup) => {
                Err(Damaged("what it says of a histogram does not fit that"))
            }
            Part::Packed(_) | Part::Whole(_) => Ok((key, rollup)),
        }
    };
    parts(bytes)?.into_iter().map(whole).collect()
}

/// All of a row, in order of their keys; the histograms are left as they are.
pub(crate) fn parts(bytes: &[u8]) -> Result<Vec<(u8, Part)>, Damaged> {
    let (version, body) = packed::open(VERSION, bytes)?;
    read(version, &body.into()).ok_or(IMPOSSIBLE)
}

/// More probes than this in a day are beyond every schedule.
fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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

fn read(version: u8, row: &Arc<[u8]>) -> Option<Vec<(u8, Part)>> {
    let mut parts: Vec<(u8, Part)> = Vec::with_capacity(32);
    let mut left: &[u8] = row;
    while let Some((&key, rest)) = left.split_first() {
        left = rest;
        let length = get(&mut left)? as usize;
        let (mut one, rest) = left.split_at_checked(length)?;
        left = rest;
        if parts.last().is_some_and(|(last, _)| *last >= key) {
            return None;
        }
        let mut verdicts = [0; 4];
        for count in &mut verdicts {
            *count = get(&mut one)?;
        }
        let part = if version == 1 {
            Part::Whole(Box::new(read_histograms(verdicts, &mut one)?))
        } else {
            let head = Head { verdicts, answers: [read_answers(&mut one)?, read_answers(&mut one)?] };
            let end = row.len() - left.len();
            Part::Packed(Packed { head, row: Arc::clone(row), histograms: end - one.len()..end })
        };
        parts.push((key, part));
    }
    Some(parts)
}

fn read_answers(bytes: &mut &[u8]) -> Option<(u32, [u32; 5])> {
    let count = get(bytes)?;
    let (mut ranks, mut last) = ([0; 5], 0_u32);
    if count > 0 {
        for rank in &mut ranks {
            last = last.checked_add(get(bytes)?)?;
            *rank = last;
        }
    }
    Some((count, ranks))
}

/// Both histograms, which are all that is left of the bytes.
fn read_histograms(verdicts: [u32; 4], bytes: &mut &[u8]) -> Option<Rollup> {
    let (fresh, kept) = (read_histogram(bytes)?, read_histogram(bytes)?);
    bytes.is_empty().then(|| Rollup { verdicts: verdicts.map(u64::from), fresh, kept })
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
mod tests {
    use super::*;
    use domain::Verdict;
    use proptest::{
        collection::{btree_map, vec},
        prelude::*,
    };

    fn rollups() -> impl Strategy<Value = Rollups> {
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
    fn what_older_programs_wrote_is_read() {
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
        assert_eq!(decode(&version_1), Ok(Rollups::from([(3, third), (31, last)])));
        assert_eq!(parts(&version_1).unwrap()[0].1.summary().fresh.count, 5);
    }

    #[test]
    fn a_head_that_its_histograms_do_not_bear_out_is_damage() {
        let mut rollup = Rollup::default();
        rollup.add(Verdict::Pass, false, 300);
        let mut bytes = encode(&Rollups::from([(1, rollup)]));
        // After the head of the row, key, length and verdicts: how many answers.
        assert_eq!(bytes[11], 1);
        bytes[11] = 2;
        let (_, body) = bytes.split_at(5);
        assert!(decode(&packed::close(VERSION, body)).is_err());
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
            prop_assert!(decode(&changed).is_err());
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        }

        #[test]
        fn what_is_said_before_the_histograms_is_what_they_say(rollups in rollups()) {
            for (key, part) in parts(&encode(&rollups)).unwrap() {
                prop_assert_eq!(part.summary(), rollups[&key].summary());
                prop_assert_eq!(part.samples(), rollups[&key].samples());
            }
        }

        #[test]
        fn no_bytes_whatever_are_more_than_an_error(version in 1..=VERSION, bytes in vec(any::<u8>(), 0..200)) {
            for (_, part) in read(version, &bytes.into()).unwrap_or_default() {
                part.rollup().ok();
            }
        }
    }
}
