//! What somebody said and what ends by itself: silences, planned work and overrides of rotas.

use crate::{
    crash_point,
    database::Connection,
    error::Error,
    row::{Reading, signed, to_json},
};
use domain::{Maintenance, RotaOverride, Silence};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

const DOING: &str = "record a batch";

/// Keeps the state of what ends by itself, by its number.
async fn put_ending(
    connection: &mut Connection,
    statement: &'static str,
    (id, until): (u64, Timestamp),
    state: &impl Serialize,
) -> Result<(), Error> {
    connection
        .statement(statement)
        .bind(signed(id))
        .bind(until.as_millisecond())
        .bind(to_json(state, DOING)?)
        .execute(DOING)
        .await
        .map(drop)
}

pub(crate) async fn put_maintenance(connection: &mut Connection, planned: &Maintenance) -> Result<(), Error> {
    let statement = "INSERT INTO maintenance (id, until, state) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET until = excluded.until, state = excluded.state";
    put_ending(connection, statement, (planned.id, planned.until), planned).await?;
    crash_point!("record/maintenance");
    Ok(())
}

pub(crate) async fn put_silence(connection: &mut Connection, silence: &Silence) -> Result<(), Error> {
    let statement = "INSERT INTO silence (id, until, state) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET until = excluded.until, state = excluded.state";
    put_ending(connection, statement, (silence.id, silence.until), silence).await?;
    crash_point!("record/silence");
    Ok(())
}

pub(crate) async fn put_override(connection: &mut Connection, added: &RotaOverride) -> Result<(), Error> {
    let statement = "INSERT INTO rota_overrides (id, until, state) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET until = excluded.until, state = excluded.state";
    put_ending(connection, statement, (added.id, added.until), added).await?;
    crash_point!("record/override");
    Ok(())
}

/// Those that end after a time, in the order in which they were added.
pub(crate) async fn silences(
    connection: &mut Connection,
    after: Timestamp,
    doing: &'static str,
) -> Result<Vec<Silence>, Error> {
    states(connection, "SELECT state FROM silence WHERE until > $1 ORDER BY id", after, doing).await
}

/// Those that end after a time, in the order in which they were announced.
pub(crate) async fn maintenances(
    connection: &mut Connection,
    after: Timestamp,
    doing: &'static str,
) -> Result<Vec<Maintenance>, Error> {
    states(connection, "SELECT state FROM maintenance WHERE until > $1 ORDER BY id", after, doing).await
}

/// Those that end after a time, in the order in which they were added.
pub(crate) async fn overrides(
    connection: &mut Connection,
    after: Timestamp,
    doing: &'static str,
) -> Result<Vec<RotaOverride>, Error> {
    states(connection, "SELECT state FROM rota_overrides WHERE until > $1 ORDER BY id", after, doing).await
}

/// The states that a statement finds of what ends after a time.
async fn states<T: DeserializeOwned>(
    connection: &mut Connection,
    statement: &'static str,
    after: Timestamp,
    doing: &'static str,
) -> Result<Vec<T>, Error> {
    connection
        .statement(statement)
        .bind(after.as_millisecond())
        .rows(doing)
        .await?
        .iter()
        .map(|row| Reading { row, doing }.json("state"))
        .collect()
}
