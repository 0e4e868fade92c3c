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
    collections::{BTreeMap, BTreeSet, HashMap},
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

/// Gives each of `tracks` a number in the transaction of `connection`, or finds the one it has.
pub(crate) async fn number(
    connection: &mut Connection,
    tracks: &BTreeSet<&TrackId>,
    doing: &'static str,
) -> Result<HashMap<TrackId, i64>, Error> {
    if tracks.is_empty() {
        return Ok(HashMap::new());
    }
    let row = |track: &&TrackId| {
        let instance = &track.check.instance;
        let operation = track.check.operation.as_str();
        serde_json::json!([
            instance.api.as_str(),
            instance.environment.word(),
            operation,
            track.vantage.as_str()
        ])
    };
    let rows: Vec<serde_json::Value> = tracks.iter().map(row).collect();
    connection
        .either(sqlite::NUMBER_TRACKS, postgres::NUMBER_TRACKS)
        .bind(to_json(&rows, doing)?)
        .rows(doing)
        .await?
        .iter()
        .map(|row| {
            let row = Reading { row, doing };
            let track = row.track()?;
            // The caller's own, whose words are shared by all that know it.
            let track = tracks.get(&track).map_or(track, |known| (*known).clone());
            Ok((track, row.get("id")?))
        })
        .collect()
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

/// Stores the durable part of tracks by their numbers, within a transaction.
pub(crate) async fn put(
    connection: &mut Connection,
    tracks: BTreeMap<i64, &domain::Track>,
) -> Result<(), Error> {
    let doing = "record tracks";
    if tracks.is_empty() {
        return Ok(());
    }
    let row = |(id, track)| Ok((id, to_json(track, doing)?));
    let rows: Vec<(i64, String)> = tracks.into_iter().map(row).collect::<Result<_, Error>>()?;
    connection
        .either(sqlite::UPDATE_STATES, postgres::UPDATE_STATES)
        .bind(to_json(&rows, doing)?)
        .execute(doing)
        .await?;
    crash_point!("record/track");
    Ok(())
}
