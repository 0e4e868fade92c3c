//! An outage, step by step.

use super::{super::backlog::MOST_IN_MEMORY, *};
use crate::{Recording, Spool, words::example};
use domain::{CheckId, Environment, OperationId, ReferenceKey, Remembered, VantageId};
use std::sync::Mutex;

fn outage(folder: &tempfile::TempDir) -> Outage {
    let spool = Spool::open(&folder.path().join("spool")).unwrap();
    let backlog = Backlog::new(Some(Arc::new(Mutex::new(spool))), Arc::new(Recording::default()));
    let nothing = Remembered::nothing(ReferenceKey([0; 32]));
    let situation = Situation::new(Arc::new(example::configuration()), nothing);
    Outage::new(backlog, situation, None)
}

fn outcome(at: Timestamp) -> Outcome {
    let instance = example::instance("documents", Environment::Production);
    let check = CheckId { instance, operation: OperationId::parse("ping").unwrap() };
    Outcome::new(check, VantageId::parse("internet").unwrap(), at)
}

fn record() -> Record {
    let then = example::at("02:14:10");
    Record::Late(LateOutcome { then, outcome: Arc::new(outcome(then)) })
}

#[tokio::test]
async fn while_all_that_waits_is_on_its_way_into_the_spool_nothing_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let mut outage = outage(&folder);
    outage.backlog.push(record());
    assert!(outage.may_try());
    let mut writing: Writing = Box::pin(outage.backlog.write());
    outage.writing = Some(Box::pin(pending()));
    assert!(!outage.may_try(), "an attempt of nothing would end at once, and so would the next");
    outage.backlog.written((&mut writing).await);
    outage.writing = None;
    assert!(outage.may_try());
}

#[tokio::test]
async fn what_comes_is_put_into_the_spool_unless_the_store_takes_all_that_is_left_with_one_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let mut outage = outage(&folder);
    outage.backlog.push(record());
    assert!(outage.spools());
    outage.takes = true;
    assert!(!outage.spools());
    (0..LARGEST_BATCH).for_each(|_| outage.backlog.push(record()));
    assert!(outage.spools(), "more than one attempt takes");
}

#[tokio::test]
async fn while_the_store_takes_what_waits_less_comes_than_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut outage = outage(&folder);
    assert!(outage.room() > 0, "an attempt that hangs holds up no probe");
    outage.takes = true;
    let now = example::at("02:14:10");
    while outage.room() > 0 {
        outage.take(outcome(now), now);
    }
    assert_eq!(outage.backlog.in_memory(), LARGEST_BATCH / 2);
    outage.takes = false;
    assert!(outage.room() > 0, "the store takes nothing again: nobody waits for it");
}

#[tokio::test]
async fn what_the_spool_is_about_to_take_waits_with_the_prober_and_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut outage = outage(&folder);
    (0..MOST_IN_MEMORY).for_each(|_| outage.backlog.push(record()));
    assert!(outage.room() > 0, "nothing was put into it yet");
    outage.write_at = Instant::now() + PATIENCE;
    assert_eq!(outage.room(), 0, "it is written to again in a moment");
    outage.writing = Some(Box::pin(pending()));
    outage.write_at = Instant::now();
    assert_eq!(outage.room(), 0);
    outage.write_at = Instant::now().checked_sub(PATIENCE).unwrap();
    assert!(outage.room() > 0, "a disk that hangs holds up no probe");
    outage.writing = None;
    outage.backlog.stuck = true;
    assert!(outage.room() > 0, "what the spool does not take holds up no probe");
}
