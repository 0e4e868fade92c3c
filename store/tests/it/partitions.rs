//! On `PostgreSQL` what grows with every probe is kept in partitions by time, and goes with them.

use crate::made::{at, failed, outcomes, pass, passed, read};
use crate::place::{On, Place};
use domain::{Environment, Keep, Retention};
use jiff::tz::TimeZone;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use store::{Error, Partitioned, Store};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// How many rows each partition has that has any.
async fn rows(place: &Place) -> Vec<(String, i64)> {
    place
        .ask(
            "SELECT tableoid::regclass::text, count(*) FROM outcome GROUP BY tableoid
             UNION ALL SELECT tableoid::regclass::text, count(*) FROM sealed GROUP BY tableoid
             UNION ALL SELECT tableoid::regclass::text, count(*) FROM failure GROUP BY tableoid ORDER BY 1",
        )
        .await
}

fn named<const N: usize>(rows: [(&str, i64); N]) -> Vec<(String, i64)> {
    rows.map(|(name, rows)| (name.to_owned(), rows)).to_vec()
}

async fn verified(store: &Store) -> u64 {
    let verified = store.verify(&read(), &TimeZone::UTC).await.unwrap();
    assert_eq!(verified.problems, [] as [String; 0]);
    verified.samples
}

/// One pass an hour of ten days from the 21st of September on, and one failure each day.
async fn ten_days(store: &Store) {
    let passes = (0..10 * 24).map(|hour| pass(&read(), hour * HOUR, 7));
    let failures = (0..10).map(|day| failed(&read(), day * DAY + 60_000));
    store.record(&outcomes(passes.chain(failures))).await.unwrap();
}

async fn sealed_to_the_end(store: &Store) {
    while store.seal(at(99 * DAY), 9).await.unwrap().tracks > 0 {}
    while store.roll_up(at(99 * DAY), &TimeZone::UTC, 9).await.unwrap() > 0 {}
}

#[tokio::test]
async fn a_day_of_rows_and_a_month_of_blocks_go_as_a_whole() {
    let place = Place::new(On::Postgres).await;
    let store = place.open([1; 32]).await;
    // Eight days of rows, three months of blocks and of failures.
    assert_eq!(store.partition(at(0)).await.unwrap(), Partitioned { made: 14, dropped: 0 });
    assert_eq!(store.partition(at(HOUR)).await.unwrap(), Partitioned::default(), "all is made");
    assert_eq!(store.partition(at(2 * DAY)).await.unwrap(), Partitioned { made: 2, dropped: 1 });
    ten_days(&store).await;
    let of_day = |day: i64| (format!("outcome_202609{day}"), if day == 21 { 11 } else { 25 });
    let found = rows(&place).await;
    assert!(found.contains(&of_day(24)), "{found:?}");
    assert!(
        found.contains(&("outcome_default".to_owned(), 25)),
        "that has gone, this is not made: {found:?}"
    );
    assert!(found.contains(&("failure_202609".to_owned(), 10)), "{found:?}");

    sealed_to_the_end(&store).await;
    assert_eq!(
        rows(&place).await,
        named([("failure_202609", 10), ("sealed_202609", 226), ("sealed_202610", 14)])
    );
    assert_eq!(verified(&store).await, 250);
    let dropped = store.partition(at(12 * DAY)).await.unwrap().dropped;
    assert_eq!(dropped, 9, "those of rows, to the first of October");

    // September's failures and blocks are let go of: their partitions go, and nothing else.
    let retention = Retention { samples: Keep::Days(0), failures: Keep::Days(0), ..Retention::default() };
    while store.prune(Environment::Production, &retention, at(12 * DAY), 9).await.unwrap() > 0 {}
    let dropped = store.partition(at(12 * DAY)).await.unwrap();
    assert_eq!(dropped, Partitioned { made: 0, dropped: 2 });
    let left: Vec<(String,)> = place
        .ask(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '_2026(09|10)$' ORDER BY 1",
        )
        .await;
    assert_eq!(
        left.iter().map(|(name,)| name.as_str()).collect::<Vec<_>>(),
        ["failure_202610", "sealed_202610"]
    );
    assert_eq!(verified(&store).await, 0);
    let range = at(-DAY)..at(12 * DAY);
    let days = store.rollups(&[read().check], None, range, &TimeZone::UTC).await.unwrap();
    assert_eq!(days[0].sum(..).samples(), 250, "as sums");
}

#[tokio::test]
async fn what_was_kept_before_its_partition_was_made_stays_where_it_is_and_is_read() {
    let place = Place::new(On::Postgres).await;
    let store = place.open([1; 32]).await;
    ten_days(&store).await;
    assert_eq!(rows(&place).await, named([("failure_default", 10), ("outcome_default", 250)]));
    // The eight days, and the month of the failures, are in the default one.
    assert_eq!(store.partition(at(0)).await.unwrap(), Partitioned { made: 5, dropped: 0 });
    sealed_to_the_end(&store).await;
    assert_eq!(
        rows(&place).await,
        named([("failure_default", 10), ("sealed_202609", 226), ("sealed_202610", 14)])
    );
    assert_eq!(verified(&store).await, 250);
    assert_eq!(
        store.partition(at(0)).await.unwrap(),
        Partitioned { made: 8, dropped: 0 },
        "the days are free now"
    );
}

#[tokio::test]
async fn a_partition_in_use_is_waited_for_half_a_second_and_no_longer() {
    let place = Place::new(On::Postgres).await;
    let store = place.open([1; 32]).await;
    let mut raw = PgConnection::connect(&place.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE outcome IN ACCESS SHARE MODE").execute(&mut raw).await.unwrap();
    let refused = store.partition(at(0)).await;
    assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
    sqlx::raw_sql("COMMIT").execute(&mut raw).await.unwrap();
    assert_eq!(store.partition(at(0)).await.unwrap().made, 14);
    raw.close().await.unwrap();
}

#[tokio::test]
async fn no_other_table_can_be_dropped_or_parted_by_those_functions() {
    let place = Place::new(On::Postgres).await;
    place.open([1; 32]).await.close().await;
    let mut raw = PgConnection::connect(&place.url()).await.unwrap();
    for call in [
        "SELECT drop_partition('outcome', 'meta')",
        "SELECT drop_partition('outcome', 'outcome_default')",
        "SELECT drop_partition('meta', 'meta')",
        "SELECT drop_partition('sealed', 'outcome_default')",
        "SELECT make_partition('meta', 'meta_202601', 1, 2)",
        "SELECT make_partition('outcome', 'outcome_default', 1, 2)",
        "SELECT make_partition('outcome', 'incident', 1, 2)",
    ] {
        let refused = sqlx::raw_sql(call).execute(&mut raw).await.unwrap_err();
        assert!(refused.to_string().contains("not a partition of ours"), "{call}: {refused}");
    }
    raw.close().await.unwrap();
}

/// The schema as it was before partitions.
async fn of_version_13(place: &Place) {
    let folder = format!("{}/../migrations/postgres", env!("CARGO_MANIFEST_DIR"));
    let mut steps: Vec<Migration> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter_map(|path| {
            let (number, name) = path.file_stem()?.to_str()?.split_once('_')?;
            let (number, name) = (number.parse().ok()?, name.to_owned());
            let text = AssertSqlSafe(std::fs::read_to_string(&path).unwrap()).into_sql_str();
            Some(Migration::new(number, name.into(), MigrationType::Simple, text, false))
        })
        .filter(|step| step.version <= 13)
        .collect();
    steps.sort_by_key(|step| step.version);
    let mut raw = PgConnection::connect(&place.url()).await.unwrap();
    Migrator::with_migrations(steps).run(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

#[tokio::test]
async fn a_history_from_before_is_kept_and_who_might_use_it_still_may() {
    let place = Place::new(On::Postgres).await;
    of_version_13(&place).await;
    place
        .tell(
            "INSERT INTO track (id, api, environment, operation, vantage)
                 VALUES (1, 'results', 'production', 'read', 'internet');
             INSERT INTO outcome (minute, track, ms, total, verdict) VALUES (29833333, 1, 20000, 1000, 2);
             INSERT INTO failure (track, at, verdict, confirm, total) VALUES (1, 1790000000000, 2, false, 7);
             DO $$ BEGIN CREATE ROLE wrote_before; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
             GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO wrote_before",
        )
        .await;
    // Blocks made by a store of its own, for there is no other way to make one.
    let other = Place::new(On::Postgres).await;
    let made = other.open([1; 32]).await;
    made.record(&outcomes([passed(&read(), -DAY), passed(&read(), -2 * DAY)])).await.unwrap();
    sealed_to_the_end(&made).await;
    for (slot, block) in other.ask::<(i64, String)>("SELECT slot, encode(block, 'hex') FROM sealed").await {
        place
            .tell(&format!(
                "INSERT INTO sealed VALUES ({slot}, 1, '\\x{block}');
                 INSERT INTO unrolled (hour, track) VALUES ({slot} & 4194303, 1)"
            ))
            .await;
    }
    made.close().await;

    let store = place.open([1; 32]).await;
    let before = named([("failure_before", 1), ("outcome_default", 1), ("sealed_before", 2)]);
    assert_eq!(rows(&place).await, before);
    let samples = store.samples(&read().check, None, at(-3 * DAY), at(DAY), 9).await.unwrap();
    assert_eq!(samples.iter().map(|one| one.at).collect::<Vec<_>>(), [at(-2 * DAY), at(-DAY), at(0)]);
    let rights: Vec<(bool,)> = place
        .ask(
            "SELECT bool_and(has_table_privilege('wrote_before', name, 'INSERT'))
                    AND NOT bool_or(has_table_privilege('wrote_before', name, 'DELETE'))
                    AND has_function_privilege('wrote_before', 'drop_partition(text, text)', 'EXECUTE')
             FROM unnest(ARRAY['outcome', 'sealed', 'failure']) AS name",
        )
        .await;
    assert_eq!(rights, [(true,)]);
    // September is in those from before; they go when they are empty.
    assert_eq!(store.partition(at(0)).await.unwrap(), Partitioned { made: 11, dropped: 0 });
    sealed_to_the_end(&store).await;
    assert_eq!(verified(&store).await, 3);
    let retention = Retention { samples: Keep::Days(0), failures: Keep::Days(0), ..Retention::default() };
    while store.prune(Environment::Production, &retention, at(45 * DAY), 9).await.unwrap() > 0 {}
    let left = rows(&place).await;
    assert!(left.is_empty(), "{left:?}");
    store.partition(at(45 * DAY)).await.unwrap();
    let from_before: Vec<(String,)> =
        place.ask("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '_before$'").await;
    assert_eq!(from_before, []);
}
