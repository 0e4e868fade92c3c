//! `curiad history`: what was measured is proved, given to other programs, and let go of.

use crate::{
    database::{On, on_both},
    outage::place_on,
    program::{Place, world, zone},
};
use domain::{ApiId, CheckId, Environment, InstanceId, OperationId, Outcome, VantageId, Verdict};
use jiff::{SignedDuration, Timestamp};
use std::{process::Stdio, sync::Arc, time::Duration};
use store::{Batch, Store};

on_both!(
    the_tables_can_be_made_before_anything_is_started,
    tables_whose_making_was_killed_are_made_by_the_next,
    what_was_measured_is_proved_and_what_is_damaged_is_named,
    what_was_measured_can_be_had_for_a_spreadsheet_and_for_prometheus,
    what_is_kept_no_more_goes_when_it_is_told_to,
);

/// Already the next day in London.
const BEGINS: &str = "2026-06-01T23:30:00Z";

fn probe(second: i64, verdict: Verdict) -> (Arc<Outcome>, Verdict) {
    let instance =
        InstanceId { api: ApiId::parse("results").expect("an id"), environment: Environment::Production };
    let check = CheckId { instance, operation: OperationId::parse("ping").expect("an id") };
    let begins: Timestamp = BEGINS.parse().expect("a time");
    let at = begins + SignedDuration::from_millis(1_001 * second);
    let mut outcome = Outcome::new(check, VantageId::parse("internet").expect("an id"), at);
    outcome.total = Duration::from_micros(64 * 1_000);
    (Arc::new(outcome), verdict)
}

fn one(second: i64) -> Batch {
    Batch { outcomes: vec![probe(second, Verdict::Pass)], ..Batch::default() }
}

async fn what_is_kept_no_more_goes_when_it_is_told_to(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let store = measured(&place).await;
    // Time counts on from what was measured last.
    let yesterday = crate::program::now() - SignedDuration::from_hours(24);
    let begins: Timestamp = BEGINS.parse().expect("a time");
    store.record(&one(yesterday.duration_since(begins).as_secs())).await.expect("recorded");
    while store.seal(crate::program::now(), 9).await.expect("sealed").tracks > 0 {}
    while store.roll_up(crate::program::now(), &zone(), 9).await.expect("rolled up") > 0 {}
    store.close().await;
    let samples = async || {
        let ran = place.run(&["history", "verify", "--json"]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()["samples"].clone()
    };
    assert_eq!(samples().await, 5);
    let room = place.run(&["history", "room", "--json"]).await.json();
    assert_eq!(room["samples"], 5);
    for kind in ["sealed", "failures", "days", "other"] {
        assert!(room["by_kind"][kind].as_u64().is_some_and(|bytes| bytes > 0), "{kind}: {room}");
    }
    let said = place.run(&["history", "room"]).await.out;
    assert!(said.contains("samples in sealed hours") && said.ends_with("samples 5\n"), "{said}");
    let ran = place.run(&["history", "prune", "--dry-run"]).await;
    let said = "production: samples 4 in days 1, of which sums of hours stay; days of hours 0; months of days 0; \
                failures in full 0\nthat is kept no more; nothing was changed\n";
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), said), "{ran:?}");
    assert_eq!(samples().await, 5, "nothing went");
    let ran = place.run(&["history", "prune", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let went = &ran.json()["environments"]["production"];
    assert_eq!((&went["samples"], &went["failures"]), (&4.into(), &0.into()), "{ran:?}");
    assert_eq!(samples().await, 1);
    assert_eq!(place.run(&["history", "prune"]).await.out, "all that is there is to be kept\n");
    world.stop().await;
}

/// Three probes of one check, of which the last failed, and a fourth of which nothing is known.
async fn measured(place: &Place) -> Store {
    let store = Store::open(&place.url, [0; 32]).await.expect("the database");
    let verdicts = [Verdict::Pass, Verdict::Slow, Verdict::Fail, Verdict::Inconclusive];
    let outcomes =
        verdicts.into_iter().zip(0..).map(|(verdict, number)| probe(10 * number, verdict)).collect();
    store.record(&Batch { outcomes, ..Batch::default() }).await.expect("recorded");
    store
}

async fn the_tables_can_be_made_before_anything_is_started(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let ran = place.run(&["migrate"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.starts_with("the tables are of version ") && ran.out.contains("they were of 0"),
        "{ran:?}"
    );
    let ran = place.run(&["migrate", "--json"]).await.json();
    assert!(ran["now"].as_u64().is_some_and(|now| now > 0) && ran["before"] == ran["now"], "{ran}");
    assert!(place.run(&["migrate"]).await.out.contains("up to date"));
    assert_eq!(
        place.run(&["history", "verify"]).await.code,
        Some(0),
        "nothing was measured, and all of it is there"
    );
    world.stop().await;
}

/// A kill this long after the start falls before, into or after the making.
const KILLED_AFTER_MS: [u64; 8] = [5, 20, 40, 60, 80, 120, 180, 300];

async fn tables_whose_making_was_killed_are_made_by_the_next(on: On) {
    let world = world().await;
    for after in KILLED_AFTER_MS {
        let place = place_on(on, &world);
        let mut command = place.command(&["migrate"]);
        let mut making = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        tokio::time::sleep(Duration::from_millis(after)).await;
        making.kill().expect("killed");
        making.wait().expect("ended");
        let ran = place.run(&["migrate"]).await;
        assert_eq!(ran.code, Some(0), "{after} ms: {ran:?}");
        measured(&place).await.close().await;
        let ran = place.run(&["history", "verify"]).await;
        assert!(ran.code == Some(0) && ran.out.contains("samples 4"), "{after} ms: {ran:?}");
    }
    world.stop().await;
}

async fn what_was_measured_is_proved_and_what_is_damaged_is_named(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    let store = measured(&place).await;
    let ran = place.run(&["history", "verify"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.contains("samples 4, in sealed hours 0") && ran.out.contains("nothing is lost"),
        "{ran:?}"
    );
    let later: Timestamp = "2026-06-03T00:00:00Z".parse().expect("a time");
    store.seal(later, 9).await.expect("sealed");
    store.roll_up(later, &zone(), 9).await.expect("rolled up");
    let ran = place.run(&["history", "verify", "--json"]).await;
    let said = ran.json();
    assert_eq!(
        (ran.code, &said["ok"], &said["days"], &said["hours"]),
        (Some(0), &true.into(), &1.into(), &1.into())
    );

    // As by a program that was told of another place.
    store.record(&one(60)).await.expect("recorded");
    store.seal(later, 9).await.expect("sealed");
    store.roll_up(later, &jiff::tz::TimeZone::UTC, 9).await.expect("rolled up");
    let ran = place.run(&["history", "verify"]).await;
    assert_eq!(ran.code, Some(65), "{ran:?}");
    for words in ["results/production/ping from internet", "2026-06-02 says 4 samples, its hours hold 5"] {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    assert!(ran.err.contains("the history is not as it should be"), "{ran:?}");
    let ran = place.run(&["history", "verify", "--json"]).await;
    assert_eq!((ran.code, &ran.json()["ok"]), (Some(65), &false.into()));
    world.stop().await;
}

async fn what_was_measured_can_be_had_for_a_spreadsheet_and_for_prometheus(on: On) {
    let world = world().await;
    let place = place_on(on, &world);
    measured(&place).await.close().await;
    let export = async |more: &[&str]| {
        let range = ["history", "export", "--from", BEGINS, "--to", "2026-06-02T00:00:00Z"];
        place.run(&[&range[..], more].concat()).await
    };
    let ran = export(&["--format", "csv"]).await;
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(
        lines,
        [
            "api,environment,operation,vantage,at,verdict,connection,total_ms",
            "results,production,ping,internet,2026-06-01T23:30:00.000Z,pass,fresh,64.000",
            "results,production,ping,internet,2026-06-01T23:30:10.010Z,slow,fresh,64.000",
            "results,production,ping,internet,2026-06-01T23:30:20.020Z,fail,fresh,64.000",
            "results,production,ping,internet,2026-06-01T23:30:30.030Z,inconclusive,fresh,64.000",
        ]
    );
    let ran = export(&["--format", "openmetrics"]).await;
    let labels = "{api=\"results\",environment=\"production\",operation=\"ping\",vantage=\"internet\"}";
    let expected = format!(
        "# TYPE probe_success gauge
# HELP probe_success Whether the probe passed, slowly or not; absent where nothing could be told.
probe_success{labels} 1 1780356600.000
probe_success{labels} 1 1780356610.010
probe_success{labels} 0 1780356620.020
# TYPE probe_duration_seconds gauge
# UNIT probe_duration_seconds seconds
# HELP probe_duration_seconds How long the probe took.
probe_duration_seconds{labels} 0.064 1780356600.000
probe_duration_seconds{labels} 0.064 1780356610.010
probe_duration_seconds{labels} 0.064 1780356620.020
probe_duration_seconds{labels} 0.064 1780356630.030
# EOF
"
    );
    assert_eq!(ran.out, expected);
    for (wrong, words) in [
        (&["--format", "csv", "--api", "moon"][..], "nothing of that was ever measured"),
        (&["--format", "csv", "--environment", "moon"][..], "there is no environment 'moon'"),
    ] {
        let ran = export(wrong).await;
        assert!(ran.code == Some(64) && ran.err.contains(words), "{wrong:?}: {ran:?}");
    }
    world.stop().await;
}
