//! What can go wrong with the store, by what the caller can do about it.

use crate::{postgres, sqlite};
use sqlx::postgres::PgDatabaseError;
use std::error::Error as Cause;

/// Why the store could not do it. Nothing of a failed call was stored, but for [`Error::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program writes, or all readers are taken. Trying again may help at once.
    #[error("could not {doing}: the database is busy; try again, and see what else uses it")]
    Busy {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// The disk is full. Trying again helps once there is room.
    #[error("could not {doing}: no room on the database's disk; make some")]
    Full {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// The database cannot be opened, read or written, or was closed. Trying again may help later.
    #[error(
        "could not {doing}: the database cannot be reached ({source}); \
         check that it runs and where it is, its permissions and its disk"
    )]
    Unavailable {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// The connection was lost while a batch was being committed: nobody knows whether it was stored.
    /// [`Store::record`](crate::Store::record) says how to find out.
    #[error(
        "could not {doing}: the database was lost while it was storing it ({source}); it will be asked whether it did"
    )]
    Unknown {
        /// What was tried.
        doing: &'static str,
        /// What was seen of it.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// Another program records on this database now. Nothing was written, and nothing will be: this one must stop.
    #[error("another curiad records on this database now; this one stops")]
    Fenced,
    /// The server does not let us in, or lets us do too little. Somebody must change something.
    #[error(
        "could not {doing}: the database refuses curiad ({source}); \
         check the user, the password and the database's name, and that it belongs to that user"
    )]
    Denied {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// The server has no database of that name.
    #[error(
        "could not {doing}: the server has no such database ({source}); \
         check its name, or make it once: CREATE DATABASE … OWNER …"
    )]
    Absent {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// The server is too old.
    #[error("this is PostgreSQL {found}; curiad needs {oldest} or newer: upgrade the server")]
    Outdated {
        /// The server's major version.
        found: u32,
        /// The oldest that will do.
        oldest: u32,
    },
    /// The database belongs to a newer program.
    #[error(
        "the database was made by a newer curiad: its schema is version {found}, this program knows {known}; \
         run the newer program, or restore the backup made before it"
    )]
    Newer {
        /// The schema's version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The file is a database, with tables of another program. It was not changed.
    #[error(
        "the database holds the tables of another program; \
         choose another place with `database`, or move that file away: it was not changed"
    )]
    Foreign,
    /// What was to be stored breaks a rule of the schema, such as one open incident per cause. Trying again does not help.
    #[error("could not {doing}: it would break a rule of the database")]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// What is stored cannot be read. Trying again does not help.
    #[error("could not {doing}: what the database holds is damaged; restore a backup")]
    Corrupt {
        /// What was tried.
        doing: &'static str,
        /// What was found.
        source: Box<dyn Cause + Send + Sync>,
    },
    /// More was asked for than one answer may hold (invariant 13).
    #[error("could not {doing}: more than {limit} {of}; ask for a shorter time")]
    TooMuch {
        /// What was tried.
        doing: &'static str,
        /// The bound.
        limit: u32,
        /// Of what.
        of: &'static str,
    },
    /// Anything else: a fault in Curiad.
    #[error("could not {doing}: the database refused a statement, which is a fault in curiad; report it")]
    Other {
        /// What was tried.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Cause + Send + Sync>,
    },
}

impl Error {
    /// Sorts what the database said while `doing` by what can be done about it.
    pub(crate) fn during(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| {
            let trouble = trouble(&error);
            let source = Box::new(error);
            match trouble {
                Trouble::Busy => Self::Busy { doing, source },
                Trouble::Full => Self::Full { doing, source },
                Trouble::Unavailable => Self::Unavailable { doing, source },
                Trouble::Denied => Self::Denied { doing, source },
                Trouble::Absent => Self::Absent { doing, source },
                Trouble::Refused => Self::Refused { doing, source },
                Trouble::Corrupt => Self::Corrupt { doing, source },
                Trouble::Other => Self::Other { doing, source },
            }
        }
    }

    /// Stored, but not readable as what it should be.
    pub(crate) fn corrupt(doing: &'static str, source: impl Into<Box<dyn Cause + Send + Sync>>) -> Self {
        Self::Corrupt { doing, source: source.into() }
    }
}

/// Kinds of trouble, before words are put to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Busy,
    Full,
    Unavailable,
    Denied,
    Absent,
    Refused,
    Corrupt,
    Other,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlx may add errors; what is not known is a fault of ours"
)]
fn trouble(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::PoolTimedOut => Trouble::Busy,
        sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::BeginFailed
        | sqlx::Error::Configuration(_) => Trouble::Unavailable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Trouble::Corrupt,
        sqlx::Error::Database(said) if said.is_unique_violation() => Trouble::Refused,
        sqlx::Error::Database(said) => match said.try_downcast_ref::<PgDatabaseError>() {
            Some(said) => postgres::trouble(said.code()),
            None => sqlite::trouble(said.as_ref()),
        },
        _ => Trouble::Other,
    }
}
