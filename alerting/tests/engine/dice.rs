//! Chance, the same for the same seed on every machine: `SplitMix64`.

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `from..to`.
    pub(crate) fn within(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).expect("from < to");
        from + i64::try_from(self.roll() % width).expect("it fits")
    }

    /// In so many of a thousand cases.
    pub(crate) fn chance(&mut self, of_a_thousand: i64) -> bool {
        self.within(0, 1000) < of_a_thousand
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.within(0, i64::try_from(all.len()).expect("it fits"));
        all.get(usize::try_from(at).expect("it fits")).expect("one of them")
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.within(0, i64::try_from(last).expect("it fits") + 1);
            all.swap(last, usize::try_from(other).expect("it fits"));
        }
    }
}
