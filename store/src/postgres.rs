//! What only `PostgreSQL` understands: how it is opened, how many rows are written at once, and what its errors mean.

mod pool;

use crate::{
    database::Purpose,
    error::{Error, Trouble},
};
use sqlx::postgres::PgConnectOptions;
use std::{str::FromStr as _, sync::Arc, time::Duration};

pub(crate) use pool::Connection;
use pool::Pool;

/// The oldest that will do: it has what the statements here say, and is still mended.
const OLDEST: u32 = 15;

/// What the server ends by itself, in milliseconds: a statement, a wait for a lock, and a transaction that its program has
/// left alone. All are below what we wait for a call, so that the server says why; and what a program that froze has locked is
/// free again before another takes over from it.
const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "6000"),
    ("lock_timeout", "4000"),
    ("idle_in_transaction_session_timeout", "5000"),
];
/// What we wait for a call.
const PATIENCE: Duration = Duration::from_secs(8);
/// Bringing the schema up to date, and reading all there is to remember, may take longer: without those limits.
const LONG: Duration = Duration::from_secs(60);

/// Connections that record: one for the batches, one for the lease, which must not wait for them.
const RECORDERS: u32 = 2;
/// Connections that claim, settle and tell.
const WRITERS: u32 = 4;
/// Connections that only read.
const READERS: u32 = 4;

/// Whether a migration was ever run.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS made";

/// How many bytes the database has.
pub(crate) const SIZE: &str = "SELECT pg_database_size(current_database()) AS number";

/// Bytes of each table with its indexes and what is too long for its rows; a partition is of the table that it is a part of.
pub(crate) const BYTES_OF_TABLES: &str = "
    SELECT CAST(coalesce(parent.relname, own.relname) AS TEXT) AS name, pg_total_relation_size(own.oid) AS bytes
    FROM pg_class AS own LEFT JOIN pg_inherits ON inhrelid = own.oid LEFT JOIN pg_class AS parent ON parent.oid = inhparent
    WHERE own.relkind = 'r' AND own.relnamespace = current_schema()::regnamespace";

/// The partitions there are.
pub(crate) const PARTITIONS: &str = "
    SELECT CAST(relname AS TEXT) AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent IN ('outcome'::regclass, 'sealed'::regclass, 'failure'::regclass) ORDER BY relname";

/// Of a table, a name, and from where to where.
pub(crate) const MAKE_PARTITION: &str = "SELECT make_partition($1, $2, $3, $4) AS done";

/// Of a table, by its name, if it is empty.
pub(crate) const DROP_PARTITION: &str = "SELECT drop_partition($1, $2) AS done";

/// Makes programs that open the database at the same moment do so one after the other. It is held until it is let go, or the
/// connection ends. The number is ours alone: nothing else says it.
pub(crate) const LOCK_SCHEMA: &str = "SELECT 1 AS one FROM pg_advisory_lock(7162017424)";
pub(crate) const UNLOCK_SCHEMA: &str = "SELECT 1 AS one FROM pg_advisory_unlock(7162017424)";

/// Columns of minutes, tracks, milliseconds, verdicts and totals, and the fence. Nothing is written under an old fence, and
/// nobody takes over while it is being written.
pub(crate) const INSERT_OUTCOMES: &str = "
    WITH mine AS MATERIALIZED (
        SELECT id FROM recorder WHERE $6::bigint IS NULL OR fence = $6::bigint FOR KEY SHARE)
    INSERT INTO outcome (minute, track, ms, verdict, total)
    SELECT made.minute, made.track, made.ms, made.verdict, made.total
    FROM mine CROSS JOIN UNNEST($1::int[], $2::int[], $3::int[], $4::smallint[], $5::int[])
        AS made (minute, track, ms, verdict, total)
    ON CONFLICT DO NOTHING";

/// Rows of 15 columns, in the order of the table, as JSON: they are few.
pub(crate) const INSERT_FAILURES: &str = "
    INSERT INTO failure (track, at, verdict, confirm, total, layer, kind, message, request_id, http_status,
                         dns, connect, tls, first_byte, body)
    SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, (value ->> 2)::bigint, (value ->> 3)::bigint = 1,
           (value ->> 4)::bigint, value ->> 5, value ->> 6, value ->> 7, value ->> 8, (value ->> 9)::bigint,
           (value ->> 10)::bigint, (value ->> 11)::bigint, (value ->> 12)::bigint, (value ->> 13)::bigint,
           (value ->> 14)::bigint
    FROM json_array_elements($1::json) AS given (value)
    ON CONFLICT DO NOTHING";

/// Rows of `[track, good, at, state]`, as JSON, each of another key; what is kept already and newer stays.
pub(crate) const PUT_TRANSCRIPTS: &str = "
    INSERT INTO transcript (track, good, at, state)
    SELECT (value ->> 0)::bigint, (value ->> 1)::bigint = 1, (value ->> 2)::bigint, value ->> 3
    FROM json_array_elements($1::json) AS given (value)
    ON CONFLICT (track, good) DO UPDATE SET at = excluded.at, state = excluded.state
    WHERE transcript.at <= excluded.at";

/// Rows of `[api, environment, operation, vantage]`, as JSON, no two alike.
pub(crate) const NUMBER_TRACKS: &str = "
    INSERT INTO track (api, environment, operation, vantage)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_array_elements($1::json) AS given (value)
    ON CONFLICT (api, environment, operation, vantage) DO UPDATE SET api = excluded.api
    RETURNING id, api, environment, operation, vantage";

/// Rows of `[track, state]`, as JSON.
pub(crate) const UPDATE_STATES: &str = "
    UPDATE track SET state = changed.state
    FROM (SELECT (value ->> 0)::bigint AS id, value ->> 1 AS state
          FROM json_array_elements($1::json) AS given (value)) AS changed
    WHERE track.id = changed.id";

/// Rows of 8 columns, in the order of the table, as JSON, each of another key.
pub(crate) const PUT_STATUSES: &str = "
    INSERT INTO status_change (api, environment, since, status, layer, maintenance, decided_at, why)
    SELECT value ->> 0, value ->> 1, (value ->> 2)::bigint, value ->> 3, value ->> 4, (value ->> 5)::boolean,
           (value ->> 6)::bigint, value ->> 7
    FROM json_array_elements($1::json) AS given (value)
    ON CONFLICT (api, environment, since) DO UPDATE
    SET status = excluded.status, layer = excluded.layer, maintenance = excluded.maintenance,
        decided_at = excluded.decided_at, why = excluded.why";

/// Rows of `[track, hour]`, as JSON.
pub(crate) const UPDATE_HOURS: &str = "
    UPDATE track SET hour = risen.hour
    FROM (SELECT (value ->> 0)::bigint AS id, (value ->> 1)::bigint AS hour
          FROM json_array_elements($1::json) AS given (value)) AS risen
    WHERE track.id = risen.id";

/// Between two minutes, the rows of the tracks of a list. Arrays, so that each row is looked up by the key.
pub(crate) const HOT: &str = "
    SELECT track::bigint, minute::bigint, ms::bigint, verdict::bigint, total::bigint FROM outcome
    WHERE minute = ANY (ARRAY(SELECT generate_series($1::bigint, $2::bigint)::int))
      AND track = ANY (ARRAY(SELECT value::int FROM json_array_elements_text($3::json) AS given (value)))";

/// The same, taken out.
pub(crate) const TAKE_OUT: &str = "
    DELETE FROM outcome
    WHERE minute = ANY (ARRAY(SELECT generate_series($1::bigint, $2::bigint)::int))
      AND track = ANY (ARRAY(SELECT value::int FROM json_array_elements_text($3::json) AS given (value)))
    RETURNING track::bigint, minute::bigint, ms::bigint, verdict::bigint, total::bigint";

/// The blocks of a list of slots, which nobody else writes until the transaction ends.
pub(crate) const SEALED_BLOCKS: &str = "
    SELECT slot, block FROM sealed
    WHERE slot = ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text($1::json) AS given (value)))
    ORDER BY slot FOR UPDATE";

/// The blocks of a list of `[first, last]` slots, at most `$2`. OFFSET 0: each span is looked up by the key, in the partitions
/// of its hours alone.
pub(crate) const SEALED_SPANS: &str = "
    SELECT slot, block FROM json_array_elements($1::json) AS span (value),
        LATERAL (SELECT slot, block FROM sealed
                 WHERE slot BETWEEN (span.value ->> 0)::bigint AND (span.value ->> 1)::bigint
                   AND slot & 4194303 BETWEEN (span.value ->> 0)::bigint & 4194303
                                          AND (span.value ->> 1)::bigint & 4194303 OFFSET 0) AS found
    LIMIT $2";

/// The roll-ups of a list of `[first, last]` slots.
pub(crate) const DAYS_OF_SPANS: &str = "
    SELECT slot, rollups FROM json_array_elements($1::json) AS span (value),
        LATERAL (SELECT slot, rollups FROM rollup_days
                 WHERE slot BETWEEN (span.value ->> 0)::bigint AND (span.value ->> 1)::bigint OFFSET 0) AS found";
pub(crate) const HOURS_OF_SPANS: &str = "
    SELECT slot, rollups FROM json_array_elements($1::json) AS span (value),
        LATERAL (SELECT slot, rollups FROM rollup_hours
                 WHERE slot BETWEEN (span.value ->> 0)::bigint AND (span.value ->> 1)::bigint OFFSET 0) AS found";

/// What those days say of themselves.
pub(crate) const SUMMARIES_OF_SPANS: &str = "
    SELECT slot, days FROM json_array_elements($1::json) AS span (value),
        LATERAL (SELECT slot, days FROM summary
                 WHERE slot BETWEEN (span.value ->> 0)::bigint AND (span.value ->> 1)::bigint OFFSET 0) AS found";

/// The phases of days of a list of `[first, last]` slots.
pub(crate) const PHASES_OF_SPANS: &str = "
    SELECT slot, hours FROM json_array_elements($1::json) AS span (value),
        LATERAL (SELECT slot, hours FROM phases
                 WHERE slot BETWEEN (span.value ->> 0)::bigint AND (span.value ->> 1)::bigint OFFSET 0) AS found";

/// Of an hour, for the tracks of a list.
pub(crate) const PUT_UNROLLED: &str = "
    INSERT INTO unrolled (hour, track)
    SELECT $1::bigint::int, value::int FROM json_array_elements_text($2::json) AS given (value) ON CONFLICT DO NOTHING";

/// Between two hours, for the tracks of a list.
pub(crate) const UNROLLED: &str = "
    SELECT hour::bigint, track::bigint FROM unrolled
    WHERE hour = ANY (ARRAY(SELECT generate_series($1::bigint, $2::bigint)::int))
      AND track = ANY (ARRAY(SELECT value::int FROM json_array_elements_text($3::json) AS given (value)))";

/// The same, taken out.
pub(crate) const TAKE_UNROLLED: &str = "
    DELETE FROM unrolled
    WHERE hour = ANY (ARRAY(SELECT generate_series($1::bigint, $2::bigint)::int))
      AND track = ANY (ARRAY(SELECT value::int FROM json_array_elements_text($3::json) AS given (value)))";

/// The tracks of a list of `[api, environment, operation]`, from one vantage or all, and the place of each in the list.
pub(crate) const TRACKS_OF: &str = "
    SELECT track.id::bigint AS id, (wanted.place - 1)::bigint AS place
    FROM json_array_elements($1::json) WITH ORDINALITY AS wanted (value, place)
    JOIN track ON track.api = wanted.value ->> 0 AND track.environment = wanted.value ->> 1
      AND track.operation = wanted.value ->> 2
    WHERE ($2::text IS NULL OR track.vantage = $2::text)";

/// Those connections that are for the same.
#[derive(Debug)]
pub(crate) struct Pools {
    recorders: Arc<Pool>,
    writers: Arc<Pool>,
    readers: Arc<Pool>,
    slow: Arc<Pool>,
}

impl Pools {
    /// Asks the server of `url` who it is; opens no more connections than that yet.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        let doing = "open the database";
        let options =
            PgConnectOptions::from_str(url).map_err(Error::during(doing))?.application_name("curiad");
        let limited = options.clone().options(LIMITS);
        let reading = limited.clone().options([("default_transaction_read_only", "on")]);
        let pools = Self {
            recorders: Pool::new(limited.clone(), RECORDERS, PATIENCE),
            writers: Pool::new(limited, WRITERS, PATIENCE),
            readers: Pool::new(reading, READERS, PATIENCE),
            slow: Pool::new(options, 1, LONG),
        };
        let connection = pools.recorders.acquire().await.map_err(Error::during(doing))?;
        refuse_old(connection.version())?;
        Ok(pools)
    }

    pub(crate) fn of(&self, purpose: Purpose) -> &Arc<Pool> {
        match purpose {
            Purpose::Record => &self.recorders,
            Purpose::Write => &self.writers,
            Purpose::Read => &self.readers,
            Purpose::Prepare | Purpose::Remember => &self.slow,
        }
    }

    pub(crate) async fn begin(&self, purpose: Purpose) -> Result<Connection, sqlx::Error> {
        let mut connection = self.of(purpose).acquire().await?;
        connection
            .begin(match purpose {
                Purpose::Prepare | Purpose::Record | Purpose::Write => "BEGIN",
                Purpose::Read | Purpose::Remember => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            })
            .await?;
        Ok(connection)
    }

    pub(crate) async fn close(&self) {
        for pool in [&self.slow, &self.readers, &self.writers, &self.recorders] {
            pool.close().await;
        }
    }
}

/// `version` as the server numbers it: 150018 is 15.18. A server that does not say is taken at its word later.
fn refuse_old(version: Option<u32>) -> Result<(), Error> {
    match version {
        Some(version) if version < OLDEST * 10_000 => {
            Err(Error::Outdated { found: version / 10_000, oldest: OLDEST })
        }
        _ => Ok(()),
    }
}

/// The rows of a batch's outcomes, as columns.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) minutes: Vec<i32>,
    pub(crate) tracks: Vec<i32>,
    pub(crate) ms: Vec<i32>,
    pub(crate) verdicts: Vec<i16>,
    pub(crate) totals: Vec<i32>,
}

impl Columns {
    /// Of rows of `[minute, track, ms, verdict, total]`.
    pub(crate) fn new(rows: impl Iterator<Item = [i64; 5]>) -> Self {
        let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        let mut columns = Self::default();
        for [minute, track, ms, verdict, total] in rows {
            columns.minutes.push(small(minute));
            columns.tracks.push(small(track));
            columns.ms.push(small(ms));
            columns.verdicts.push(i16::try_from(verdict).unwrap_or(i16::MAX));
            columns.totals.push(small(total));
        }
        columns
    }
}

/// What an error of `PostgreSQL` means (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
pub(crate) fn trouble(code: &str) -> Trouble {
    match code {
        // A full disk; out of memory is for whoever runs the server to mend, too, but goes by itself.
        "53100" => Trouble::Full,
        // A lock, a serialisation, a deadlock, a statement's time, too many connections, no memory.
        "55P03" | "40001" | "40P01" | "57014" | "53300" | "53200" => Trouble::Busy,
        // It may not: somebody must change something.
        "42501" | "28000" | "28P01" => Trouble::Denied,
        "3D000" => Trouble::Absent,
        // Read-only: a standby, or a server that protects itself.
        "25006" => Trouble::Unavailable,
        "XX001" | "XX002" => Trouble::Corrupt,
        _ => match code.get(..2) {
            // Connections; shut down, crashed, not up yet, disconnected for idling; I/O errors of the server.
            Some("08" | "57" | "58") => Trouble::Unavailable,
            Some("25") if code == "25P03" => Trouble::Unavailable,
            Some("28") => Trouble::Denied,
            Some("23") => Trouble::Refused,
            Some("53") => Trouble::Busy,
            _ => Trouble::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_refused_with_words() {
        let refused = refuse_old(Some(140_012)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this is PostgreSQL 14; curiad needs 15 or newer: upgrade the server"
        );
        for version in [None, Some(150_000), Some(180_001)] {
            assert!(refuse_old(version).is_ok(), "{version:?}");
        }
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a test is told by its script where the server is")]
    async fn those_who_read_on_postgres_do_not_write() {
        let url = std::env::var("CURIAD_TEST_POSTGRES")
            .expect("no PostgreSQL: run `tests/postgres cargo test --workspace`");
        let pools = Pools::open(&url).await.unwrap();
        for purpose in [Purpose::Read, Purpose::Remember] {
            let mut reader = pools.begin(purpose).await.unwrap();
            let refused = reader.execute(sqlx::query("CREATE TABLE t (n BIGINT)")).await.unwrap_err();
            let said = refused.as_database_error().unwrap();
            assert_eq!(said.code().as_deref(), Some("25006"), "{said}");
        }
        pools.close().await;
    }
}
