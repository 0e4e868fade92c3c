//! Percentiles of response times.

use crate::Histogram;
use std::time::Duration;

/// Response times that so many in a hundred did not exceed, by nearest rank: each is one that was really measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Half.
    pub p50: Duration,
    /// Nine in ten.
    pub p90: Duration,
    /// Nineteen in twenty.
    pub p95: Duration,
    /// All but one in a hundred.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Percentiles {
    /// Of these durations, which are put in order; `None` if there is none. Of raw measurements only: percentiles of
    /// percentiles are wrong.
    pub fn of(durations: &mut [Duration]) -> Option<Self> {
        durations.sort_unstable();
        let rank = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100);
            durations.get(rank.checked_sub(1)?).copied()
        };
        Some(Self { p50: rank(50)?, p90: rank(90)?, p95: rank(95)?, p99: rank(99)?, max: rank(100)? })
    }

    /// From [`Histogram::ranks`].
    pub fn of_steps(ranks: [u32; 5]) -> Self {
        let [p50, p90, p95, p99, max] = ranks.map(|steps| Histogram::STEP * steps);
        Self { p50, p90, p95, p99, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let check = |milliseconds: std::ops::RangeInclusive<u64>, expected: [u64; 5]| {
            let mut durations: Vec<Duration> = milliseconds.rev().map(Duration::from_millis).collect();
            let [p50, p90, p95, p99, max] = expected.map(Duration::from_millis);
            assert_eq!(Percentiles::of(&mut durations), Some(Percentiles { p50, p90, p95, p99, max }));
        };
        check(7..=7, [7; 5]);
        check(1..=2, [1, 2, 2, 2, 2]);
        check(1..=10, [5, 9, 10, 10, 10]);
        check(1..=100, [50, 90, 95, 99, 100]);
        check(1..=1000, [500, 900, 950, 990, 1000]);
        assert_eq!(Percentiles::of(&mut []), None);
    }

    proptest! {
        #[test]
        fn percentiles_are_measured_values_in_order(mut durations in prop::collection::vec(0_u64..10_000_000, 1..200)) {
            let mut sorted: Vec<Duration> = durations.iter().copied().map(Duration::from_micros).collect();
            let of = Percentiles::of(&mut sorted).unwrap();
            prop_assert!(of.p50 <= of.p90 && of.p90 <= of.p95 && of.p95 <= of.p99 && of.p99 <= of.max);
            durations.sort_unstable();
            prop_assert_eq!(of.max, Duration::from_micros(*durations.last().unwrap()));
            for (share, value) in [(50, of.p50), (90, of.p90), (95, of.p95), (99, of.p99)] {
                prop_assert!(sorted.contains(&value));
                let within = sorted.iter().filter(|duration| **duration <= value).count();
                prop_assert!(within * 100 >= share * sorted.len());
            }
        }
    }
}
