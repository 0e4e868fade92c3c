//! All SQL of Curiad (invariant 2). Times are arguments; nothing here reads the clock.
//!
//! One writer connection, used by the recorder (`record`), the deliverer (`claim`, `settle`) and whoever tells us something
//! (`tell`); a small read-only pool for the rest. Statements are written once with `$1` placeholders, so that PostgreSQL can
//! follow; what only SQLite understands is in `sqlite.rs` and in `migrations/sqlite/`.
//!
//! Nothing is held between calls: every function is one statement or one transaction.

mod claim;
mod counts;
mod error;
mod history;
mod inbox;
mod incident;
mod outbox;
mod record;
mod remember;
mod row;
mod schema;
mod sqlite;
mod track;

pub use claim::{Claim, Claimed, Settlement};
pub use counts::Counts;
pub use error::Error;
pub use history::{FailureRow, MAX_CHANGES, MAX_MINUTES, MAX_SAMPLES, Sample};
pub use inbox::{InboxId, MAX_INBOX};
pub use incident::{IncidentFilter, MAX_INCIDENTS};
pub use outbox::{OutboxRow, OutboxState};
pub use record::Batch;

use domain::ReferenceKey;
use std::sync::{Arc, atomic::AtomicU64};

/// Curiad's memory. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store(Arc<Shared>);

/// Nobody else writes into the database until this is dropped.
#[derive(Debug)]
pub struct Hold {
    _transaction: sqlite::Transaction,
}

#[derive(Debug)]
struct Shared {
    writer: sqlite::Pool,
    reader: sqlite::Pool,
    tracks: track::Numbers,
    key: ReferenceKey,
    recorded: AtomicU64,
}

impl Store {
    /// Opens the database of `url` (`sqlite://PATH`, or `sqlite::memory:` for one that is forgotten when closed), makes it
    /// when it is not there, and brings its schema up to date.
    ///
    /// `fresh_key` becomes the database's own key if it has none yet.
    /// A database made by a newer program is refused: [`Error::Newer`].
    pub async fn open(url: &str, fresh_key: [u8; 32]) -> Result<Self, Error> {
        let (writer, reader) = sqlite::connect(url).await?;
        let key = schema::prepare(&writer, fresh_key).await?;
        let tracks = track::Numbers::read(&writer).await?;
        Ok(Self(Arc::new(Shared { writer, reader, tracks, key, recorded: AtomicU64::new(0) })))
    }

    /// Closes the connections of all clones, once their statements have ended.
    pub async fn close(self) {
        // The writer last: who closes last tidies the write-ahead log away, and only a writer can.
        self.0.reader.close().await;
        self.0.writer.close().await;
    }

    /// Takes the right to write, until it is dropped: for rehearsing what happens when nothing can be written.
    pub async fn hold(&self) -> Result<Hold, Error> {
        Ok(Hold { _transaction: self.begin("hold the database").await? })
    }

    fn writer(&self) -> &sqlite::Pool {
        &self.0.writer
    }

    fn reader(&self) -> &sqlite::Pool {
        &self.0.reader
    }

    /// A connection that was made while its file could only be read never writes again: the next one may.
    async fn renew_writer(&self) {
        if let Ok(connection) = self.writer().acquire().await
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "a connection that could not write did not close well");
        }
    }

    async fn begin(&self, doing: &'static str) -> Result<sqlite::Transaction, Error> {
        self.writer().begin_with(sqlite::BEGIN).await.map_err(Error::during(doing))
    }
}
