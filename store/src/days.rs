//! What the samples of a check add up to, by local day.

use crate::{error::Error, rollup::Part};
use domain::{Adding, Rollup, Summary};
use jiff::civil::Date;
use std::{collections::BTreeMap, ops::RangeBounds};

/// The days of a check, each with what its samples add up to. What each says of itself is at hand; only days that are added up
/// cost the decoding of their histograms.
#[derive(Debug, Clone, Default)]
pub struct Days(BTreeMap<Date, Part>);

impl Days {
    /// What each day says, oldest first.
    pub fn each(&self) -> impl Iterator<Item = (Date, Summary)> {
        self.0.iter().map(|(date, part)| (*date, part.summary()))
    }

    /// What a day says.
    pub fn on(&self, date: Date) -> Option<Summary> {
        self.0.get(&date).map(Part::summary)
    }

    /// All of those days.
    pub fn sum(&self, dates: impl RangeBounds<Date>) -> Result<Rollup, Error> {
        let mut days = self.0.range(dates).map(|(_, part)| part);
        let first = days.next().map(rollup).transpose()?.unwrap_or_default();
        let Some(second) = days.next() else { return Ok(first) };
        let mut all = Adding::default();
        all.add(&first);
        all.add(&rollup(second)?);
        for part in days {
            all.add(&rollup(part)?);
        }
        Ok(all.sum())
    }

    /// Each day with its histograms.
    pub fn whole(&self) -> Result<BTreeMap<Date, Rollup>, Error> {
        self.0.iter().map(|(date, part)| Ok((*date, rollup(part)?))).collect()
    }

    pub(crate) fn add(&mut self, date: Date, part: Part) -> Result<(), Error> {
        let sum = match self.0.remove(&date) {
            None => part,
            Some(known) => {
                let mut sum = rollup(&known)?;
                sum.merge(&rollup(&part)?);
                Part::Whole(Box::new(sum))
            }
        };
        self.0.insert(date, sum);
        Ok(())
    }
}

fn rollup(part: &Part) -> Result<Rollup, Error> {
    part.rollup().map_err(|damaged| Error::corrupt("add days up", damaged))
}

impl FromIterator<(Date, Rollup)> for Days {
    fn from_iter<T: IntoIterator<Item = (Date, Rollup)>>(days: T) -> Self {
        Self(days.into_iter().map(|(date, rollup)| (date, Part::Whole(Box::new(rollup)))).collect())
    }
}
