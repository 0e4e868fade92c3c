//! Lets go of what is kept no more, a few tracks at a time: samples become sums of their hours, which become nothing one day.

use crate::{
    Store,
    block::HOUR,
    crash_point,
    database::{Connection, Database, Purpose},
    error::Error,
    postgres,
    roll_up::{add, hours_of, month},
    rollup,
    row::{Reading, time, to_json},
    sealed,
    slot::{of_slot, slot},
    sqlite,
};
use domain::{Environment, Keep, Retention};
use jiff::{Timestamp, tz::TimeZone};

const DOING: &str = "let go of what is kept no more";

/// Free pages, of 4 kB, that a file keeps.
const SPARE: i64 = 4_096;
/// Failures of a track that one step deletes, at most.
const FAILURES: i64 = 500;

/// The oldest place that each track of an environment has in a table, where it is before a limit.
macro_rules! oldest {
    ($table:literal) => {
        concat!(
            "SELECT track, oldest FROM (
                SELECT CAST(id AS BIGINT) AS track,
                       CAST((SELECT min(slot) FROM ",
            $table,
            " WHERE slot >= id * 4194304 AND slot < (id + 1) * 4194304) - id * 4194304 AS BIGINT) AS oldest
                FROM track WHERE environment = $1) AS found
             WHERE oldest < $2 LIMIT $3"
        )
    };
}

impl Store {
    /// Lets go of some of what `retention` does not keep at `now` of an environment: of one kind, and of at most `tracks` tracks,
    /// in one transaction. How many of them; to be repeated until it says 0. Time does not count on beyond a day after what was
    /// sealed last there: where nothing is measured any more, nothing goes.
    ///
    /// [`Error::Fenced`]: another one records.
    pub async fn prune(
        &self,
        environment: Environment,
        retention: &Retention,
        now: Timestamp,
        tracks: u32,
    ) -> Result<u32, Error> {
        let mut reader = self.connect(Purpose::Read, DOING).await?;
        let Some(found) = too_old(&mut reader, environment, retention, now, tracks).await? else {
            return Ok(0);
        };
        // A clock that is far ahead must not cost a history.
        let believed = now.min(believable(&mut reader, environment).await?.unwrap_or(now));
        let found = if believed < now {
            too_old(&mut reader, environment, retention, believed, tracks).await?
        } else {
            Some(found)
        };
        let Some((kind, found)) = found else { return Ok(0) };
        drop(reader);
        self.0.database.is_in_place(DOING)?;
        let mut transaction = self.begin(Purpose::Write, DOING).await?;
        self.check_lease(&mut transaction, DOING).await?;
        if self.0.held.fence()?.is_none() {
            // Beside the program that records: that seals nothing meanwhile.
            let alone = "SELECT id FROM recorder FOR UPDATE";
            transaction.either("SELECT id FROM recorder", alone).row(DOING).await?;
        }
        crash_point!("prune/begun");
        match kind {
            Kind::Samples => to_hours(&mut transaction, &found).await?,
            Kind::Hours { before } => delete(&mut transaction, DELETE_HOURS, &found, before).await?,
            Kind::Phases { before } => delete(&mut transaction, DELETE_PHASES, &found, before).await?,
            Kind::Days { before } => {
                delete(&mut transaction, DELETE_DAYS, &found, before).await?;
                delete(&mut transaction, DELETE_SUMMARIES, &found, before).await?;
            }
            Kind::Failures { before } => failures(&mut transaction, &found, before).await?,
        }
        crash_point!("prune/before-commit");
        transaction.commit(DOING).await?;
        crash_point!("prune/committed");
        Ok(u32::try_from(found.len()).unwrap_or(u32::MAX))
    }

    /// Gives a megabyte of the file of `SQLite` back to the disk, if more than a quarter of it, and more than 16 MB, is
    /// free: what recording frees by the hour it uses again. Whether it did. `PostgreSQL` drops partitions instead.
    pub async fn give_back(&self) -> Result<bool, Error> {
        let doing = "give free space back";
        if matches!(self.0.database, Database::Postgres(_)) {
            return Ok(false);
        }
        let mut reader = self.connect(Purpose::Read, doing).await?;
        let row = reader.statement(sqlite::FREE).row(doing).await?;
        let row = Reading { row: &row, doing };
        let (free, pages): (i64, i64) = (row.get("free")?, row.get("pages")?);
        if free <= SPARE.max(pages / 4) || !row.get::<bool>("can")? {
            return Ok(false);
        }
        drop(reader);
        let mut writer = self.connect(Purpose::Write, doing).await?;
        writer.statement(sqlite::GIVE_BACK).rows(doing).await?;
        Ok(true)
    }
}

/// The month of UTC.
pub(crate) fn month_of(at: Timestamp) -> i64 {
    month(TimeZone::UTC.to_datetime(at).date())
}

/// Hours after the last one that is sealed in which the next may yet be measured and sealed.
const BELIEVED: i64 = 27;

/// The latest time that what is sealed of an environment speaks for; `None`: nothing is.
pub(crate) async fn believable(
    reader: &mut Connection,
    environment: Environment,
) -> Result<Option<Timestamp>, Error> {
    let row = reader
        .statement(
            "SELECT CAST(max((SELECT max(slot) FROM sealed
                      WHERE slot >= track.id * 4194304 AND slot < (track.id + 1) * 4194304) - track.id * 4194304)
                      AS BIGINT) AS newest
             FROM track WHERE environment = $1",
        )
        .bind(environment.word())
        .row(DOING)
        .await?;
    let newest: Option<i64> = Reading { row: &row, doing: DOING }.get("newest")?;
    newest.map(|hour| time((hour + BELIEVED) * HOUR, DOING)).transpose()
}

/// What is too old, and from when on it is not: in days, months, milliseconds.
enum Kind {
    Samples,
    Hours { before: i64 },
    Phases { before: i64 },
    Days { before: i64 },
    Failures { before: i64 },
}

/// A track, and the oldest that it has.
type Found = (i64, i64);

async fn too_old(
    reader: &mut Connection,
    environment: Environment,
    retention: &Retention,
    now: Timestamp,
    tracks: u32,
) -> Result<Option<(Kind, Vec<Found>)>, Error> {
    let day = |keep: Keep| keep.since(now).map(|since| since.as_millisecond().div_euclid(24 * HOUR));
    let kinds = [
        day(retention.samples).map(|day| (Kind::Samples, oldest!("sealed"), day * 24)),
        day(retention.hours).map(|day| (Kind::Hours { before: day }, oldest!("rollup_hours"), day)),
        day(retention.hours).map(|day| (Kind::Phases { before: day }, oldest!("phases"), day)),
        retention.days.since(now).map(|since| {
            let month = month_of(since);
            (Kind::Days { before: month }, oldest!("rollup_days"), month)
        }),
        retention.failures.since(now).map(|since| {
            let before = since.as_millisecond();
            (Kind::Failures { before }, OLDEST_FAILURES, before)
        }),
    ];
    for (kind, statement, before) in kinds.into_iter().flatten() {
        let rows = reader
            .statement(statement)
            .bind(environment.word())
            .bind(before)
            .bind(i64::from(tracks))
            .rows(DOING)
            .await?;
        if !rows.is_empty() {
            let found = rows.iter().map(|row| {
                let row = Reading { row, doing: DOING };
                Ok((row.get("track")?, row.get("oldest")?))
            });
            return Ok(Some((kind, found.collect::<Result<_, Error>>()?)));
        }
    }
    Ok(None)
}

const OLDEST_FAILURES: &str = "
    SELECT track, oldest FROM (
        SELECT CAST(id AS BIGINT) AS track,
               CAST((SELECT min(at) FROM failure WHERE failure.track = track.id) AS BIGINT) AS oldest
        FROM track WHERE environment = $1) AS found
    WHERE oldest < $2 LIMIT $3";

/// Of each of those tracks one day of UTC: its blocks become the sums of their hours.
async fn to_hours(connection: &mut Connection, found: &[Found]) -> Result<(), Error> {
    let days: Vec<(i64, i64)> = found.iter().map(|(track, hour)| (*track, hour.div_euclid(24))).collect();
    let hours: Vec<[i64; 2]> =
        days.iter().map(|(track, day)| [slot(*track, day * 24), slot(*track, day * 24 + 23)]).collect();
    let sums: Vec<[i64; 2]> = days.iter().map(|(track, day)| [slot(*track, *day); 2]).collect();
    let blocks = connection
        .either(sqlite::SEALED_SPANS, postgres::SEALED_SPANS)
        .bind(to_json(&hours, DOING)?)
        .bind(i64::MAX)
        .rows(DOING)
        .await?;
    let mut sums = hours_of(connection, &sums, DOING).await?;
    for row in &blocks {
        let row = Reading { row, doing: DOING };
        let (track, hour) = of_slot(row.get("slot")?);
        let of_day = sums.entry(slot(track, hour.div_euclid(24))).or_default();
        let sum = of_day.entry(u8::try_from(hour.rem_euclid(24)).unwrap_or(0)).or_default();
        for packed in sealed::readable(row)? {
            add(sum, &packed, DOING)?;
        }
    }
    for (slot, rollups) in &sums {
        connection
            .statement(
                "INSERT INTO rollup_hours (slot, rollups) VALUES ($1, $2)
                 ON CONFLICT (slot) DO UPDATE SET rollups = excluded.rollups",
            )
            .bind(*slot)
            .bind(rollup::encode(rollups))
            .execute(DOING)
            .await?;
    }
    crash_point!("prune/summed");
    for [first, last] in hours {
        connection
            .statement("DELETE FROM sealed WHERE slot BETWEEN $1 AND $2")
            .bind(first)
            .bind(last)
            .execute(DOING)
            .await?;
    }
    Ok(())
}

const DELETE_HOURS: &str = "DELETE FROM rollup_hours WHERE slot >= $1 AND slot < $2";
const DELETE_PHASES: &str = "DELETE FROM phases WHERE slot >= $1 AND slot < $2";
const DELETE_DAYS: &str = "DELETE FROM rollup_days WHERE slot >= $1 AND slot < $2";
const DELETE_SUMMARIES: &str = "DELETE FROM summary WHERE slot >= $1 AND slot < $2";

/// At most a month of days, or as many months, of each track: a step stays short when somebody keeps less from now on.
async fn delete(
    connection: &mut Connection,
    statement: &'static str,
    found: &[Found],
    before: i64,
) -> Result<(), Error> {
    for (track, oldest) in found {
        let end = before.min(oldest + 31);
        connection
            .statement(statement)
            .bind(slot(*track, *oldest))
            .bind(slot(*track, end))
            .execute(DOING)
            .await?;
    }
    Ok(())
}

async fn failures(connection: &mut Connection, found: &[Found], before: i64) -> Result<(), Error> {
    for (track, _) in found {
        connection
            .statement(
                "DELETE FROM failure WHERE track = $1 AND at IN
                    (SELECT at FROM failure WHERE track = $1 AND at < $2 ORDER BY at LIMIT $3)",
            )
            .bind(*track)
            .bind(before)
            .bind(FAILURES)
            .execute(DOING)
            .await?;
    }
    Ok(())
}
