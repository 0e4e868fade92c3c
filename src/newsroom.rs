//! Puts what happened to those who asked to be told by e-mail, and forgets those whose time is over: beside recording, never in its way.

use crate::tasks::Tasks;
use alerting::{Away, Postman, Setup};
use domain::{Clock, Configuration, Situation, SubscriptionId};
use jiff::{SignedDuration, Timestamp};
use status_page::Site;
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use store::{Error, Store};
use tokio::{
    sync::{Notify, mpsc::Sender, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Whether something happened is looked at this often.
const LOOK: Duration = Duration::from_secs(2);
/// Whose time is over is looked for this often.
const FORGET: Duration = Duration::from_secs(600);
/// What was put to all is remembered for so long, which is longer than it is news.
const KNOWN: SignedDuration = SignedDuration::from_hours(25);

/// What it works with.
#[derive(Debug)]
pub(crate) struct Newsroom {
    pub(crate) store: Store,
    pub(crate) site: Site,
    pub(crate) configuration: watch::Receiver<Arc<Configuration>>,
    pub(crate) setup: watch::Receiver<Setup>,
    pub(crate) situation: watch::Receiver<Arc<Situation>>,
    pub(crate) clock: Clock,
}

impl Newsroom {
    /// Starts it, and the postman who sends what it writes; both hold `writing` until they have ended.
    pub(crate) fn start(self, writing: &Sender<Infallible>, tasks: &mut Tasks) {
        let due = Arc::new(Notify::new());
        let postman = Postman {
            store: self.store.clone(),
            setup: self.setup.clone(),
            situation: self.situation.clone(),
            clock: self.clock.clone(),
            look: Arc::clone(&due),
        };
        let (stop, held) = (tasks.stop.clone(), writing.clone());
        tasks.add("postman", async move {
            let _held = held;
            postman.run(stop).await;
            anyhow::Ok(())
        });
        let (stop, held) = (tasks.stop.clone(), writing.clone());
        tasks.add("newsroom", async move {
            let _held = held;
            self.run(&due, stop).await;
            anyhow::Ok(())
        });
    }

    /// Works until `stop`. An error is tried again, and said when it begins.
    async fn run(&self, due: &Notify, stop: CancellationToken) {
        let (mut known, mut away, mut forget_at) = (HashMap::new(), Away::default(), Instant::now());
        while !stop.is_cancelled() {
            match self.look(&mut known, &mut forget_at, due).await {
                Ok(()) => {
                    away.answered();
                }
                // Another program records: who keeps the lease, or who records, ends this one.
                Err(Error::Fenced) => return stop.cancelled().await,
                Err(error) => {
                    if away.failed().is_some() {
                        tracing::warn!(%error, "those who asked to be told are not told yet; it is tried again");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    async fn look(
        &self,
        known: &mut HashMap<String, Timestamp>,
        forget_at: &mut Instant,
        due: &Notify,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        if *forget_at <= Instant::now() {
            self.store.forget_old(now).await?;
            *forget_at = Instant::now() + FORGET;
        }
        let (wanted, zone) = {
            let configuration = self.configuration.borrow();
            (configuration.site.subscriptions, configuration.site.time_zone.clone())
        };
        if !wanted {
            return Ok(());
        }
        known.retain(|_, at| now.duration_since(*at) < KNOWN);
        match self.site.news(|key| known.contains_key(key)) {
            Ok(news) => {
                // Each in a transaction of its own: what is recorded and who is called need the writer too.
                let mut e_mails = 0;
                for news in news {
                    e_mails += self.store.announce(&news, &zone, now).await?;
                    known.insert(news.key, news.at);
                }
                if e_mails > 0 {
                    tracing::info!(e_mails, "news for those who asked to be told");
                    due.notify_one();
                }
            }
            Err(error) => tracing::error!(%error, "what happened could not be worded for subscribers"),
        }
        let waiting = self.store.waiting_for().await?;
        let back = waiting.iter().filter(|(_, instance, internal)| self.site.works(instance, *internal));
        let back: Vec<SubscriptionId> = back.map(|(id, ..)| *id).collect();
        if !back.is_empty() {
            self.store.is_back(&back, now).await?;
            due.notify_one();
        }
        Ok(())
    }
}
