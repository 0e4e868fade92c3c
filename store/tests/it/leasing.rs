//! One recorder a database: whoever lost the lease writes nothing, whatever it believes.

use crate::{
    made::{Made, at, callout, changes, failed, health, opened, outcomes, passed, read, results, turned},
    place::{On, on_both},
};
use domain::{Change, Command, IncidentId, Message, Status, Told};
use std::time::Duration;
use store::{Batch, Error, Settlement, Store};

on_both!(
    a_new_database_is_free,
    whoever_beats_is_seen_to_live,
    of_two_that_saw_the_same_one_takes_it,
    a_holder_that_moved_is_left_alone,
    whoever_lost_the_lease_records_nothing,
    whoever_lost_the_lease_claims_and_settles_nothing,
    what_was_given_back_is_free_at_once,
    whoever_never_took_it_may_tell_and_read,
    a_take_over_waits_for_what_is_being_written,
    nobody_records_while_the_database_is_held,
);

const LEASE: Duration = Duration::from_secs(30);

/// Takes the lease, as whoever finds it standing still does.
async fn take(store: &Store, holder: &str) {
    assert!(store.take(&store.lease().await.unwrap(), holder).await.unwrap());
}

/// Everything that is stored, as one text.
async fn everything(made: &Made) -> String {
    let reader = made.another().await;
    let remembered = reader.remember(at(0)).await.unwrap();
    let counts = reader.counts().await.unwrap();
    let notifications = reader.notifications(IncidentId(1)).await.unwrap();
    let (inbox, lease) = (reader.inbox(99).await.unwrap(), reader.lease().await.unwrap());
    reader.close().await;
    format!("{remembered:?} {counts:?} {notifications:?} {inbox:?} {lease:?}")
}

fn fenced<T: std::fmt::Debug>(done: Result<T, Error>) {
    assert!(matches!(done.unwrap_err(), Error::Fenced));
}

async fn a_new_database_is_free(on: On) {
    let made = Made::new(on).await;
    let lease = made.store.lease().await.unwrap();
    assert_eq!((lease.fence, lease.holder.as_str(), lease.free), (0, "", true));
    take(&made.store, "one").await;
    let lease = made.store.lease().await.unwrap();
    assert_eq!((lease.fence, lease.holder.as_str(), lease.free), (1, "one", false));
}

async fn whoever_beats_is_seen_to_live(on: On) {
    let made = Made::new(on).await;
    take(&made.store, "one").await;
    let before = made.store.lease().await.unwrap();
    made.store.beat().await.unwrap();
    let after = made.store.lease().await.unwrap();
    assert_eq!(before.fence, after.fence);
    assert_ne!(before.beat, after.beat);
    fenced(made.another().await.beat().await);
}

async fn of_two_that_saw_the_same_one_takes_it(on: On) {
    let made = Made::new(on).await;
    let (other, third) = (made.another().await, made.another().await);
    let seen = made.store.lease().await.unwrap();
    let (one, two, three) =
        tokio::join!(made.store.take(&seen, "one"), other.take(&seen, "two"), third.take(&seen, "three"));
    let taken = [one.unwrap(), two.unwrap(), three.unwrap()];
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
    assert_eq!(made.store.lease().await.unwrap().fence, 1);
}

async fn a_holder_that_moved_is_left_alone(on: On) {
    let made = Made::new(on).await;
    let other = made.another().await;
    take(&made.store, "one").await;
    let seen = other.lease().await.unwrap();
    made.store.beat().await.unwrap();
    assert!(!other.take(&seen, "two").await.unwrap());
    made.store.record(&changes([opened(1, "results")])).await.unwrap();
    assert_eq!(made.store.lease().await.unwrap().holder, "one");
}

async fn whoever_lost_the_lease_records_nothing(on: On) {
    let of_all_kinds = [
        outcomes([passed(&read(), 10_000)]),
        outcomes([failed(&read(), 20_000)]),
        changes([turned(health(results(), Status::MajorOutage, 0)), opened(2, "other")]),
        changes([Change::Notify(callout("C-1/callout/1/text"))]),
    ];
    for batch in of_all_kinds {
        let made = Made::new(on).await;
        let other = made.another().await;
        take(&made.store, "one").await;
        made.store.record(&outcomes([passed(&read(), 0)])).await.unwrap();
        take(&other, "two").await;
        other.record(&changes([opened(1, "results")])).await.unwrap();
        let before = everything(&made).await;
        fenced(made.store.record(&batch).await);
        assert_eq!(everything(&made).await, before);
        fenced(made.store.record(&batch).await);
        fenced(made.store.beat().await);
        other.record(&batch).await.unwrap();
    }
}

async fn whoever_lost_the_lease_claims_and_settles_nothing(on: On) {
    for settles in [false, true] {
        let made = Made::new(on).await;
        let other = made.another().await;
        take(&made.store, "one").await;
        let notify = Change::Notify(callout("C-1/callout/1/text"));
        let two = Change::Notify(callout("C-1/callout/2/text"));
        made.store.record(&changes([opened(1, "results"), notify, two])).await.unwrap();
        let claimed = made.store.claim(at(1), LEASE, 1).await.unwrap();
        take(&other, "two").await;
        let before = everything(&made).await;
        if settles {
            let sent = Settlement::Sent { provider_id: "740e5834".to_owned() };
            fenced(made.store.settle(&claimed[0].claim, &sent, &[], at(2)).await);
        } else {
            fenced(made.store.claim(at(2), LEASE, 9).await);
        }
        assert_eq!(everything(&made).await, before);
        let again = other.claim(at(30_001), LEASE, 9).await.unwrap();
        assert_eq!(again.iter().filter(|one| one.uncertain).count(), 1, "what it was sending is reconciled");
    }
}

async fn what_was_given_back_is_free_at_once(on: On) {
    let made = Made::new(on).await;
    let other = made.another().await;
    take(&made.store, "one").await;
    let watched = other.lease().await.unwrap();
    made.store.clone().release().await.unwrap();
    let lease = other.lease().await.unwrap();
    assert_eq!((lease.fence, lease.free), (1, true));
    assert!(!other.take(&watched, "two").await.unwrap(), "it moved");
    fenced(made.store.record(&outcomes([passed(&read(), 0)])).await);
    assert!(other.take(&lease, "two").await.unwrap());
    assert!(!other.lease().await.unwrap().free);
    made.store.release().await.unwrap_err();
    assert_eq!(other.lease().await.unwrap().holder, "two", "whoever has none gives none back");
    other.record(&outcomes([passed(&read(), 0)])).await.unwrap();
}

async fn whoever_never_took_it_may_tell_and_read(on: On) {
    let made = Made::new(on).await;
    take(&made.store, "one").await;
    let other = made.another().await;
    other.release().await.unwrap();
    let told = Told {
        at: at(0),
        what: Message::Command(Command::Acknowledge { incident: IncidentId(1), by: "Nia".to_owned() }),
    };
    let id = other.tell(&told).await.unwrap();
    assert_eq!(made.store.inbox(9).await.unwrap(), [(id, told)]);
    let folded = Batch { folded: vec![(id, Ok("yours".to_owned()))], ..Batch::default() };
    made.store.record(&folded).await.unwrap();
    assert_eq!(other.answer(id).await.unwrap(), Some(Ok("yours".to_owned())));
}

async fn a_take_over_waits_for_what_is_being_written(on: On) {
    let made = Made::new(on).await;
    let other = made.another().await;
    take(&made.store, "one").await;
    let record = async {
        for ms in 0.. {
            let batch = outcomes([passed(&read(), ms), failed(&read(), 1_000_000 + ms)]);
            match made.store.record(&batch).await {
                Ok(()) => {}
                Err(Error::Fenced) => return ms,
                Err(error) => panic!("{error:?}"),
            }
        }
        unreachable!("it is fenced before")
    };
    let taken = async {
        let samples = async |store: &Store| {
            store.samples(&read().check, None, at(0), at(2_000_000), 9_999).await.unwrap().len()
        };
        while samples(&other).await < 20 {
            tokio::task::yield_now().await;
        }
        take(&other, "two").await;
        let at_once = samples(&other).await;
        (at_once, other)
    };
    let (written, (at_once, other)) = tokio::join!(record, taken);
    let later = other.samples(&read().check, None, at(0), at(2_000_000), 9_999).await.unwrap().len();
    assert_eq!(at_once, later, "nothing came after the take-over");
    assert_eq!(
        i64::try_from(later).unwrap(),
        written * 2,
        "what was told to be recorded is, and nothing else"
    );
}

async fn nobody_records_while_the_database_is_held(on: On) {
    let made = Made::new(on).await;
    take(&made.store, "one").await;
    let held = made.another().await.hold().await.unwrap();
    let busy = made.store.record(&outcomes([failed(&read(), 0)])).await;
    assert!(matches!(busy, Err(Error::Busy { .. })), "{busy:?}");
    drop(held);
    made.store.record(&outcomes([failed(&read(), 0)])).await.unwrap();
}
