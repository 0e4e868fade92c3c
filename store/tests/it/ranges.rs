//! What samples add up to by local day, from whatever is kept of them: equal to adding them up one by one.

use crate::made::{Made, at, instance, outcomes, pass, probe, read, results, track_id};
use crate::place::{On, on_both};
use domain::{CheckId, Environment, Keep, Retention, Rollup, TrackId, VantageId, Verdict};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use proptest::{collection::vec, prelude::*};
use std::{collections::BTreeMap, ops::Range};
use store::{Days, Error, Store};

on_both!(
    a_day_is_rolled_up_when_it_is_over_and_again_when_something_late_is_sealed,
    who_lost_the_lease_rolls_nothing_up,
    rollups_of_many_checks_are_each_in_its_place,
    a_range_of_more_days_than_are_told_apart_is_refused,
    hours_are_told_whether_they_are_sealed_or_not,
    what_is_kept_no_more_goes_and_what_it_added_up_to_stays,
    who_lost_the_lease_lets_go_of_nothing,
    a_clock_that_is_years_ahead_costs_no_history,
);

const HOUR: i64 = 3_600_000;

fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap()
}

/// Midnight in London on 24 October 2026; the next day has 25 hours.
fn begins() -> Timestamp {
    "2026-10-23T23:00:00Z".parse().unwrap()
}

fn begins_ms() -> i64 {
    begins().as_millisecond()
}

/// So many milliseconds later, as `at` counts.
fn later(ms: i64) -> i64 {
    begins().as_millisecond() - at(0).as_millisecond() + ms
}

/// They add up to their sum.
fn whole(days: Days) -> BTreeMap<Date, Rollup> {
    let sum = days.sum(..);
    let whole = days.by_date();
    let mut added = Rollup::default();
    for rollup in whole.values() {
        added.merge(rollup);
    }
    assert_eq!(sum, added);
    whole
}

/// The days of a check, which say of themselves what they hold.
async fn both(
    store: &Store,
    check: &CheckId,
    vantage: Option<&VantageId>,
    range: Range<Timestamp>,
) -> BTreeMap<Date, Rollup> {
    let checks = std::slice::from_ref(check);
    let days = whole(store.rollups(checks, vantage, range.clone(), &london()).await.unwrap().remove(0));
    let said = store.summaries(checks, vantage, range, &london()).await.unwrap().remove(0);
    assert_eq!(said, days.iter().map(|(date, rollup)| (*date, rollup.summary())).collect::<Vec<_>>());
    days
}

async fn days(store: &Store, check: &CheckId, from: i64, to: i64) -> BTreeMap<Date, Rollup> {
    let range = at(later(from))..at(later(to));
    both(store, check, None, range).await
}

async fn counts(store: &Store) -> Vec<u64> {
    days(store, &read().check, 0, 999 * HOUR).await.values().map(Rollup::samples).collect()
}

async fn a_day_is_rolled_up_when_it_is_over_and_again_when_something_late_is_sealed(on: On) {
    let made = Made::new(on).await;
    let told = [0, HOUR, 24 * HOUR, 48 * HOUR + 1, 49 * HOUR].map(|ms| pass(&read(), later(ms), 7));
    made.store.record(&outcomes(told)).await.unwrap();
    assert_eq!(counts(&made.store).await, [2, 2, 1], "as rows");
    while made.store.seal(at(later(99 * HOUR)), 9).await.unwrap().tracks > 0 {}
    assert_eq!(counts(&made.store).await, [2, 2, 1], "as blocks");
    let roll_up = async |before: i64| made.store.roll_up(at(later(before)), &london(), 9).await.unwrap();
    assert_eq!(roll_up(24 * HOUR - 1).await, 0, "it is not over");
    assert_eq!((roll_up(49 * HOUR).await, roll_up(49 * HOUR).await, roll_up(49 * HOUR).await), (1, 1, 0));
    made.place.tell("DELETE FROM sealed").await;
    assert_eq!(counts(&made.store).await, [2, 2], "as the sums of days; the last one was none yet");
    made.place.tell("DROP TABLE summary; DELETE FROM _sqlx_migrations WHERE version = 10").await;
    let made = made.again().await;
    assert_eq!(counts(&made.store).await, [2, 2], "as an older program left them");
    made.store.record(&outcomes([pass(&read(), later(2 * HOUR), 7)])).await.unwrap();
    while made.store.seal(at(later(99 * HOUR)), 9).await.unwrap().tracks > 0 {}
    assert_eq!(made.store.roll_up(at(later(99 * HOUR)), &london(), 9).await.unwrap(), 1);
    assert_eq!(counts(&made.store).await, [2, 2], "a day does not shrink");
}

async fn hours_are_told_whether_they_are_sealed_or_not(on: On) {
    let made = Made::new(on).await;
    let told = [0, 1, HOUR, 5 * HOUR, 5 * HOUR + 9].map(|ms| pass(&read(), later(ms), 7));
    made.store.record(&outcomes(told)).await.unwrap();
    let hours = async |from: i64, to: i64| {
        let range = at(later(from))..at(later(to));
        let read = made.store.hourly(&read().check, range).await.unwrap();
        let hour = |begins: Timestamp| (begins.as_millisecond() - begins_ms()) / HOUR;
        read.iter().map(|(begins, sum)| (hour(*begins), sum.samples())).collect::<Vec<_>>()
    };
    let all = [(0, 2), (1, 1), (5, 2)];
    assert_eq!(hours(0, 6 * HOUR).await, all, "as rows");
    made.store.seal(at(later(3 * HOUR)), 9).await.unwrap();
    assert_eq!(hours(0, 6 * HOUR).await, all, "some of them sealed");
    assert_eq!(hours(1, 5 * HOUR + 1).await, [(0, 1), (1, 1), (5, 1)], "what is within the range");
    assert_eq!(hours(2 * HOUR, 5 * HOUR).await, []);
}

/// One that sealed an hour, and another that has its lease since.
async fn taken_over(on: On) -> (Made, Store) {
    let made = Made::new(on).await;
    let store = &made.store;
    assert!(store.take(&store.lease().await.unwrap(), "one").await.unwrap());
    store.record(&outcomes([pass(&read(), later(0), 1)])).await.unwrap();
    store.seal(at(later(HOUR)), 9).await.unwrap();
    let other = made.another().await;
    assert!(other.take(&other.lease().await.unwrap(), "another").await.unwrap());
    (made, other)
}

async fn who_lost_the_lease_rolls_nothing_up(on: On) {
    let (made, other) = taken_over(on).await;
    let store = &made.store;
    let refused = store.roll_up(at(later(99 * HOUR)), &london(), 9).await;
    assert!(matches!(refused, Err(Error::Fenced)), "{refused:?}");
    assert_eq!(other.roll_up(at(later(99 * HOUR)), &london(), 9).await.unwrap(), 1);
}

async fn rollups_of_many_checks_are_each_in_its_place(on: On) {
    let made = Made::new(on).await;
    let tracks = ["one", "two", "three"].map(|name| track_id(results(), name, "internet"));
    let told =
        tracks.iter().zip(1..).flat_map(|(track, n)| (0..n).map(move |k| pass(track, later(k * 1000), 7)));
    made.store.record(&outcomes(told)).await.unwrap();
    let mut checks: Vec<CheckId> = tracks.iter().rev().map(|track| track.check.clone()).collect();
    checks.insert(1, track_id(results(), "never", "internet").check);
    let range = at(later(0))..at(later(HOUR));
    let got = made.store.rollups(&checks, None, range.clone(), &london()).await.unwrap();
    let samples: Vec<u64> = got.iter().map(|days| days.sum(..).samples()).collect();
    assert_eq!(samples, [3, 0, 2, 1]);
    let said = made.store.summaries(&checks, None, range, &london()).await.unwrap();
    let samples: Vec<u64> = said.iter().map(|days| days.iter().map(|(_, day)| day.samples()).sum()).collect();
    assert_eq!(samples, [3, 0, 2, 1]);
}

async fn a_range_of_more_days_than_are_told_apart_is_refused(on: On) {
    let made = Made::new(on).await;
    made.store.record(&outcomes([pass(&read(), later(0), 7)])).await.unwrap();
    let checks = [read().check];
    for (days, expected) in [(4_000, Some(1)), (5_000, None)] {
        let range = at(later(-days * 24 * HOUR))..at(later(HOUR));
        let sums = made.store.rollups(&checks, None, range.clone(), &london()).await;
        assert_eq!(sums.ok().map(|of| of[0].sum(..).samples()), expected);
        let said = made.store.summaries(&checks, None, range, &london()).await;
        assert_eq!(said.as_ref().ok().map(|of| of[0].iter().map(|(_, day)| day.samples()).sum()), expected);
        assert!(expected.is_some() || matches!(said, Err(Error::TooMuch { .. })), "{said:?}");
    }
}

/// Everything but days is kept for the least there may be.
const SHORT: Retention =
    Retention { samples: Keep::Days(7), hours: Keep::Days(7), days: Keep::Forever, failures: Keep::Days(7) };

async fn prune(store: &Store, retention: &Retention, now: i64) {
    while store.prune(Environment::Production, retention, at(later(now)), 2).await.unwrap() > 0 {}
}

async fn what_is_kept_no_more_goes_and_what_it_added_up_to_stays(on: On) {
    let made = Made::new(on).await;
    let (store, day) = (&made.store, 24 * HOUR);
    let sandbox = track_id(instance("results", Environment::Sandbox), "read", "internet");
    let moments = [HOUR / 2, HOUR, 3 * HOUR, day, 9 * day];
    let told = moments.iter().flat_map(|ms| [pass(&read(), later(*ms), 7), pass(&sandbox, later(*ms), 7)]);
    let (failed, verdict) = probe(&read(), later(2 * HOUR), Verdict::Fail, false, 9);
    store.record(&outcomes(told.chain([(failed, verdict)]))).await.unwrap();
    while store.seal(at(later(9 * day + HOUR)), 9).await.unwrap().tracks > 0 {}
    while store.roll_up(at(later(9 * day)), &london(), 9).await.unwrap() > 0 {}
    let hours = Retention { hours: Keep::Forever, ..SHORT };
    prune(store, &hours, 8 * day + 2 * HOUR).await;
    let left = |table| made.place.ask::<(i64,)>(table);
    assert_eq!(
        left("SELECT CAST(count(*) AS BIGINT) FROM sealed").await,
        [(6,)],
        "five of sandbox, and a later one"
    );
    assert_eq!(left("SELECT CAST(count(*) AS BIGINT) FROM failure").await, [(0,)]);
    assert_eq!(counts(store).await, [4, 1, 1]);
    let samples = |days: BTreeMap<Date, Rollup>| days.values().map(Rollup::samples).collect::<Vec<_>>();
    let within = async |from, to| samples(days(store, &read().check, from, to).await);
    assert_eq!(within(HOUR, 3 * HOUR).await, [2], "by the hour");
    assert_eq!(within(1, HOUR + 1).await, [1], "an hour counts where it begins");
    prune(store, &SHORT, 8 * day + 2 * HOUR).await;
    assert_eq!(within(HOUR, 3 * HOUR).await, [] as [u64; 0], "nothing that fine is left");
    assert_eq!(within(0, 3 * HOUR).await, [4], "a day counts where it begins");
    assert_eq!(counts(store).await, [4, 1, 1]);
    store.record(&outcomes([pass(&read(), later(45 * day), 7)])).await.unwrap();
    while store.seal(at(later(46 * day)), 9).await.unwrap().tracks > 0 {}
    prune(store, &Retention { days: Keep::Days(7), ..SHORT }, 46 * day).await;
    assert_eq!(counts(store).await, [] as [u64; 0]);
    let kept = days(store, &sandbox.check, 0, 99 * day).await;
    assert_eq!(samples(kept), [3, 1, 1], "another environment is kept by its own rule");
}

async fn a_clock_that_is_years_ahead_costs_no_history(on: On) {
    let made = Made::new(on).await;
    let (store, day) = (&made.store, 24 * HOUR);
    store.record(&outcomes([0, 5, 9].map(|days| pass(&read(), later(days * day), 7)))).await.unwrap();
    while store.seal(at(later(10 * day)), 9).await.unwrap().tracks > 0 {}
    while store.roll_up(at(later(10 * day)), &london(), 9).await.unwrap() > 0 {}
    prune(store, &SHORT, 2_000 * day).await;
    let sealed = made.place.ask::<(i64,)>("SELECT CAST(count(*) AS BIGINT) FROM sealed").await;
    assert_eq!(sealed, [(2,)], "the first is more than seven days older than the last");
}

async fn who_lost_the_lease_lets_go_of_nothing(on: On) {
    let (made, _other) = taken_over(on).await;
    let store = &made.store;
    let retention = Retention { samples: Keep::Days(0), ..SHORT };
    let refused = store.prune(Environment::Production, &retention, at(later(99 * HOUR)), 9).await;
    assert!(matches!(refused, Err(Error::Fenced)), "{refused:?}");
}

#[tokio::test]
async fn a_file_gives_back_what_is_free_beyond_a_quarter_of_it() {
    let made = Made::new(On::Sqlite).await;
    made.place.tell("INSERT INTO meta (name, value) VALUES ('large', zeroblob(40000000))").await;
    assert!(!made.store.give_back().await.unwrap(), "all of it is in use");
    made.place.tell("DELETE FROM meta WHERE name = 'large'").await;
    let pages = || made.place.ask::<(i64,)>("SELECT page_count FROM pragma_page_count");
    let before = pages().await[0].0;
    let mut times = 0;
    while made.store.give_back().await.unwrap() {
        times += 1;
        assert!(times < 100, "a megabyte at a time");
    }
    let after = pages().await[0].0;
    assert!(before > 9_000 && (3_800..4_200).contains(&after), "{before} pages, then {after}");
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Told(Vec<(usize, i64, u8, bool, u64)>),
    Sealed(i64, u32),
    RolledUp(i64, u32),
    Again,
}

/// Three days, of which the second has 25 hours.
const MOST: i64 = 73 * HOUR;

fn step() -> impl Strategy<Value = Step> {
    // At few moments, so that much is told twice.
    let ms = (0..MOST / (HOUR / 2), 0..2_i64).prop_map(|(half, odd)| half * (HOUR / 2) + odd * 12_345);
    let one = (0..3_usize, ms, 0..4_u8, any::<bool>(), 0..90_000_u64);
    prop_oneof![
        5 => vec(one, 1..60).prop_map(Step::Told),
        3 => (0..=MOST + HOUR).prop_map(|before| Step::Sealed(before, 9)),
        4 => (0..=MOST + HOUR, 1..4_u32).prop_map(|(before, tracks)| Step::RolledUp(before, tracks)),
        1 => Just(Step::Again),
    ]
}

mod rolled_up_or_not_what_is_read_equals_what_was_recorded {
    use super::{adds_up, history};
    use crate::place::{On, random};

    #[test]
    fn sqlite() {
        random(On::Sqlite, &history(), adds_up);
    }

    #[test]
    fn postgres() {
        random(On::Postgres, &history(), adds_up);
    }
}

/// Steps, and a range.
fn history() -> impl Strategy<Value = (Vec<Step>, i64, i64)> {
    (vec(step(), 1..20), 0..MOST, 0..MOST)
}

async fn adds_up(on: On, (steps, from, to): (Vec<Step>, i64, i64)) -> Result<(), TestCaseError> {
    let tracks = [read(), track_id(results(), "read", "inside"), track_id(results(), "ping", "internet")];
    let mut made = Made::new(on).await;
    let mut model: BTreeMap<(i64, usize), (Verdict, bool, u64)> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Told(told) => {
                let mut batch = Vec::new();
                for (track, ms, verdict, warm, total) in told {
                    let verdict = [Verdict::Pass, Verdict::Slow, Verdict::Fail, Verdict::Inconclusive]
                        [usize::from(verdict)];
                    batch.push(probe(&tracks[track], later(ms), verdict, warm, total));
                    model.entry((ms, track)).or_insert((verdict, warm, total));
                }
                made.store.record(&outcomes(batch)).await.unwrap();
            }
            Step::Sealed(before, tracks) => {
                while made.store.seal(at(later(before)), tracks).await.unwrap().tracks > 0 {}
            }
            Step::RolledUp(before, tracks) => {
                made.store.roll_up(at(later(before)), &london(), tracks).await.unwrap();
            }
            Step::Again => made = made.again().await,
        }
    }
    let store = &made.store;
    for (pruned, from, to) in [(false, 0, MOST), (false, from, to), (true, 0, MOST)] {
        if pruned {
            while store.seal(at(later(MOST + HOUR)), 9).await.unwrap().tracks > 0 {}
            let retention = Retention { samples: Keep::Days(0), hours: Keep::Forever, ..SHORT };
            prune(store, &retention, MOST + 9 * 24 * HOUR).await;
        }
        let expected = |of: &[usize]| {
            let mut days: BTreeMap<Date, Rollup> = BTreeMap::new();
            for ((ms, track), (verdict, warm, total)) in &model {
                if (from..to).contains(ms) && of.contains(track) {
                    let date = london().to_datetime(begins() + SignedDuration::from_millis(*ms)).date();
                    days.entry(date).or_default().add(*verdict, *warm, u32::try_from(*total).unwrap());
                }
            }
            days
        };
        let got = async |vantage: Option<usize>, check: &TrackId| {
            let vantage = vantage.map(|track| &tracks[track].vantage);
            both(store, &check.check, vantage, at(later(from))..at(later(to))).await
        };
        prop_assert_eq!(got(Some(0), &tracks[0]).await, expected(&[0]));
        prop_assert_eq!(got(Some(1), &tracks[0]).await, expected(&[1]));
        prop_assert_eq!(got(None, &tracks[0]).await, expected(&[0, 1]));
        prop_assert_eq!(got(None, &tracks[2]).await, expected(&[2]));
    }
    Ok(())
}
