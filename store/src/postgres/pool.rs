//! Connections to `PostgreSQL`, kept open between calls.
//!
//! Every call ends within the time it has, whatever the network does: packets that nobody answers are no error of the server's,
//! so no limit of the server's ends them. A connection on which anything went wrong, or whose caller went away while it was
//! busy, is dropped, and with it the server takes its transaction back: what state it is in is not worth finding out.
//! sqlx's own pool asks every connection that it takes back whether it is well, and waits for the answer for ever.

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Postgres,
    migrate::{MigrateError, Migrator},
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

/// A connection that was not used for so long is asked whether it still is one, and given so long to answer.
const FRESH: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(2);
/// How long a connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// So many connections, opened when they are first wanted.
#[derive(Debug)]
pub(crate) struct Pool {
    options: PgConnectOptions,
    size: u32,
    patience: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

impl Pool {
    /// `patience` is how long a call may take, from the wait for a connection to the last answer.
    pub(crate) fn new(options: PgConnectOptions, size: u32, patience: Duration) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(size as usize));
        Arc::new(Self { options, size, patience, permits, idle: Mutex::default() })
    }

    /// One of its connections, or a new one.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Connection, sqlx::Error> {
        let deadline = Instant::now() + self.patience;
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
            .map_err(|_| sqlx::Error::PoolClosed)?;
        let connection = match self.idle().await {
            Some(connection) => connection,
            None => within(deadline, Box::pin(self.options.connect())).await?,
        };
        Ok(Connection {
            open: Some(connection),
            in_transaction: false,
            deadline,
            pool: Arc::clone(self),
            _permit: permit,
        })
    }

    /// The one that was used last, if it is still one. When it is not, the server has gone, and so have all others.
    async fn idle(&self) -> Option<PgConnection> {
        let (mut connection, since) = self.lock().pop()?;
        if since.elapsed() < FRESH {
            return Some(connection);
        }
        let answered = timeout(ANSWER, connection.ping()).await;
        if matches!(answered, Ok(Ok(()))) {
            return Some(connection);
        }
        self.lock().clear();
        None
    }

    /// Waits until all are back, says goodbye on them, and gives no more.
    pub(crate) async fn close(&self) {
        let all = timeout(self.patience, self.permits.acquire_many(self.size)).await;
        self.permits.close();
        let idle = std::mem::take(&mut *self.lock());
        for (connection, _) in idle {
            // One that is gone already is closed, too.
            timeout(GOODBYE, connection.close()).await.ok();
        }
        drop(all);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. Dropped when it is well and in no transaction, it goes back to where it came from.
#[derive(Debug)]
pub(crate) struct Connection {
    /// `None` while it is busy, and after anything went wrong.
    open: Option<PgConnection>,
    in_transaction: bool,
    deadline: Instant,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// The server's version, as it numbers it: 150018 is 15.18.
    pub(crate) fn version(&self) -> Option<u32> {
        self.open.as_ref().and_then(PgConnection::server_version_num)
    }

    pub(crate) async fn begin(&mut self, how: &'static str) -> Result<(), sqlx::Error> {
        self.raw(how).await?;
        self.in_transaction = true;
        Ok(())
    }

    /// Ends the transaction, if there is one.
    pub(crate) async fn end(&mut self, how: &'static str) -> Result<(), sqlx::Error> {
        if self.in_transaction {
            self.raw(how).await?;
            self.in_transaction = false;
        }
        Ok(())
    }

    async fn raw(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        let mut connection = self.take()?;
        within(self.deadline, sqlx::raw_sql(text).execute(&mut connection)).await?;
        self.open = Some(connection);
        Ok(())
    }

    /// The number of rows written.
    pub(crate) async fn execute(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<u64, sqlx::Error> {
        let mut connection = self.take()?;
        let done = within(self.deadline, query.execute(&mut connection)).await?;
        self.open = Some(connection);
        Ok(done.rows_affected())
    }

    pub(crate) async fn rows(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut connection = self.take()?;
        let rows = within(self.deadline, query.fetch_all(&mut connection)).await?;
        self.open = Some(connection);
        Ok(rows)
    }

    /// Brings the schema up to date, each step in a transaction of its own.
    pub(crate) async fn migrate(&mut self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut connection = self.take()?;
        timeout_at(self.deadline, migrator.run(&mut connection)).await.map_err(|_| silent())??;
        self.open = Some(connection);
        Ok(())
    }

    fn take(&mut self) -> Result<PgConnection, sqlx::Error> {
        self.open.take().ok_or_else(|| {
            sqlx::Error::Io(io::Error::new(io::ErrorKind::NotConnected, "the connection was lost before"))
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(connection) = self.open.take().filter(|_| !self.in_transaction) {
            self.pool.lock().push((connection, Instant::now()));
        }
    }
}

async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout_at(deadline, work).await.map_err(|_| silent())?
}

fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server did not answer in time"))
}
