//! What is kept in several ways says the same in each; where it does not, that is found.

use crate::made::{Made, at, outcomes, pass, probe, read};
use crate::place::{On, Place, on_both};
use domain::Verdict;
use jiff::tz::TimeZone;

on_both!(whatever_is_kept_of_a_history_it_is_whole, what_is_lost_or_damaged_or_there_twice_is_found,);

const HOUR: i64 = 3_600_000;

/// Three days, with one probe of each verdict in each hour, and how much of it is kept.
async fn made(on: On, pruned: bool) -> Made {
    let made = Made::new(on).await;
    let verdicts = [Verdict::Pass, Verdict::Slow, Verdict::Fail, Verdict::Inconclusive];
    let told = (0..72).flat_map(|hour| {
        verdicts
            .into_iter()
            .zip(0..)
            .map(move |(verdict, n)| probe(&read(), hour * HOUR + n * 7, verdict, n % 2 == 0, 9))
    });
    made.store.record(&outcomes(told)).await.unwrap();
    while made.store.seal(at(70 * HOUR), 9).await.unwrap().tracks > 0 {}
    while made.store.roll_up(at(70 * HOUR), &TimeZone::UTC, 9).await.unwrap() > 0 {}
    if pruned {
        let production = domain::Environment::Production;
        let retention = domain::Retention { samples: domain::Keep::Days(1), ..domain::Retention::default() };
        let now = at(54 * HOUR);
        while made.store.prune(production, &retention, now, 9).await.unwrap() > 0 {}
    }
    made
}

async fn problems(made: &Made) -> Vec<String> {
    made.store.verify(&read(), &TimeZone::UTC).await.unwrap().problems
}

async fn whatever_is_kept_of_a_history_it_is_whole(on: On) {
    for pruned in [false, true] {
        let made = made(on, pruned).await;
        let verified = made.store.verify(&read(), &TimeZone::UTC).await.unwrap();
        assert_eq!(verified.problems, [] as [String; 0]);
        // It began at 14:13: the first day and the last are no whole ones.
        assert_eq!((verified.days, verified.failures), (3, 3 * 72));
        assert_eq!(verified.samples == 4 * 72, !pruned);
        assert_eq!(made.store.tracks().await.unwrap(), [read()]);
        // What is late leaves a mark, and is told twice by nobody.
        made.store.record(&outcomes([pass(&read(), HOUR + 1, 3), pass(&read(), HOUR, 9)])).await.unwrap();
        assert_eq!(problems(&made).await, [] as [String; 0]);
        while made.store.seal(at(70 * HOUR), 9).await.unwrap().tracks > 0 {}
        assert_eq!(problems(&made).await, [] as [String; 0]);
    }
}

async fn what_is_lost_or_damaged_or_there_twice_is_found(on: On) {
    let bytes = |on: &Place| {
        if matches!(on, Place::File(_)) { "x'0102030405060708'" } else { "'\\x0102030405060708'" }
    };
    for (change, words) in [
        ("UPDATE sealed SET samples = samples + 1 WHERE slot % 24 = 7", "it says 5 samples and holds 4"),
        ("UPDATE sealed SET block = BYTES WHERE slot % 24 = 7", "checksum does not fit"),
        ("DELETE FROM sealed WHERE slot % 24 = 7", "its hours hold"),
        ("DELETE FROM rollup_days", "was never rolled up"),
        ("DELETE FROM summary", "do not say of themselves what they hold"),
        ("DELETE FROM rollup_days", "says something of days that are not there"),
        ("DELETE FROM failure WHERE at % 3600000 = 800014 AND verdict = 2", "is not there in full"),
        ("DELETE FROM failure", "is not there in full, nor is anything else"),
        ("UPDATE failure SET verdict = 1 WHERE verdict = 2", "have two verdicts"),
        ("UPDATE failure SET at = at + 3 WHERE verdict = 2", "has no sample"),
    ] {
        let made = made(on, false).await;
        made.place.tell(&change.replace("BYTES", bytes(&made.place))).await;
        let problems = problems(&made).await;
        assert!(problems.iter().any(|problem| problem.contains(words)), "{change}: {problems:#?}");
    }
}
