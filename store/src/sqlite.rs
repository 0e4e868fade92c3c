//! What only SQLite understands: how it is opened, how a transaction begins, how many rows are written at once,
//! and what its errors mean.

use crate::{
    database::Purpose,
    error::{Error, Trouble},
    in_place::InPlace,
};
use sqlx::{
    ConnectOptions as _, Connection as _, Sqlite,
    error::DatabaseError,
    pool::PoolConnection,
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    },
};
use std::{
    fmt::Write as _,
    path::Path,
    str::FromStr,
    time::{Duration, Instant},
};

type Pool = sqlx::SqlitePool;

/// How a transaction begins. One that writes takes the write lock at once: if it read first and then wanted to write, it would
/// be refused without waiting when another program wrote in between.
pub(crate) const fn begin(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Prepare | Purpose::Record | Purpose::Write => "BEGIN IMMEDIATE",
        Purpose::Read | Purpose::Remember => "BEGIN",
    }
}

/// Whether a migration was ever run.
pub(crate) const HAS_MIGRATIONS: &str =
    "SELECT count(*) > 0 AS made FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'";

/// Whether there are tables, and none of them is ours.
pub(crate) const IS_FOREIGN: &str = "
    SELECT count(*) > 0 AND max(name = '_sqlx_migrations') = 0 AS foreign_tables
    FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

/// How long a statement waits for another program's write lock.
const BUSY: Duration = Duration::from_secs(5);
/// Pause before an opening that met another program's is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How long a caller waits for a connection: a little longer than a statement may wait.
const WAIT: Duration = Duration::from_secs(8);
/// Connections that only read.
const READERS: u32 = 4;

/// Rows of `[minute, track, ms, verdict, total]`, and the fence. One parameter, whatever their number: the statement stays
/// prepared. Nothing is written under an old fence; WHERE also parts the ON of the conflict from the ON of a join.
pub(crate) const INSERT_OUTCOMES: &str = "
    INSERT INTO outcome (minute, track, ms, verdict, total)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each($1)
    WHERE $2 IS NULL OR EXISTS (SELECT 1 FROM recorder WHERE fence = $2)
    ON CONFLICT DO NOTHING";

/// Rows of five numbers as that parameter.
pub(crate) fn rows(rows: impl Iterator<Item = [i64; 5]>) -> String {
    let mut json = String::with_capacity(rows.size_hint().0 * 32 + 2);
    for [minute, track, ms, verdict, total] in rows {
        json.push(if json.is_empty() { '[' } else { ',' });
        // Writing to a String cannot fail.
        write!(json, "[{minute},{track},{ms},{verdict},{total}]").ok();
    }
    json.push(']');
    json
}

/// Rows of 15 columns, in the order of the table.
pub(crate) const INSERT_FAILURES: &str = "
    INSERT INTO failure (track, at, verdict, confirm, total, layer, kind, message, request_id, http_status,
                         dns, connect, tls, first_byte, body)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
           value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14
    FROM json_each($1) WHERE true
    ON CONFLICT DO NOTHING";

/// Rows of `[track, good, at, state]`, each of another key; what is kept already and newer stays.
pub(crate) const PUT_TRANSCRIPTS: &str = "
    INSERT INTO transcript (track, good, at, state)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1) WHERE true
    ON CONFLICT (track, good) DO UPDATE SET at = excluded.at, state = excluded.state
    WHERE transcript.at <= excluded.at";

/// Rows of `[api, environment, operation, vantage]`, no two alike.
pub(crate) const NUMBER_TRACKS: &str = "
    INSERT INTO track (api, environment, operation, vantage)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1) WHERE true
    ON CONFLICT (api, environment, operation, vantage) DO UPDATE SET api = excluded.api
    RETURNING id, api, environment, operation, vantage";

/// Rows of `[track, state]`.
pub(crate) const UPDATE_STATES: &str = "
    UPDATE track SET state = changed.state
    FROM (SELECT value ->> 0 AS id, value ->> 1 AS state FROM json_each($1)) AS changed
    WHERE track.id = changed.id";

/// Rows of 8 columns, in the order of the table, each of another key.
pub(crate) const PUT_STATUSES: &str = "
    INSERT INTO status_change (api, environment, since, status, layer, maintenance, decided_at, why)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
    FROM json_each($1) WHERE true
    ON CONFLICT (api, environment, since) DO UPDATE
    SET status = excluded.status, layer = excluded.layer, maintenance = excluded.maintenance,
        decided_at = excluded.decided_at, why = excluded.why";

/// Rows of `[track, hour]`.
pub(crate) const UPDATE_HOURS: &str = "
    UPDATE track SET hour = risen.hour
    FROM (SELECT value ->> 0 AS id, value ->> 1 AS hour FROM json_each($1)) AS risen
    WHERE track.id = risen.id";

/// Between two minutes, the rows of the tracks of a list.
pub(crate) const HOT: &str = "
    SELECT track, minute, ms, verdict, total FROM outcome
    WHERE minute IN (WITH RECURSIVE span (minute) AS (SELECT $1 UNION ALL SELECT minute + 1 FROM span WHERE minute < $2)
                     SELECT minute FROM span)
      AND track IN (SELECT value FROM json_each($3))";

/// The same, taken out.
pub(crate) const TAKE_OUT: &str = "
    DELETE FROM outcome
    WHERE minute IN (WITH RECURSIVE span (minute) AS (SELECT $1 UNION ALL SELECT minute + 1 FROM span WHERE minute < $2)
                     SELECT minute FROM span)
      AND track IN (SELECT value FROM json_each($3))
    RETURNING track, minute, ms, verdict, total";

/// The blocks of a list of slots.
pub(crate) const SEALED_BLOCKS: &str =
    "SELECT slot, block FROM sealed WHERE slot IN (SELECT value FROM json_each($1))";

/// The blocks of a list of `[first, last]` slots, at most `$2`.
pub(crate) const SEALED_SPANS: &str = "
    SELECT slot, block FROM json_each($1) AS span CROSS JOIN sealed
    WHERE slot BETWEEN span.value ->> 0 AND span.value ->> 1 LIMIT $2";

/// The roll-ups of a list of `[first, last]` slots.
pub(crate) const DAYS_OF_SPANS: &str = "
    SELECT slot, rollups FROM json_each($1) AS span CROSS JOIN rollup_days
    WHERE slot BETWEEN span.value ->> 0 AND span.value ->> 1";
pub(crate) const HOURS_OF_SPANS: &str = "
    SELECT slot, rollups FROM json_each($1) AS span CROSS JOIN rollup_hours
    WHERE slot BETWEEN span.value ->> 0 AND span.value ->> 1";

/// What those days say of themselves.
pub(crate) const SUMMARIES_OF_SPANS: &str = "
    SELECT slot, days FROM json_each($1) AS span CROSS JOIN summary
    WHERE slot BETWEEN span.value ->> 0 AND span.value ->> 1";

/// The phases of days of a list of `[first, last]` slots.
pub(crate) const PHASES_OF_SPANS: &str = "
    SELECT slot, hours FROM json_each($1) AS span CROSS JOIN phases
    WHERE slot BETWEEN span.value ->> 0 AND span.value ->> 1";

/// Of an hour, for the tracks of a list.
pub(crate) const PUT_UNROLLED: &str = "
    INSERT INTO unrolled (hour, track) SELECT $1, value FROM json_each($2) WHERE true ON CONFLICT DO NOTHING";

/// Between two hours, for the tracks of a list.
pub(crate) const UNROLLED: &str = "
    SELECT hour, track FROM unrolled
    WHERE hour IN (WITH RECURSIVE span (hour) AS (SELECT $1 UNION ALL SELECT hour + 1 FROM span WHERE hour < $2)
                   SELECT hour FROM span)
      AND track IN (SELECT value FROM json_each($3))";

/// The same, taken out.
pub(crate) const TAKE_UNROLLED: &str = "
    DELETE FROM unrolled
    WHERE hour IN (WITH RECURSIVE span (hour) AS (SELECT $1 UNION ALL SELECT hour + 1 FROM span WHERE hour < $2)
                   SELECT hour FROM span)
      AND track IN (SELECT value FROM json_each($3))";

/// The tracks of a list of `[api, environment, operation]`, from one vantage or all, and the place of each in the list.
pub(crate) const TRACKS_OF: &str = "
    SELECT track.id AS id, wanted.key AS place FROM json_each($1) AS wanted CROSS JOIN track
    WHERE track.api = wanted.value ->> 0 AND track.environment = wanted.value ->> 1
      AND track.operation = wanted.value ->> 2 AND ($2 IS NULL OR track.vantage = $2)";

/// One connection that writes, and some that only read.
#[derive(Debug)]
pub(crate) struct Pools {
    writer: Pool,
    reader: Pool,
    /// `None`: in memory.
    in_place: Option<InPlace>,
}

impl Pools {
    /// Opens the writer, then the readers, of the database of `url`.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        let doing = "open the database";
        let options = SqliteConnectOptions::from_str(url)
            .map_err(Error::during(doing))?
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let in_memory = url.contains(":memory:");
        if !in_memory {
            refuse_foreign(url).await?;
            make_private(options.get_filename()).await;
        }
        // A connection that is given up takes a database in memory with it: keep it.
        let pool = || {
            let options = SqlitePoolOptions::new();
            #[cfg(debug_assertions)]
            let options = options.after_connect(|connection, _| Box::pin(crate::growth::limit(connection)));
            options
                .acquire_timeout(WAIT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                // A disk that is full takes a transaction back by itself, and sqlx believes ever after that it goes on.
                .before_acquire(|connection, _| {
                    Box::pin(async {
                        let usable = !connection.is_in_transaction();
                        #[cfg(debug_assertions)]
                        crate::growth::limit(connection).await?;
                        Ok(usable)
                    })
                })
        };
        // Only a new file can be made one that gives space back; and to say so is to write, each time.
        let is_new =
            !in_memory && std::fs::metadata(options.get_filename()).is_ok_and(|file| file.len() == 0);
        let making =
            if is_new { options.clone().auto_vacuum(SqliteAutoVacuum::Incremental) } else { options.clone() };
        let limit = Instant::now() + BUSY;
        let writer = loop {
            // Turning a new file to write-ahead logging takes it whole, and for that SQLite does not wait by itself.
            match pool().max_connections(1).connect_with(making.clone()).await.map_err(Error::during(doing)) {
                Err(Error::Busy { .. }) if Instant::now() < limit => tokio::time::sleep(BUSY_PAUSE).await,
                ended => break ended?,
            }
        };
        // A database in memory belongs to its one connection.
        let reader = if in_memory {
            writer.clone()
        } else {
            // Made once: a connection that is made anew finds it, or fails.
            writer.set_connect_options(options.clone().create_if_missing(false));
            pool()
                .max_connections(READERS)
                .connect_with(options.clone().create_if_missing(false).read_only(true))
                .await
                .map_err(Error::during(doing))?
        };
        let in_place = (!in_memory).then(|| InPlace::new(options.get_filename()));
        Ok(Self { writer, reader, in_place })
    }

    /// Whether what is written now would be there afterwards.
    pub(crate) fn are_in_place(&self, doing: &'static str) -> Result<(), Error> {
        let look = self.in_place.as_ref().map_or(Ok(()), InPlace::look);
        look.map_err(|error| Error::Unavailable { doing, source: error.into() })
    }

    pub(crate) const fn of(&self, purpose: Purpose) -> &Pool {
        match purpose {
            Purpose::Prepare | Purpose::Record | Purpose::Write => &self.writer,
            Purpose::Read | Purpose::Remember => &self.reader,
        }
    }

    /// A connection that was made while its file could only be read never writes again: the next one may.
    pub(crate) async fn renew(&self) {
        if let Ok(connection) = self.writer.acquire().await
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "a connection that could not write did not close well");
        }
    }

    pub(crate) async fn close(&self) {
        // The writer last: who closes last tidies the write-ahead log away, and only a writer can.
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Free pages of the file, all its pages, and whether it can give some back: a file that an earlier program made cannot, until
/// it is made anew by VACUUM.
pub(crate) const FREE: &str = "
    SELECT freelist_count AS free, page_count AS pages, auto_vacuum = 2 AS can
    FROM pragma_freelist_count, pragma_page_count, pragma_auto_vacuum";
/// Gives a megabyte back.
pub(crate) const GIVE_BACK: &str = "PRAGMA incremental_vacuum(256)";

/// How many bytes the database has.
pub(crate) const SIZE: &str =
    "SELECT page_count * page_size AS number FROM pragma_page_count, pragma_page_size";

/// Bytes of each table and its indexes, and of what is free, which has no name.
pub(crate) const BYTES_OF_TABLES: &str = "
    SELECT coalesce(tbl_name, dbstat.name) AS name, sum(pgsize) AS bytes
    FROM dbstat LEFT JOIN sqlite_schema ON sqlite_schema.name = dbstat.name
    WHERE aggregate = TRUE GROUP BY 1
    UNION ALL SELECT NULL, freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";

/// One connection that reads what is there: nothing is made.
pub(crate) async fn look(url: &str) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(WAIT);
    // Whoever looks all of it through takes some time.
    pool.connect_with(options.busy_timeout(BUSY).disable_statement_logging()).await?.acquire().await
}

/// Another program's tables are left alone. Looked at before the file is opened for use, which would change it. What
/// cannot be looked at is opened, and the error is the opening's.
async fn refuse_foreign(url: &str) -> Result<(), Error> {
    let Ok(mut connection) = look(url).await else { return Ok(()) };
    let foreign = sqlx::query_scalar(IS_FOREIGN).fetch_one(&mut *connection).await;
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection that only looked did not close well");
    }
    if foreign.unwrap_or(false) { Err(Error::Foreign) } else { Ok(()) }
}

/// Makes a new file that only its owner may read: it holds the reference key and people's names.
/// Where that fails, opening fails next and says why.
async fn make_private(path: &Path) {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    if let Err(error) = options.open(path).await {
        tracing::debug!(%error, path = %path.display(), "no new database file");
    }
}

/// What an error of SQLite means (<https://www.sqlite.org/rescode.html>): the low byte is the primary code.
pub(crate) fn trouble(said: &dyn DatabaseError) -> Trouble {
    let code = said.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
    match code & 0xff {
        5 | 6 => Trouble::Busy,              // BUSY, LOCKED
        8 | 10 | 14 => Trouble::Unavailable, // READONLY, IOERR, CANTOPEN
        11 | 26 => Trouble::Corrupt,         // CORRUPT, NOTADB
        13 => Trouble::Full,                 // FULL
        19 => Trouble::Refused,              // CONSTRAINT
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests;
