//! What is left of many samples when each need not be known any more: how many of each verdict, and how long answers took.

use crate::{Histogram, Percentiles, Verdict, histogram};

/// The sum of the samples of a stretch of time. Sums can be added, whatever they are of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Probes by verdict: Pass, Slow, Fail, Inconclusive.
    pub verdicts: [u64; 4],
    /// How long Pass and Slow took over fresh connections…
    pub fresh: Histogram,
    /// …and over kept ones: times of two kinds, never of one percentile.
    pub kept: Histogram,
}

impl Rollup {
    /// Adds a probe; `steps` is its length in [`Histogram::STEP`], `kept` whether its connection was.
    pub fn add(&mut self, verdict: Verdict, kept: bool, steps: u32) {
        let [pass, slow, fail, inconclusive] = &mut self.verdicts;
        let (count, answered) = match verdict {
            Verdict::Pass => (pass, true),
            Verdict::Slow => (slow, true),
            Verdict::Fail => (fail, false),
            Verdict::Inconclusive => (inconclusive, false),
        };
        *count += 1;
        if answered {
            let latency = if kept { &mut self.kept } else { &mut self.fresh };
            latency.add(steps);
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.verdicts.iter_mut().zip(other.verdicts) {
            *count = count.saturating_add(more);
        }
        self.fresh.merge(&other.fresh);
        self.kept.merge(&other.kept);
    }

    /// How long answers took, of a check that keeps its connections (`warm`) or does not: those over the other kind do not
    /// tell its latency.
    pub const fn latency(&self, warm: bool) -> &Histogram {
        if warm { &self.kept } else { &self.fresh }
    }

    /// How many probes there were.
    pub fn samples(&self) -> u64 {
        self.verdicts.iter().sum()
    }

    /// What it says.
    pub fn summary(&self) -> Summary {
        let answers = |of: &Histogram| Answers { count: of.count(), ranks: of.ranks() };
        Summary { verdicts: self.verdicts, fresh: answers(&self.fresh), kept: answers(&self.kept) }
    }
}

/// Many sums that are being added: faster than one to the other.
#[derive(Debug, Clone, Default)]
pub struct Adding {
    verdicts: [u64; 4],
    fresh: histogram::Adding,
    kept: histogram::Adding,
}

impl Adding {
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Rollup) {
        for (count, more) in self.verdicts.iter_mut().zip(other.verdicts) {
            *count = count.saturating_add(more);
        }
        self.fresh.add(&other.fresh);
        self.kept.add(&other.kept);
    }

    /// All of them as one.
    pub fn sum(&self) -> Rollup {
        Rollup { verdicts: self.verdicts, fresh: self.fresh.sum(), kept: self.kept.sum() }
    }
}

/// What a sum says of itself, without its histograms: it cannot be added to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Probes by verdict: Pass, Slow, Fail, Inconclusive.
    pub verdicts: [u64; 4],
    /// Pass and Slow over fresh connections…
    pub fresh: Answers,
    /// …and over kept ones.
    pub kept: Answers,
}

impl Summary {
    /// Answers of a check that keeps its connections (`warm`) or does not.
    pub const fn latency(&self, warm: bool) -> Answers {
        if warm { self.kept } else { self.fresh }
    }

    /// How many probes there were.
    pub fn samples(&self) -> u64 {
        self.verdicts.iter().sum()
    }
}

/// Good answers of a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// How many.
    pub count: u64,
    /// How long they took, as [`Histogram::ranks`] says it: a question about many days is answered from many of these.
    /// `None`: there was none.
    pub ranks: Option<[u32; 5]>,
}

impl Answers {
    /// How long they took; `None`: there was none.
    pub fn took(&self) -> Option<Percentiles> {
        self.ranks.map(Percentiles::of_steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_the_other_kind_of_connection_are_never_in_a_latency() {
        let mut all = Rollup::default();
        all.add(Verdict::Pass, false, 10);
        all.add(Verdict::Slow, false, 90);
        all.add(Verdict::Fail, false, 5_000);
        all.add(Verdict::Inconclusive, true, 6_000);
        let mut more = Rollup::default();
        more.add(Verdict::Pass, true, 3);
        all.merge(&more);
        assert_eq!((all.verdicts, all.samples()), ([2, 1, 1, 1], 5));
        let longest = |warm| all.latency(warm).percentiles().map(|of| of.max);
        assert_eq!((longest(false), longest(true)), (Some(Histogram::STEP * 90), Some(Histogram::STEP * 3)));
        assert_eq!((all.latency(false).count(), all.latency(true).count()), (2, 1));
        let mut adding = Adding::default();
        adding.add(&all);
        adding.add(&all);
        let mut twice = all.clone();
        twice.merge(&all);
        assert_eq!(adding.sum(), twice);
        let summary = all.summary();
        assert_eq!((summary.samples(), summary.latency(false).count), (5, 2));
        assert_eq!(summary.latency(true).took(), all.kept.percentiles());
    }
}
