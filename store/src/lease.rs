//! One recorder a database: who holds the lease records, and whoever held it before does not any more.
//!
//! The lease is a row. Taking it makes its `fence` one higher; all that the recorder and the deliverer write looks at the
//! fence in the same transaction, with a lock that makes a taker wait until they have ended. So a program that was frozen for
//! an hour writes nothing when it goes on, whatever it believes.
//!
//! Whether the holder lives is seen by its `beat`, not by any clock: clocks of two machines differ.

use crate::{
    Batch, Store,
    database::{Connection, Purpose},
    error::Error,
    row::Reading,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who records, and whether it still does: when `fence` and `beat` stand still for long, it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// How often it was taken. Only the last taker may write.
    pub fence: i64,
    /// Who took it, for people to read: a machine and a program.
    pub holder: String,
    /// Moves while the holder lives.
    pub beat: i64,
    /// Nobody holds it: it may be taken without waiting.
    pub free: bool,
}

const LOOK: &str = "see who records";
const TAKE: &str = "become the one who records";
const BEAT: &str = "say that this one still records";
const RELEASE: &str = "let another one record";

impl Store {
    /// What stands there now.
    pub async fn lease(&self) -> Result<Lease, Error> {
        let mut connection = self.connect(Purpose::Read, LOOK).await?;
        let row = connection.statement("SELECT fence, holder, beat, free FROM recorder").row(LOOK).await?;
        let row = Reading { row: &row, doing: LOOK };
        Ok(Lease {
            fence: row.get("fence")?,
            holder: row.get("holder")?,
            beat: row.get("beat")?,
            free: row.get("free")?,
        })
    }

    /// Takes the lease, if it still is as it was `seen`: then this store and all its clones record under the new fence, and
    /// whoever held it before cannot write any more. `false`: it has moved since, and was left alone.
    ///
    /// Waits for what the last holder is writing at this moment; [`Error::Busy`] if that takes long.
    /// When this fails nobody knows whether the lease was taken; look again.
    pub async fn take(&self, seen: &Lease, holder: &str) -> Result<bool, Error> {
        let mut connection = self.begin(Purpose::Record, TAKE).await?;
        let row = connection
            .either("SELECT fence, beat FROM recorder", "SELECT fence, beat FROM recorder FOR UPDATE")
            .row(TAKE)
            .await?;
        let row = Reading { row: &row, doing: TAKE };
        let (fence, beat): (i64, i64) = (row.get("fence")?, row.get("beat")?);
        if (fence, beat) != (seen.fence, seen.beat) {
            connection.rollback(TAKE).await?;
            return Ok(false);
        }
        connection
            .statement(
                "UPDATE recorder SET fence = fence + 1, holder = $1, beat = beat + 1, batch = 0, free = $2",
            )
            .bind_words(holder)
            .bind(false)
            .execute(TAKE)
            .await?;
        connection.commit(TAKE).await?;
        *self.0.held.lock() = State::Mine(Mine { fence: fence + 1, stored: 0, doubt: None });
        Ok(true)
    }

    /// Says that this one still records. To be called at least three times in the time after which another takes over.
    /// [`Error::Fenced`]: another one has.
    pub async fn beat(&self) -> Result<(), Error> {
        let Some(fence) = self.0.held.fence()? else { return Err(Error::Fenced) };
        let mut connection = self.connect(Purpose::Record, BEAT).await?;
        let beaten = connection
            .statement("UPDATE recorder SET beat = beat + 1 WHERE fence = $1")
            .bind(fence)
            .execute(BEAT)
            .await?;
        if beaten == 0 { Err(self.0.held.lose()) } else { Ok(()) }
    }

    /// Gives the lease back, so that another may take it at once. From here on this store writes nothing that needs it, even
    /// when this fails; then another takes over as from one that has gone. Nothing to do for a store that never took it.
    pub async fn release(&self) -> Result<(), Error> {
        let Some(fence) = self.0.held.fence()? else { return Ok(()) };
        self.0.held.lose();
        let mut connection = self.connect(Purpose::Record, RELEASE).await?;
        connection
            .statement("UPDATE recorder SET free = $2, beat = beat + 1 WHERE fence = $1")
            .bind(fence)
            .bind(true)
            .execute(RELEASE)
            .await?;
        Ok(())
    }

    /// Waits until all that this program has had the database write has ended, and takes note of what became of it.
    pub(crate) async fn wait_in_turn(&self, doing: &'static str) -> Result<(), Error> {
        // SQLite has one connection that writes; on PostgreSQL whoever writes holds the row.
        let mut connection = self.connect(Purpose::Record, doing).await?;
        let row = connection
            .either("SELECT fence, batch FROM recorder", "SELECT fence, batch FROM recorder FOR UPDATE")
            .row(doing)
            .await?;
        let row = Reading { row: &row, doing };
        self.0.held.found(row.get("fence")?, row.get("batch")?)
    }

    /// In a transaction: whether this store may write. Until the transaction ends nobody takes over.
    pub(crate) async fn check_lease(
        &self,
        connection: &mut Connection,
        doing: &'static str,
    ) -> Result<(), Error> {
        let Some(fence) = self.0.held.fence()? else { return Ok(()) };
        let found = connection
            .either(
                "SELECT id FROM recorder WHERE fence = $1",
                "SELECT id FROM recorder WHERE fence = $1 FOR KEY SHARE",
            )
            .bind(fence)
            .row_if(doing)
            .await?;
        found.map(drop).ok_or_else(|| self.0.held.lose())
    }
}

/// What this program knows of its own lease.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    /// It never took it: whoever only tells and reads needs none, nor does a test.
    #[default]
    Never,
    Mine(Mine),
    /// Another has it, or it was given back.
    Lost,
}

#[derive(Debug, Clone)]
struct Mine {
    fence: i64,
    /// The number of the last batch that is known to be stored.
    stored: i64,
    /// The next one, while nobody knows whether it was stored.
    doubt: Option<Batch>,
}

/// Under what a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Under {
    pub(crate) fence: i64,
    /// The batch's own number, one more than the last.
    pub(crate) number: i64,
    /// Nobody knows whether one of that number was stored.
    pub(crate) in_doubt: bool,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fence(&self) -> Result<Option<i64>, Error> {
        self.under().map(|under| under.map(|under| under.fence))
    }

    pub(crate) fn under(&self) -> Result<Option<Under>, Error> {
        match &*self.lock() {
            State::Never => Ok(None),
            State::Mine(mine) => {
                Ok(Some(Under { fence: mine.fence, number: mine.stored + 1, in_doubt: mine.doubt.is_some() }))
            }
            State::Lost => Err(Error::Fenced),
        }
    }

    /// Another has it.
    pub(crate) fn lose(&self) -> Error {
        *self.lock() = State::Lost;
        Error::Fenced
    }

    /// From here on nobody knows whether `batch` is stored, until it is [`Self::stored`] or [`Self::not_stored`]: not even if
    /// whoever stores it goes away in between.
    pub(crate) fn doubt(&self, batch: &Batch) {
        if let State::Mine(mine) = &mut *self.lock() {
            mine.doubt = Some(batch.clone());
        }
    }

    pub(crate) fn stored(&self) {
        if let State::Mine(mine) = &mut *self.lock() {
            mine.stored += 1;
            mine.doubt = None;
        }
    }

    pub(crate) fn not_stored(&self) {
        if let State::Mine(mine) = &mut *self.lock() {
            mine.doubt = None;
        }
    }

    /// The last batch under `fence` has this number, and none is on its way.
    fn found(&self, fence: i64, batch: i64) -> Result<(), Error> {
        let mut state = self.lock();
        match &mut *state {
            State::Never => Ok(()),
            State::Mine(mine) if mine.fence == fence => {
                mine.stored = batch;
                mine.doubt = None;
                Ok(())
            }
            State::Mine(_) | State::Lost => {
                *state = State::Lost;
                Err(Error::Fenced)
            }
        }
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(&*self.lock(), State::Mine(Mine { doubt: Some(_), .. }))
    }

    /// Whether it is `batch` of which nobody knows.
    pub(crate) fn doubts(&self, batch: &Batch) -> bool {
        matches!(&*self.lock(), State::Mine(Mine { doubt: Some(doubt), .. }) if doubt == batch)
    }
}
