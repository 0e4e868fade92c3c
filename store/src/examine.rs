//! Looks at a database without opening it for use: nothing is made, migrated or written.

use crate::{
    error::Error,
    schema,
    sqlite::{self, Connection},
};
use jiff::Timestamp;
use sqlx::query_scalar;

const DOING: &str = "look at the database";

/// What a database is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its schema's version; 0: it is empty.
    pub schema: i64,
    /// The newest version this program knows.
    pub known: i64,
    /// Its size, without what waits in the write-ahead log.
    pub bytes: u64,
    /// The minute of its first outcome.
    pub first: Option<Timestamp>,
    /// Its last outcome, to the millisecond.
    pub last: Option<Timestamp>,
}

/// Looks at the database of `url`. An error too leaves it as it was.
pub async fn examine(url: &str) -> Result<Look, Error> {
    let mut connection = sqlite::look(url).await?;
    let look = all(&mut connection).await;
    // What a look has opened need not be closed in words.
    drop(connection);
    look
}

async fn all(connection: &mut Connection) -> Result<Look, Error> {
    let bytes: i64 = number(connection, sqlite::SIZE).await?.unwrap_or(0);
    let mut look = Look {
        schema: 0,
        known: schema::newest(),
        bytes: u64::try_from(bytes).unwrap_or(0),
        first: None,
        last: None,
    };
    if number(connection, sqlite::HAS_MIGRATIONS).await? != Some(1) {
        return Ok(look);
    }
    look.schema =
        number(connection, "SELECT coalesce(max(version), 0) FROM _sqlx_migrations").await?.unwrap_or(0);
    if look.schema == 0 || look.schema > look.known {
        return Ok(look);
    }
    let first = number(connection, "SELECT min(minute) * 60000 FROM outcome").await?;
    let last = number(
        connection,
        "SELECT max(minute * 60000 + ms) FROM outcome WHERE minute = (SELECT max(minute) FROM outcome)",
    )
    .await?;
    let time = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    (look.first, look.last) = (time(first), time(last));
    Ok(look)
}

async fn number(connection: &mut Connection, sql: &'static str) -> Result<Option<i64>, Error> {
    query_scalar(sql).fetch_one(connection).await.map_err(Error::during(DOING))
}
