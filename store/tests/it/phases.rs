//! How long the phases of good answers took is known by the hour, and never of more answers than there were.

use crate::made::{Made, at, outcomes, read, results, track_id};
use crate::place::{On, on_both};
use domain::{Environment, Keep, Outcome, PhaseSums, Phases, Retention, Verdict};
use jiff::{Timestamp, civil::date, tz::TimeZone};
use std::{sync::Arc, time::Duration};
use store::{Error, Prunable, Store};

on_both!(
    phases_are_added_up_by_the_hour_over_each_kind_of_connection,
    phases_are_of_their_check_however_early_a_range_begins,
    what_is_recorded_twice_is_counted_once,
    what_comes_while_they_are_written_waits_for_the_next_round,
    who_lost_the_lease_writes_no_phases,
    phases_that_cannot_be_read_count_as_nothing_and_are_found,
    phases_are_kept_as_long_as_hours_and_held_against_them,
);

const HOUR: i64 = 3_600_000;

fn probe(ms: i64, verdict: Verdict, warm: bool, first_byte: u64) -> (Arc<Outcome>, Verdict) {
    let track = read();
    let millis = |ms: u64| Some(Duration::from_millis(ms));
    let mut outcome = Outcome::new(track.check, track.vantage, at(ms));
    outcome.warm = warm;
    outcome.total = Duration::from_millis(first_byte + 5);
    outcome.phases = Phases { first_byte: millis(first_byte), ..Phases::default() };
    if !warm {
        outcome.phases.dns = millis(2);
    }
    (Arc::new(outcome), verdict)
}

async fn written(store: &Store) {
    while store.put_phases(1).await.unwrap() > 0 {}
}

/// Of each phase how many, their mean and the longest in milliseconds, from there to there.
async fn told(store: &Store, from: i64, to: i64) -> [[Option<(u32, u128, u128)>; 5]; 2] {
    let days = store.phases(&read().check, None, at(from)..at(to), &TimeZone::UTC).await.unwrap();
    let mut both = [PhaseSums::default(); 2];
    for of_day in days.values() {
        both[0].merge(&of_day[0]);
        both[1].merge(&of_day[1]);
    }
    both.map(|sums| sums.0.map(|sum| Some((sum.count, sum.mean()?.as_millis(), sum.longest().as_millis()))))
}

async fn phases_are_added_up_by_the_hour_over_each_kind_of_connection(on: On) {
    let made = Made::new(on).await;
    let probes = [
        probe(0, Verdict::Pass, false, 10),
        probe(1, Verdict::Slow, false, 30),
        probe(2, Verdict::Fail, false, 5_000),
        probe(3, Verdict::Inconclusive, false, 6_000),
        probe(4, Verdict::Pass, true, 4),
        probe(20 * HOUR, Verdict::Pass, false, 50),
    ];
    made.store.record(&outcomes(probes)).await.unwrap();
    assert_eq!(told(&made.store, 0, 99 * HOUR).await, [[None; 5]; 2], "not written yet");
    written(&made.store).await;
    let fresh = [Some((3, 2, 2)), None, None, Some((3, 30, 50)), None];
    let kept = [None, None, None, Some((1, 4, 4)), None];
    // The hours that begin in the range: the first began before it.
    assert_eq!(told(&made.store, -HOUR, 99 * HOUR).await, [fresh, kept]);
    let first = [Some((2, 2, 2)), None, None, Some((2, 20, 30)), None];
    assert_eq!(told(&made.store, -HOUR, HOUR).await, [first, kept]);
    let days =
        made.store.phases(&read().check, None, at(-HOUR)..at(99 * HOUR), &TimeZone::UTC).await.unwrap();
    let dates: Vec<_> = days.into_keys().collect();
    assert_eq!(dates, [date(2026, 9, 21), date(2026, 9, 22)]);
    // What is told later is added to what is there.
    let made = made.again().await;
    made.store.record(&outcomes([probe(5, Verdict::Pass, true, 8)])).await.unwrap();
    written(&made.store).await;
    assert_eq!(told(&made.store, -HOUR, HOUR).await[1], [None, None, None, Some((2, 6, 8)), None]);
}

async fn phases_are_of_their_check_however_early_a_range_begins(on: On) {
    let made = Made::new(on).await;
    let others = ["one", "two", "three"].map(|name| track_id(results(), name, "internet"));
    let told = others.iter().map(|track| {
        let (outcome, verdict) = probe(0, Verdict::Pass, false, 10);
        let outcome = Outcome { check: track.check.clone(), ..Outcome::clone(&outcome) };
        (Arc::new(outcome), verdict)
    });
    made.store.record(&outcomes(told)).await.unwrap();
    written(&made.store).await;
    for track in &others {
        let ever = Timestamp::MIN..Timestamp::MAX;
        let days = made.store.phases(&track.check, None, ever, &TimeZone::UTC).await.unwrap();
        let count: u32 = days.values().map(|[fresh, _]| fresh.0[3].count).sum();
        assert_eq!(count, 1);
    }
}

async fn what_is_recorded_twice_is_counted_once(on: On) {
    let made = Made::new(on).await;
    let first = outcomes([probe(0, Verdict::Pass, false, 10), probe(1, Verdict::Pass, false, 20)]);
    made.store.record(&first).await.unwrap();
    made.store.record(&first).await.unwrap();
    written(&made.store).await;
    let made = made.again().await;
    let more = [probe(1, Verdict::Pass, false, 20), probe(2, Verdict::Pass, false, 30)];
    made.store.record(&outcomes(more)).await.unwrap();
    written(&made.store).await;
    let [fresh, _] = told(&made.store, -HOUR, HOUR).await;
    assert_eq!(fresh[3], Some((2, 15, 20)), "of a batch that was there in part nothing is counted");
}

async fn what_comes_while_they_are_written_waits_for_the_next_round(on: On) {
    let made = Made::new(on).await;
    made.store.record(&outcomes([probe(0, Verdict::Pass, false, 10)])).await.unwrap();
    assert_eq!(made.store.put_phases(1).await.unwrap(), 1);
    made.store.record(&outcomes([probe(1, Verdict::Pass, false, 20)])).await.unwrap();
    assert_eq!(made.store.put_phases(1).await.unwrap(), 0);
    assert_eq!(told(&made.store, -HOUR, HOUR).await[0][3], Some((1, 10, 10)));
    assert_eq!(made.store.put_phases(1).await.unwrap(), 1);
    assert_eq!(told(&made.store, -HOUR, HOUR).await[0][3], Some((2, 15, 20)));
}

async fn phases_that_cannot_be_read_count_as_nothing_and_are_found(on: On) {
    let made = Made::new(on).await;
    let store = &made.store;
    store.record(&outcomes([probe(0, Verdict::Pass, false, 10)])).await.unwrap();
    written(store).await;
    let bytes = match on {
        On::Sqlite => "X'0102'",
        On::Postgres => "'\\x0102'::bytea",
    };
    made.place.tell(&format!("UPDATE phases SET hours = {bytes}")).await;
    assert_eq!(told(store, -HOUR, HOUR).await, [[None; 5]; 2]);
    let problems = store.verify(&read(), &TimeZone::UTC).await.unwrap().problems;
    let found = |problem: &String| problem.contains("how long its phases took: sealed history is damaged");
    assert!(problems.iter().any(found), "{problems:#?}");
    // What comes for that day is counted again.
    store.record(&outcomes([probe(1, Verdict::Pass, false, 20)])).await.unwrap();
    written(store).await;
    assert_eq!(told(store, -HOUR, HOUR).await[0][3], Some((1, 20, 20)));
}

async fn who_lost_the_lease_writes_no_phases(on: On) {
    let made = Made::new(on).await;
    let store = &made.store;
    assert!(store.take(&store.lease().await.unwrap(), "one").await.unwrap());
    store.record(&outcomes([probe(0, Verdict::Pass, false, 10)])).await.unwrap();
    let other = made.another().await;
    assert!(other.take(&other.lease().await.unwrap(), "another").await.unwrap());
    let refused = store.put_phases(9).await;
    assert!(matches!(refused, Err(Error::Fenced)), "{refused:?}");
    assert_eq!(other.put_phases(9).await.unwrap(), 0, "each writes what it recorded");
}

async fn phases_are_kept_as_long_as_hours_and_held_against_them(on: On) {
    let made = Made::new(on).await;
    let store = &made.store;
    store
        .record(&outcomes([0, 1, 40 * 24 * HOUR].map(|ms| probe(ms, Verdict::Pass, false, 9))))
        .await
        .unwrap();
    written(store).await;
    let problems = async || store.verify(&read(), &TimeZone::UTC).await.unwrap().problems;
    assert_eq!(problems().await, [] as [String; 0]);
    while store.seal(at(99 * 24 * HOUR), 9).await.unwrap().tracks > 0 {}
    while store.roll_up(at(99 * 24 * HOUR), &TimeZone::UTC, 9).await.unwrap() > 0 {}
    assert_eq!(problems().await, [] as [String; 0]);
    let retention = Retention {
        samples: Keep::Days(7),
        hours: Keep::Days(30),
        days: Keep::Forever,
        failures: Keep::Forever,
    };
    let now = at(40 * 24 * HOUR + 2 * HOUR);
    let production = Environment::Production;
    let old = Prunable { samples: 2, sampled_days: 1, hours: 1, ..Prunable::default() };
    assert_eq!(store.prunable(production, &retention, now).await.unwrap(), old);
    assert_eq!(store.prunable(Environment::Sandbox, &retention, now).await.unwrap(), Prunable::default());
    while store.prune(production, &retention, now, 9).await.unwrap() > 0 {}
    assert_eq!(store.prunable(production, &retention, now).await.unwrap(), Prunable::default());
    assert_eq!(told(store, -HOUR, HOUR).await, [[None; 5]; 2]);
    assert_eq!(problems().await, [] as [String; 0]);
    // One more than there were answers.
    made.place.tell("DELETE FROM sealed").await;
    store.record(&outcomes([probe(40 * 24 * HOUR - HOUR, Verdict::Fail, false, 9)])).await.unwrap();
    while store.seal(at(99 * 24 * HOUR), 9).await.unwrap().tracks > 0 {}
    let problems = problems().await;
    let found = |problem: &String| problem.contains("a phase of 1 answers was counted, it holds 0");
    assert!(problems.iter().any(found), "{problems:#?}");
}
