//! How long a healthy answer takes: log-normal, as measured response times mostly are.

use std::time::Duration;

/// The distribution of an API's own time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Half of all answers are faster than this.
    pub median: Duration,
    /// The standard deviation of the logarithm: 0 is constant, 0.5 is lively.
    pub spread: f64,
}

impl Latency {
    /// No waiting at all: for tests.
    pub const NONE: Self = Self { median: Duration::ZERO, spread: 0.0 };

    /// A few to tens of milliseconds: for the demo.
    pub const LIVELY: Self = Self { median: Duration::from_millis(14), spread: 0.45 };

    pub(crate) fn draw(self, dice: &mut Dice) -> Duration {
        if self.median.is_zero() {
            return Duration::ZERO;
        }
        let factor = (self.spread * dice.normal()).exp().min(50.0);
        self.median.mul_f64(factor)
    }
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `SplitMix64`.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        let thirty_two_bits = u32::try_from(self.roll() >> 32).unwrap_or(u32::MAX);
        f64::from(thirty_two_bits) / f64::from(u32::MAX)
    }

    /// Twelve uniform numbers, less six: close enough to a normal one.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// From 0 to `most`, without it; `most` is positive.
    pub(crate) fn below(&mut self, most: i64) -> i64 {
        let most = most.unsigned_abs().max(1);
        i64::try_from(self.roll() % most).unwrap_or(0)
    }

    /// 32 hexadecimal digits, as `ServiceNow`'s `sys_id`.
    pub(crate) fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.roll(), self.roll())
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> uuid::Uuid {
        let bytes = (u128::from(self.roll()) << 64 | u128::from(self.roll())).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_all_answers_are_faster_than_the_median() {
        let mut dice = Dice::new(7);
        let faster = (0..2_000).filter(|_| Latency::LIVELY.draw(&mut dice) < Latency::LIVELY.median).count();
        assert!((900..1_100).contains(&faster), "{faster}");
    }

    #[test]
    fn tests_do_not_wait() {
        assert_eq!(Latency::NONE.draw(&mut Dice::new(1)), Duration::ZERO);
    }
}
