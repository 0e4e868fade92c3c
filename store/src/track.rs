//! The small numbers that stand for tracks in the rows of outcomes.

use crate::{
    error::Error,
    row::Reading,
    sqlite::{Connection, Pool},
};
use domain::{Outcome, TrackId};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Numbers that are durable. A number given in a transaction is added when that is committed, and not before.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Mutex<HashMap<TrackId, i64>>);

impl Numbers {
    /// All numbers ever given.
    pub(crate) async fn read(pool: &Pool) -> Result<Self, Error> {
        let doing = "read the tracks";
        let rows = sqlx::query("SELECT id, api, environment, operation, vantage FROM track")
            .fetch_all(pool)
            .await
            .map_err(Error::during(doing))?;
        let numbers = rows
            .iter()
            .map(|row| {
                let row = Reading { row, doing };
                Ok((row.track()?, row.get("id")?))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self(Mutex::new(numbers)))
    }

    /// The numbers of `tracks` in their order; `None` where one has none yet.
    pub(crate) fn of<'a>(&self, tracks: impl Iterator<Item = &'a TrackId>) -> Vec<Option<i64>> {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tracks.map(|track| numbers.get(track).copied()).collect()
    }

    /// Keeps numbers that were committed.
    pub(crate) fn keep(&self, given: HashMap<TrackId, i64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(given);
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
    sqlx::query_scalar(
        "INSERT INTO track (api, environment, operation, vantage) VALUES ($1, $2, $3, $4)
         ON CONFLICT (api, environment, operation, vantage) DO UPDATE SET api = excluded.api
         RETURNING id",
    )
    .bind(track.check.instance.api.as_str())
    .bind(track.check.instance.environment.word())
    .bind(track.check.operation.as_str())
    .bind(track.vantage.as_str())
    .fetch_one(connection)
    .await
    .map_err(Error::during(doing))
}
