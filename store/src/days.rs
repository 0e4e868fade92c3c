//! What the samples of a check add up to, by local day.

use domain::{Adding, Rollup};
use jiff::civil::Date;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::RangeBounds,
};

/// The days of a check, each with what its samples add up to.
#[derive(Debug, Clone, Default)]
pub struct Days(BTreeMap<Date, Rollup>);

impl Days {
    /// The days, oldest first.
    pub fn each(&self) -> impl Iterator<Item = (Date, &Rollup)> {
        self.0.iter().map(|(date, rollup)| (*date, rollup))
    }

    /// A day.
    pub fn on(&self, date: Date) -> Option<&Rollup> {
        self.0.get(&date)
    }

    /// All of those days.
    pub fn sum(&self, dates: impl RangeBounds<Date>) -> Rollup {
        let mut days = self.0.range(dates).map(|(_, day)| day);
        let Some(first) = days.next() else { return Rollup::default() };
        let Some(second) = days.next() else { return first.clone() };
        let mut all = Adding::default();
        all.add(first);
        all.add(second);
        for day in days {
            all.add(day);
        }
        all.sum()
    }

    /// All of them.
    pub fn by_date(self) -> BTreeMap<Date, Rollup> {
        self.0
    }

    pub(crate) fn add(&mut self, date: Date, rollup: Rollup) {
        match self.0.entry(date) {
            Entry::Vacant(entry) => {
                entry.insert(rollup);
            }
            Entry::Occupied(mut entry) => entry.get_mut().merge(&rollup),
        }
    }
}

impl FromIterator<(Date, Rollup)> for Days {
    fn from_iter<T: IntoIterator<Item = (Date, Rollup)>>(days: T) -> Self {
        Self(days.into_iter().collect())
    }
}
