//! Users of a server who may only do what they must: one who makes the tables, one who writes, one who reads.

use crate::made::{at, outcomes, pass, read};
use crate::own_server::Server;
use domain::{Message, Told};
use jiff::tz::TimeZone;
use sqlx::{Connection as _, PgConnection};
use store::{Error, Store};

const HOUR: i64 = 3_600_000;

mod who_writes_makes_no_tables_and_who_reads_writes_nothing {
    #[tokio::test]
    async fn postgres() {
        super::who_writes_makes_no_tables_and_who_reads_writes_nothing().await;
    }
}

async fn who_writes_makes_no_tables_and_who_reads_writes_nothing() {
    let server = Server::start();
    let mut raw = PgConnection::connect(&server.url).await.unwrap();
    let told =
        async |raw: &mut PgConnection, sql: &'static str| sqlx::raw_sql(sql).execute(raw).await.unwrap();
    told(&mut raw, "CREATE ROLE migrator LOGIN; CREATE ROLE writer LOGIN; CREATE ROLE reader LOGIN").await;
    told(&mut raw, "CREATE DATABASE rooms OWNER migrator").await;
    let url = |user: &str| {
        let (server, _) = server.url.rsplit_once('/').unwrap();
        let (_, host) = server.rsplit_once('@').unwrap_or_else(|| server.split_once("://").unwrap());
        format!("postgres://{user}@{host}/rooms")
    };
    let refused = Store::open(&url("writer"), [1; 32]).await.unwrap_err();
    assert!(matches!(refused, Error::Denied { .. }), "{refused:?}");
    assert!(refused.to_string().contains("curiad migrate"), "{refused}");
    Store::open(&url("migrator"), [1; 32]).await.unwrap().close().await;
    let mut owner = PgConnection::connect(&url("migrator")).await.unwrap();
    // As the README says.
    told(&mut owner, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer").await;
    told(&mut owner, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO writer").await;
    told(&mut owner, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader").await;
    let writer = Store::open(&url("writer"), [2; 32]).await.unwrap();
    let refused = writer.partition(at(0)).await.unwrap_err();
    assert!(refused.to_string().contains("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO"), "{refused}");
    told(&mut owner, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO writer").await;
    assert_eq!(writer.partition(at(0)).await.unwrap().made, 14);
    writer.close().await;

    let writer = Store::open(&url("writer"), [2; 32]).await.unwrap();
    assert!(writer.take(&writer.lease().await.unwrap(), "writer").await.unwrap());
    writer.record(&outcomes([pass(&read(), 0, 7), pass(&read(), HOUR, 8)])).await.unwrap();
    writer
        .tell(&Told {
            at: at(0),
            what: Message::Answer { reference: "x".to_owned(), answer: domain::Answer::Mine, by: None },
        })
        .await
        .unwrap();
    while writer.seal(at(99 * HOUR), 9).await.unwrap().tracks > 0 {}
    assert_eq!(writer.roll_up(at(99 * HOUR), &TimeZone::UTC, 9).await.unwrap(), 1);
    let retention = domain::Retention { samples: domain::Keep::Days(0), ..domain::Retention::default() };
    assert_eq!(writer.prune(domain::Environment::Production, &retention, at(99 * HOUR), 9).await.unwrap(), 1);

    let reader = Store::open(&url("reader"), [3; 32]).await.unwrap();
    let range = at(-HOUR)..at(99 * HOUR);
    let days = reader.rollups(&[read().check], None, range, &TimeZone::UTC).await.unwrap();
    assert_eq!(days[0].sum(..).samples(), 2);
    assert_eq!(reader.verify(&read(), &TimeZone::UTC).await.unwrap().problems, [] as [String; 0]);
    let refused = reader.record(&outcomes([pass(&read(), 3 * HOUR, 7)])).await;
    assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
    raw.close().await.unwrap();
}
