//! The recorder at work: what is in force, and whether it is well.

use super::{example, house::LIMIT, room::room};
use domain::{IncidentId, Message, Text};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_configuration_of_which_nothing_durable_comes_is_in_force_all_the_same() {
    let mut room = room().await;
    let mut other = example::configuration();
    other.site.title = Text::new("Another title", "Teitl arall");
    room.configured.send(Arc::new(other)).unwrap();
    room.until(|situation| situation.configuration.site.title.en == "Another title").await;
    // And stays so when something else is recorded.
    let what = Message::Answer { reference: "nobody".to_owned(), answer: domain::Answer::Mine, by: None };
    let told = room.store.tell(&domain::Told { at: room.hand.now(), what }).await.unwrap();
    room.inbox.notify_one();
    while room.store.answer(told).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(room.situation.borrow().configuration.site.title.en, "Another title");
    room.close().await;
}

#[tokio::test]
async fn with_nothing_to_store_the_recorder_is_well_all_the_same() {
    let room = room().await;
    room.hand.forward(50);
    let now = room.hand.now();
    let fresh = async {
        while room.recording.committed_at() != Some(now) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, fresh).await.expect("checks that are far apart stop no heart");
    assert!(!room.situation.borrow().incidents.contains_key(&IncidentId(1)));
    room.close().await;
}
