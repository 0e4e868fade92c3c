//! The postman: sends e-mails to those outside who asked for them, a few at a time, so that calls and tickets have room.

use crate::{
    Away, Lasting, Setup,
    retry::{LONGEST, doubled},
    words::{subscriber, subscriber_links},
};
use domain::{Clock, Situation};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use store::{About, Letter, NEWS_A_LETTER, Posted, Store};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Sends under way.
const AT_A_TIME: usize = 4;
/// How long a claim is ours: a quarter of it may go by waiting for a turn, half of it is for the send.
const LEASE: Duration = Duration::from_secs(60);
/// The store is asked at least this often, whether a hint came or not.
const POLL: Duration = Duration::from_secs(2);
/// Between rounds while more waits: mail servers stop those who send thousands at once, and calls go through the same.
const BETWEEN: Duration = Duration::from_millis(500);
/// The longest wait after rounds in which nothing could be sent.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Once stopped, what is under way has so long to come to its end; then its lease runs out.
const DRAIN: Duration = Duration::from_secs(6);
/// The first wait of what failed; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Characters of what tells e-mails apart.
const KEY_LENGTH: usize = 24;
/// After so many tries, about a day, it is given up.
const TRIES: u32 = 100;

/// What became of a few that were due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// So many were due.
    pub claimed: usize,
    /// So many of them need not be tried again.
    pub sent: usize,
}

impl Round {
    fn in_vain(self) -> bool {
        self.claimed > 0 && self.sent == 0
    }
}

/// Sends what is due to those who asked for it.
#[derive(Debug, Clone)]
pub struct Postman {
    /// Where it waits.
    pub store: Store,
    /// Configuration and channels, as they now are.
    pub setup: watch::Receiver<Setup>,
    /// Where the key of the links is.
    pub situation: watch::Receiver<Arc<Situation>>,
    /// The time.
    pub clock: Clock,
    /// "Look now": something may be due. A hint, never data.
    pub look: Arc<Notify>,
}

impl Postman {
    /// Sends until `stop`, then lets what is under way come to its end.
    pub async fn run(&self, stop: CancellationToken) {
        let (mut away, mut failed) = (Away::default(), 0_u32);
        while !stop.is_cancelled() {
            let cut = async {
                stop.cancelled().await;
                tokio::time::sleep(DRAIN).await;
            };
            let posted = tokio::select! {
                posted = self.post_some() => posted,
                () = cut => return tracing::info!("stopping: e-mails that are under way are sent again"),
            };
            let mut pause = POLL;
            match posted {
                Ok(sent) => {
                    if let Some(Lasting { lasted, times }) = away.answered() {
                        tracing::info!(?lasted, times, "e-mails to subscribers can be claimed again");
                    }
                    failed = if sent.in_vain() { failed.saturating_add(1) } else { 0 };
                    if failed == 0 && sent.claimed == AT_A_TIME {
                        pause = BETWEEN;
                    } else if failed > 0 {
                        pause = doubled(POLL, LONGEST_PAUSE, failed);
                    }
                }
                Err(store::Error::Fenced) => return stop.cancelled().await,
                Err(error) => {
                    if away.failed().is_some() {
                        tracing::warn!(%error, "e-mails to subscribers cannot be claimed; it is tried again");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.look.notified(), if failed == 0 => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// How long a claim is ours.
    fn lease() -> Duration {
        #[cfg(debug_assertions)]
        if let Some(lease) = store::crash_point::lease() {
            return lease;
        }
        LEASE
    }

    /// Claims what is due now, at most a few, sends and settles it.
    pub async fn post_some(&self) -> Result<Round, store::Error> {
        let mut sends = JoinSet::new();
        if self.setup.borrow().channels.mail().is_some() {
            while sends.len() < AT_A_TIME {
                let Some(letter) = self.store.claim_letter(self.clock.now(), Self::lease()).await? else {
                    break;
                };
                let postman = self.clone();
                sends.spawn(async move { postman.post(&letter).await });
            }
        }
        let mut round = Round { claimed: sends.len(), sent: 0 };
        while let Some(ended) = sends.join_next().await {
            match ended {
                Ok(sent) => round.sent += usize::from(sent),
                Err(error) => {
                    tracing::error!(%error, "a send to a subscriber broke: it is tried again when its lease has run out");
                }
            }
        }
        Ok(round)
    }

    /// Whether it need not be tried again.
    async fn post(&self, letter: &Letter) -> bool {
        let posted = self.send(letter).await;
        let over = !matches!(posted, Posted::Again { .. });
        match self.store.settle_letter(letter, posted).await {
            Ok(true) => {}
            Ok(false) => tracing::debug!("an e-mail to a subscriber was called off meanwhile"),
            Err(error) => {
                tracing::warn!(%error, "an e-mail to a subscriber is not settled: its lease runs out, and it is sent again");
            }
        }
        over
    }

    async fn send(&self, letter: &Letter) -> Posted {
        let setup = self.setup.borrow().clone();
        let zone = setup.configuration.site.time_zone.clone();
        // What did not fit into this one has waited long enough.
        let whole = usize::try_from(NEWS_A_LETTER).is_ok_and(|most| match &letter.about {
            About::News(news) => news.len() < most,
            About::Confirmation | About::Back => true,
        });
        let next = |now: Timestamp| if whole { letter.wish.pace.due(now, &zone) } else { now };
        if matches!(&letter.about, About::News(news) if news.is_empty()) {
            return Posted::Done { next: next(self.clock.now()) };
        }
        let (reference, key) = {
            let key = &self.situation.borrow().key;
            // Other databases have the same numbers; mailboxes would take one e-mail for the other's repeat.
            let own = format!("subscription/{}", key.word(&letter.key(), KEY_LENGTH));
            (letter.subscription.reference(key), own)
        };
        let links = subscriber_links(&setup.configuration, letter.wish.language, &reference);
        let words = subscriber(&setup.configuration, letter, &links);
        let subscription = letter.subscription.0;
        let sent = match (setup.channels.mail(), setup.channels.mail_turn(Self::lease() / 4).await) {
            (Some(mail), Some(_turn)) => {
                let unsubscribe = (letter.about != About::Back).then_some(links.stop);
                let send = mail.send_out(&letter.address, &words, (&key, unsubscribe), self.clock.now());
                timeout(Self::lease() / 2, send)
                    .await
                    .unwrap_or_else(|_| Err(crate::SendError::unclear("the mail server took too long")))
            }
            (None, _) | (_, None) => {
                Err(crate::SendError::retryable("the mail server has no room for it now"))
            }
        };
        let now = self.clock.now();
        match sent {
            Ok(_) => {
                tracing::info!(subscription, "sent to a subscriber");
                Posted::Done { next: next(now) }
            }
            Err(crate::SendError::Permanent { why }) => {
                tracing::warn!(subscription, why, "an e-mail to a subscriber is given up");
                Posted::NoSuchMailbox { next: next(now) }
            }
            Err(error) if letter.tries >= most_tries(&letter.about) => {
                tracing::warn!(subscription, %error, "an e-mail to a subscriber is given up");
                Posted::NoSuchMailbox { next: next(now) }
            }
            Err(error) => {
                tracing::warn!(subscription, %error, "an e-mail to a subscriber is not sent yet");
                Posted::Again { at: now + wait(letter.tries) }
            }
        }
    }
}

/// After so many tries it is given up: a request to confirm after more than an hour, which outlasts a server that has strangers
/// come again later.
const fn most_tries(about: &About) -> u32 {
    match about {
        About::Confirmation => 12,
        About::Back | About::News(_) => TRIES,
    }
}

/// How long until the next try.
fn wait(tries: u32) -> SignedDuration {
    SignedDuration::try_from(doubled(FIRST_WAIT, LONGEST, tries)).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_tried_again_ever_more_seldom_for_about_a_day() {
        let waits: Vec<i64> = (0..10).map(|tries| wait(tries).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(wait(u32::MAX).as_secs(), 900);
        let all: i64 = (0..TRIES).map(|tries| wait(tries).as_secs()).sum();
        assert_eq!(all / 3600, 23);
        let asking: i64 = (0..most_tries(&About::Confirmation)).map(|tries| wait(tries).as_secs()).sum();
        assert_eq!(asking / 60, 81);
    }
}
