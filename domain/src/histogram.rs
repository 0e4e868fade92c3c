//! How long answers took, as counts: two of them can be added, which two percentiles cannot.

use crate::Percentiles;
use std::time::Duration;

/// Bits of a length that tell its bucket, within its power of two.
const BITS: u32 = 6;
/// Below this each length has a bucket of its own.
const EXACT: u32 = 2 << BITS;
/// The bucket of the longest length there is.
const LAST: u16 = 1727;

/// Lengths in steps of 64 µs (as the store keeps them), counted in buckets of which each is at most 1/64 of its length wide:
/// what a bucket stands for is within 0.8 % of what was counted in it. The shortest and the longest are kept as they were.
///
/// The buckets are those of `HdrHistogram`. Its crate keeps a table of all of them, 13 kB for this range, where some 60 are in
/// use; there are thousands of histograms in the answer to a question about a year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count, in order; no count is 0.
    counts: Vec<(u16, u32)>,
    shortest: u32,
    longest: u32,
}

impl Histogram {
    /// What one step is.
    pub const STEP: Duration = Duration::from_micros(64);

    /// Counts a length of so many steps.
    pub fn add(&mut self, steps: u32) {
        self.shortest = if self.counts.is_empty() { steps } else { self.shortest.min(steps) };
        self.longest = self.longest.max(steps);
        let bucket = bucket(steps);
        match self.counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => {
                if let Some((_, count)) = self.counts.get_mut(place) {
                    *count = count.saturating_add(1);
                }
            }
            Err(place) => self.counts.insert(place, (bucket, 1)),
        }
    }

    /// Counts all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.is_empty() {
            return;
        }
        if self.counts.is_empty() {
            self.clone_from(other);
            return;
        }
        self.shortest = self.shortest.min(other.shortest);
        self.longest = self.longest.max(other.longest);
        let mut all = Vec::with_capacity(self.counts.len().max(other.counts.len()) + 16);
        let (mut left, mut right) = (self.counts.iter().peekable(), other.counts.iter().peekable());
        loop {
            all.push(match (left.peek(), right.peek()) {
                (Some(&&(one, count)), Some(&&(two, more))) if one == two => {
                    left.next();
                    right.next();
                    (one, count.saturating_add(more))
                }
                (Some(&&(one, count)), Some(&&(two, _))) if one < two => {
                    left.next();
                    (one, count)
                }
                (_, Some(&&next)) => {
                    right.next();
                    next
                }
                (Some(&&next), None) => {
                    left.next();
                    next
                }
                (None, None) => break,
            });
        }
        self.counts = all;
    }

    /// How many lengths were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// By nearest rank, each within 0.8 % of what was measured; the longest is exact. `None` if nothing was counted.
    pub fn percentiles(&self) -> Option<Percentiles> {
        self.ranks().map(Percentiles::of_steps)
    }

    /// The same in steps, in order.
    pub fn ranks(&self) -> Option<[u32; 5]> {
        let all = self.count();
        let (&(last, _), mut counts) = (self.counts.last()?, self.counts.iter());
        let (mut bucket, mut within) = (last, 0_u64);
        let mut rank = |percent: u64| {
            let rank = (all * percent).div_ceil(100);
            while within < rank {
                let Some(&(next, count)) = counts.next() else { break };
                (bucket, within) = (next, within + u64::from(count));
            }
            middle(bucket).clamp(self.shortest, self.longest)
        };
        Some([rank(50), rank(90), rank(95), rank(99), self.longest])
    }

    /// Buckets and their counts, the shortest and the longest: to be kept.
    pub fn parts(&self) -> (&[(u16, u32)], u32, u32) {
        (&self.counts, self.shortest, self.longest)
    }

    /// From what was kept; `None` if no histogram has such parts.
    pub fn from_parts(counts: Vec<(u16, u32)>, shortest: u32, longest: u32) -> Option<Self> {
        let ordered = counts.is_sorted_by(|(one, _), (next, _)| one < next);
        let counted = counts.iter().all(|(bucket, count)| *count > 0 && *bucket <= LAST);
        let ends = match (counts.first(), counts.last()) {
            (Some((first, _)), Some((last, _))) => {
                shortest <= longest && bucket(shortest) == *first && bucket(longest) == *last
            }
            _ => shortest == 0 && longest == 0,
        };
        (ordered && counted && ends).then_some(Self { counts, shortest, longest })
    }
}

/// Histograms that are being added: a table of all buckets, for many of them.
#[derive(Debug, Clone)]
pub(crate) struct Adding {
    counts: Vec<u32>,
    /// The shortest and the longest.
    ends: Option<(u32, u32)>,
}

impl Default for Adding {
    fn default() -> Self {
        Self { counts: vec![0; usize::from(LAST) + 1], ends: None }
    }
}

impl Adding {
    /// Counts all that `other` counted.
    pub(crate) fn add(&mut self, other: &Histogram) {
        if other.counts.is_empty() {
            return;
        }
        for (bucket, more) in &other.counts {
            if let Some(count) = self.counts.get_mut(usize::from(*bucket)) {
                *count = count.saturating_add(*more);
            }
        }
        let (shortest, longest) = self.ends.unwrap_or((other.shortest, other.longest));
        self.ends = Some((shortest.min(other.shortest), longest.max(other.longest)));
    }

    /// All of them as one.
    pub(crate) fn sum(&self) -> Histogram {
        let (shortest, longest) = self.ends.unwrap_or_default();
        let counts = (0..=LAST).zip(&self.counts).filter(|(_, count)| **count > 0);
        Histogram { counts: counts.map(|(bucket, count)| (bucket, *count)).collect(), shortest, longest }
    }
}

/// The place of the highest bit, and the bits after it.
fn bucket(steps: u32) -> u16 {
    if steps < EXACT {
        return u16::try_from(steps).unwrap_or(LAST);
    }
    let shift = steps.ilog2() - BITS;
    u16::try_from((shift << BITS) + (steps >> shift)).unwrap_or(LAST)
}

/// The length in the middle of a bucket.
fn middle(bucket: u16) -> u32 {
    let bucket = u32::from(bucket);
    if bucket < EXACT {
        return bucket;
    }
    let shift = (bucket >> BITS) - 1;
    let first = ((bucket & (EXACT / 2 - 1)) + EXACT / 2) << shift;
    first + (1 << (shift - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn length(steps: u32) -> Duration {
        Histogram::STEP * steps
    }

    fn of(lengths: &[u32]) -> Histogram {
        let mut histogram = Histogram::default();
        for length in lengths {
            histogram.add(*length);
        }
        histogram
    }

    fn lengths() -> impl Strategy<Value = Vec<u32>> {
        let length = prop_oneof![3 => 300..6_000_u32, 1 => 0..200_u32, 1 => any::<u32>()];
        prop::collection::vec(length, 0..200)
    }

    #[test]
    fn each_length_is_within_its_bucket_and_buckets_are_in_order() {
        assert_eq!((bucket(0), bucket(EXACT - 1), bucket(EXACT), bucket(u32::MAX)), (0, 127, 128, LAST));
        let mut last = 0;
        for steps in (0..100_000).chain((17..32).flat_map(|power| [1_u32 << power, (1 << power) + 12_345])) {
            let bucket = bucket(steps);
            assert!(bucket >= last, "{steps}");
            assert_eq!(super::bucket(middle(bucket)), bucket, "{steps}");
            let off = f64::from(middle(bucket).abs_diff(steps)) / f64::from(steps.max(1));
            assert!(off <= 0.008, "{steps} stands as {}", middle(bucket));
            last = bucket;
        }
    }

    proptest! {
        #[test]
        fn percentiles_are_within_one_percent_of_those_of_all_that_was_counted(lengths in lengths()) {
            let mut exact: Vec<Duration> = lengths.iter().map(|steps| length(*steps)).collect();
            let (exact, told) = (Percentiles::of(&mut exact), of(&lengths).percentiles());
            prop_assert_eq!(exact.is_some(), told.is_some());
            if let (Some(exact), Some(told)) = (exact, told) {
                prop_assert_eq!(exact.max, told.max);
                for (exact, told) in [(exact.p50, told.p50), (exact.p90, told.p90), (exact.p95, told.p95), (exact.p99, told.p99)] {
                    let off = (exact.as_secs_f64() - told.as_secs_f64()).abs();
                    prop_assert!(off <= exact.as_secs_f64() * 0.01, "{exact:?} {told:?}");
                }
            }
        }

        #[test]
        fn in_whatever_parts_it_was_counted_the_sum_is_the_same(lengths in lengths(), cut in any::<prop::sample::Index>()) {
            let (one, two) = lengths.split_at(cut.index(lengths.len() + 1));
            let mut sum = of(one);
            sum.merge(&of(two));
            prop_assert_eq!(&sum, &of(&lengths));
            let mut adding = Adding::default();
            adding.add(&of(one));
            adding.add(&of(two));
            prop_assert_eq!(&adding.sum(), &sum);
            prop_assert_eq!(sum.count(), lengths.len() as u64);
        }

        #[test]
        fn what_was_kept_is_what_it_was(lengths in lengths()) {
            let histogram = of(&lengths);
            let (counts, shortest, longest) = histogram.parts();
            prop_assert_eq!(Histogram::from_parts(counts.to_vec(), shortest, longest), Some(histogram.clone()));
        }
    }

    #[test]
    fn parts_of_no_histogram_are_refused() {
        let refused = |counts: &[(u16, u32)], shortest, longest| {
            assert_eq!(Histogram::from_parts(counts.to_vec(), shortest, longest), None);
        };
        refused(&[(5, 1), (5, 1)], 5, 5);
        refused(&[(6, 1), (5, 1)], 6, 5);
        refused(&[(5, 0)], 5, 5);
        refused(&[(5, 1)], 4, 5);
        refused(&[(5, 1), (7, 1)], 5, 6);
        refused(&[(LAST + 1, 1)], u32::MAX, u32::MAX);
        refused(&[], 0, 1);
    }
}
