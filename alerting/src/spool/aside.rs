//! What the store refuses for good: kept in a file beside the spool, for people. Nothing reads it again.

use super::{Late, Spool};
use jiff::Timestamp;
use serde_json::json;
use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The file grows no further, in bytes: about 2,000 outcomes. What comes then is in the log alone.
const LARGEST: u64 = 1 << 20;

/// The file beside the spool at `spool` in which stands what the store refused for good: a line of JSON each.
pub fn set_aside_in(spool: &Path) -> PathBuf {
    let mut name = OsString::from(spool);
    name.push(".refused");
    name.into()
}

/// How many outcomes stand there; 0 where there is no such file. Blocking.
pub fn count_set_aside(spool: &Path) -> io::Result<u64> {
    match std::fs::read(set_aside_in(spool)) {
        Ok(text) => Ok(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

impl Spool {
    /// Sets outcomes aside, durably: why they were refused, when they came, and what they are.
    pub(crate) fn set_aside(&self, lates: &[Late], why: &str, now: Timestamp) -> io::Result<()> {
        let path = set_aside_in(&self.path);
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).mode(0o600).open(&path)?;
        let mut text = Vec::new();
        for Late { then, outcome } in lates {
            let line = json!({ "set_aside": now, "why": why, "came": then, "outcome": &**outcome });
            writeln!(text, "{line}")?;
        }
        let grown = file.metadata()?.len() + text.len() as u64;
        if grown > LARGEST {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("{} is full: look into it and move it away", path.display()),
            ));
        }
        file.write_all(&text)?;
        file.sync_all()
    }
}
