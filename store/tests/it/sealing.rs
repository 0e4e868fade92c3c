//! Hours that are over are sealed, and nobody who reads can tell.

use crate::made::{Made, at, outcomes, pass, probe, read, results, track_id};
use crate::place::{On, Place, on_both};
use domain::{TrackId, Verdict};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use std::{collections::BTreeMap, time::Duration};
use store::{Error, Sample, Sealed, Store};

on_both!(
    an_hour_is_sealed_when_it_is_over_and_some_tracks_at_a_time,
    what_comes_for_a_sealed_hour_is_read_beside_it_and_sealed_into_it,
    who_lost_the_lease_seals_nothing,
    a_database_that_is_all_sealed_says_from_when_to_when_it_is,
    a_damaged_block_is_said_to_be_damaged_and_keeps_no_program_from_starting,
);

const HOUR: i64 = 3_600_000;
/// The first full hour after `at(0)`.
const FULL: i64 = 2_800_000;

async fn totals(store: &Store) -> Vec<u128> {
    let (from, to) = (at(-HOUR * 100), at(HOUR * 100));
    let samples = store.samples(&read().check, None, from, to, 100).await.unwrap();
    samples.iter().map(|sample| sample.total.as_micros() / 64).collect()
}

async fn an_hour_is_sealed_when_it_is_over_and_some_tracks_at_a_time(on: On) {
    let made = Made::new(on).await;
    let tracks = ["one", "two", "three"].map(|name| track_id(results(), name, "internet"));
    let told = tracks.iter().flat_map(|track| [pass(track, FULL + 5, 7), pass(track, FULL + 60_000, 8)]);
    made.store.record(&outcomes(told)).await.unwrap();
    let seal = async |before| made.store.seal(at(before), 2).await.unwrap();
    assert_eq!(seal(FULL + HOUR - 1).await, Sealed::default(), "it is not over");
    assert_eq!(seal(FULL + HOUR).await, Sealed { tracks: 2, samples: 4 });
    assert_eq!(seal(FULL + HOUR).await, Sealed { tracks: 1, samples: 2 });
    assert_eq!(seal(FULL + HOUR).await, Sealed::default());
    for track in &tracks {
        let samples = made.store.samples(&track.check, None, at(FULL), at(FULL + 60_001), 9).await.unwrap();
        assert_eq!(samples.iter().map(|one| one.at).collect::<Vec<_>>(), [at(FULL + 5), at(FULL + 60_000)]);
    }
}

async fn what_comes_for_a_sealed_hour_is_read_beside_it_and_sealed_into_it(on: On) {
    let made = Made::new(on).await;
    made.store.record(&outcomes([pass(&read(), FULL + 10, 1), pass(&read(), FULL + 30, 3)])).await.unwrap();
    assert_eq!(made.store.seal(at(FULL + HOUR), 9).await.unwrap().samples, 2);
    // One that is late, and one that is told again.
    made.store.record(&outcomes([pass(&read(), FULL + 20, 2), pass(&read(), FULL + 30, 9)])).await.unwrap();
    assert_eq!(totals(&made.store).await, [1, 2, 3]);
    assert_eq!(made.store.seal(at(FULL + HOUR), 9).await.unwrap(), Sealed { tracks: 1, samples: 2 });
    assert_eq!(totals(&made.store).await, [1, 2, 3]);
    let latest = made.again().await.store.remember(at(0)).await.unwrap().latest;
    assert_eq!(latest, [(read(), at(FULL + 30), Verdict::Pass)]);
}

async fn who_lost_the_lease_seals_nothing(on: On) {
    let made = Made::new(on).await;
    let store = &made.store;
    assert!(store.take(&store.lease().await.unwrap(), "one").await.unwrap());
    store.record(&outcomes([pass(&read(), FULL, 1)])).await.unwrap();
    let other = made.another().await;
    assert!(other.take(&other.lease().await.unwrap(), "another").await.unwrap());
    let refused = store.seal(at(FULL + HOUR), 9).await;
    assert!(matches!(refused, Err(Error::Fenced)), "{refused:?}");
    assert_eq!(other.seal(at(FULL + HOUR), 9).await.unwrap().samples, 1);
    assert_eq!(totals(&other).await, [1]);
}

async fn a_database_that_is_all_sealed_says_from_when_to_when_it_is(on: On) {
    let made = Made::new(on).await;
    let other = track_id(results(), "other", "internet");
    let told =
        [pass(&read(), FULL + 61_000, 1), pass(&other, FULL + 62_000, 1), pass(&read(), FULL + 9 * HOUR, 1)];
    made.store.record(&outcomes(told)).await.unwrap();
    while made.store.seal(at(FULL + 10 * HOUR), 9).await.unwrap().tracks > 0 {}
    let look = store::examine(&made.place.url()).await.unwrap();
    assert_eq!(
        (look.first, look.last),
        (Some(at(FULL + 60_000 - FULL_IN_MINUTE)), Some(at(FULL + 9 * HOUR)))
    );
}

/// `FULL` begins a minute.
const FULL_IN_MINUTE: i64 = (1_790_000_000_000 + FULL) % 60_000;

async fn a_damaged_block_is_said_to_be_damaged_and_keeps_no_program_from_starting(on: On) {
    let made = Made::new(on).await;
    made.store.record(&outcomes([pass(&read(), FULL, 1)])).await.unwrap();
    made.store.seal(at(FULL + HOUR), 9).await.unwrap();
    let damage = match &made.place {
        Place::File(_) => "UPDATE sealed SET block = x'0102030405060708'",
        Place::Server { .. } => "UPDATE sealed SET block = '\\x0102030405060708'",
    };
    made.place.tell(damage).await;
    let said = made.store.samples(&read().check, None, at(FULL), at(FULL + 1), 9).await;
    assert!(matches!(said, Err(Error::Corrupt { .. })), "{said:?}");
    let latest = made.store.remember(at(0)).await.map(|remembered| remembered.latest.len());
    assert_eq!(latest.unwrap(), 0, "and keeps no program from starting");
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Told(Vec<(usize, i64, u8, bool, u64)>),
    Sealed(i64, u32),
    Again,
}

const MOST: i64 = 5 * HOUR;

fn step() -> impl Strategy<Value = Step> {
    // At few moments, so that much is told twice.
    let ms = (0..MOST / 60_000, 0..2_i64).prop_map(|(minute, half)| minute * 60_000 + half * 12_345);
    let one = (0..3_usize, ms, 0..4_u8, any::<bool>(), 0..90_000_u64);
    prop_oneof![
        5 => vec(one, 1..60).prop_map(Step::Told),
        4 => (0..=MOST + HOUR, 1..4_u32).prop_map(|(before, tracks)| Step::Sealed(before, tracks)),
        1 => Just(Step::Again),
    ]
}

mod sealed_or_not_what_is_read_equals_what_was_recorded {
    use super::{history, reads_what_was_recorded};
    use crate::place::{On, random};

    #[test]
    fn sqlite() {
        random(On::Sqlite, &history(), reads_what_was_recorded);
    }

    #[test]
    fn postgres() {
        random(On::Postgres, &history(), reads_what_was_recorded);
    }
}

/// Steps, and what is read of them: a range, and how many at most.
type History = (Vec<Step>, i64, i64, u32);

fn history() -> impl Strategy<Value = History> {
    (vec(step(), 1..16), 0..MOST, 0..MOST, 1..200_u32)
}

async fn reads_what_was_recorded(on: On, (steps, from, to, limit): History) -> Result<(), TestCaseError> {
    let tracks = [read(), track_id(results(), "read", "inside"), track_id(results(), "ping", "internet")];
    let mut made = Made::new(on).await;
    let mut model: BTreeMap<(i64, usize), Sample> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Told(told) => {
                let mut batch = Vec::new();
                for (track, ms, verdict, warm, total) in told {
                    let verdict = [Verdict::Pass, Verdict::Slow, Verdict::Fail, Verdict::Inconclusive]
                        [usize::from(verdict)];
                    batch.push(probe(&tracks[track], ms, verdict, warm, total));
                    let sample =
                        Sample { at: at(ms), verdict, warm, total: Duration::from_micros(64 * total) };
                    model.entry((ms, track)).or_insert(sample);
                }
                made.store.record(&outcomes(batch)).await.unwrap();
            }
            Step::Sealed(before, tracks) => {
                made.store.seal(at(before), tracks).await.unwrap();
            }
            Step::Again => made = made.again().await,
        }
    }
    let whole = (0, MOST, 100_000);
    for (from, to, limit) in [whole, (from, to, limit)] {
        let wanted = |of: &[usize]| {
            let all: Vec<Sample> = model
                .iter()
                .filter(|((ms, track), _)| (from..to).contains(ms) && of.contains(track))
                .map(|(_, sample)| *sample)
                .collect();
            all[all.len().saturating_sub(limit as usize)..].to_vec()
        };
        let got = async |vantage: Option<usize>, check: usize| {
            let vantage = vantage.map(|track| &tracks[track].vantage);
            made.store.samples(&tracks[check].check, vantage, at(from), at(to), limit).await.unwrap()
        };
        prop_assert_eq!(got(Some(0), 0).await, wanted(&[0]));
        prop_assert_eq!(got(Some(1), 0).await, wanted(&[1]));
        prop_assert_eq!(got(None, 2).await, wanted(&[2]));
        let (mut both, mut expected) = (got(None, 0).await, wanted(&[0, 1]));
        // Of two vantages at the same time either may be first, or be the one that is too many.
        let key = |sample: &Sample| (sample.at, sample.total, sample.verdict, sample.warm);
        if limit == whole.2 {
            both.sort_by_key(key);
            expected.sort_by_key(key);
            prop_assert_eq!(both, expected);
        } else {
            prop_assert_eq!(
                both.iter().map(|one| one.at).collect::<Vec<Timestamp>>(),
                expected.iter().map(|one| one.at).collect::<Vec<_>>()
            );
        }
    }
    let mut latest: BTreeMap<&TrackId, (Timestamp, Verdict)> = BTreeMap::new();
    for ((_, track), sample) in &model {
        latest.insert(&tracks[*track], (sample.at, sample.verdict));
    }
    let mut remembered = made.store.remember(at(0)).await.unwrap().latest;
    remembered.sort();
    let expected: Vec<_> =
        latest.into_iter().map(|(track, (at, verdict))| (track.clone(), at, verdict)).collect();
    prop_assert_eq!(remembered, expected);
    Ok(())
}
