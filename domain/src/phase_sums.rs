//! How long the phases of many probes took, when each need not be known any more.

use crate::Phases;
use std::time::Duration;

/// One phase of many probes. Sums can be added, whatever they are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseSum {
    /// How many probes had it.
    pub count: u32,
    /// What they took together, in microseconds.
    pub micros: u64,
    /// What the longest took, in microseconds.
    pub longest: u32,
}

impl PhaseSum {
    fn add(&mut self, took: Option<Duration>) {
        let Some(took) = took else { return };
        let longest = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.merge(&Self { count: 1, micros: longest.into(), longest });
    }

    fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.micros = self.micros.saturating_add(other.micros);
        self.longest = self.longest.max(other.longest);
    }

    /// What one took on average; `None`: there was none.
    pub fn mean(&self) -> Option<Duration> {
        self.micros.checked_div(self.count.into()).map(Duration::from_micros)
    }

    /// What the longest took.
    pub fn longest(&self) -> Duration {
        Duration::from_micros(self.longest.into())
    }
}

/// The phases of many probes, in the order of [`PhaseSums::NAMES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseSums(pub [PhaseSum; 5]);

impl PhaseSums {
    /// What they are called wherever phases are told by name.
    pub const NAMES: [&str; 5] = ["dns", "connect", "tls", "first_byte", "body"];

    /// Adds a probe; a phase that it did not have is not counted.
    pub fn add(&mut self, phases: &Phases) {
        let Phases { dns, connect, tls, first_byte, body } = *phases;
        for (sum, took) in self.0.iter_mut().zip([dns, connect, tls, first_byte, body]) {
            sum.add(took);
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            sum.merge(more);
        }
    }

    /// Whether no phase was counted.
    pub fn is_empty(&self) -> bool {
        self.most() == 0
    }

    /// How often the phase was counted that was counted most.
    pub fn most(&self) -> u32 {
        self.0.iter().map(|sum| sum.count).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_was_not_there_counts_for_nothing() {
        let ms = Duration::from_millis;
        let mut sums = PhaseSums::default();
        assert!(sums.is_empty());
        sums.add(&Phases { dns: Some(ms(1)), first_byte: Some(ms(20)), ..Phases::default() });
        let mut more = PhaseSums::default();
        more.add(&Phases { first_byte: Some(ms(41)), ..Phases::default() });
        sums.merge(&more);
        let [dns, connect, _, first_byte, _] = sums.0;
        assert_eq!((dns.count, dns.mean(), dns.longest()), (1, Some(ms(1)), ms(1)));
        assert_eq!((connect.count, connect.mean()), (0, None));
        let mean = Some(Duration::from_micros(30_500));
        assert_eq!((first_byte.count, first_byte.mean(), first_byte.longest()), (2, mean, ms(41)));
        assert_eq!(sums.most(), 2);
    }
}
