//! What somebody said and what ends by itself: silences and planned work.

use crate::{
    crash_point,
    database::Connection,
    error::Error,
    row::{Reading, signed, to_json},
};
use domain::{Maintenance, Silence};
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

/// The states that a statement finds of what ends after a time.
pub(crate) async fn states<T: DeserializeOwned>(
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
