//! A SQLite database that a test lets grow no further: `max_page_count`, which every connection has for itself, and which no
//! test could set in the program's own.
//!
//! `CURIAD_DATABASE_FULL=FILE` has SQLite say that the database is full where it would need another page, as long as FILE is
//! there. It is looked for whenever a connection is handed out, so before each batch. Builds without `debug_assertions`, and so
//! every release, have no such place.

use sqlx::SqliteConnection;
use std::{path::PathBuf, sync::OnceLock};

static ARMED: OnceLock<PathBuf> = OnceLock::new();

/// From now on that file says whether there is room. A second call changes nothing.
pub fn arm(file: Option<PathBuf>) {
    file.map(|file| ARMED.set(file));
}

/// What this connection may do from now on.
pub(crate) async fn limit(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Some(file) = ARMED.get() else { return Ok(()) };
    // It is never less than what is there already; and the other one is as many as SQLite can number.
    let pages =
        if file.exists() { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 4294967294" };
    sqlx::query(pages).execute(connection).await.map(drop)
}
