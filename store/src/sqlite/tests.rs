use super::*;

#[tokio::test]
async fn a_commit_survives_a_loss_of_power() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("curiad.db").display());
    let Pools { writer, reader, .. } = Pools::open(&url).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&writer).await.unwrap();
    assert_eq!(journal, "wal");
    let full: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&writer).await.unwrap();
    assert_eq!(full, 2);
    let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&writer).await.unwrap();
    assert_eq!(keys, 1);
    let refused = sqlx::query("CREATE TABLE t (n INTEGER)").execute(&reader).await.unwrap_err();
    let said = refused.into_database_error().unwrap();
    assert_eq!(trouble(said.as_ref()), Trouble::Unavailable, "a reader does not write: {said}");
}

#[tokio::test]
async fn a_transaction_that_a_full_disk_took_back_leaves_the_next_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("curiad.db").display());
    let Pools { writer, .. } = Pools::open(&url).await.unwrap();
    sqlx::query("CREATE TABLE t (b BLOB NOT NULL) STRICT").execute(&writer).await.unwrap();
    let mut transaction = writer.begin_with(begin(Purpose::Write)).await.unwrap();
    // As SQLite does when it cannot go on: the transaction is over, and sqlx does not know.
    sqlx::raw_sql("ROLLBACK").execute(&mut *transaction).await.unwrap();
    drop(transaction);
    writer.begin_with(begin(Purpose::Write)).await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn what_can_be_done_about_it_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("curiad.db").display());
    let Pools { writer, .. } = Pools::open(&url).await.unwrap();
    let Pools { writer: other, .. } = Pools::open(&url).await.unwrap();
    let done = async |pool: &Pool, sql: &'static str| sqlx::query(sql).execute(pool).await;
    let means = async |sql| {
        let said = done(&writer, sql).await.unwrap_err();
        trouble(said.into_database_error().unwrap().as_ref())
    };
    done(&writer, "CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB NOT NULL)").await.unwrap();
    assert_eq!(means("INSERT INTO t (n) VALUES (1)").await, Trouble::Refused);
    assert_eq!(means("INSERT INTO nowhere VALUES (1)").await, Trouble::Other);
    done(&writer, "PRAGMA max_page_count = 8").await.unwrap();
    assert_eq!(means("INSERT INTO t VALUES (1, zeroblob(100000))").await, Trouble::Full);
    done(&writer, "PRAGMA busy_timeout = 0").await.unwrap();
    let held = other.begin_with(begin(Purpose::Write)).await.unwrap();
    assert_eq!(means("INSERT INTO t VALUES (2, x'00')").await, Trouble::Busy);
    held.rollback().await.unwrap();
}
