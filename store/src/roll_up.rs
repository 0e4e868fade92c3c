//! Rolls up the local days that are over and sealed: what is not asked for to the second is answered from these.

use crate::{
    Store,
    block::{self, HOUR},
    crash_point,
    database::{Connection, Purpose, Row},
    error::Error,
    postgres,
    rollup::{self, Rollups},
    row::{Reading, WARM, time, to_json, verdict_of},
    sealed,
    slot::{of_slot, slot},
    sqlite,
    summary::{self, Summaries},
};
use domain::{Day, Rollup};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::{collections::HashMap, ops::RangeInclusive};

const DOING: &str = "roll a day up";

impl Store {
    /// Rolls up one local day of `zone`, the oldest into which something was sealed since it was last rolled up, of at most
    /// `tracks` tracks, in one transaction; none if that day does not end by `before`. To be repeated until it says 0.
    ///
    /// It is made anew from all that is sealed, so doing it twice changes nothing.
    /// A sealed hour that is damaged counts as nothing, and is said. [`Error::Fenced`]: another one records.
    pub async fn roll_up(&self, before: Timestamp, zone: &TimeZone, tracks: u32) -> Result<u32, Error> {
        let mut reader = self.connect(Purpose::Read, DOING).await?;
        let day = oldest_day(&mut reader, zone).await?;
        drop(reader);
        let Some(day) = day.filter(|day| day.ends <= before) else { return Ok(0) };
        self.0.database.is_in_place(DOING)?;
        let mut transaction = self.begin(Purpose::Write, DOING).await?;
        self.check_lease(&mut transaction, DOING).await?;
        crash_point!("roll-up/begun");
        let days = roll_up(&mut transaction, &day, tracks).await?;
        crash_point!("roll-up/before-commit");
        transaction.commit(DOING).await?;
        crash_point!("roll-up/committed");
        Ok(days)
    }
}

/// The hours that begin on that day: an hour that is of two days is of the one in which it begins.
pub(crate) fn hours(day: &Day) -> RangeInclusive<i64> {
    let after = |at: Timestamp| -(-at.as_millisecond()).div_euclid(HOUR);
    after(day.begins)..=after(day.ends) - 1
}

/// Months since the year 0.
pub(crate) fn month(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The key of a day within its month.
pub(crate) fn day_of_month(date: Date) -> u8 {
    date.day().unsigned_abs()
}

/// Adds what is in a block.
pub(crate) fn add(rollup: &mut Rollup, packed: &block::Packed, doing: &'static str) -> Result<(), Error> {
    let code = i64::from(packed.code);
    rollup.add(verdict_of(code, doing)?, code >= WARM, packed.total);
    Ok(())
}

async fn oldest_day(connection: &mut Connection, zone: &TimeZone) -> Result<Option<Day>, Error> {
    let row =
        connection.statement("SELECT CAST(min(hour) AS BIGINT) AS oldest FROM unrolled").row(DOING).await?;
    let oldest: Option<i64> = Reading { row: &row, doing: DOING }.get("oldest")?;
    oldest.map(|hour| Ok(Day::around(time(hour * HOUR, DOING)?, zone))).transpose()
}

async fn roll_up(connection: &mut Connection, day: &Day, at_most: u32) -> Result<u32, Error> {
    let hours = hours(day);
    let rows = connection
        .statement(
            "SELECT CAST(track AS BIGINT) AS track FROM unrolled
             WHERE hour = (SELECT min(hour) FROM unrolled) AND hour BETWEEN $1 AND $2 ORDER BY track LIMIT $3",
        )
        .bind(*hours.start())
        .bind(*hours.end())
        .bind(i64::from(at_most))
        .rows(DOING)
        .await?;
    let tracks =
        rows.iter().map(|row| Reading { row, doing: DOING }.get("track")).collect::<Result<Vec<i64>, _>>()?;
    let list = to_json(&tracks, DOING)?;
    connection
        .either(sqlite::TAKE_UNROLLED, postgres::TAKE_UNROLLED)
        .bind(*hours.start())
        .bind(*hours.end())
        .bind(list)
        .execute(DOING)
        .await?;
    crash_point!("roll-up/taken");
    let mut sums = sums(connection, &hours, &tracks).await?;
    let month = month(day.date);
    let spans: Vec<[i64; 2]> = tracks.iter().map(|track| [slot(*track, month); 2]).collect();
    let mut months = days(connection, &spans, DOING).await?;
    for track in &tracks {
        let slot = slot(*track, month);
        let mut rollups = months.remove(&slot).unwrap_or_default();
        let (sum, known) =
            (sums.remove(track).unwrap_or_default(), rollups.entry(day_of_month(day.date)).or_default());
        // A day does not shrink: what is so late that only the day itself is left of the others does not replace it.
        if sum.samples() >= known.samples() {
            *known = sum;
        }
        for (statement, bytes) in
            [(PUT_DAYS, rollup::encode(&rollups)), (PUT_SUMMARY, summary::encode(&rollups))]
        {
            connection.statement(statement).bind(slot).bind(bytes).execute(DOING).await?;
        }
    }
    crash_point!("roll-up/put-in");
    Ok(u32::try_from(tracks.len()).unwrap_or(u32::MAX))
}

const PUT_DAYS: &str = "INSERT INTO rollup_days (slot, rollups) VALUES ($1, $2)
    ON CONFLICT (slot) DO UPDATE SET rollups = excluded.rollups";
const PUT_SUMMARY: &str = "INSERT INTO summary (slot, days) VALUES ($1, $2)
    ON CONFLICT (slot) DO UPDATE SET days = excluded.days";

/// All that is sealed in those hours, by track: as samples, or as the sums that are left of them.
async fn sums(
    connection: &mut Connection,
    hours: &RangeInclusive<i64>,
    tracks: &[i64],
) -> Result<HashMap<i64, Rollup>, Error> {
    let spans = |first: i64, last: i64| -> Vec<[i64; 2]> {
        tracks.iter().map(|track| [slot(*track, first), slot(*track, last)]).collect()
    };
    let mut sums: HashMap<i64, Rollup> = HashMap::new();
    let blocks = connection
        .either(sqlite::SEALED_SPANS, postgres::SEALED_SPANS)
        .bind(to_json(&spans(*hours.start(), *hours.end()), DOING)?)
        .bind(i64::MAX)
        .rows(DOING)
        .await?;
    for row in &blocks {
        let row = Reading { row, doing: DOING };
        let (track, _) = of_slot(row.get("slot")?);
        let sum = sums.entry(track).or_default();
        for packed in sealed::readable(row)? {
            add(sum, &packed, DOING)?;
        }
    }
    let left = spans(hours.start().div_euclid(24), hours.end().div_euclid(24));
    for (slot, rollups) in hours_of(connection, &left, DOING).await? {
        let (track, day) = of_slot(slot);
        for (hour, rollup) in rollups {
            if hours.contains(&(day * 24 + i64::from(hour))) {
                sums.entry(track).or_default().merge(&rollup);
            }
        }
    }
    Ok(sums)
}

/// The days that are rolled up, by the slot of their month.
pub(crate) async fn days(
    connection: &mut Connection,
    spans: &[[i64; 2]],
    doing: &'static str,
) -> Result<HashMap<i64, Rollups>, Error> {
    let statement = connection.either(sqlite::DAYS_OF_SPANS, postgres::DAYS_OF_SPANS);
    read(&statement.bind(to_json(&spans, doing)?).rows(doing).await?, doing)
}

/// What those days say of themselves, likewise.
pub(crate) async fn summaries(
    connection: &mut Connection,
    spans: &[[i64; 2]],
    doing: &'static str,
) -> Result<HashMap<i64, Summaries>, Error> {
    let statement = connection.either(sqlite::SUMMARIES_OF_SPANS, postgres::SUMMARIES_OF_SPANS);
    let rows = statement.bind(to_json(&spans, doing)?).rows(doing).await?;
    let (mut summaries, mut unsaid) = (HashMap::with_capacity(rows.len()), Vec::new());
    for row in &rows {
        let row = Reading { row, doing };
        let (slot, bytes): (i64, &[u8]) = (row.get("slot")?, row.get("days")?);
        if bytes.is_empty() {
            unsaid.push([slot; 2]);
        } else {
            let days = summary::decode(bytes).map_err(|damaged| Error::corrupt(doing, damaged))?;
            summaries.insert(slot, days);
        }
    }
    if !unsaid.is_empty() {
        let months = days(connection, &unsaid, doing).await?;
        let said = |(day, rollup): (u8, Rollup)| (day, rollup.summary());
        summaries.extend(months.into_iter().map(|(slot, days)| (slot, days.into_iter().map(said).collect())));
    }
    Ok(summaries)
}

/// The hours of which only sums are left, by the slot of their day.
pub(crate) async fn hours_of(
    connection: &mut Connection,
    spans: &[[i64; 2]],
    doing: &'static str,
) -> Result<HashMap<i64, Rollups>, Error> {
    let statement = connection.either(sqlite::HOURS_OF_SPANS, postgres::HOURS_OF_SPANS);
    read(&statement.bind(to_json(&spans, doing)?).rows(doing).await?, doing)
}

fn read(rows: &[Row], doing: &'static str) -> Result<HashMap<i64, Rollups>, Error> {
    rows.iter()
        .map(|row| {
            let row = Reading { row, doing };
            let rollups =
                rollup::decode(row.get("rollups")?).map_err(|damaged| Error::corrupt(doing, damaged))?;
            Ok((row.get("slot")?, rollups))
        })
        .collect()
}
