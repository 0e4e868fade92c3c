//! What the days of a month say of themselves, as bytes and back: so that a question about each of many days reads no histogram.
//!
//! Under the head of `packed.rs`, for each: its day of the month; how many of each verdict; then for fresh and for kept
//! connections how many answers and, if there are any, their percentiles in steps, each as how much longer it is than the one
//! before.

use crate::{
    packed::{self, Damaged, IMPOSSIBLE, get, put},
    rollup::Rollups,
};
use domain::{Answers, Histogram, Summary};

const VERSION: u8 = 1;

/// By day of the month, in order.
pub(crate) type Summaries = Vec<(u8, Summary)>;

pub(crate) fn encode(rollups: &Rollups) -> Vec<u8> {
    let mut body = Vec::with_capacity(rollups.len() * 24);
    for (day, rollup) in rollups {
        body.push(*day);
        for count in rollup.verdicts {
            put(&mut body, packed::narrow(count));
        }
        answers(&mut body, &rollup.fresh);
        answers(&mut body, &rollup.kept);
    }
    packed::close(VERSION, &body)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Summaries, Damaged> {
    let (_, body) = packed::open(VERSION, bytes)?;
    read(body).ok_or(IMPOSSIBLE)
}

fn answers(bytes: &mut Vec<u8>, of: &Histogram) {
    let Some(ranks) = of.ranks() else { return put(bytes, 0) };
    put(bytes, packed::narrow(of.count()));
    let mut last = 0;
    for rank in ranks {
        put(bytes, rank - last);
        last = rank;
    }
}

fn read(mut left: &[u8]) -> Option<Summaries> {
    let mut summaries: Summaries = Vec::with_capacity(31);
    while let Some((&day, rest)) = left.split_first() {
        left = rest;
        if summaries.last().is_some_and(|(last, _)| *last >= day) {
            return None;
        }
        let mut verdicts = [0; 4];
        for count in &mut verdicts {
            *count = get(&mut left)?.into();
        }
        let (fresh, kept) = (read_answers(&mut left)?, read_answers(&mut left)?);
        summaries.push((day, Summary { verdicts, fresh, kept }));
    }
    Some(summaries)
}

pub(crate) fn read_answers(bytes: &mut &[u8]) -> Option<Answers> {
    let count = get(bytes)?;
    if count == 0 {
        return Some(Answers::default());
    }
    let (mut ranks, mut last) = ([0; 5], 0_u32);
    for rank in &mut ranks {
        last = last.checked_add(get(bytes)?)?;
        *rank = last;
    }
    Some(Answers { count: count.into(), ranks: Some(ranks) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::tests::rollups;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn what_comes_out_is_what_the_days_say(rollups in rollups()) {
            let said: Summaries = rollups.iter().map(|(day, rollup)| (*day, rollup.summary())).collect();
            prop_assert_eq!(decode(&encode(&rollups)), Ok(said));
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
        fn no_bytes_whatever_are_more_than_an_error(bytes in vec(any::<u8>(), 0..200)) {
            read(&bytes);
        }
    }
}
