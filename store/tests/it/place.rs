//! Where a database of a test is: a file, or one of the server that `tests/postgres` started.

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};
use sqlx::{
    AssertSqlSafe, Connection as _, FromRow, PgConnection, SqliteConnection, postgres::PgRow,
    sqlite::SqliteRow,
};
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    path::PathBuf,
};
use store::Store;
use tempfile::TempDir;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// Each of these tests once on either: `NAME::sqlite` and `NAME::postgres`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test]
            async fn sqlite() {
                super::$name($crate::place::On::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name($crate::place::On::Postgres).await;
            }
        })+
    };
}
pub(crate) use on_both;

/// Tries 48 random cases on `SQLite`, 16 on `PostgreSQL`, where making a database takes long.
pub(crate) fn random<S: Strategy>(
    on: On,
    strategy: &S,
    case: impl AsyncFn(On, S::Value) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cases = if on == On::Sqlite { 48 } else { 16 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(strategy, |value| runtime.block_on(case(on, value))).unwrap();
}

/// A database, which goes when this goes.
#[derive(Debug)]
pub(crate) enum Place {
    File(TempDir),
    Server { name: String },
}

impl Place {
    /// An empty one.
    pub(crate) async fn new(on: On) -> Self {
        match on {
            On::Sqlite => Self::File(tempfile::tempdir().unwrap()),
            On::Postgres => {
                let name = format!("t_{:016x}", RandomState::new().build_hasher().finish());
                told(&server(), &format!("CREATE DATABASE {name}")).await;
                Self::Server { name }
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(_) => format!("sqlite://{}", self.path().display()),
            Self::Server { name } => {
                let server = server();
                let (before, _) = server.rsplit_once('/').expect("a URL with a database");
                format!("{before}/{name}")
            }
        }
    }

    /// The file of a database that is one.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join("curiad.db"),
            Self::Server { name } => panic!("{name} is no file"),
        }
    }

    pub(crate) async fn open(&self, fresh_key: [u8; 32]) -> Store {
        Store::open(&self.url(), fresh_key).await.unwrap()
    }

    /// Changes something, round the store.
    pub(crate) async fn tell(&self, sql: &str) {
        match self {
            Self::File(_) => {
                let mut raw = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.unwrap();
                raw.close().await.unwrap();
            }
            Self::Server { .. } => told(&self.url(), sql).await,
        }
    }

    /// Asks something, round the store.
    pub(crate) async fn ask<T>(&self, sql: &'static str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        match self {
            Self::File(_) => {
                let mut raw = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::query_as(sql).fetch_all(&mut raw).await.unwrap()
            }
            Self::Server { .. } => {
                let mut raw = PgConnection::connect(&self.url()).await.unwrap();
                sqlx::query_as(sql).fetch_all(&mut raw).await.unwrap()
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Server { name } = self {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            // The test's own runtime is not to be waited for here; the server goes soon, whatever becomes of this.
            let gone = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(told(&server(), &drop));
            });
            gone.join().ok();
        }
    }
}

/// The server's own database.
#[expect(clippy::disallowed_methods, reason = "a test is told by its script where the server is")]
pub(crate) fn server() -> String {
    std::env::var("CURIAD_TEST_POSTGRES").expect("no PostgreSQL: run `tests/postgres cargo test --workspace`")
}

async fn told(url: &str, sql: &str) {
    let mut raw = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}
