//! Where the spool is, and how it is opened.

use crate::{
    config::Loaded,
    database,
    exit::{Failed, UNAVAILABLE},
};
use alerting::{Spool, SpoolError};
use std::path::{Path, PathBuf};

/// The spool where the database is no file.
const ELSEWHERE: &str = "curiad.spool";

/// Opens the spool. One that cannot be written is done without: a start on a broken disk must not fail for it.
pub(crate) fn open(path: Option<&Path>) -> Result<Option<Spool>, Failed> {
    let Some(path) = path else { return Ok(None) };
    match Spool::open(path) {
        Ok(spool) => Ok(Some(spool)),
        Err(error @ (SpoolError::Taken(_) | SpoolError::Foreign(_))) => {
            Err(Failed::new(UNAVAILABLE, error.to_string()))
        }
        Err(error @ SpoolError::Io { .. }) => {
            tracing::error!(%error, "there is no spool: while the database takes nothing, outcomes wait in memory alone");
            Ok(None)
        }
    }
}

/// As configured, or else beside the database; a database in memory has none.
pub(crate) fn path(loaded: &Loaded) -> Option<PathBuf> {
    if let Some(path) = &loaded.spool {
        return Some(path.clone());
    }
    match database::file(&loaded.database) {
        Some(file) => {
            let mut name = file.into_os_string();
            name.push(".spool");
            Some(name.into())
        }
        None if loaded.database.reveal().starts_with("sqlite:") => None,
        None => Some(PathBuf::from(ELSEWHERE)),
    }
}
