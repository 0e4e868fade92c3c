//! A copy of a SQLite database, made while others write to it, and whether a copy is whole.

use crate::{
    database::Connection,
    error::Error,
    row::{Reading, unsigned},
    sqlite,
};
use std::path::Path;

/// What there is in a database that was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Outcomes, sealed or not.
    pub samples: u64,
    /// Incidents, open ones too.
    pub incidents: u64,
}

/// Copies the SQLite database of `url`, all as it is at one moment, into the file `to`, which must be empty or absent. Only
/// reads: who records is not held up. The file is not yet safe from a loss of power.
pub async fn back_up(url: &str, to: &Path) -> Result<(), Error> {
    let doing = "copy the database";
    let mut connection = Connection::Sqlite(sqlite::look(url).await.map_err(Error::during(doing))?);
    let to = to.to_str().ok_or_else(|| Error::Unavailable {
        doing,
        source: "SQLite takes no file whose name is not UTF-8".into(),
    })?;
    connection.statement("VACUUM INTO $1").bind(to).execute(doing).await.map(drop)
}

/// Looks all of the SQLite database of `url` through, and counts. Whatever is damaged is [`Error::Corrupt`].
pub async fn look_through(url: &str) -> Result<Contents, Error> {
    let doing = "look the copy through";
    let mut connection = Connection::Sqlite(sqlite::look(url).await.map_err(Error::during(doing))?);
    let found = connection.statement("PRAGMA integrity_check(1)").row(doing).await?;
    let found: String = Reading { row: &found, doing }.get("integrity_check")?;
    if found != "ok" {
        return Err(Error::corrupt(doing, found));
    }
    if connection.statement("PRAGMA foreign_key_check").row_if(doing).await?.is_some() {
        return Err(Error::corrupt(doing, "a row refers to one that is not there"));
    }
    let key = connection.statement("SELECT count(*) AS number FROM meta WHERE name = 'reference_key'");
    if count(&key.row(doing).await?, doing)? != 1 {
        return Err(Error::corrupt(doing, "its own key is not there"));
    }
    let samples = connection.statement(
        "SELECT (SELECT count(*) FROM outcome) + (SELECT coalesce(sum(samples), 0) FROM sealed) AS number",
    );
    let samples = count(&samples.row(doing).await?, doing)?;
    let incidents = connection.statement("SELECT count(*) AS number FROM incident").row(doing).await?;
    Ok(Contents { samples, incidents: count(&incidents, doing)? })
}

fn count(row: &crate::database::Row, doing: &'static str) -> Result<u64, Error> {
    Reading { row, doing }.get("number").map(unsigned)
}
