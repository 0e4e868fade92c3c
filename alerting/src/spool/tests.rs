//! What is in the spool comes out of it, in order and once, whatever happened in between.

use super::*;
use crate::words::example;
use domain::{Failure, FailureKind, Layer, Outcome, VantageId};
use proptest::prelude::*;
use std::{fs, sync::Arc, time::Duration};
use tempfile::TempDir;

fn check() -> domain::CheckId {
    let configuration = example::configuration();
    configuration.checks.keys().next().cloned().unwrap_or_else(|| domain::CheckId {
        instance: domain::InstanceId {
            api: domain::ApiId::parse("patient-demographics").unwrap(),
            environment: domain::Environment::Production,
        },
        operation: domain::OperationId::parse("read").unwrap(),
    })
}

/// The `n`th outcome: every third failed.
fn late(n: i64) -> Record {
    let at = example::at("02:14:10") + jiff::SignedDuration::from_millis(n * 10);
    let mut outcome = Outcome::new(check(), VantageId::parse("internet").unwrap(), at);
    outcome.total = Duration::from_micros(64 * u64::try_from(n % 1_000).unwrap());
    outcome.confirm = n % 7 == 0;
    if n % 3 == 0 {
        outcome.failure = Some(Failure {
            layer: Layer::Backend,
            kind: FailureKind::ServerError,
            message: format!("503 from 10.0.0.{n}"),
        });
        outcome.request_id = Some(format!("request {n}"));
    }
    Record::Late(Late { then: at + jiff::SignedDuration::from_millis(5), outcome: Arc::new(outcome) })
}

fn lates(range: std::ops::Range<i64>) -> Vec<Record> {
    range.map(late).collect()
}

fn small(folder: &TempDir) -> Spool {
    let mut spool = Spool::within(&folder.path().join("spool"), 8 << 10, 64 << 10).unwrap();
    spool.reserve().unwrap();
    spool
}

/// All that is in it, taken out in steps of `step`.
fn drained(spool: &mut Spool, step: usize) -> Vec<Record> {
    let mut all = Vec::new();
    while spool.waiting() > 0 {
        let (records, at) = spool.oldest(step).unwrap();
        spool.settled(at, records.len()).unwrap();
        all.extend(records);
    }
    all
}

#[test]
fn what_goes_in_comes_out_in_order_also_after_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = small(&folder);
    assert_eq!(spool.append(&lates(0..40)).count, 40);
    drop(spool);
    let mut spool = small(&folder);
    assert_eq!((spool.waiting(), spool.told_at()), (40, None));
    assert_eq!(spool.append(&lates(40..60)).count, 20);
    assert_eq!(drained(&mut spool, 7), lates(0..60));
    drop(spool);
    assert_eq!(small(&folder).waiting(), 0, "what was taken out stays out");
}

#[test]
fn what_was_read_but_not_settled_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = small(&folder);
    spool.append(&lates(0..10));
    let (first, _) = spool.oldest(4).unwrap();
    assert_eq!(first, lates(0..4));
    let (again, at) = spool.oldest(4).unwrap();
    assert_eq!(again, first);
    spool.settled(at, 4).unwrap();
    assert_eq!(spool.oldest(4).unwrap().0, lates(4..8));
    drop(spool);
    assert_eq!(drained(&mut small(&folder), 100), lates(0..10), "after a crash all of it: twice is once");
}

#[test]
fn when_it_is_full_the_newest_stay_outside_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = small(&folder);
    let taken = spool.append(&lates(0..5_000));
    assert!(taken.rest.is_ok() && (100..5_000).contains(&taken.count), "{taken:?}");
    assert_eq!(spool.append(&lates(0..1)).count, 0);
    assert!(fs::metadata(spool.path()).unwrap().len() <= 64 << 10);
    let count = i64::try_from(taken.count).unwrap();
    assert_eq!(drained(&mut spool, 1_000), lates(0..count));
    assert_eq!(fs::metadata(spool.path()).unwrap().len(), 8 << 10, "the disk has its room back");
    assert_eq!(spool.append(&lates(7..9)).count, 2, "and it can be used again");
    assert_eq!(drained(&mut spool, 1_000), lates(7..9));
}

#[test]
fn an_hour_of_a_hundred_probes_a_second_fits() {
    let (salt, records) = ([7; 16], lates(1..3).into_iter());
    let bytes: usize = records.map(|record| Frame::seal(&record, &salt, 32).unwrap().len()).sum();
    assert!(LARGEST / 360_000 >= bytes as u64 / 2, "{} bytes a record", bytes / 2);
}

#[test]
fn its_room_is_really_there_and_only_its_owner_reads_it() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let spool = small(&folder);
    let metadata = fs::metadata(spool.path()).unwrap();
    assert!(metadata.blocks() * 512 >= 8 << 10, "{} blocks", metadata.blocks());
    assert_eq!(metadata.mode() & 0o777, 0o600);
}

#[test]
fn two_programs_do_not_share_one_and_what_is_no_spool_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let spool = small(&folder);
    assert!(matches!(Spool::open(spool.path()), Err(SpoolError::Taken(_))));
    let other = folder.path().join("letter");
    fs::write(&other, "Dear sir or madam, this is no spool at all.").unwrap();
    assert!(matches!(Spool::open(&other), Err(SpoolError::Foreign(_))));
    assert!(fs::read_to_string(&other).unwrap().starts_with("Dear"));
    assert!(matches!(Spool::open(&folder.path().join("no/such/place")), Err(SpoolError::Io { .. })));
}

#[test]
fn it_remembers_when_the_last_resort_was_told_until_all_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let told = example::at("02:14:40");
    let mut spool = small(&folder);
    spool.append(&[late(1), Record::Told(told), late(2)]);
    drop(spool);
    let mut spool = small(&folder);
    assert_eq!(spool.told_at(), Some(told));
    assert_eq!(drained(&mut spool, 2), vec![late(1), Record::Told(told), late(2)]);
    assert_eq!(spool.told_at(), None);
}

#[test]
fn what_a_disk_damaged_in_the_middle_ends_it_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = small(&folder);
    spool.append(&lates(0..20));
    let (_, at) = spool.oldest(8).unwrap();
    spool.file.write_all_at(b"?", at + 20).unwrap();
    let (records, at) = spool.oldest(100).unwrap();
    assert_eq!(records, lates(0..8));
    spool.settled(at, 8).unwrap();
    assert!(spool.oldest(100).is_err());
    spool.give_up_rest();
    assert_eq!(spool.waiting(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// `kill -9` or a loss of power, anywhere in what was written last.
    #[test]
    fn a_torn_tail_is_cut_and_all_before_it_is_kept(
        whole in 0_i64..30,
        torn in 1_i64..30,
        cut in 0.0_f64..1.0,
        garbage: Vec<u8>,
        emptied: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = small(&folder);
        if emptied {
            // An earlier outage left its records behind in the room that is used again.
            spool.append(&lates(100..160));
            drained(&mut spool, 1_000);
        }
        spool.append(&lates(0..whole));
        let kept = spool.to;
        spool.append(&lates(whole..whole + torn));
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss,
            reason = "a place in a small file")]
        let at = kept + ((spool.to - kept) as f64 * cut) as u64;
        let end = usize::try_from(spool.to - at).unwrap();
        spool.file.write_all_at(&garbage.into_iter().cycle().take(end).chain(vec![0; end]).take(end)
            .collect::<Vec<u8>>(), at).unwrap();
        drop(spool);
        let mut spool = small(&folder);
        let found = drained(&mut spool, 11);
        let count = i64::try_from(found.len()).unwrap();
        prop_assert!(count >= whole && count < whole + torn);
        prop_assert_eq!(found, lates(0..count));
    }

    #[test]
    fn it_is_a_queue(steps in prop::collection::vec((any::<bool>(), 1_usize..30), 1..40), reopen in 0_usize..40) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = small(&folder);
        let (mut put, mut got) = (0, 0);
        for (step, (puts, count)) in steps.into_iter().enumerate() {
            if puts {
                let count = i64::try_from(count).unwrap();
                put += i64::try_from(spool.append(&lates(put..put + count)).count).unwrap();
            } else if spool.waiting() > 0 {
                let (records, at) = spool.oldest(count).unwrap();
                let count = i64::try_from(records.len()).unwrap();
                prop_assert_eq!(&records, &lates(got..got + count));
                spool.settled(at, records.len()).unwrap();
                got += count;
            }
            prop_assert_eq!(spool.waiting(), u64::try_from(put - got).unwrap());
            if step == reopen && spool.waiting() == 0 {
                drop(spool);
                spool = small(&folder);
            }
        }
    }
}
