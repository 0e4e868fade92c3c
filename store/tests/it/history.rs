//! The past, as it was.

use crate::made::{
    Made, at, changes, failed, health, instance, outcomes, passed, read, results, track_id, turned,
};
use crate::place::{On, on_both};
use domain::{Environment, Status, VantageId, Verdict};
use std::time::Duration;
use store::{Error, MAX_CHANGES, Sample};

on_both!(
    the_health_in_force_at_the_start_and_what_changed_after,
    a_change_at_the_time_of_an_earlier_one_replaces_it,
    more_changes_than_an_answer_may_hold_are_refused_rather_than_cut_off,
    samples_are_of_one_vantage_or_of_all_the_newest_if_not_all_in_order,
    a_total_is_kept_to_64_microseconds,
    a_probe_that_failed_is_found_by_its_request_id,
    a_failure_is_kept_in_full,
);

async fn the_health_in_force_at_the_start_and_what_changed_after(on: On) {
    let made = Made::new(on).await;
    let one = health(results(), Status::Operational, 1_000);
    let two = health(results(), Status::MajorOutage, 2_000);
    let three = health(results(), Status::Operational, 3_000);
    let elsewhere = health(instance("results", Environment::Uat), Status::Degraded, 1_500);
    let all = [&one, &elsewhere, &two, &three];
    made.store.record(&changes(all.map(|health| turned(health.clone())))).await.unwrap();
    let healths = async |from, to| made.store.healths(&results(), at(from), at(to)).await.unwrap();
    assert_eq!(healths(0, 500).await, (None, vec![]));
    assert_eq!(healths(0, 2_500).await, (None, vec![one.clone(), two.clone()]));
    assert_eq!(healths(1_000, 2_000).await, (Some(one.clone()), vec![]), "`to` is not in the range");
    assert_eq!(healths(1_500, 9_000).await, (Some(one), vec![two.clone(), three.clone()]));
    assert_eq!(healths(2_000, 9_000).await, (Some(two), vec![three.clone()]));
    assert_eq!(healths(8_000, 9_000).await, (Some(three), vec![]));
}

async fn a_change_at_the_time_of_an_earlier_one_replaces_it(on: On) {
    let made = Made::new(on).await;
    let first = health(results(), Status::Degraded, 1_000);
    let second = health(results(), Status::MajorOutage, 1_000);
    made.store.record(&changes([turned(first)])).await.unwrap();
    made.store.record(&changes([turned(second.clone())])).await.unwrap();
    let remembered = made.store.remember(at(0)).await.unwrap().healths;
    assert_eq!(remembered, std::slice::from_ref(&second));
    let (_, changed) = made.store.healths(&results(), at(0), at(9_000)).await.unwrap();
    assert_eq!(changed, [second]);
}

async fn more_changes_than_an_answer_may_hold_are_refused_rather_than_cut_off(on: On) {
    let made = Made::new(on).await;
    let all = (0..=i64::from(MAX_CHANGES)).map(|ms| turned(health(results(), Status::Degraded, ms)));
    made.store.record(&changes(all)).await.unwrap();
    let (from, to) = (at(0), at(60_000));
    let (in_force, changed) = made.store.healths(&results(), from, to).await.unwrap();
    assert_eq!((in_force.is_some(), changed.len()), (true, MAX_CHANGES as usize));
    let refused = made.store.healths(&results(), at(-1), to).await;
    assert!(matches!(refused, Err(Error::TooMuch { .. })), "{refused:?}");
}

async fn samples_are_of_one_vantage_or_of_all_the_newest_if_not_all_in_order(on: On) {
    let made = Made::new(on).await;
    let inside = track_id(results(), "read", "inside");
    let other = track_id(results(), "ping", "internet");
    // Over several minutes, so that the order is not that of one minute alone.
    let told = [
        failed(&read(), 0),
        passed(&other, 30_000),
        passed(&inside, 70_000),
        passed(&read(), 60_000),
        passed(&read(), 200_001),
    ];
    made.store.record(&outcomes(told)).await.unwrap();
    let samples = async |vantage: Option<&VantageId>, from, to, limit| {
        let samples = made.store.samples(&read().check, vantage, at(from), at(to), limit).await.unwrap();
        samples.iter().map(|one| (one.at.duration_since(at(0)).as_millis(), one.verdict)).collect::<Vec<_>>()
    };
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    let all = [(0, fail), (60_000, pass), (70_000, pass), (200_001, pass)];
    assert_eq!(samples(None, -999_999_999, 999_999_999, 9).await, all);
    assert_eq!(samples(Some(&inside.vantage), 0, 999_999, 9).await, all[2..3]);
    assert_eq!(samples(None, 1, 200_001, 9).await, all[1..3], "from is in, to is not");
    assert_eq!(samples(None, 0, 200_002, 2).await, all[2..]);
    assert_eq!(samples(None, 0, 0, 9).await, []);
    assert_eq!(samples(None, 900_000, 990_000, 9).await, []);
    let one: Vec<Sample> = made.store.samples(&read().check, None, at(0), at(1), 1).await.unwrap();
    assert_eq!(one[0].total, Duration::from_millis(64));
}

async fn a_total_is_kept_to_64_microseconds(on: On) {
    let made = Made::new(on).await;
    let totals = [0, 31, 32, 95, 96, 1_000_000, 30_000_000];
    let told = totals.iter().enumerate().map(|(place, micros)| {
        let (outcome, verdict) = passed(&read(), i64::try_from(place).unwrap());
        let mut outcome = std::sync::Arc::unwrap_or_clone(outcome);
        outcome.total = Duration::from_micros(*micros);
        (std::sync::Arc::new(outcome), verdict)
    });
    made.store.record(&outcomes(told)).await.unwrap();
    for (sample, micros) in
        made.store.samples(&read().check, None, at(0), at(99), 99).await.unwrap().iter().zip(totals)
    {
        let off = sample.total.as_micros().abs_diff(u128::from(micros));
        assert!(off <= 32, "{micros} µs came back as {:?}", sample.total);
    }
}

async fn a_probe_that_failed_is_found_by_its_request_id(on: On) {
    let made = Made::new(on).await;
    let one = failed(&read(), 1_000);
    let id = one.0.request_id.clone().unwrap();
    made.store.record(&outcomes([one])).await.unwrap();
    let found = made.store.failed_request(&id).await.unwrap();
    assert_eq!(found, Some((read(), at(1_000))));
    assert_eq!(made.store.failed_request("another").await.unwrap(), None);
}

async fn a_failure_is_kept_in_full(on: On) {
    let made = Made::new(on).await;
    let inside = track_id(results(), "read", "inside");
    let elsewhere = track_id(instance("results", Environment::Uat), "read", "internet");
    let slow = (passed(&inside, 500).0, Verdict::Slow);
    let told =
        [failed(&read(), 0), slow, passed(&read(), 700), failed(&elsewhere, 0), failed(&read(), 9_000)];
    made.store.record(&outcomes(told)).await.unwrap();
    let failures = made.store.failures(&results(), at(0), at(9_000), 9).await.unwrap();
    assert_eq!(failures.len(), 2);
    let (slow, failure) = (&failures[0], &failures[1]);
    assert_eq!(
        (&slow.track, slow.verdict, &slow.failure, slow.http_status),
        (&inside, Verdict::Slow, &None, None)
    );
    let seen = failed(&read(), 0).0;
    assert_eq!((&failure.track, failure.at, failure.verdict), (&read(), at(0), Verdict::Fail));
    assert_eq!((failure.confirm, failure.total, failure.phases), (true, seen.total, seen.phases));
    assert_eq!((&failure.failure, &failure.request_id), (&seen.failure, &seen.request_id));
    assert_eq!(failure.http_status, Some(500));
    let newest = made.store.failures(&results(), at(0), at(99_000), 1).await.unwrap();
    assert_eq!(newest[0].at, at(9_000));
    let mut counts = made.store.failure_counts(&results(), at(0), at(9_001)).await.unwrap();
    counts.sort_by_key(|count| count.count);
    let what = seen.failure.as_ref().map(|failure| (failure.layer, failure.kind));
    let [slow, failed] = counts.try_into().unwrap();
    assert_eq!((slow.verdict, slow.failure, slow.count), (Verdict::Slow, None, 1));
    assert_eq!((failed.verdict, failed.failure, failed.count), (Verdict::Fail, what, 2));
    assert_eq!((slow.last_at, failed.last_at), (at(500), at(9_000)));
}
