//! Two databases behind one face, each with its own typed connections.
//!
//! A statement is written once, with `$1` placeholders, where both understand the same text; where they do not, its text (or
//! how its rows are given) is picked by [`Connection`]: see `sqlite.rs` and `postgres.rs`.

use crate::{error::Error, postgres, sqlite};
use sqlx::{
    Decode, Encode, Postgres, Row as _, Sqlite, Type,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteConnection, SqliteRow},
};
use std::borrow::Cow;

/// An open database.
#[derive(Debug)]
pub(crate) enum Database {
    Sqlite(sqlite::Pools),
    Postgres(postgres::Pools),
}

/// What a connection is wanted for. On `PostgreSQL` each has connections of its own, so that none waits for another;
/// on SQLite those that write share one, and those that read some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Bringing the schema up to date: it may take long.
    Prepare,
    /// Reading all there is to know at the start: it may take long.
    Remember,
    /// The recorder's batches and its lease.
    Record,
    /// Sending, and being told.
    Write,
    /// History, and what waits.
    Read,
}

impl Database {
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Ok(Self::Postgres(postgres::Pools::open(url).await?))
        } else {
            Ok(Self::Sqlite(sqlite::Pools::open(url).await?))
        }
    }

    /// Closes all connections, once their statements have ended.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => pools.close().await,
            Self::Postgres(pools) => pools.close().await,
        }
    }

    /// Whether what is written now would be there afterwards: the files of SQLite may have been taken away under it.
    pub(crate) fn is_in_place(&self, doing: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite(pools) => pools.are_in_place(doing),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// After an error that may lie in the connection that writes: the next one is another.
    pub(crate) async fn renew(&self) {
        match self {
            Self::Sqlite(pools) => pools.renew().await,
            // Each of its connections is looked at before it is used again.
            Self::Postgres(_) => {}
        }
    }

    /// A connection; each statement is a transaction of its own.
    pub(crate) async fn connect(&self, purpose: Purpose, doing: &'static str) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(pools) => pools.of(purpose).acquire().await.map(Connection::Sqlite),
            Self::Postgres(pools) => pools.of(purpose).acquire().await.map(Connection::Postgres),
        }
        .map_err(Error::during(doing))
    }

    /// A connection in a transaction: nothing of it is stored until [`Connection::commit`].
    /// For [`Purpose::Read`], all that it reads is of one moment.
    pub(crate) async fn begin(&self, purpose: Purpose, doing: &'static str) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(pools) => {
                pools.of(purpose).begin_with(sqlite::begin(purpose)).await.map(Connection::SqliteTransaction)
            }
            Self::Postgres(pools) => pools.begin(purpose).await.map(Connection::Postgres),
        }
        .map_err(Error::during(doing))
    }
}

/// A connection that is in use. Dropped in a transaction, it takes the transaction back.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    SqliteTransaction(sqlx::Transaction<'static, Sqlite>),
    Postgres(postgres::Connection),
}

impl Connection {
    /// A statement of the same text for both.
    pub(crate) fn statement(&mut self, text: &'static str) -> Statement<'_> {
        self.either(text, text)
    }

    /// A statement that each must be told in its own words.
    pub(crate) fn either(&mut self, sqlite: &'static str, postgres: &'static str) -> Statement<'_> {
        match self {
            Self::Sqlite(connection) => Statement::Sqlite(connection, sqlx::query(sqlite)),
            Self::SqliteTransaction(connection) => Statement::Sqlite(connection, sqlx::query(sqlite)),
            Self::Postgres(connection) => Statement::Postgres(connection, sqlx::query(postgres)),
        }
    }

    /// Stores the transaction.
    pub(crate) async fn commit(self, doing: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::SqliteTransaction(transaction) => transaction.commit().await,
            Self::Postgres(mut connection) => connection.end("COMMIT").await,
        }
        .map_err(Error::during(doing))
    }

    /// Takes the transaction back; that also happens by itself, but leaves `PostgreSQL` without the connection.
    pub(crate) async fn rollback(self, doing: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::SqliteTransaction(transaction) => transaction.rollback().await,
            Self::Postgres(mut connection) => connection.end("ROLLBACK").await,
        }
        .map_err(Error::during(doing))
    }
}

type Query<D, A> = sqlx::query::Query<'static, D, A>;

/// A statement, its parameters, and where it will run.
pub(crate) enum Statement<'c> {
    Sqlite(&'c mut SqliteConnection, Query<Sqlite, SqliteArguments>),
    Postgres(&'c mut postgres::Connection, Query<Postgres, PgArguments>),
}

impl Statement<'_> {
    /// Gives the next parameter a value.
    pub(crate) fn bind<'t, T>(self, value: T) -> Self
    where
        T: Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(connection, query) => Self::Sqlite(connection, query.bind(value)),
            Self::Postgres(connection, query) => Self::Postgres(connection, query.bind(value)),
        }
    }

    /// Gives the next parameter words that may come from outside.
    pub(crate) fn bind_words<'t>(self, words: impl Into<Option<&'t str>>) -> Self {
        self.bind(words.into().map(without_nul))
    }

    /// Runs it; the number of rows it wrote.
    pub(crate) async fn execute(self, doing: &'static str) -> Result<u64, Error> {
        match self {
            Self::Sqlite(connection, query) => {
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Self::Postgres(connection, query) => connection.execute(query).await,
        }
        .map_err(Error::during(doing))
    }

    /// Runs it; all its rows.
    pub(crate) async fn rows(self, doing: &'static str) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(connection, query) => {
                query.fetch_all(connection).await.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(connection, query) => {
                connection.rows(query).await.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        }
        .map_err(Error::during(doing))
    }

    /// Runs it; its row, if it has one.
    pub(crate) async fn row_if(self, doing: &'static str) -> Result<Option<Row>, Error> {
        Ok(self.rows(doing).await?.into_iter().next())
    }

    /// Runs it; its row, which it has.
    pub(crate) async fn row(self, doing: &'static str) -> Result<Row, Error> {
        self.row_if(doing).await?.ok_or_else(|| Error::during(doing)(sqlx::Error::RowNotFound))
    }
}

/// `PostgreSQL` has no NUL in a text: none gets in, or the batch that it is in could never be stored.
pub(crate) fn without_nul(words: &str) -> Cow<'_, str> {
    if words.contains('\0') { words.replace('\0', "\u{fffd}").into() } else { words.into() }
}

/// A row of either.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A column as the type asked for.
    pub(crate) fn get<'r, T>(&'r self, column: &str) -> Result<T, sqlx::Error>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}
