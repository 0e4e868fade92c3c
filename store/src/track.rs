//! The small numbers that stand for tracks in the rows of outcomes.

use crate::{
    crash_point,
    database::{Connection, Database, Purpose},
    error::Error,
    postgres,
    row::{Reading, to_json},
    sqlite,
};
use domain::{Outcome, TrackId};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// What stands for a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    /// In the rows of outcomes.
    pub(crate) id: i64,
    /// The hour (since 1970) of its last outcome; lower than any before the first. It is where the last outcome is looked for
    /// at the start, however long it is past, and costs one row an hour.
    pub(crate) hour: i64,
}

/// Numbers that are durable. One given in a transaction is added when that is committed, and not before.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Mutex<HashMap<TrackId, Number>>);

impl Numbers {
    /// All numbers ever given.
    pub(crate) async fn read(database: &Database) -> Result<Self, Error> {
        let doing = "read the tracks";
        let mut connection = database.connect(Purpose::Read, doing).await?;
        let rows = connection
            .statement("SELECT id, api, environment, operation, vantage, hour FROM track")
            .rows(doing)
            .await?;
        let numbers = rows
            .iter()
            .map(|row| {
                let row = Reading { row, doing };
                let hour: Option<i64> = row.get("hour")?;
                Ok((row.track()?, Number { id: row.get("id")?, hour: hour.unwrap_or(i64::MIN) }))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self(Mutex::new(numbers)))
    }

    /// The numbers of `tracks` in their order; `None` where one has none yet.
    pub(crate) fn of(&self, tracks: &[TrackId]) -> Vec<Option<Number>> {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tracks.iter().map(|track| numbers.get(track).copied()).collect()
    }

    /// Keeps what was committed.
    pub(crate) fn keep(&self, committed: HashMap<TrackId, Number>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(committed);
    }
}

/// What an outcome is a probe of.
pub(crate) fn track_of(outcome: &Outcome) -> TrackId {
    TrackId { check: outcome.check.clone(), vantage: outcome.vantage.clone() }
}

/// Gives `track` a number in the transaction of `connection`, or finds the one it has.
pub(crate) async fn number(
    connection: &mut Connection,
    track: &TrackId,
    doing: &'static str,
) -> Result<i64, Error> {
    let row = connection
        .statement(
            "INSERT INTO track (api, environment, operation, vantage) VALUES ($1, $2, $3, $4)
         ON CONFLICT (api, environment, operation, vantage) DO UPDATE SET api = excluded.api
         RETURNING id",
        )
        .bind(track.check.instance.api.as_str())
        .bind(track.check.instance.environment.word())
        .bind(track.check.operation.as_str())
        .bind(track.vantage.as_str())
        .row(doing)
        .await?;
    Reading { row: &row, doing }.get("id")
}

/// The hour of an outcome, since 1970.
pub(crate) fn hour_of(outcome: &Outcome) -> i64 {
    outcome.at.as_millisecond().div_euclid(3_600_000)
}

/// Notes the hours of last outcomes in the transaction of `connection`.
pub(crate) async fn put_hours(
    connection: &mut Connection,
    risen: impl Iterator<Item = Number>,
    doing: &'static str,
) -> Result<(), Error> {
    let rows: Vec<(i64, i64)> = risen.map(|number| (number.id, number.hour)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    connection
        .either(sqlite::UPDATE_HOURS, postgres::UPDATE_HOURS)
        .bind(to_json(&rows, doing)?)
        .execute(doing)
        .await?;
    Ok(())
}

/// Stores the durable part of a track, within a transaction.
pub(crate) async fn put(
    connection: &mut Connection,
    number: Number,
    track: &domain::Track,
) -> Result<(), Error> {
    let doing = "record a track";
    connection
        .statement("UPDATE track SET state = $2 WHERE id = $1")
        .bind(number.id)
        .bind(to_json(track, doing)?)
        .execute(doing)
        .await?;
    crash_point!("record/track");
    Ok(())
}
