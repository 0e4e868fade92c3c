//! The connection is lost, at each step of the protocol in turn: nothing is lost with it, and nothing is doubled.
//!
//! What the recorder does is done here with less: batches that build on each other, each of which is decided anew, with other
//! results, after an error that says that nothing was stored.

use crate::{
    made::{at, callout, changes, failed, incident, outcomes, passed, read, results},
    place::{On, Place, server},
};
use domain::{Change, IncidentId, IncidentStatus};
use simulator::{Blow, Proxy, Saying, When};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::{Batch, Error, Store};

/// Longer than any of this takes; reached only when it fails.
const LIMIT: Duration = Duration::from_secs(60);

/// What the recorder does when it does not know what became of a batch.
#[derive(Debug, Clone, Copy)]
enum Finds {
    /// It records the same again.
    BySameAgain,
    /// It asks what is there, and decides anew if the batch is not.
    ByAsking,
}

/// How often a batch was decided before it was stored, for each in turn.
type Decided = Vec<i64>;

/// The batch of this number, as it is decided for the so manieth time: later, and so with other contents.
fn batch(number: u64, decided: i64) -> Batch {
    let ms = i64::try_from(number).unwrap() * 100_000;
    let mut opened = incident(number, &format!("api-{number}"), IncidentStatus::Open);
    opened.opened_at = at(ms + decided);
    let mut notification = callout(&format!("C-{number}/callout/{decided}/text"));
    notification.incident = IncidentId(number);
    let mut batch = outcomes([passed(&read(), ms), failed(&read(), ms + 1)]);
    batch.changes = vec![Change::Incident(Arc::new(opened)), Change::Notify(notification)];
    batch
}

/// Records four batches: one of passes, two that change much, one of passes.
async fn story(store: &Store, finds: Finds) -> Decided {
    let mut decided = Vec::new();
    for number in 0..4_u64 {
        let mut times = 0;
        loop {
            let batch = match number {
                0 => outcomes([passed(&read(), 0)]),
                3 => outcomes([passed(&read(), 900_000)]),
                _ => batch(number, times),
            };
            match record(store, &batch, finds).await {
                Ok(()) => break,
                Err(Error::Unavailable { .. } | Error::Busy { .. }) => times += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        decided.push(times);
    }
    decided
}

async fn record(store: &Store, batch: &Batch, finds: Finds) -> Result<(), Error> {
    let mut done = store.record(batch).await;
    while let Err(Error::Unknown { .. }) = done {
        done = match finds {
            Finds::BySameAgain => store.record(batch).await,
            Finds::ByAsking => match store.remember_in_turn(at(0)).await {
                Ok(remembered) if remembered.incidents.iter().any(|one| opens(batch, one.id)) => Ok(()),
                Ok(_) => Err(Error::Unavailable { doing: "record", source: "it is not there".into() }),
                // Still nobody knows.
                Err(Error::Unavailable { .. } | Error::Busy { .. }) => continue,
                Err(error) => Err(error),
            },
        };
    }
    done
}

fn opens(batch: &Batch, id: IncidentId) -> bool {
    batch.changes.iter().any(|change| matches!(change, Change::Incident(incident) if incident.id == id))
}

/// Everything that is stored.
async fn everything(store: &Store) -> String {
    let remembered = store.remember(at(0)).await.unwrap();
    let mut counts = store.counts().await.unwrap();
    // What was counted when the answer was lost is not stored.
    counts.recorded = 0;
    let (from, to) = (at(-1), at(9_000_000));
    let samples = store.samples(&read().check, None, from, to, 99).await.unwrap();
    let failures = store.failures(&results(), from, to, 99).await.unwrap();
    let mut notifications = Vec::new();
    for number in 1..3 {
        notifications.extend(store.notifications(IncidentId(number)).await.unwrap());
    }
    format!("{remembered:?}\n{counts:?}\n{samples:?}\n{failures:?}\n{notifications:?}")
}

/// What is stored when nothing goes wrong, and each batch was decided so often before.
async fn undisturbed(decided: &Decided) -> String {
    let store = Store::open("sqlite::memory:", [1; 32]).await.unwrap();
    store.record(&outcomes([passed(&read(), 0)])).await.unwrap();
    for number in 1..3_u64 {
        store.record(&batch(number, decided[usize::try_from(number).unwrap()])).await.unwrap();
    }
    store.record(&outcomes([passed(&read(), 900_000)])).await.unwrap();
    everything(&store).await
}

/// A database, and the way to it that can be cut.
pub(crate) struct Way {
    place: Place,
    pub(crate) proxy: Proxy,
    /// Goes round the proxy.
    reader: Store,
}

impl Way {
    pub(crate) async fn new() -> Self {
        let place = Place::new(On::Postgres).await;
        // The schema and the key are there from the start.
        let reader = place.open([1; 32]).await;
        let address = server().split('@').nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
        let address: SocketAddr = address.expect("the server's address");
        let proxy = Proxy::postgres(address).await.unwrap();
        Self { place, proxy, reader }
    }

    /// Opens it through the proxy, and takes the lease.
    pub(crate) async fn open(&self) -> Store {
        let url = self.place.url();
        let (before, name) = url.rsplit_once('/').expect("a URL with a database");
        let (before, _) = before.split_once('@').expect("a user");
        let url = format!("{before}@{}/{name}", self.proxy.address());
        let store = Store::open(&url, [2; 32]).await.unwrap();
        assert!(store.take(&store.lease().await.unwrap(), "one").await.unwrap());
        store
    }

    /// Plays the story with this going wrong: whether it did.
    async fn play(&self, when: When, blow: Blow, finds: Finds) -> Option<String> {
        let store = self.open().await;
        self.proxy.plan(when.clone(), blow);
        let decided = tokio::time::timeout(LIMIT, story(&store, finds)).await.expect("it ends");
        let struck = self.proxy.struck();
        self.proxy.forget_plan();
        if struck.is_none() {
            assert_eq!(decided, [0, 0, 0, 0]);
        }
        let (stored, expected) = (everything(&self.reader).await, undisturbed(&decided).await);
        assert_eq!(stored, expected, "{when:?} {blow:?} {finds:?}");
        store.close().await;
        self.place.tell(EMPTY).await;
        struck
    }
}

/// As new; faster than to truncate.
const EMPTY: &str =
    "DELETE FROM attempt; DELETE FROM notification; DELETE FROM incident; DELETE FROM status_change;
                     DELETE FROM failure; DELETE FROM transcript; DELETE FROM outcome; DELETE FROM track";

mod nothing_is_lost_or_doubled_wherever_the_connection_is_cut {
    use super::{Blow, Finds, Saying, Way, When};

    #[tokio::test]
    async fn postgres() {
        let way = Way::new().await;
        let mut cuts = Vec::new();
        for number in 1.. {
            let (blow, finds) = if number % 2 == 0 {
                (Blow::Reset, Finds::BySameAgain)
            } else {
                (Blow::Close, Finds::ByAsking)
            };
            match way.play(When::Before(Saying::anything(), number), blow, finds).await {
                Some(struck) => cuts.push(struck),
                None => break,
            }
        }
        println!("{} cuts", cuts.len());
        let before = |message: &str| cuts.iter().filter(|cut| cut.contains(message)).count();
        for message in [
            "Parse to",
            "Bind to",
            "Execute to",
            "Sync to",
            "Query to",
            "CommandComplete to",
            "ReadyForQuery to",
        ] {
            assert!(before(message) >= 2, "{message} the server or client: {cuts:#?}");
        }
    }
}

mod a_commit_that_nobody_heard_of_is_found_out {
    use super::{Blow, Finds, Way, When};

    #[tokio::test]
    async fn postgres() {
        let way = Way::new().await;
        for finds in [Finds::BySameAgain, Finds::ByAsking] {
            for blow in [Blow::Reset, Blow::Close] {
                way.play(When::before_commit(), blow, finds).await.expect("it was cut");
                way.play(When::commit_unanswered(), blow, finds).await.expect("it was cut");
            }
        }
    }
}

/// A different batch after one that was stored, and of which nobody heard, would not know what that changed.
mod another_batch_after_one_that_nobody_heard_of_is_refused {
    use super::{Blow, Error, Way, When, at, batch, changes};

    #[tokio::test]
    async fn postgres() {
        let way = Way::new().await;
        let store = way.open().await;
        way.proxy.plan(When::commit_unanswered(), Blow::Reset);
        let unknown = store.record(&batch(1, 0)).await;
        assert!(matches!(unknown, Err(Error::Unknown { .. })), "{unknown:?}");
        let refused = store.record(&batch(1, 1)).await;
        assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
        let refused = store.record(&changes([])).await;
        assert!(refused.is_ok(), "an empty batch is nothing");
        let remembered = store.remember_in_turn(at(0)).await.unwrap();
        assert_eq!(remembered.last_incident, 1);
        store.record(&batch(2, 0)).await.unwrap();
    }
}
