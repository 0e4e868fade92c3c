//! What the store refuses for good is narrowed down to the outcome, so that the rest can be recorded.
//!
//! Of what is refused a half is tried, and a half of that, down to one. That one is a suspect, no more: it may be the
//! database that takes nothing at all. Only when what came after it is taken is it set aside.

use super::LARGEST_BATCH;
use crate::spool::Record;

/// So many that are refused one after the other, each alone, speak of the database and not of themselves.
const MOST_SUSPECTS: usize = 16;

/// How much is tried next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Narrowing {
    /// Outcomes, behind the suspects.
    most: usize,
    /// The oldest of all, each refused alone.
    suspects: usize,
    /// Something was refused, and what it is was not found yet.
    seeks: bool,
    /// What the store said of the last.
    why: String,
}

impl Default for Narrowing {
    fn default() -> Self {
        Self { most: LARGEST_BATCH, suspects: 0, seeks: false, why: String::new() }
    }
}

impl Narrowing {
    /// Whether something was refused that was not found yet.
    pub(super) const fn seeks(&self) -> bool {
        self.seeks
    }

    /// Whether something is to be set aside as soon as the store takes what came after it.
    pub(super) const fn suspects_some(&self) -> bool {
        self.suspects > 0
    }

    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// How many of the oldest records are suspects, and how many are concerned in all: with what is tried behind them.
    pub(super) fn reach<'r>(&self, records: impl Iterator<Item = &'r Record>) -> (usize, usize) {
        let (mut suspects, mut reach, mut outcomes) = (0, 0, 0);
        for record in records.take(LARGEST_BATCH) {
            if let Record::Late(_) = record {
                if outcomes == self.suspects + self.most {
                    break;
                }
                outcomes += 1;
            }
            reach += 1;
            if outcomes <= self.suspects && self.suspects > 0 {
                suspects = reach;
            }
        }
        (suspects, reach)
    }

    /// So many outcomes were refused together. `false`: it is the database, and no single outcome.
    pub(super) fn refused(&mut self, tried: usize, why: String) -> bool {
        self.why = why;
        if tried == 0 {
            // It is for no outcome: time passes, or a configuration came.
            *self = Self::default();
            return false;
        }
        self.seeks = true;
        if tried > 1 {
            self.most = tried / 2;
            return true;
        }
        (self.most, self.suspects) = (1, self.suspects + 1);
        if self.suspects > MOST_SUSPECTS {
            *self = Self::default();
            return false;
        }
        true
    }

    /// What was tried is recorded, and the suspects before it are set aside.
    pub(super) fn taken(&mut self) {
        self.seeks &= self.suspects == 0;
        self.suspects = 0;
        self.untold();
    }

    /// What was tried came to nothing that the store had to take: more is needed to tell.
    pub(super) fn untold(&mut self) {
        self.most = (self.most * 2).min(LARGEST_BATCH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{spool::Late, words::example};
    use domain::Outcome;
    use proptest::prelude::*;
    use std::{collections::VecDeque, sync::Arc};

    fn all(count: i64) -> Vec<Record> {
        let check = domain::CheckId {
            instance: example::incident().affects.first().cloned().unwrap(),
            operation: domain::OperationId::parse("read").unwrap(),
        };
        let vantage = domain::VantageId::parse("internet").unwrap();
        let late = |n| {
            let at = example::at("02:14:10") + jiff::SignedDuration::from_secs(n);
            Record::Late(Late {
                then: at,
                outcome: Arc::new(Outcome::new(check.clone(), vantage.clone(), at)),
            })
        };
        (0..count).map(late).collect()
    }

    /// Records one after the other where the store refuses those that `bad` says; what was recorded, and set aside.
    fn run(records: Vec<Record>, bad: impl Fn(&Record) -> bool) -> Result<[Vec<Record>; 2], usize> {
        let (mut waiting, mut narrowing) = (VecDeque::from(records), Narrowing::default());
        let (mut recorded, mut aside, mut attempts) = (Vec::new(), Vec::new(), 0);
        loop {
            attempts += 1;
            let (suspects, reach) = narrowing.reach(waiting.iter());
            let tried: Vec<&Record> = waiting.range(suspects..reach).collect();
            let outcomes = tried.iter().filter(|record| matches!(record, Record::Late(_))).count();
            if tried.iter().any(|record| bad(record)) {
                if !narrowing.refused(outcomes, "no".to_owned()) {
                    return Err(attempts);
                }
            } else if outcomes == 0 && narrowing.suspects_some() {
                // Nothing behind the suspects.
                return Ok([recorded, aside]);
            } else {
                aside.extend(waiting.drain(..suspects).filter(|record| matches!(record, Record::Late(_))));
                recorded.extend(waiting.drain(..reach - suspects));
                narrowing.taken();
            }
            if waiting.is_empty() {
                return Ok([recorded, aside]);
            }
        }
    }

    #[test]
    fn one_of_many_is_found_and_all_others_are_recorded() {
        let all = all(5_000);
        for bad in [0, 1, 1_999, 2_000, 3_333, 4_998] {
            let [recorded, aside] = run(all.clone(), |record| *record == all[bad]).unwrap();
            assert_eq!(aside, [all[bad].clone()]);
            assert_eq!(recorded.len(), 4_999);
        }
    }

    #[test]
    fn the_last_of_all_waits_for_what_comes_after_it() {
        let all = all(50);
        let [recorded, aside] = run(all.clone(), |record| *record == all[49]).unwrap();
        assert_eq!((recorded.len(), aside.len()), (49, 0), "a suspect, no more");
    }

    #[test]
    fn a_database_that_takes_nothing_makes_nobody_guilty() {
        let attempts = run(all(2_000), |_| true).unwrap_err();
        assert!(attempts < 40, "{attempts} attempts");
    }

    proptest! {
        #[test]
        fn whatever_is_refused_is_set_aside_and_nothing_else(
            bad in prop::collection::btree_set(0_usize..300, 0..12),
            told in prop::collection::btree_set(0_usize..300, 0..12),
        ) {
            let mut all = all(301);
            for n in told.difference(&bad) {
                all[*n] = Record::Told(example::at("02:14:10"));
            }
            let expected: Vec<Record> = bad.iter().map(|n| all[*n].clone()).collect();
            let [recorded, aside] = run(all, |record| expected.contains(record)).unwrap();
            let outcomes = recorded.iter().filter(|record| matches!(record, Record::Late(_))).count();
            prop_assert_eq!(outcomes, 301 - bad.union(&told).count());
            prop_assert_eq!(aside, expected);
        }
    }
}
