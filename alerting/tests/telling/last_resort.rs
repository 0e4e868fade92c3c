//! The last resort, told from memory: once, every 15 minutes while it lasts, and when it is over.

use super::{
    example,
    house::{Hand, LIMIT, PATIENCE, client, directory},
};
use alerting::{Channels, Contact, LastResort, Recording, Setup};
use domain::{
    Escalation, EscalationId, ReferenceKey, Remembered, Secret, Situation, Step, Target, Unrecorded,
};
use jiff::{SignedDuration, Timestamp};
use simulator::{Trouble, World, WorldOptions};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

struct Desk {
    world: World,
    hand: Hand,
    unrecorded: watch::Sender<Option<Arc<Unrecorded>>>,
    undelivered: watch::Sender<Option<Timestamp>>,
    known: Situation,
    recording: Arc<Recording>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _setup: watch::Sender<Setup>,
}

/// Two people are the last resort: `oncall.one` reads Welsh.
async fn desk() -> Desk {
    let hand = Hand::new(example::at("02:14:10"));
    let of_world = hand.clone();
    let world = World::start(WorldOptions::new(Arc::new(move || of_world.now()))).await.unwrap();
    let mut configuration = example::configuration();
    let id = EscalationId::parse("out-of-hours").unwrap();
    let last_resort = vec![example::id("oncall.one"), example::id("oncall.two")];
    let first =
        Step { call: Target::Person(example::id("duty.manager")), by: Vec::new(), after: Duration::ZERO };
    let escalation = Escalation { id: id.clone(), steps: vec![first], repeat: 1, last_resort };
    configuration.escalations.insert(id, escalation);
    let mut addresses = directory(&world);
    let contact = Contact { text: Some(Secret::new("+447700900103")), ..Contact::default() };
    addresses.people.insert(example::id("duty.manager"), contact);
    let configuration = Arc::new(configuration);
    let (setup, receiver) = watch::channel(Setup {
        configuration: Arc::clone(&configuration),
        channels: Arc::new(Channels::new(addresses, &client().into(), PATIENCE).unwrap()),
    });
    let (unrecorded, said) = watch::channel(None);
    let recording = Arc::new(Recording::default());
    let remembered = Remembered::nothing(ReferenceKey([7; 32]));
    let known = Situation::new(configuration, remembered);
    let (undelivered, not_delivered) = watch::channel(None);
    let last_resort = LastResort {
        setup: receiver,
        unrecorded: said,
        undelivered: not_delivered,
        situation: watch::channel(Arc::new(known.clone())).1,
        tell_after: SignedDuration::from_secs(30),
        clock: hand.clock(),
        recording: Arc::clone(&recording),
    };
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(last_resort.run(stop.clone()));
    Desk { world, hand, unrecorded, undelivered, known, recording, stop, tasks, _setup: setup }
}

impl Desk {
    /// It lasts: said every second.
    fn lasts(&self) {
        self.unrecorded.send_replace(Some(Arc::new(Unrecorded {
            since: example::at("02:14:00"),
            why: "could not record a batch: no room on the database's disk; make some".to_owned(),
            known: self.known.clone(),
        })));
    }

    async fn until_told(&self, texts: usize, mails: usize) {
        let told = self.world.wait_for(LIMIT, |world| {
            let so = world.notify().messages().len() >= texts && world.mail().mails().len() >= mails;
            so.then_some(())
        });
        told.await.unwrap();
        assert_eq!((self.world.notify().messages().len(), self.world.mail().mails().len()), (texts, mails));
    }

    async fn noted(&self, told: bool) {
        let noted = async {
            while self.recording.last_resort_told_at().is_some() != told {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, noted).await.unwrap();
    }

    async fn close(mut self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.tasks.join_next()).await.unwrap().unwrap().unwrap();
        self.world.stop().await;
    }
}

#[tokio::test]
async fn they_are_told_at_once_each_in_their_language_again_after_15_minutes_and_when_it_is_over() {
    let desk = desk().await;
    desk.lasts();
    desk.until_told(2, 2).await;
    desk.noted(true).await;
    let texts = desk.world.notify().messages();
    assert!(
        texts.iter().any(|text| text.body.starts_with("Curiad CANNOT RECORD since 03:14 BST")),
        "{texts:?}"
    );
    assert!(
        texts.iter().any(|text| text.body.starts_with("Curiad YN METHU COFNODI ers 03:14 BST")),
        "{texts:?}"
    );
    let mails = desk.world.mail().mails();
    assert!(mails.iter().any(|mail| mail.text.contains("no room on the database's disk")), "{mails:?}");

    for _ in 0..14 {
        desk.hand.forward(60);
        desk.lasts();
        tokio::task::yield_now().await;
    }
    desk.hand.forward(60);
    desk.lasts();
    desk.until_told(4, 4).await;
    desk.noted(true).await;

    desk.unrecorded.send_replace(None);
    desk.until_told(6, 6).await;
    desk.noted(false).await;
    let again = desk.world.notify().messages();
    assert!(
        again.iter().any(|text| text.body.starts_with("Curiad RECORDS AGAIN since 03:29 BST")),
        "{again:?}"
    );
    desk.close().await;
}

#[tokio::test]
async fn they_are_told_too_when_all_is_recorded_and_nothing_can_be_delivered() {
    let desk = desk().await;
    let now = desk.hand.now();
    desk.undelivered.send_replace(Some(now - SignedDuration::from_secs(30)));
    desk.until_told(2, 2).await;
    desk.noted(true).await;
    let mails = desk.world.mail().mails();
    assert!(mails.iter().any(|mail| mail.text.contains("what is to be told cannot be read")), "{mails:?}");
    desk.undelivered.send_replace(None);
    desk.until_told(4, 4).await;
    desk.noted(false).await;
    desk.close().await;
}

#[tokio::test]
async fn an_outage_of_which_nobody_was_told_ends_without_a_word() {
    let desk = desk().await;
    desk.world.notify().set_trouble(Trouble::Refuse).await;
    desk.world.mail().set_trouble(Trouble::Refuse).await;
    desk.lasts();
    tokio::task::yield_now().await;
    desk.unrecorded.send_replace(None);
    desk.stop.cancel();
    assert_eq!(desk.recording.last_resort_told_at(), None);
    desk.close().await;
}

#[tokio::test]
async fn one_way_that_does_not_answer_holds_up_no_other() {
    let desk = desk().await;
    desk.world.notify().set_trouble(Trouble::AcceptThenTimeOut).await;
    desk.lasts();
    desk.until_mails(2).await;
    desk.world.notify().set_trouble(Trouble::None).await;
    // What was taken although nobody said so is not sent again.
    desk.noted(true).await;
    assert_eq!(desk.world.notify().messages().len(), 2);
    desk.close().await;
}

#[tokio::test]
async fn a_restart_tells_nobody_sooner_again() {
    let desk = desk().await;
    let told_at = desk.hand.now().as_millisecond();
    desk.recording.last_resort_told_at_ms.store(told_at, std::sync::atomic::Ordering::Relaxed);
    desk.hand.forward(14 * 60);
    desk.lasts();
    tokio::task::yield_now().await;
    desk.hand.forward(60);
    desk.lasts();
    desk.until_told(2, 2).await;
    desk.close().await;
}

impl Desk {
    async fn until_mails(&self, count: usize) {
        let told = self.world.wait_for(LIMIT, |world| (world.mail().mails().len() >= count).then_some(()));
        told.await.unwrap();
    }
}
