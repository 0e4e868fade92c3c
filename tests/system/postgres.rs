//! Databases of a test's own, on the server that `tests/postgres` has started.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// One database; it goes with this.
#[derive(Debug)]
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// A new and empty one.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("story_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        tell(&format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let server = server();
        let (server, _) = server.rsplit_once('/').expect("a URL names a database");
        format!("{server}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        tell(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn tell(statement: &str) {
    let told = Command::new("psql").args([&server(), "-qXc", statement]).output().expect("psql runs");
    assert!(told.status.success(), "{statement}: {}", String::from_utf8_lossy(&told.stderr));
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its script where the server is")]
fn server() -> String {
    std::env::var("CURIAD_TEST_POSTGRES").expect("no PostgreSQL: run `tests/postgres cargo test --workspace`")
}
