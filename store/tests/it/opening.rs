//! A database is made, found again, and refused when it is newer than the program.

use crate::made::{Made, changes, opened};
use crate::place::{On, Place, on_both};
use store::{Error, Store};

on_both!(
    the_first_key_stays_the_databases_own,
    a_database_newer_than_the_program_is_refused_with_words,
    two_programs_may_open_a_new_database_at_the_same_moment,
    looking_changes_nothing_and_says_what_is_there,
);

async fn the_first_key_stays_the_databases_own(on: On) {
    let made = Made::new(on).await;
    let first = made.store.remember(crate::made::at(0)).await.unwrap().key;
    let again = made.again().await.store.remember(crate::made::at(0)).await.unwrap().key;
    assert_eq!((first.0, again.0), ([1; 32], [1; 32]));
}

async fn a_database_newer_than_the_program_is_refused_with_words(on: On) {
    let made = Made::new(on).await;
    made.place
        .tell(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT (SELECT max(version) + 1 FROM _sqlx_migrations), 'later', success, checksum, 0
             FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    let refused = Store::open(&made.place.url(), [9; 32]).await.unwrap_err();
    assert!(matches!(refused, Error::Newer { found: 15, known: 14 }), "{refused:?}");
    assert!(refused.to_string().contains("run the newer program"), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curiad.db");
    std::fs::write(&path, "Shopping list: bara, llaeth, menyn. ".repeat(50)).unwrap();
    let refused = Store::open(&format!("sqlite://{}", path.display()), [1; 32]).await.unwrap_err();
    assert!(matches!(refused, Error::Corrupt { .. }), "{refused:?}");
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_as_it_was() {
    use sqlx::Connection as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let url = format!("sqlite://{}", path.display());
    let mut other = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
    sqlx::query("CREATE TABLE x (y)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    for error in [Store::open(&url, [1; 32]).await.unwrap_err(), store::examine(&url).await.unwrap_err()] {
        assert!(matches!(error, Error::Foreign), "{error:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_unavailable() {
    let refused = Store::open("sqlite:///nowhere/at/all/curiad.db", [1; 32]).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }), "{refused:?}");
}

async fn two_programs_may_open_a_new_database_at_the_same_moment(on: On) {
    let place = Place::new(on).await;
    let url = place.url();
    let (one, two) = tokio::join!(Store::open(&url, [1; 32]), Store::open(&url, [2; 32]));
    let one = one.unwrap().remember(crate::made::at(0)).await.unwrap();
    let two = two.unwrap().remember(crate::made::at(0)).await.unwrap();
    assert_eq!(one.key.0, two.key.0);
}

#[tokio::test]
async fn a_database_in_memory_is_one_database() {
    let store = Store::open("sqlite::memory:", [1; 32]).await.unwrap();
    store.record(&changes([opened(1, "results")])).await.unwrap();
    assert_eq!(store.counts().await.unwrap().incidents_open, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn others_on_the_machine_cannot_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let made = Made::new(On::Sqlite).await;
    let path = made.place.path().display().to_string();
    for file in [path.clone(), format!("{path}-wal")] {
        let bits = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(bits & 0o077, 0, "{file}: {bits:o}");
    }
}

#[tokio::test]
async fn looking_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("curiad.db").display());
    assert!(matches!(store::examine(&url).await, Err(Error::Unavailable { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

async fn looking_changes_nothing_and_says_what_is_there(on: On) {
    let place = Place::new(on).await;
    let url = place.url();
    if on == On::Postgres {
        let empty = store::examine(&url).await.unwrap();
        assert_eq!((empty.schema, empty.last), (0, None), "it was not made");
        assert!(empty.server.is_some_and(|version| version >= 150_000));
    }
    let store = place.open([1; 32]).await;
    let seen = store::examine(&url).await.unwrap();
    assert_eq!((seen.schema, seen.first, seen.last), (seen.known, None, None));
    assert!(seen.bytes > 0);
    store.record(&crate::made::outcomes([crate::made::passed(&crate::made::read(), 0)])).await.unwrap();
    let seen = store::examine(&url).await.unwrap();
    assert_eq!(seen.last, Some(crate::made::at(0)));
    assert!(seen.first.is_some_and(|first| first <= crate::made::at(0)));
    place.tell("UPDATE _sqlx_migrations SET version = 4711 WHERE version = 2").await;
    assert_eq!(store::examine(&url).await.unwrap().schema, 4711, "a newer one is looked at and not refused");
}
