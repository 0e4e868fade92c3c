//! The recorder at work: what is in force, and whether it is well.

use crate::{
    example,
    house::{Hand, LIMIT},
};
use alerting::{Recorder, Recording};
use domain::{Configuration, IncidentId, Message, Situation, Text};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

struct Room {
    hand: Hand,
    store: Store,
    configured: watch::Sender<Arc<Configuration>>,
    situation: watch::Receiver<Arc<Situation>>,
    recording: Arc<Recording>,
    inbox: Arc<Notify>,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), store::Error>>,
    outcomes: mpsc::Sender<domain::Outcome>,
    _wanted: mpsc::Receiver<domain::Wanted>,
    _folder: tempfile::TempDir,
}

async fn room() -> Room {
    let hand = Hand::new(example::at("02:14:10"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curiad.db");
    let store = Store::open(&format!("sqlite://{}", path.display()), [7; 32]).await.unwrap();
    let configuration = Arc::new(example::configuration());
    let remembered = store.remember(hand.now()).await.unwrap();
    let first = Situation::new(Arc::clone(&configuration), remembered);
    let (outcomes, probed) = mpsc::channel(16);
    let (wanted, asked) = mpsc::channel(16);
    let (configured, configuration) = watch::channel(configuration);
    let (shown, situation) = watch::channel(Arc::new(first.clone()));
    let recorder = Recorder {
        store: store.clone(),
        clock: hand.clock(),
        outcomes: probed,
        configuration,
        wanted,
        situation: shown,
        inbox: Arc::default(),
        outbox: Arc::default(),
        recording: Arc::default(),
    };
    let (inbox, recording) = (Arc::clone(&recorder.inbox), Arc::clone(&recorder.recording));
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(recorder.run(first, stop.clone()));
    let mut room = Room {
        hand,
        store,
        configured,
        situation,
        recording,
        inbox,
        stop,
        tasks,
        outcomes,
        _wanted: asked,
        _folder: folder,
    };
    room.until(|situation| !situation.healths.is_empty()).await;
    room
}

impl Room {
    async fn until(&mut self, is_so: impl FnMut(&Arc<Situation>) -> bool) {
        tokio::time::timeout(LIMIT, self.situation.wait_for(is_so)).await.expect("in time").unwrap();
    }

    async fn close(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(LIMIT, self.tasks.join_next()).await.expect("in time");
        ended.unwrap().unwrap().unwrap();
        drop(self.outcomes);
        self.store.close().await;
    }
}

#[tokio::test]
async fn a_configuration_of_which_nothing_durable_comes_is_in_force_all_the_same() {
    let mut room = room().await;
    let mut other = example::configuration();
    other.site.title = Text::new("Another title", "Teitl arall");
    room.configured.send(Arc::new(other)).unwrap();
    room.until(|situation| situation.configuration.site.title.en == "Another title").await;
    // And stays so when something else is recorded.
    let what = Message::Answer { reference: "nobody".to_owned(), answer: domain::Answer::Mine };
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
