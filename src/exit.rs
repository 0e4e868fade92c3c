//! How the program ends when it cannot do what was asked: sysexits codes, one line on what and one on what to do.

use crate::config::nearest;
use std::{fmt::Display, io};

/// Why a command failed, and the code it exits with.
#[derive(Debug)]
pub(crate) struct Failed {
    /// sysexits.h, or the command's own code.
    pub(crate) code: u8,
    /// What failed and what to do next.
    pub(crate) message: String,
}

/// `EX_USAGE`: the command line is wrong.
pub(crate) const USAGE: u8 = 64;
/// `EX_DATAERR`: what it was given to read is not what it must be.
pub(crate) const DATA: u8 = 65;
/// `EX_NOINPUT`: what it was to read is not there.
pub(crate) const NO_INPUT: u8 = 66;
/// `EX_UNAVAILABLE`: something it needs is not there.
pub(crate) const UNAVAILABLE: u8 = 69;
/// `EX_SOFTWARE`: a fault in Curiad.
pub(crate) const SOFTWARE: u8 = 70;
/// `EX_CANTCREAT`: a file cannot be made.
pub(crate) const CANNOT_CREATE: u8 = 73;
/// `EX_IOERR`: the disk does not do what it should.
pub(crate) const IO: u8 = 74;
/// `EX_TEMPFAIL`: try again later.
pub(crate) const TRY_AGAIN: u8 = 75;
/// `EX_NOPERM`: somebody must allow it first.
pub(crate) const NO_PERMISSION: u8 = 77;
/// `EX_CONFIG`: the configuration is wrong.
pub(crate) const CONFIG: u8 = 78;

impl Failed {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The code for a file or directory that the system does not let us make, open or write.
pub(crate) fn of_file(error: &io::Error) -> u8 {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what else the system says is the disk's trouble")]
    match error.kind() {
        io::ErrorKind::PermissionDenied => NO_PERMISSION,
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::ReadOnlyFilesystem => CANNOT_CREATE,
        _ => IO,
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        let code = match error {
            store::Error::Busy { .. } | store::Error::Unknown { .. } => TRY_AGAIN,
            store::Error::Full { .. } => IO,
            store::Error::Unavailable { .. }
            | store::Error::Absent { .. }
            | store::Error::Fenced
            | store::Error::Outdated { .. } => UNAVAILABLE,
            store::Error::Denied { .. } => NO_PERMISSION,
            store::Error::Newer { .. } | store::Error::Foreign | store::Error::Corrupt { .. } => DATA,
            store::Error::TooMuch { .. } => USAGE,
            store::Error::Refused { .. } | store::Error::Other { .. } => SOFTWARE,
        };
        // The store says in one breath what failed and what to do.
        Self::new(code, error.to_string().replacen("; ", "\n", 1))
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::new(SOFTWARE, format!("{error:#}"))
    }
}

/// Words on the command line that name nothing.
pub(crate) struct Usage;

impl Usage {
    /// `word` names no `what`; one that is near is offered, or else all are listed.
    pub(crate) fn unknown(what: &str, word: &str, known: impl Iterator<Item = impl Display>) -> Failed {
        let known: Vec<String> = known.map(|known| known.to_string()).collect();
        let near = nearest(word, known.iter().map(String::as_str));
        let choices = match near {
            Some(near) => format!("did you mean '{near}'?"),
            None if known.is_empty() => format!("the configuration has no {what}"),
            None => format!("there is: {}", known.join(", ")),
        };
        Failed::new(USAGE, format!("no {what} is called '{word}'\n{choices}"))
    }
}
