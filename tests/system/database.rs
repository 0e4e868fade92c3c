//! The database of a story: a file, or one of the server that `tests/postgres` started.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    process::{Command, Stdio},
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// Each of these stories once on either: `NAME::sqlite` and `NAME::postgres`. `tests/run quick` leaves the second out where
/// there is no server.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                super::$name($crate::database::On::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                super::$name($crate::database::On::Postgres).await;
            }
        })+
    };
}
pub(crate) use on_both;

/// An empty database of the server. It goes when this goes.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) url: String,
    name: String,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        let name = format!("t_{:016x}", RandomState::new().build_hasher().finish());
        let server = server();
        let (before, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{before}/{name}");
        assert!(tell(&format!("CREATE DATABASE {name}")), "{name} was not made");
        Self { url, name }
    }

    /// All that is in it, as SQL; what is bytes as they are.
    pub(crate) fn dump(&self) -> String {
        let mut dump = Command::new("pg_dump");
        let dumped = dump.env("PGOPTIONS", "-c bytea_output=escape").arg(&self.url).output();
        let dumped = dumped.expect("pg_dump runs");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8_lossy(&dumped.stdout).into_owned()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Otherwise it goes with the server.
        let _gone = tell(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its script where the server is")]
pub(crate) fn server() -> String {
    std::env::var("CURIAD_TEST_POSTGRES").expect("no PostgreSQL: run `tests/postgres cargo test --workspace`")
}

/// The same URL by way of the server's Unix socket, which no network namespace hides.
#[expect(clippy::disallowed_methods, reason = "a test is told by its script where the socket is")]
pub(crate) fn by_socket(url: &str) -> String {
    let socket = std::env::var("CURIAD_TEST_POSTGRES_SOCKET").expect("no socket: run `tests/postgres …`");
    format!("{url}?host={socket}")
}

/// `psql` comes with the server, as `pg_dump` does.
fn tell(sql: &str) -> bool {
    Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--command", sql, &by_socket(&server())])
        .stdin(Stdio::null())
        .status()
        .expect("psql runs")
        .success()
}
