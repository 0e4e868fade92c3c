//! What the samples of a check add up to, hour by hour: for ranges that days would be too coarse for.

use crate::{
    Store,
    block::HOUR,
    database::Purpose,
    error::Error,
    range::{fine, hot, tracks},
    slot::slot,
};
use domain::{CheckId, Rollup, Summary};
use jiff::Timestamp;
use std::{collections::BTreeMap, ops::Range};

const DOING: &str = "read how a check did by the hour";

impl Store {
    /// The hours of UTC in which `check` was probed within `range`, from all its vantages, oldest first, each by its beginning.
    ///
    /// Of hours that the range cuts, the samples within it, as long as they are kept. A sealed hour that is damaged counts as
    /// nothing, and is said. A range of which too much must be read one by one is [`Error::TooMuch`].
    pub async fn hourly(
        &self,
        check: &CheckId,
        range: Range<Timestamp>,
    ) -> Result<Vec<(Timestamp, Summary)>, Error> {
        let hour = |at: Timestamp| at.as_millisecond().div_euclid(HOUR);
        let (first, last) = (hour(range.start), hour(range.end));
        let mut sums: BTreeMap<i64, Rollup> = BTreeMap::new();
        // One transaction: what is sealed in between would be seen twice, or not at all.
        let mut transaction = self.begin(Purpose::Read, DOING).await?;
        let read = async {
            let places = tracks(&mut transaction, std::slice::from_ref(check), None).await?;
            let tracks: Vec<i64> = places.into_iter().map(|(track, _)| track).collect();
            let spans: Vec<[i64; 2]> =
                tracks.iter().map(|track| [slot(*track, first), slot(*track, last)]).collect();
            let hot = hot(&mut transaction, &tracks, &range).await?;
            fine(&mut transaction, &spans, hot, &range).await
        };
        let read = read.await;
        transaction.rollback(DOING).await?;
        for ((_, hour), rollup) in read? {
            sums.entry(hour).or_default().merge(&rollup);
        }
        sums.into_iter()
            .filter(|(_, sum)| sum.samples() > 0)
            .map(|(hour, sum)| {
                let begins =
                    Timestamp::from_millisecond(hour * HOUR).map_err(|error| Error::corrupt(DOING, error))?;
                Ok((begins, sum.summary()))
            })
            .collect()
    }
}
