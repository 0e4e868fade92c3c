//! The samples of one hour of one track, as bytes and back.
//!
//! Under the head of `packed.rs`, numbers: how many samples; runs of equal codes; the first time; the usual time between two; the lowest total; the two parameters. Then bits:
//! how far each time is from where the usual one would be, and how far each total is above the lowest, in Rice's code with the
//! parameter that makes them shortest.
//!
//! At 120 samples an hour, times off by up to 15 ms and log-normal totals of 40 to 300 ms, that is 2.25 bytes a sample, and
//! 2.15 at 360; times and totals alone take 2.63 and 2.30 with the crate pco, for its header and bins, 3.0 as varints, and
//! 2.76 and 2.58 as varints deflated.

use crate::packed::{self, Damaged, get, put};

const VERSION: u8 = 1;
/// Milliseconds in an hour.
pub(crate) const HOUR: i64 = 3_600_000;
/// The kinds of codes: a verdict's number, and 4 more for a kept connection.
const CODES: u32 = 8;
/// So many ones say that the number itself follows, in 32 bits: what is far off costs 6 bytes and no more.
const ESCAPE: u32 = 16;

/// One probe of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Milliseconds since the hour began, 0..3,600,000.
    pub(crate) ms: u32,
    /// As `outcome.verdict`, 0..8.
    pub(crate) code: u8,
    /// In steps of 64 µs, up to `i32::MAX`.
    pub(crate) total: u32,
}

/// The block of `samples`, which are in order of time, no two at the same.
pub(crate) fn encode(samples: &[Packed]) -> Vec<u8> {
    let mut gaps: Vec<u32> = samples.windows(2).map(gap).collect();
    let usual = median(&mut gaps.clone());
    for gap in &mut gaps {
        *gap = zigzag(*gap, usual);
    }
    let lowest = samples.iter().map(|sample| sample.total).min().unwrap_or(0);
    let totals: Vec<u32> = samples.iter().map(|sample| sample.total - lowest).collect();
    let (of_gaps, of_totals) = (parameter(&gaps), parameter(&totals));

    let mut body = Vec::with_capacity(16 + samples.len() * 3);
    put(&mut body, u32::try_from(samples.len()).unwrap_or(u32::MAX));
    for run in samples.chunk_by(|one, next| one.code == next.code) {
        let code = run.first().map_or(0, |sample| sample.code);
        put(&mut body, u32::try_from(run.len()).unwrap_or(u32::MAX) * CODES + u32::from(code));
    }
    for number in [samples.first().map_or(0, |sample| sample.ms), usual, lowest, of_gaps, of_totals] {
        put(&mut body, number);
    }
    let mut bits = Writer { bytes: body, free: 0 };
    for gap in gaps {
        bits.rice(gap, of_gaps);
    }
    for total in totals {
        bits.rice(total, of_totals);
    }
    packed::close(VERSION, &bits.bytes)
}

/// The samples of a block, in order of time.
pub(crate) fn decode(block: &[u8]) -> Result<Vec<Packed>, Damaged> {
    let (_, body) = packed::open(VERSION, block)?;
    read(body).ok_or(Damaged("it ends early or holds what cannot be"))
}

fn read(mut body: &[u8]) -> Option<Vec<Packed>> {
    let count = get(&mut body)? as usize;
    // Each sample but the first takes two bits at the least.
    if count > body.len() * 4 + 1 {
        return None;
    }
    let mut samples = Vec::with_capacity(count);
    while samples.len() < count {
        let run = get(&mut body)?;
        let (length, code) = ((run / CODES) as usize, u8::try_from(run % CODES).ok()?);
        if length == 0 || length > count - samples.len() {
            return None;
        }
        samples.extend(std::iter::repeat_n(Packed { ms: 0, code, total: 0 }, length));
    }
    let (mut ms, usual, lowest) = (get(&mut body)?, get(&mut body)?, get(&mut body)?);
    let (of_gaps, of_totals) = (get(&mut body)?, get(&mut body)?);
    let mut bits = Reader { bytes: body, at: 0 };
    for (place, sample) in samples.iter_mut().enumerate() {
        if place > 0 {
            ms = ms.checked_add(unzigzag(bits.rice(of_gaps)?, usual)?)?;
        }
        if i64::from(ms) >= HOUR {
            return None;
        }
        sample.ms = ms;
    }
    for sample in &mut samples {
        sample.total = lowest.checked_add(bits.rice(of_totals)?)?;
    }
    (bits.at.div_ceil(8) == body.len()).then_some(samples)
}

/// One hour's samples of two sources, in order of time; where both have one at the same time, that of `first`.
pub(crate) fn merge(first: Vec<Packed>, second: Vec<Packed>) -> Vec<Packed> {
    let mut all = first;
    all.extend(second);
    // Stable: what stood first stays first.
    all.sort_by_key(|sample| sample.ms);
    all.dedup_by_key(|sample| sample.ms);
    all
}

fn gap(pair: &[Packed]) -> u32 {
    match pair {
        [one, next] => next.ms - one.ms,
        _ => 0,
    }
}

fn median(numbers: &mut [u32]) -> u32 {
    if numbers.is_empty() {
        return 0;
    }
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable(middle).1
}

/// How far `number` is from `usual`, small either way. Both are below 2^22.
fn zigzag(number: u32, usual: u32) -> u32 {
    if number >= usual { (number - usual) * 2 } else { (usual - number) * 2 - 1 }
}

fn unzigzag(off: u32, usual: u32) -> Option<u32> {
    if off.is_multiple_of(2) { usual.checked_add(off / 2) } else { usual.checked_sub(off / 2 + 1) }
}

/// Rice's parameter with which they are shortest.
fn parameter(numbers: &[u32]) -> u32 {
    let bits = |k: &u32| -> u64 {
        let one = |number: &u32| {
            let quotient = number >> k;
            u64::from(if quotient < ESCAPE { quotient + 1 + k } else { ESCAPE + 32 })
        };
        numbers.iter().map(one).sum()
    };
    (0..32).min_by_key(bits).unwrap_or(0)
}

struct Writer {
    bytes: Vec<u8>,
    /// Bits of the last byte that nothing is in yet.
    free: u32,
}

impl Writer {
    fn bit(&mut self, bit: bool) {
        if self.free == 0 {
            self.bytes.push(0);
            self.free = 8;
        }
        self.free -= 1;
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.free;
        }
    }

    fn bits(&mut self, number: u32, count: u32) {
        for place in (0..count).rev() {
            self.bit(number >> place & 1 == 1);
        }
    }

    fn rice(&mut self, number: u32, k: u32) {
        let quotient = number >> k;
        for _ in 0..quotient.min(ESCAPE) {
            self.bit(true);
        }
        if quotient < ESCAPE {
            self.bit(false);
            self.bits(number, k);
        } else {
            self.bits(number, 32);
        }
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    fn bits(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u32::from(self.bit()?);
        }
        Some(number)
    }

    fn rice(&mut self, k: u32) -> Option<u32> {
        let mut quotient = 0;
        while quotient < ESCAPE && self.bit()? {
            quotient += 1;
        }
        if quotient == ESCAPE {
            return self.bits(32);
        }
        if k >= 32 {
            return None;
        }
        u32::try_from(u64::from(quotient) << k | u64::from(self.bits(k)?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_map, prelude::*};

    fn hours() -> impl Strategy<Value = Vec<Packed>> {
        let total = prop_oneof![9 => 600..5_000_u32, 1 => 0..=i32::MAX.unsigned_abs()];
        let code = prop_oneof![20 => Just(0_u8), 1 => 0..8_u8];
        btree_map(0..3_600_000_u32, (code, total), 0..400)
            .prop_map(|hour| hour.into_iter().map(|(ms, (code, total))| Packed { ms, code, total }).collect())
    }

    proptest! {
        #[test]
        fn what_comes_out_is_what_went_in(hour in hours()) {
            prop_assert_eq!(decode(&encode(&hour)), Ok(hour));
        }

        #[test]
        fn a_damaged_block_is_an_error_and_never_a_wrong_number(
            hour in hours(), place in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<prop::sample::Index>(),
        ) {
            let block = encode(&hour);
            let mut changed = block.clone();
            changed[place.index(block.len())] ^= flip;
            prop_assert!(decode(&changed).is_err());
            prop_assert!(decode(&block[..cut.index(block.len())]).is_err());
        }

        #[test]
        fn no_bytes_whatever_are_more_than_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
        }
    }

    #[test]
    fn of_two_at_the_same_time_the_first_stays() {
        let one = |ms, total| Packed { ms, code: 0, total };
        let merged = merge(vec![one(1, 1), one(5, 1)], vec![one(1, 2), one(3, 2), one(9, 2)]);
        assert_eq!(merged, [one(1, 1), one(3, 2), one(5, 1), one(9, 2)]);
    }
}
