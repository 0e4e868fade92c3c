//! While the store takes nothing: nothing that was seen is lost, and the last resort is told from memory (invariant 6).

use super::{
    example,
    ground::Ground,
    house::LIMIT,
    room::{Room, room_in},
};
use alerting::OutageLimits;
use domain::{Environment, Failure, FailureKind, Layer, Message, Outcome, Status, Told, TrackId, VantageId};
use jiff::{SignedDuration, Timestamp};
use std::{sync::atomic::Ordering, time::Duration};

/// As patient as is needed to see each step.
const SHORT: OutageLimits = OutageLimits {
    patience: Duration::from_millis(50),
    answer: Duration::from_secs(20),
    spool_after: Duration::from_millis(100),
    tell_after: Duration::from_millis(400),
};

fn track() -> TrackId {
    let check = example::configuration().checks.into_keys().next().unwrap();
    TrackId { check, vantage: VantageId::parse("internet").unwrap() }
}

impl Room {
    /// A probe comes back now, and the next one is ten seconds later.
    async fn see(&self, failed: bool) {
        self.see_words(failed.then_some("503")).await;
    }

    /// It failed, if it did, with these words.
    async fn see_words(&self, failed: Option<&str>) {
        let TrackId { check, vantage } = track();
        let mut outcome = Outcome::new(check, vantage, self.hand.now());
        outcome.total = Duration::from_millis(64);
        outcome.failure = failed.map(|words| Failure {
            layer: Layer::Backend,
            kind: FailureKind::ServerError,
            message: words.to_owned(),
        });
        self.outcomes.send(outcome).await.unwrap();
        // Folded at the time at which it came.
        self.until_so("taken", async || self.outcomes.capacity() == self.outcomes.max_capacity()).await;
        self.hand.forward(10);
    }

    async fn waiting(&self, count: u64) {
        self.until_so("waiting", async || self.recording.waiting.load(Ordering::Relaxed) == count).await;
    }

    async fn spooled(&self, least: u64) {
        self.until_so("spooled", async || self.recording.spooled.load(Ordering::Relaxed) >= least).await;
    }

    /// When each probe that is in the record began.
    async fn recorded(&self) -> Vec<Timestamp> {
        let hour = SignedDuration::from_hours(1);
        let (from, to) = (example::at("02:00:00"), self.hand.now() + hour);
        let samples = self.store.samples(&track().check, None, from, to, 30_000).await.unwrap();
        samples.into_iter().map(|sample| sample.at).collect()
    }

    /// And the recorder has heard that it is, so that nothing is under way.
    async fn until_published(&self, count: u64) {
        self.until_so("published", async || self.recording.outcomes.load(Ordering::Relaxed) == count).await;
    }

    async fn until_recorded(&self, count: usize) -> Vec<Timestamp> {
        self.until_so("recorded", async || self.recorded().await.len() == count).await;
        self.recorded().await
    }
}

fn every_ten_seconds(count: i64) -> Vec<Timestamp> {
    (0..count).map(|n| example::at("02:14:10") + SignedDuration::from_secs(10 * n)).collect()
}

#[tokio::test]
async fn what_was_seen_meanwhile_is_recorded_as_it_was_when_the_store_is_back() {
    let mut room = room_in(Ground::new(), SHORT).await;
    for _ in 0..3 {
        room.see(false).await;
    }
    room.until_published(3).await;
    let hold = room.beside().await.hold().await.unwrap();
    for _ in 0..2 {
        room.see(false).await;
    }
    for _ in 0..9 {
        room.see(true).await;
    }
    room.waiting(11).await;
    room.unrecorded.wait_for(Option::is_some).await.unwrap();
    let said = room.unrecorded.borrow().clone().unwrap();
    assert_eq!(said.since, example::at("02:14:40"));
    let production = example::instance("patient-demographics", Environment::Production);
    assert_eq!(said.known.status(&production), Status::MajorOutage, "known from memory");
    assert_eq!(room.situation.borrow().status(&production), Status::Operational, "and shown to nobody");
    room.spooled(11).await;

    drop(hold);
    assert_eq!(room.until_recorded(14).await, every_ten_seconds(14));
    room.until(|situation| situation.open_incidents().count() == 1).await;
    let incident = room.situation.borrow().open_incidents().next().cloned().unwrap();
    assert_eq!(incident.started_at, example::at("02:15:00"), "when it really began");
    room.see(true).await;
    room.unrecorded.wait_for(Option::is_none).await.unwrap();
    room.waiting(0).await;
    assert_eq!(room.recording.lost.load(Ordering::Relaxed), 0);
    room.close().await;
}

#[tokio::test]
async fn outcomes_that_come_without_end_do_not_keep_the_recorder_from_catching_up() {
    let mut room = room_in(Ground::new(), SHORT).await;
    let (TrackId { check, vantage }, began) = (track(), room.hand.now());
    let mut next = (0..).map(move |ms| {
        let at = began + SignedDuration::from_millis(ms);
        Outcome::new(check.clone(), vantage.clone(), at)
    });
    let hold = room.beside().await.hold().await.unwrap();
    for outcome in next.by_ref().take(6_000) {
        room.outcomes.send(outcome).await.unwrap();
    }
    room.unrecorded.wait_for(Option::is_some).await.unwrap();
    let outcomes = room.outcomes.clone();
    let mut prober = tokio::task::JoinSet::new();
    prober.spawn(async move {
        for outcome in next {
            if outcomes.send(outcome).await.is_err() {
                break;
            }
        }
    });
    drop(hold);
    tokio::time::timeout(LIMIT, room.unrecorded.wait_for(Option::is_none)).await.expect("in time").unwrap();
    assert_eq!(room.recording.lost.load(Ordering::Relaxed), 0);
    prober.shutdown().await;
    room.close().await;
}

#[tokio::test]
async fn an_outage_that_follows_another_is_told_from_its_own_beginning() {
    let mut room = room_in(Ground::new(), SHORT).await;
    let beside = room.beside().await;
    let hold = beside.hold().await.unwrap();
    room.see(true).await;
    room.unrecorded.wait_for(Option::is_some).await.unwrap();
    assert_eq!(room.unrecorded.borrow().clone().unwrap().since, example::at("02:14:10"));
    drop(hold);
    room.unrecorded.wait_for(Option::is_none).await.unwrap();
    assert_eq!(room.recorded().await.len(), 1, "nothing is missing any more");
    // Before anything was recorded at once again.
    let hold = beside.hold().await.unwrap();
    room.see(true).await;
    room.unrecorded.wait_for(Option::is_some).await.unwrap();
    assert_eq!(room.unrecorded.borrow().clone().unwrap().since, example::at("02:14:20"));
    drop(hold);
    room.close().await;
}

#[tokio::test]
async fn a_crash_meanwhile_loses_nothing_that_is_in_the_spool() {
    let room = room_in(Ground::new(), SHORT).await;
    let hold = room.beside().await.hold().await.unwrap();
    for n in 0..7 {
        room.see(n > 2).await;
    }
    room.spooled(7).await;
    let ground = room.kill().await;
    drop(hold);
    let mut room = room_in(ground, SHORT).await;
    room.hand.forward(70);
    assert_eq!(room.until_recorded(7).await, every_ten_seconds(7));
    room.until(|situation| situation.open_incidents().count() == 1).await;
    let incident = room.situation.borrow().open_incidents().next().cloned().unwrap();
    assert_eq!(incident.started_at, example::at("02:14:40"));
    room.see(true).await;
    room.until_recorded(8).await;
    assert_eq!(room.situation.borrow().open_incidents().count(), 1);
    room.close().await;
}

#[tokio::test]
async fn what_is_read_again_from_the_spool_counts_once() {
    let room = room_in(Ground::new(), SHORT).await;
    let hold = room.beside().await.hold().await.unwrap();
    for _ in 0..6 {
        room.see(false).await;
    }
    room.spooled(6).await;
    // What the spool held when it was recorded, for a program that died before it had emptied it.
    let (spool, kept) = (room.folder().join("spool"), room.folder().join("kept"));
    std::fs::copy(&spool, &kept).unwrap();
    drop(hold);
    room.until_recorded(6).await;
    let ground = room.stop().await;
    std::fs::rename(kept, spool).unwrap();
    let room = room_in(ground, SHORT).await;
    room.waiting(0).await;
    room.hand.forward(70);
    room.see(false).await;
    room.until_recorded(7).await;
    room.until_so("counted", async || room.recording.outcomes.load(Ordering::Relaxed) == 1).await;
    room.close().await;
}

#[tokio::test]
async fn what_the_store_refuses_for_good_is_set_aside_and_ends_nothing() {
    let mut room = room_in(Ground::new(), SHORT).await;
    room.beside().await.refuse_poison().await.unwrap();
    room.see(false).await;
    room.see_words(Some("poison")).await;
    for _ in 0..3 {
        room.see(true).await;
    }
    room.until_so("set aside", async || room.recording.set_aside.load(Ordering::Relaxed) == 1).await;
    assert_eq!(room.until_recorded(4).await.len(), 4, "all others");
    let aside = std::fs::read_to_string(alerting::set_aside_in(&room.folder().join("spool"))).unwrap();
    assert_eq!(aside.lines().count(), 1);
    assert!(aside.contains("poison is refused") && aside.contains("02:14:20"), "{aside}");
    room.until(|situation| situation.open_incidents().count() == 1).await;
    room.close().await;
}

#[tokio::test]
async fn a_stop_meanwhile_puts_all_into_the_spool_and_the_next_start_records_it() {
    let limits = OutageLimits { spool_after: Duration::from_secs(3_600), ..SHORT };
    let room = room_in(Ground::new(), limits).await;
    let hold = room.beside().await.hold().await.unwrap();
    for _ in 0..5 {
        room.see(false).await;
    }
    room.waiting(5).await;
    assert_eq!(room.recording.spooled.load(Ordering::Relaxed), 0, "a moment is waited for in memory");
    let ground = room.stop().await;
    drop(hold);
    let room = room_in(ground, SHORT).await;
    assert_eq!(room.until_recorded(5).await, every_ten_seconds(5));
    room.close().await;
}

#[tokio::test]
async fn a_commit_of_which_nothing_is_heard_has_failed_and_is_made_once_all_the_same() {
    let limits = OutageLimits { answer: Duration::from_millis(300), ..SHORT };
    let mut room = room_in(Ground::new(), limits).await;
    let hold = room.beside().await.hold().await.unwrap();
    for n in 0..6 {
        room.see(n > 1).await;
    }
    room.until_so("failed", async || room.recording.failures.load(Ordering::Relaxed) > 2).await;
    drop(hold);
    assert_eq!(room.until_recorded(6).await, every_ten_seconds(6));
    room.until(|situation| situation.open_incidents().count() == 1).await;
    assert_eq!(room.situation.borrow().next_incident, 2, "one incident");
    room.close().await;
}

#[tokio::test]
async fn what_was_told_before_is_answered_once_the_store_is_back() {
    let room = room_in(Ground::new(), SHORT).await;
    let beside = room.beside().await;
    let what = Message::Answer { reference: "nobody".to_owned(), answer: domain::Answer::Mine, by: None };
    let told = beside.tell(&Told { at: room.hand.now(), what }).await.unwrap();
    let hold = beside.hold().await.unwrap();
    room.inbox.notify_one();
    room.see(false).await;
    room.waiting(1).await;
    drop(hold);
    room.until_so("answered", async || beside.answer(told).await.unwrap().is_some()).await;
    room.until_recorded(1).await;
    room.close().await;
}

#[tokio::test]
async fn memory_and_the_spool_are_bounded_and_what_does_not_fit_is_counted() {
    let limits = OutageLimits { spool_after: Duration::from_secs(3_600), ..SHORT };
    let room = room_in(Ground::new(), limits).await;
    let hold = room.beside().await.hold().await.unwrap();
    let TrackId { check, vantage } = track();
    for n in 0..20_100 {
        let at = room.hand.now() + SignedDuration::from_millis(n);
        room.outcomes.send(Outcome::new(check.clone(), vantage.clone(), at)).await.unwrap();
    }
    room.until_so("taken", async || room.outcomes.capacity() == room.outcomes.max_capacity()).await;
    let lost = room.recording.lost.load(Ordering::Relaxed);
    assert!(lost > 0);
    drop(hold);
    room.waiting(0).await;
    let recorded = room.recording.outcomes.load(Ordering::Relaxed);
    assert_eq!(recorded, 20_100 - lost);
    assert_eq!(room.recorded().await.len() as u64, recorded);
    room.close().await;
}
