//! Looks at a database without opening it for use: nothing is made, migrated or written.

use crate::{
    contact_proof,
    database::{Connection, Purpose},
    ending,
    error::Error,
    postgres,
    record::MINUTE,
    row::Reading,
    schema, sealed, sqlite,
};
use domain::{ContactProof, Maintenance, RotaOverride, Silence};
use jiff::Timestamp;

const DOING: &str = "look at the database";
/// From this version on the schema has sealed hours.
const SEALS: i64 = 4;
/// From this version on the schema has planned work; silences are older.
const PLANNED: i64 = 7;
/// From this version on the schema has overrides of rotas.
const OVERRIDES: i64 = 12;
/// From this version on the schema has who was reached.
const PROOFS: i64 = 13;

/// What a database is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// `PostgreSQL`'s version, as it numbers it: 150018 is 15.18; `None`: it is SQLite, or the server does not say.
    pub server: Option<u32>,
    /// Its schema's version; 0: it is empty.
    pub schema: i64,
    /// The newest version this program knows.
    pub known: i64,
    /// Its size, without what waits in a write-ahead log.
    pub bytes: u64,
    /// The minute of its first outcome.
    pub first: Option<Timestamp>,
    /// Its last outcome, to the millisecond.
    pub last: Option<Timestamp>,
}

/// A connection that can only look, and the server's version.
async fn look(url: &str) -> Result<(Connection, Option<u32>), Error> {
    Ok(if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        // Those that read cannot write: the server sees to it.
        let pools = postgres::Pools::open(url).await?;
        let connection = pools.of(Purpose::Read).acquire().await.map_err(Error::during(DOING))?;
        let server = connection.version();
        (Connection::Postgres(connection), server)
    } else {
        (Connection::Sqlite(sqlite::look(url).await.map_err(Error::during(DOING))?), None)
    })
}

/// What a database adds to what is written of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnCall {
    /// What was added to rotas.
    pub overrides: Vec<RotaOverride>,
    /// By which ways people were reached; `None`: this database keeps nothing of it yet.
    pub proofs: Option<Vec<ContactProof>>,
    /// What mutes.
    pub silences: Vec<Silence>,
    /// Planned work that was announced.
    pub maintenances: Vec<Maintenance>,
}

/// What was added to rotas, mutes or is planned and ends after a time, and who was reached, without opening the database for use.
pub async fn on_call(url: &str, after: Timestamp) -> Result<OnCall, Error> {
    let (mut connection, _) = look(url).await?;
    let (schema, connection) = (schema_of(&mut connection).await?, &mut connection);
    let mut known = OnCall::default();
    if schema >= PLANNED {
        known.silences = ending::silences(connection, after, DOING).await?;
        known.maintenances = ending::maintenances(connection, after, DOING).await?;
    }
    if schema >= OVERRIDES {
        known.overrides = ending::overrides(connection, after, DOING).await?;
    }
    if schema >= PROOFS {
        known.proofs = Some(contact_proof::all(connection, DOING).await?);
    }
    Ok(known)
}

/// The schema's version; 0: there is none.
async fn schema_of(connection: &mut Connection) -> Result<i64, Error> {
    let made = connection.either(sqlite::HAS_MIGRATIONS, postgres::HAS_MIGRATIONS).row(DOING).await?;
    if !(Reading { row: &made, doing: DOING }.get::<bool>("made")?) {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) AS number FROM _sqlx_migrations";
    Ok(number(connection, newest, newest).await?.unwrap_or(0))
}

/// Looks at the database of `url`. An error too leaves it as it was.
pub async fn examine(url: &str) -> Result<Look, Error> {
    let (mut connection, server) = look(url).await?;
    let bytes = number(&mut connection, sqlite::SIZE, postgres::SIZE).await?;
    let mut look = Look {
        server,
        schema: 0,
        known: schema::newest(),
        bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
        first: None,
        last: None,
    };
    look.schema = schema_of(&mut connection).await?;
    if look.schema == 0
        && let Connection::Sqlite(_) = connection
    {
        let foreign = connection.statement(sqlite::IS_FOREIGN).row(DOING).await?;
        if (Reading { row: &foreign, doing: DOING }).get::<bool>("foreign_tables")? {
            return Err(Error::Foreign);
        }
    }
    if look.schema == 0 || look.schema > look.known {
        return Ok(look);
    }
    let first = "SELECT min(CAST(minute AS BIGINT)) * 60000 AS number FROM outcome";
    let last = "SELECT max(CAST(minute AS BIGINT) * 60000 + ms) AS number FROM outcome
                WHERE minute = (SELECT max(minute) FROM outcome)";
    let time = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    look.first = time(number(&mut connection, first, first).await?);
    look.last = time(number(&mut connection, last, last).await?);
    if look.schema >= SEALS {
        let (first, last) = sealed::ends(&mut connection, DOING).await?;
        let minute = first.and_then(|at| time(Some(at.as_millisecond().div_euclid(MINUTE) * MINUTE)));
        look.first = [look.first, minute].into_iter().flatten().min();
        look.last = look.last.max(last);
    }
    Ok(look)
}

/// The one number that a statement answers.
async fn number(
    connection: &mut Connection,
    sqlite: &'static str,
    postgres: &'static str,
) -> Result<Option<i64>, Error> {
    let row = connection.either(sqlite, postgres).row(DOING).await?;
    Reading { row: &row, doing: DOING }.get("number")
}
