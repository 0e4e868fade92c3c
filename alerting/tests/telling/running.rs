//! The deliverer at work: turns, time, stopping; and the heartbeat beside it.

use super::{
    example,
    house::{Hand, House, LIMIT, client, desk, house, house_with},
};
use alerting::{DeadMan, Deliverer, Limits};
use domain::{Clock, Note, NotificationKind, Secret, Sent};
use jiff::Timestamp;
use simulator::Trouble;
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_callout_that_nobody_takes_in_its_time_is_given_up_with_a_receipt() {
    let house = house().await;
    house.world.notify().set_trouble(Trouble::Refuse).await;
    house.wants_text().await;
    let mut tries = 0;
    while house.receipts().await.is_empty() {
        tries += house.deliver().await;
        house.hand.forward(5);
        assert!(tries < 100, "never given up");
    }
    assert!(tries > 10, "tried {tries} times in ten minutes");
    assert!(house.hand.now() < example::at("02:24:20"), "not tried beyond its time");
    let Sent::GivenUp { why } = house.receipt().await else { panic!("not given up") };
    assert!(why.contains("cannot be reached"), "{why}");
    house.close().await;
}

/// Somebody takes the incident, the texts work again, and the same callout is tried once more.
async fn mended_after_somebody_took_it(house: &House) {
    let mut taken = (*house.incident).clone();
    if let Some(running) = &mut taken.escalation {
        running.next_at = None;
        running.stopped = Some("Test Person Two has it".to_owned());
    }
    house.record(vec![domain::Change::Incident(Arc::new(taken))]).await;
    house.world.notify().set_trouble(Trouble::None).await;
    house.hand.forward(60);
    house.deliver().await;
}

#[tokio::test]
async fn a_callout_that_failed_once_is_not_made_when_somebody_has_taken_the_incident_since() {
    let house = house().await;
    house.world.notify().set_trouble(Trouble::Refuse).await;
    house.wants_text().await;
    house.deliver().await;
    mended_after_somebody_took_it(&house).await;
    let Sent::GivenUp { why } = house.receipt().await else { panic!("not given up") };
    assert!(why.contains("Test Person Two has it"), "{why}");
    assert!(house.world.notify().messages().is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_callout_that_had_arrived_is_known_to_have_when_the_incident_was_taken_since() {
    let house = house().await;
    house.world.notify().set_trouble(Trouble::AcceptThenTimeOut).await;
    house.wants_text().await;
    house.deliver().await;
    mended_after_somebody_took_it(&house).await;
    assert!(matches!(house.receipt().await, Sent::Accepted { .. }), "so that it can be stood down");
    assert_eq!(house.world.notify().messages().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_an_hour_keeps_no_callout_waiting() {
    let house = house().await;
    // Decided an hour ahead of time, and a try that failed then.
    house.hand.forward(3_600);
    house.world.notify().set_trouble(Trouble::Refuse).await;
    house.wants_text().await;
    let (deliverer, stop) = (house.deliverer.clone(), CancellationToken::new());
    let mut running = JoinSet::new();
    let stopping = stop.clone();
    running.spawn(async move { deliverer.run(stopping).await });
    let failed =
        || async { house.store.notifications(house.incident.id).await.unwrap()[0].last_error.is_some() };
    let limit = std::time::Instant::now() + LIMIT;
    while !failed().await {
        assert!(std::time::Instant::now() < limit, "no try failed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    house.world.notify().set_trouble(Trouble::None).await;
    house.hand.forward(-3_600);
    let sent = house.world.wait_for(LIMIT, |world| world.notify().texts().into_iter().next()).await;
    sent.expect("sent though the clock on the wall never comes to the time it waited for");
    stop.cancel();
    running.join_next().await.unwrap().unwrap();
    assert_eq!(house.world.notify().texts().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn what_a_program_before_left_for_a_time_far_ahead_goes_out_at_the_start() {
    let house = house().await;
    house.hand.forward(3_600);
    house.wants_text().await;
    house.hand.forward(-3_600);
    let (deliverer, stop) = (house.deliverer.clone(), CancellationToken::new());
    let mut running = JoinSet::new();
    let stopping = stop.clone();
    running.spawn(async move { deliverer.run(stopping).await });
    let sent = house.world.wait_for(LIMIT, |world| world.notify().texts().into_iter().next()).await;
    sent.expect("sent");
    stop.cancel();
    running.join_next().await.unwrap().unwrap();
    house.close().await;
}

#[tokio::test]
async fn more_than_a_channel_takes_at_a_time_waits_for_its_turn_and_goes_out_in_the_same_step() {
    let house = house().await;
    house.wants_ticket().await;
    house.deliver().await;
    let record = house.world.desk().tickets()[0].sys_id.clone();
    for n in 0..20 {
        let note = Note { at: house.hand.now(), text: format!("note {n}"), with: domain::With::Nothing };
        house
            .wants(
                &format!("note/{n}"),
                NotificationKind::TicketNote { record: record.clone(), note },
                desk(),
            )
            .await;
    }
    assert_eq!(house.deliver().await, 20);
    assert_eq!(house.world.desk().tickets()[0].work_notes().len(), 20);
    house.close().await;
}

fn machine_clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the deliverer's own waiting is real time here")]
    Clock::new(Timestamp::now)
}

#[tokio::test]
async fn a_desk_that_does_not_answer_holds_up_no_callout_and_stopping_ends_what_is_under_way() {
    let house = house_with(Hand::new(example::at("02:14:10")), machine_clock(), |_| ()).await;
    house.world.desk().set_trouble(Trouble::AcceptThenTimeOut).await;
    for n in 0..40 {
        let note =
            Note { at: house.deliverer.clock.now(), text: format!("note {n}"), with: domain::With::Nothing };
        let kind = NotificationKind::TicketNote { record: "00".to_owned(), note };
        house.wants(&format!("note/{n}"), kind, desk()).await;
    }
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    // The poll is long: it is the hint that brings the callout out.
    let limits = Limits { poll: Duration::from_secs(60), ..Limits::default() };
    let deliverer = Deliverer { limits, ..house.deliverer.clone() };
    let (look, stopped) = (Arc::clone(&deliverer.look), stop.clone());
    tasks.spawn(async move { deliverer.run(stopped).await });

    house.wants_text().await;
    let asked = tokio::time::Instant::now();
    look.notify_one();
    house.world.wait_for(LIMIT, |world| world.notify().messages().pop()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "the callout waited {:?}", asked.elapsed());

    stop.cancel();
    tokio::time::timeout(LIMIT, tasks.join_next()).await.expect("the deliverer ends").unwrap().unwrap();
    house.close().await;
}

#[tokio::test]
async fn whoever_lost_the_lease_tells_nobody_and_waits_to_be_stopped() {
    let house = house().await;
    house.wants_text().await;
    let take = async |store: &Store| store.take(&store.lease().await.unwrap(), "one").await.unwrap();
    assert!(take(&house.store).await);
    let other = Store::open(&house.url(), [7; 32]).await.unwrap();
    assert!(take(&other).await);
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let (deliverer, stopped) = (house.deliverer.clone(), stop.clone());
    tasks.spawn(async move { deliverer.run(stopped).await });
    // It has looked by the time the other one has told what there was.
    let theirs = Deliverer { store: other.clone(), ..house.deliverer.clone() };
    assert_eq!(theirs.deliver_once().await.unwrap(), 1);
    assert!(matches!(house.deliverer.deliver_once().await, Err(store::Error::Fenced)));
    assert_eq!(house.world.notify().texts().len(), 1);
    assert!(tasks.try_join_next().is_none(), "whoever records ends the program, not the deliverer");
    stop.cancel();
    tokio::time::timeout(LIMIT, tasks.join_next()).await.expect("the deliverer ends").unwrap().unwrap();
    other.close().await;
    house.close().await;
}

#[tokio::test]
async fn the_heart_beats_only_while_curiad_is_well() {
    let house = house().await;
    let (well, receiver) = watch::channel(true);
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let every = Duration::from_millis(50);
    let settings = DeadMan { url: Secret::new(house.world.heartbeat().url()), every };
    let (client, stopped) = (client(), stop.clone());
    tasks.spawn(async move { alerting::heartbeat(&settings, &client, receiver, stopped).await });
    let beats =
        |least: u64| move |world: &simulator::World| (world.heartbeat().beats().count >= least).then_some(());
    house.world.wait_for(LIMIT, beats(2)).await.unwrap();

    well.send(false).unwrap();
    // One beat may be on its way; after it there is none for many times their interval.
    let quiet = house.world.heartbeat().beats().count + 2;
    let more = house.world.wait_for(every * 20, beats(quiet)).await;
    assert!(more.is_err(), "it beats although it is not well");
    well.send(true).unwrap();
    house.world.wait_for(LIMIT, beats(quiet)).await.unwrap();
    stop.cancel();
    tokio::time::timeout(LIMIT, tasks.join_next()).await.expect("the heartbeat ends").unwrap().unwrap();
    house.close().await;
}
