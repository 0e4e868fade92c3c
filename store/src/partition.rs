//! Partitions of `PostgreSQL`'s tables by time, so that what is let go of gives its room back as a whole: `outcome` by days
//! of UTC, `sealed` and `failure` by months. What has no partition is kept in the default one.

use crate::{
    Store,
    block::HOUR,
    database::{Connection, Database, Purpose},
    error::Error,
    postgres,
    record::MINUTE,
    row::Reading,
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use std::collections::BTreeSet;

/// For a user who may not.
const DOING: &str = "make or drop a partition (`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO` the user of `serve`; \
                     until then all is kept in the default one)";

/// Made ahead of time: whoever is away for so long finds them made.
const DAYS_AHEAD: i64 = 7;
const MONTHS_AHEAD: i64 = 2;

/// What was done to partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Partitioned {
    /// How many were made.
    pub made: u32,
    /// How many that were over and empty were dropped.
    pub dropped: u32,
}

/// A partition, from `low` to below `high`, in the unit by which its table is parted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    parent: &'static str,
    name: String,
    low: i64,
    high: i64,
}

impl Store {
    /// Makes the partitions for what will soon be recorded, and drops those that are empty and were over a day ago. SQLite has
    /// none.
    ///
    /// [`Error::Busy`]: somebody used the tables for long; [`Error::Denied`]: the user may not. Either way nothing is lost: what
    /// has no partition is kept in the default one.
    pub async fn partition(&self, now: Timestamp) -> Result<Partitioned, Error> {
        if matches!(self.0.database, Database::Sqlite(_)) {
            return Ok(Partitioned::default());
        }
        let mut connection = self.connect(Purpose::Write, DOING).await?;
        let today = date(now);
        let mut wanted = days(today, today.saturating_add(DAYS_AHEAD.days()));
        wanted.extend(months(today, today.saturating_add(MONTHS_AHEAD.months())));
        let made = make(&mut connection, &wanted).await?;
        let before = today.yesterday().unwrap_or(today);
        let kept: Vec<Partition> = days(before, before).into_iter().chain(months(before, before)).collect();
        let mut dropped = 0;
        for name in names(&mut connection).await? {
            let Some(parent) = parent_if_over(&name, &kept) else { continue };
            dropped += u32::from(done(&mut connection, postgres::DROP_PARTITION, parent, &name, None).await?);
        }
        Ok(Partitioned { made, dropped })
    }
}

/// Makes the partitions of months that are put in long after they were.
pub(crate) async fn make_months(
    connection: &mut Connection,
    from: Timestamp,
    to: Timestamp,
) -> Result<(), Error> {
    match connection {
        Connection::Sqlite(_) | Connection::SqliteTransaction(_) => Ok(()),
        Connection::Postgres(_) => make(connection, &months(date(from), date(to))).await.map(drop),
    }
}

fn date(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

/// Milliseconds since 1970 at the beginning of that day of UTC.
fn begin(day: Date) -> i64 {
    TimeZone::UTC.to_timestamp(day.into()).unwrap_or(Timestamp::MAX).as_millisecond()
}

/// The partitions of days, the last one included.
fn days(first: Date, last: Date) -> Vec<Partition> {
    first
        .series(1.day())
        .take_while(|day| *day <= last)
        .map(|day| Partition {
            parent: "outcome",
            name: format!("outcome_{}", day.strftime("%Y%m%d")),
            low: begin(day) / MINUTE,
            high: begin(day.saturating_add(1.day())) / MINUTE,
        })
        .collect()
}

/// The partitions of the months of those days, the last one included.
fn months(first: Date, last: Date) -> Vec<Partition> {
    first
        .first_of_month()
        .series(1.month())
        .take_while(|month| *month <= last)
        .flat_map(|month| {
            let after = month.saturating_add(1.month());
            [("sealed", HOUR), ("failure", 1)].map(|(parent, unit)| Partition {
                parent,
                name: format!("{parent}_{}", month.strftime("%Y%m")),
                low: begin(month) / unit,
                high: begin(after) / unit,
            })
        })
        .collect()
}

/// The table of a partition that ended before those that are `kept`.
fn parent_if_over(name: &str, kept: &[Partition]) -> Option<&'static str> {
    let kept =
        kept.iter().find(|kept| name.strip_prefix(kept.parent).is_some_and(|rest| rest.starts_with('_')))?;
    // What was there before partitions were made is over when it is empty: a month after, nothing is put into it.
    let is_over = name.ends_with("_before") || !name.ends_with("_default") && name < kept.name.as_str();
    is_over.then_some(kept.parent)
}

async fn names(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let rows = connection.either("", postgres::PARTITIONS).rows(DOING).await?;
    rows.iter().map(|row| Reading { row, doing: DOING }.get("name")).collect()
}

async fn make(connection: &mut Connection, wanted: &[Partition]) -> Result<u32, Error> {
    let there: BTreeSet<String> = names(connection).await?.into_iter().collect();
    let mut made = 0;
    for Partition { parent, name, low, high } in wanted.iter().filter(|wanted| !there.contains(&wanted.name))
    {
        made +=
            u32::from(done(connection, postgres::MAKE_PARTITION, parent, name, Some((*low, *high))).await?);
    }
    Ok(made)
}

async fn done(
    connection: &mut Connection,
    statement: &'static str,
    parent: &'static str,
    name: &str,
    span: Option<(i64, i64)>,
) -> Result<bool, Error> {
    let mut statement = connection.either("", statement).bind(parent).bind(name.to_owned());
    if let Some((low, high)) = span {
        statement = statement.bind(low).bind(high);
    }
    Reading { row: &statement.row(DOING).await?, doing: DOING }.get("done")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_begins_where_the_one_before_it_ends() {
        let (first, last) = (Date::constant(2026, 12, 30), Date::constant(2027, 3, 1));
        for all in [days(first, last), months(first, last)] {
            for parent in ["outcome", "sealed", "failure"] {
                let of: Vec<&Partition> = all.iter().filter(|one| one.parent == parent).collect();
                assert!(of.is_sorted_by(|one, next| one.high == next.low && one.name < next.name), "{of:?}");
            }
        }
        let names: Vec<String> = months(first, last).into_iter().map(|one| one.name).collect();
        assert_eq!(names.len(), 8, "{names:?}");
        assert_eq!(names[0], "sealed_202612");
        let day = &days(first, first)[0];
        assert_eq!((day.name.as_str(), day.low, day.high), ("outcome_20261230", 29_976_480, 29_977_920));
    }

    #[test]
    fn only_what_ended_before_yesterday_is_over() {
        let yesterday = Date::constant(2027, 1, 1);
        let kept: Vec<Partition> =
            days(yesterday, yesterday).into_iter().chain(months(yesterday, yesterday)).collect();
        for (name, over) in [
            ("outcome_20261231", Some("outcome")),
            ("outcome_20270101", None),
            ("outcome_20270109", None),
            ("outcome_default", None),
            ("sealed_202612", Some("sealed")),
            ("sealed_202701", None),
            ("sealed_before", Some("sealed")),
            ("failure_202612", Some("failure")),
            ("failure_default", None),
            ("outcomes_20260101", None),
        ] {
            assert_eq!(parent_if_over(name, &kept), over, "{name}");
        }
    }
}
