//! Brings the schema up to date, and refuses a database that is newer than the program.

use crate::{
    error::Error,
    sqlite::{self, Connection, Pool},
};
use domain::ReferenceKey;
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    query_scalar,
};

/// Number, name and text of every migration; PostgreSQL's have the same numbers and names.
const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "init", include_str!("../../migrations/sqlite/0001_init.sql"))];

const DOING: &str = "bring the database up to date";

/// Migrates in one transaction, and gives the database's own key: `fresh_key`, if it had none.
pub(crate) async fn prepare(writer: &Pool, fresh_key: [u8; 32]) -> Result<ReferenceKey, Error> {
    // The write lock from the start: of two programs that open a new database, one makes it and the other finds it made.
    let mut transaction = writer.begin_with(sqlite::BEGIN).await.map_err(Error::during(DOING))?;
    refuse_newer(&mut transaction).await?;
    migrator().run(&mut *transaction).await.map_err(migrating)?;
    sqlx::query("INSERT INTO meta (name, value) VALUES ('reference_key', $1) ON CONFLICT (name) DO NOTHING")
        .bind(fresh_key.as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(Error::during(DOING))?;
    let key: Vec<u8> = query_scalar("SELECT value FROM meta WHERE name = 'reference_key'")
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::during(DOING))?;
    transaction.commit().await.map_err(Error::during(DOING))?;
    let key = key.try_into().map_err(|_| Error::corrupt(DOING, "the reference key is not 32 bytes"))?;
    Ok(ReferenceKey(key))
}

fn migrator() -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .into_iter()
            .map(|(number, name, text)| {
                Migration::new(
                    number,
                    name.into(),
                    MigrationType::Simple,
                    AssertSqlSafe(text).into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}

/// The newest version this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|(number, ..)| *number).max().unwrap_or(0)
}

async fn refuse_newer(connection: &mut Connection) -> Result<(), Error> {
    let known = newest();
    let made: bool = query_scalar(sqlite::HAS_MIGRATIONS)
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::during(DOING))?;
    if !made {
        return Ok(());
    }
    let found: i64 = query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::during(DOING))?;
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
