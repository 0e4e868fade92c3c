//! Brings the schema up to date, and refuses a database that is newer than the program.

use crate::{
    crash_point,
    database::{Connection, Database, Purpose},
    error::Error,
    postgres,
    row::Reading,
    sqlite,
};
use domain::ReferenceKey;
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// Number, name and text of a migration.
type Step = (i64, &'static str, &'static str);

const SQLITE: &[Step] = &[
    (1, "init", include_str!("../../migrations/sqlite/0001_init.sql")),
    (2, "recorder", include_str!("../../migrations/sqlite/0002_recorder.sql")),
    (3, "transcript", include_str!("../../migrations/sqlite/0003_transcript.sql")),
    (4, "sealed", include_str!("../../migrations/sqlite/0004_sealed.sql")),
    (5, "rollup", include_str!("../../migrations/sqlite/0005_rollup.sql")),
    (6, "release", include_str!("../../migrations/sqlite/0006_release.sql")),
    (7, "maintenance", include_str!("../../migrations/sqlite/0007_maintenance.sql")),
    (8, "phases", include_str!("../../migrations/sqlite/0008_phases.sql")),
    (9, "subscription", include_str!("../../migrations/sqlite/0009_subscription.sql")),
    (10, "summary", include_str!("../../migrations/sqlite/0010_summary.sql")),
    (11, "answers_first", include_str!("../../migrations/sqlite/0011_answers_first.sql")),
    (12, "rota_overrides", include_str!("../../migrations/sqlite/0012_rota_overrides.sql")),
    (13, "contact_proof", include_str!("../../migrations/sqlite/0013_contact_proof.sql")),
    (14, "partitions", include_str!("../../migrations/sqlite/0014_partitions.sql")),
];
/// The same numbers and names.
const POSTGRES: &[Step] = &[
    (1, "init", include_str!("../../migrations/postgres/0001_init.sql")),
    (2, "recorder", include_str!("../../migrations/postgres/0002_recorder.sql")),
    (3, "transcript", include_str!("../../migrations/postgres/0003_transcript.sql")),
    (4, "sealed", include_str!("../../migrations/postgres/0004_sealed.sql")),
    (5, "rollup", include_str!("../../migrations/postgres/0005_rollup.sql")),
    (6, "release", include_str!("../../migrations/postgres/0006_release.sql")),
    (7, "maintenance", include_str!("../../migrations/postgres/0007_maintenance.sql")),
    (8, "phases", include_str!("../../migrations/postgres/0008_phases.sql")),
    (9, "subscription", include_str!("../../migrations/postgres/0009_subscription.sql")),
    (10, "summary", include_str!("../../migrations/postgres/0010_summary.sql")),
    (11, "answers_first", include_str!("../../migrations/postgres/0011_answers_first.sql")),
    (12, "rota_overrides", include_str!("../../migrations/postgres/0012_rota_overrides.sql")),
    (13, "contact_proof", include_str!("../../migrations/postgres/0013_contact_proof.sql")),
    (14, "partitions", include_str!("../../migrations/postgres/0014_partitions.sql")),
];

/// The other one needs no such statement.
const NOTHING: &str = "SELECT 1 AS one";

const DOING: &str = "bring the database up to date";
/// For a user who may not.
const MAKING: &str =
    "make or change the tables (`curiad migrate` does, as the user to whom the database belongs)";

/// Migrates, and gives the database's own key: `fresh_key`, if it had none.
pub(crate) async fn prepare(database: &Database, fresh_key: [u8; 32]) -> Result<ReferenceKey, Error> {
    // Locked from the start: of two programs that open a new database, one makes it and the other finds it made.
    let mut connection = match database {
        // Beginning to write is that lock.
        Database::Sqlite(_) => database.begin(Purpose::Prepare, DOING).await?,
        Database::Postgres(_) => database.connect(Purpose::Prepare, DOING).await?,
    };
    connection.either(NOTHING, postgres::LOCK_SCHEMA).row(DOING).await?;
    let key = prepare_locked(&mut connection, fresh_key).await?;
    connection.either(NOTHING, postgres::UNLOCK_SCHEMA).row(DOING).await?;
    connection.commit(DOING).await?;
    Ok(key)
}

async fn prepare_locked(connection: &mut Connection, fresh_key: [u8; 32]) -> Result<ReferenceKey, Error> {
    refuse_newer(connection).await?;
    // Where all is done, nothing is to be made: a user who may make no tables can work with them.
    if !is_done(connection).await? {
        migrate(connection).await.map_err(|error| {
            if let Error::Denied { source, .. } = error {
                Error::Denied { doing: MAKING, source }
            } else {
                error
            }
        })?;
    }
    crash_point!("start/migrating");
    let mut known = key(connection).await?;
    if known.is_none() {
        connection
            .statement("INSERT INTO meta (name, value) VALUES ('reference_key', $1)")
            .bind(fresh_key.as_slice())
            .execute(DOING)
            .await?;
        known = Some(fresh_key.to_vec());
    }
    let key = known.unwrap_or_default();
    let key = key.try_into().map_err(|_| Error::corrupt(DOING, "the reference key is not 32 bytes"))?;
    Ok(ReferenceKey(key))
}

async fn key(connection: &mut Connection) -> Result<Option<Vec<u8>>, Error> {
    let row =
        connection.statement("SELECT value FROM meta WHERE name = 'reference_key'").row_if(DOING).await?;
    row.map(|row| Reading { row: &row, doing: DOING }.get("value")).transpose()
}

/// Whether every migration was run, as this program knows it.
async fn is_done(connection: &mut Connection) -> Result<bool, Error> {
    let made = connection.either(sqlite::HAS_MIGRATIONS, postgres::HAS_MIGRATIONS).row(DOING).await?;
    if !(Reading { row: &made, doing: DOING }.get::<bool>("made")?) {
        return Ok(false);
    }
    let rows = connection
        .statement("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
        .rows(DOING)
        .await?;
    let run = rows
        .iter()
        .map(|row| {
            let row = Reading { row, doing: DOING };
            Ok((row.get("version")?, row.get("checksum")?))
        })
        .collect::<Result<Vec<(i64, Vec<u8>)>, Error>>()?;
    let known = migrator(match connection {
        Connection::Sqlite(_) | Connection::SqliteTransaction(_) => SQLITE,
        Connection::Postgres(_) => POSTGRES,
    });
    let known: Vec<(i64, Vec<u8>)> =
        known.iter().map(|one| (one.version, one.checksum.clone().into_owned())).collect();
    Ok(run == known)
}

async fn migrate(connection: &mut Connection) -> Result<(), Error> {
    match connection {
        Connection::Sqlite(connection) => migrator(SQLITE).run(&mut **connection).await,
        Connection::SqliteTransaction(connection) => migrator(SQLITE).run(&mut **connection).await,
        Connection::Postgres(connection) => connection.migrate(&migrator(POSTGRES)).await,
    }
    .map_err(migrating)
}

fn migrator(steps: &[Step]) -> Migrator {
    let mut migrator = Migrator::with_migrations(
        steps
            .iter()
            .copied()
            .map(|(number, name, text)| {
                let text = AssertSqlSafe(text).into_sql_str();
                Migration::new(number, name.into(), MigrationType::Simple, text, false)
            })
            .collect(),
    );
    // We hold a lock already, which ends with the transaction.
    migrator.set_locking(false);
    migrator
}

/// The newest version this program knows.
pub(crate) fn newest() -> i64 {
    SQLITE.iter().map(|(number, ..)| *number).max().unwrap_or(0)
}

async fn refuse_newer(connection: &mut Connection) -> Result<(), Error> {
    let known = newest();
    let made = connection.either(sqlite::HAS_MIGRATIONS, postgres::HAS_MIGRATIONS).row(DOING).await?;
    if !(Reading { row: &made, doing: DOING }.get::<bool>("made")?) {
        return Ok(());
    }
    let newest = connection
        .statement("SELECT coalesce(max(version), 0) AS newest FROM _sqlx_migrations")
        .row(DOING)
        .await?;
    let found = Reading { row: &newest, doing: DOING }.get("newest")?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    Ok(())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other way to fail means that the database is not ours, or was changed by hand"
)]
fn migrating(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            Error::during(DOING)(error)
        }
        other => Error::corrupt(DOING, other),
    }
}
