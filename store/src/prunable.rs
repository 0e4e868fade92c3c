//! What would go if all that is kept no more went now.

use crate::{
    Store,
    block::HOUR,
    database::Purpose,
    error::Error,
    prune::{believable, month_of},
    row::Reading,
};
use domain::{Environment, Keep, Retention};
use jiff::Timestamp;

const DOING: &str = "count what is kept no more";

/// What of an environment is kept no more, as it is there now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prunable {
    /// Samples, which become sums of their hours…
    pub samples: u64,
    /// …in so many days of UTC, each counted for each track.
    pub sampled_days: u64,
    /// Days of UTC of whose hours no sums stay, nor how long phases took, counted likewise.
    pub hours: u64,
    /// Months of days, counted likewise.
    pub months: u64,
    /// Failures in full.
    pub failures: u64,
}

impl Prunable {
    /// Whether there is anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Store {
    /// What [`Store::prune`] lets go of, repeated until it says 0.
    pub async fn prunable(
        &self,
        environment: Environment,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<Prunable, Error> {
        // Of one moment.
        let mut reader = self.begin(Purpose::Read, DOING).await?;
        let now = now.min(believable(&mut reader, environment).await?.unwrap_or(now));
        let day =
            |keep: Keep| keep.since(now).map_or(0, |since| since.as_millisecond().div_euclid(24 * HOUR));
        let row = reader
            .statement(COUNTED)
            .bind(environment.word())
            .bind(day(retention.samples))
            .bind(day(retention.hours))
            .bind(retention.days.since(now).map_or(0, month_of))
            .bind(retention.failures.since(now).map_or(i64::MIN, Timestamp::as_millisecond))
            .row(DOING)
            .await?;
        let row = Reading { row: &row, doing: DOING };
        let count = |column: &str| {
            u64::try_from(row.get::<i64>(column)?).map_err(|error| Error::corrupt(DOING, error))
        };
        let found = Prunable {
            samples: count("samples")?,
            sampled_days: count("sampled_days")?,
            hours: count("hours")?,
            months: count("months")?,
            failures: count("failures")?,
        };
        reader.rollback(DOING).await?;
        Ok(found)
    }
}

/// `$2` and `$3` are days since 1970, `$4` months since the year 0, `$5` milliseconds.
const COUNTED: &str = "
    WITH mine AS (SELECT id, CAST(id AS BIGINT) * 4194304 AS first FROM track WHERE environment = $1),
    old AS (
        SELECT sealed.samples, mine.first + (sealed.slot - mine.first) / 24 AS day,
               (sealed.slot - mine.first) / 24 < $3 AS goes
        FROM mine CROSS JOIN sealed WHERE slot >= first AND slot < first + $2 * 24)
    SELECT CAST((SELECT coalesce(sum(samples), 0) FROM old) AS BIGINT) AS samples,
           CAST((SELECT count(DISTINCT day) FROM old) AS BIGINT) AS sampled_days,
           CAST((SELECT count(*) FROM (
               SELECT slot FROM mine CROSS JOIN rollup_hours WHERE slot >= first AND slot < first + $3
               UNION SELECT slot FROM mine CROSS JOIN phases WHERE slot >= first AND slot < first + $3
               UNION SELECT day FROM old WHERE goes) AS gone) AS BIGINT) AS hours,
           CAST((SELECT count(*) FROM mine CROSS JOIN rollup_days WHERE slot >= first AND slot < first + $4)
               AS BIGINT) AS months,
           CAST((SELECT count(*) FROM mine CROSS JOIN failure WHERE track = mine.id AND at < $5)
               AS BIGINT) AS failures";
