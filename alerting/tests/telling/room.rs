//! A recorder with a database of its own, and hands on all that it hears from.

use super::{
    example,
    ground::Ground,
    house::{Hand, LIMIT},
};
use alerting::{OutageLimits, Recorder, Recording, Spool};
use domain::{Configuration, Situation, Unrecorded};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub(crate) struct Room {
    pub(crate) hand: Hand,
    pub(crate) store: Store,
    pub(crate) configured: watch::Sender<Arc<Configuration>>,
    pub(crate) situation: watch::Receiver<Arc<Situation>>,
    pub(crate) recording: Arc<Recording>,
    pub(crate) inbox: Arc<Notify>,
    pub(crate) unrecorded: watch::Receiver<Option<Arc<Unrecorded>>>,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), store::Error>>,
    pub(crate) outcomes: mpsc::Sender<domain::Outcome>,
    _wanted: mpsc::Receiver<domain::Wanted>,
    ground: Ground,
}

/// A new one.
pub(crate) async fn room() -> Room {
    room_in(Ground::new(), OutageLimits::default()).await
}

/// Where there may have been one before.
pub(crate) async fn room_in(ground: Ground, limits: OutageLimits) -> Room {
    let hand = Hand::new(example::at("02:14:10"));
    let store = ground.open().await;
    let configuration = Arc::new(example::configuration());
    let remembered = store.remember(hand.now()).await.unwrap();
    let first = Situation::new(Arc::clone(&configuration), remembered);
    let (outcomes, probed) = mpsc::channel(16);
    let (wanted, asked) = mpsc::channel(16);
    let (configured, configuration) = watch::channel(configuration);
    let (shown, situation) = watch::channel(Arc::new(first.clone()));
    let (unrecorded_in, unrecorded) = watch::channel(None);
    let recorder = Recorder {
        store: store.clone(),
        clock: hand.clock(),
        outcomes: probed,
        configuration,
        wanted,
        situation: shown,
        inbox: Arc::default(),
        unheard: Arc::default(),
        outbox: Arc::default(),
        recording: Arc::default(),
        spool: Some(Spool::open(&ground.folder().join("spool")).unwrap()),
        unrecorded: unrecorded_in,
        limits,
    };
    let (inbox, recording) = (Arc::clone(&recorder.inbox), Arc::clone(&recorder.recording));
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(recorder.run(first, stop.clone()));
    let mut room = Room {
        hand,
        store,
        configured,
        situation,
        unrecorded,
        recording,
        inbox,
        stop,
        tasks,
        outcomes,
        _wanted: asked,
        ground,
    };
    room.until(|situation| !situation.healths.is_empty()).await;
    room
}

impl Room {
    pub(crate) async fn until(&mut self, is_so: impl FnMut(&Arc<Situation>) -> bool) {
        tokio::time::timeout(LIMIT, self.situation.wait_for(is_so)).await.expect("in time").unwrap();
    }

    /// Until something is so that nobody says.
    pub(crate) async fn until_so(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let so = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(LIMIT, so).await.is_ok(), "never {what}");
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.ground.folder()
    }

    /// Another program's way into the same database.
    pub(crate) async fn beside(&self) -> Store {
        self.ground.open().await
    }

    /// Ends it as a stop does, and gives back where it was.
    pub(crate) async fn stop(mut self) -> Ground {
        self.stop.cancel();
        let ended = tokio::time::timeout(LIMIT, self.tasks.join_next()).await.expect("in time");
        ended.unwrap().unwrap().unwrap();
        drop(self.outcomes);
        self.store.close().await;
        self.ground
    }

    /// Ends it as `kill -9` does, as far as a task can.
    pub(crate) async fn kill(mut self) -> Ground {
        self.tasks.shutdown().await;
        self.ground
    }

    pub(crate) async fn close(self) {
        drop(self.stop().await);
    }
}
