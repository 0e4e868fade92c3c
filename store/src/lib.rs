//! All SQL of Curiad (invariant 2). Times are arguments; nothing here reads the clock.
//!
//! Two databases: SQLite and `PostgreSQL`. Statements are written once with `$1` placeholders where both understand the same
//! (`database.rs`); what only one understands is in `sqlite.rs` or `postgres.rs`, and in `migrations/`.
//! Connections are kept apart by what they are for: recording (`record`), sending and being told (`claim`, `settle`, `tell`),
//! and reading.
//!
//! Nothing is held between calls: every function is one statement or one transaction.

mod backup;
mod block;
mod claim;
mod contact_proof;
mod counts;
pub mod crash_point;
mod database;
mod days;
mod ending;
mod error;
mod examine;
#[cfg(debug_assertions)]
pub mod growth;
mod history;
mod hourly;
mod import;
mod in_place;
mod inbox;
mod incident;
mod lease;
mod letter;
mod outbox;
mod packed;
mod partition;
mod phases;
mod postgres;
mod prunable;
mod prune;
mod range;
mod record;
mod release;
mod remember;
mod roll_up;
mod rollup;
mod room;
mod row;
mod sample;
mod schema;
mod sealed;
mod slot;
mod sqlite;
mod subscription;
mod summary;
mod track;
mod transcript;
mod verify;

pub use backup::{Contents, back_up, look_through};
pub use claim::{Claim, Claimed, Settlement};
pub use counts::Counts;
pub use days::Days;
pub use error::Error;
pub use examine::{Look, OnCall, examine, on_call};
pub use history::{FailureCount, FailureRow, MAX_CHANGES, MAX_SAMPLES};
pub use import::{Simulated, Stretch};
pub use inbox::{InboxId, MAX_INBOX};
pub use incident::{IncidentFilter, MAX_INCIDENTS};
pub use lease::Lease;
pub use letter::{About, Letter, NEWS_A_LETTER, Posted};
pub use outbox::{OutboxRow, OutboxState};
pub use partition::Partitioned;
pub use prunable::Prunable;
pub use range::MAX_BLOCKS;
pub use record::Batch;
pub use release::MAX_RELEASES;
pub use room::{Kind, Room};
pub use sample::{MAX_MINUTES, Sample};
pub use sealed::Sealed;
pub use subscription::{Subscribed, Subscribers, UNCONFIRMED, WAITS};
pub use verify::Verified;

use database::{Connection, Database, Purpose};
use domain::ReferenceKey;
use std::sync::{Arc, atomic::AtomicU64};

/// Curiad's memory. Cheap to clone; all clones share the connections and the lease.
#[derive(Debug, Clone)]
pub struct Store(Arc<Shared>);

/// Nobody else writes into the database until this is dropped.
#[derive(Debug)]
pub struct Hold {
    _held: Connection,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    tracks: track::Numbers,
    key: ReferenceKey,
    held: lease::Held,
    recorded: AtomicU64,
    phases: phases::Waiting,
}

impl Store {
    /// Opens the database of `url` and brings its schema up to date: `sqlite://PATH`, which is made when it is not there;
    /// `sqlite::memory:`, which is forgotten when closed; or `postgres://USER:PASSWORD@HOST:PORT/NAME`, which must be there
    /// and belong to the user. `sslmode` and the like are those of libpq.
    ///
    /// `fresh_key` becomes the database's own key if it has none yet.
    /// A database made by a newer program is refused: [`Error::Newer`]. So is a server that is too old: [`Error::Outdated`].
    pub async fn open(url: &str, fresh_key: [u8; 32]) -> Result<Self, Error> {
        let database = Database::open(url).await?;
        let key = schema::prepare(&database, fresh_key).await?;
        let tracks = track::Numbers::read(&database).await?;
        let (held, recorded) = (lease::Held::default(), AtomicU64::new(0));
        let phases = phases::Waiting::default();
        Ok(Self(Arc::new(Shared { database, tracks, key, held, recorded, phases })))
    }

    /// The database's own key: references of callouts and ids of requests are made with it.
    pub fn key(&self) -> &ReferenceKey {
        &self.0.key
    }

    /// Closes the connections of all clones, once their statements have ended.
    pub async fn close(self) {
        self.0.database.close().await;
    }

    /// Takes the right to write, until it is dropped: for rehearsing what happens when nothing can be written.
    pub async fn hold(&self) -> Result<Hold, Error> {
        let doing = "hold the database";
        let mut held = self.begin(Purpose::Prepare, doing).await?;
        // On SQLite, whoever begins to write holds all. The tables are in the order in which everybody writes them: so
        // none waits for us that we wait for.
        let all = "LOCK TABLE outcome, notification, inbox IN EXCLUSIVE MODE";
        held.either("SELECT fence FROM recorder", all).execute(doing).await?;
        Ok(Hold { _held: held })
    }

    /// From now on the database refuses for good every failure whose message holds `poison`: for rehearsing that, and in no
    /// release.
    #[cfg(debug_assertions)]
    pub async fn refuse_poison(&self) -> Result<(), Error> {
        let doing = "have the database refuse poison";
        let mut connection = self.begin(Purpose::Prepare, doing).await?;
        let function = "CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE check_violation USING MESSAGE = ''poison is refused''; END'";
        connection.either("SELECT fence FROM recorder", function).execute(doing).await?;
        let sqlite = "CREATE TRIGGER poison BEFORE INSERT ON failure WHEN instr(NEW.message, 'poison') > 0
            BEGIN SELECT RAISE(ABORT, 'poison is refused'); END";
        let postgres = "CREATE TRIGGER poison BEFORE INSERT ON failure FOR EACH ROW
            WHEN (position('poison' IN NEW.message) > 0) EXECUTE FUNCTION refuse_poison()";
        connection.either(sqlite, postgres).execute(doing).await?;
        connection.commit(doing).await
    }

    /// From now on the database says that a newer program made it: for rehearsing that, and in no release.
    #[cfg(debug_assertions)]
    pub async fn pretend_newer(&self, version: i64) -> Result<(), Error> {
        let doing = "have the database pretend to be newer";
        let mut connection = self.connect(Purpose::Prepare, doing).await?;
        let newest = connection.statement("UPDATE _sqlx_migrations SET version = $1 WHERE version = 1");
        newest.bind(version).execute(doing).await.map(drop)
    }

    async fn connect(&self, purpose: Purpose, doing: &'static str) -> Result<Connection, Error> {
        self.0.database.connect(purpose, doing).await
    }

    async fn begin(&self, purpose: Purpose, doing: &'static str) -> Result<Connection, Error> {
        self.0.database.begin(purpose, doing).await
    }
}
