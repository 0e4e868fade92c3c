//! Tells the last resort, from memory, that nothing is recorded or nothing can be delivered (invariant 6): the outbox is in
//! the store that is away.
//!
//! It has a task and turns of its own: no recording waits for it, and one channel that does not answer holds up no other.

use crate::{
    Recording, SendError, Setup, Trace,
    notify::MessageKind,
    words::{Plain, Says},
};
use domain::{Channel, Clock, Environment, Language, PersonId, Situation, Unrecorded, Way};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Told again so often while it lasts.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);
/// When nobody at all could be told, it is tried again after this.
const NOBODY: Duration = Duration::from_secs(60);
/// Tries of one message, the pause before the second, which doubles, and how long all of them may take.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(90);
/// Looked at so often, whatever the clock does.
const LOOK: Duration = Duration::from_secs(5);

/// Tells the last resort of production.
#[derive(Debug, Clone)]
pub struct LastResort {
    /// Configuration and channels, as they now are.
    pub setup: watch::Receiver<Setup>,
    /// What cannot be recorded, and since when.
    pub unrecorded: watch::Receiver<Option<Arc<Unrecorded>>>,
    /// Since when the outbox cannot be read: whatever is recorded, nobody hears of it.
    pub undelivered: watch::Receiver<Option<Timestamp>>,
    /// How things stand by what is recorded.
    pub situation: watch::Receiver<Arc<Situation>>,
    /// Told once the outbox could not be read for so long.
    pub tell_after: SignedDuration,
    /// The time.
    pub clock: Clock,
    /// Where it is noted when the last resort was told: a restart does not tell it sooner again.
    pub recording: Arc<Recording>,
}

impl LastResort {
    /// Watches until `stop`. While nothing is recorded, tells at once and then every 15 minutes; once it is again, tells
    /// that too, if anything was told before. After `stop` nothing is begun.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut since: Option<Timestamp> = None;
        let mut not_before = Instant::now();
        loop {
            let now = self.clock.now();
            let (unrecorded, told_at) = {
                let unrecorded = self.unrecorded.borrow_and_update();
                (unrecorded.clone(), self.recording.last_resort_told_at())
            };
            let current = unrecorded.or_else(|| self.undelivered(now));
            let due = told_at.is_none_or(|at| now.duration_since(at) >= AGAIN || now < at);
            if let Some(unrecorded) = &current {
                since = Some(unrecorded.since);
                if due && not_before <= Instant::now() {
                    let told = self.tell(Says::Unrecorded(unrecorded), unrecorded.since, now);
                    let Some(told) = unless(&stop, told).await else { return };
                    if told > 0 {
                        self.recording.last_resort_told(Some(now));
                    } else {
                        not_before = Instant::now() + NOBODY;
                    }
                }
            } else if let Some(told_at) = told_at {
                // What an earlier program told of may have been over before anybody looked here.
                let began = since.take().unwrap_or(told_at);
                self.recording.last_resort_told(None);
                let told = self.tell(Says::Again(began), began, now);
                if unless(&stop, told).await.is_none() {
                    return;
                }
                not_before = Instant::now();
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                // The recorder has ended: the rest is told to stop in a moment.
                changed = self.unrecorded.changed() => if changed.is_err() { return stop.cancelled().await },
                Ok(()) = self.undelivered.changed() => {}
                () = sleep_until(Instant::now() + LOOK) => {}
            }
        }
    }

    /// What is to be said while the outbox cannot be read: as good as unrecorded.
    fn undelivered(&self, now: Timestamp) -> Option<Arc<Unrecorded>> {
        let since = (*self.undelivered.borrow())?;
        (now.duration_since(since) >= self.tell_after).then(|| {
            let why = "what is to be told cannot be read from the database; its log says why".to_owned();
            Arc::new(Unrecorded { since, why, known: Situation::clone(&self.situation.borrow()) })
        })
    }

    /// Tells all of them by all their ways at once. Answers how many messages were taken.
    async fn tell(&self, says: Says<'_>, since: Timestamp, now: Timestamp) -> usize {
        let setup = self.setup.borrow().clone();
        let people = last_resort(&setup);
        if people.is_empty() {
            tracing::error!(
                "nothing is recorded, and production has no last resort to tell: give its escalations one"
            );
        }
        let what = match says {
            Says::Unrecorded(_) => "unrecorded",
            Says::Again(_) => "again",
        };
        let plain = Plain { says, configuration: &setup.configuration, now };
        let mut sends = JoinSet::new();
        for person in people {
            let Some(known) = setup.configuration.people.get(&person) else { continue };
            for way in &known.ways {
                let key = format!("{what}-{}-{}/{person}/{}", since.as_second(), now.as_second(), way.word());
                let message = Message::new(&plain, *way, known.language);
                let (setup, clock, person) = (setup.clone(), self.clock.clone(), person.clone());
                sends.spawn(async move { send(&setup, &clock, &person, &key, &message).await });
            }
        }
        let mut taken = 0;
        while let Some(ended) = sends.join_next().await {
            taken += usize::from(ended.unwrap_or(false));
        }
        tracing::warn!(what, messages = taken, "the last resort was told from memory");
        taken
    }
}

async fn unless<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        done = work => Some(done),
    }
}

/// Everybody who is a last resort of an escalation that production uses; of all escalations, where it uses none.
fn last_resort(setup: &Setup) -> BTreeSet<PersonId> {
    let configuration = &setup.configuration;
    let policy = configuration.policy(Environment::Production).and_then(|policy| policy.major.as_ref());
    let used = |id: &domain::EscalationId| {
        policy.is_none_or(|policy| *id == policy.in_hours || *id == policy.out_of_hours)
    };
    let used = configuration.escalations.iter().filter(|(id, _)| used(id));
    used.flat_map(|(_, escalation)| escalation.last_resort.iter().cloned()).collect()
}

enum Message {
    Text(String),
    Call(String),
    Letter(crate::words::Letter),
    /// What happened, and the words.
    Webhook(&'static str, crate::words::Letter, Language),
}

impl Message {
    fn new(plain: &Plain<'_>, way: Way, language: Language) -> Self {
        match way {
            Way::Text => Self::Text(plain.text(language)),
            Way::Email => Self::Letter(plain.letter(language)),
            Way::Voice => Self::Call(crate::words::said(&plain.text(language), language)),
            Way::Webhook => {
                let kind = match plain.says {
                    Says::Unrecorded(_) => "recording.stopped",
                    Says::Again(_) => "recording.goes_on",
                };
                Self::Webhook(kind, plain.letter(language), language)
            }
        }
    }
}

/// Whether it was taken.
async fn send(setup: &Setup, clock: &Clock, person: &PersonId, key: &str, message: &Message) -> bool {
    let tries = async {
        for attempt in 0..TRIES {
            if attempt > 0 {
                sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
            }
            match once(setup, clock, person, (key, message), attempt > 0).await {
                Ok(()) => return true,
                Err(SendError::Permanent { why }) => {
                    tracing::error!(key, why, "the last resort was not told this way");
                    return false;
                }
                Err(error) => tracing::warn!(key, attempt, %error, "the last resort was not told yet"),
            }
        }
        false
    };
    timeout(PATIENCE, tries).await.unwrap_or(false)
}

async fn once(
    setup: &Setup,
    clock: &Clock,
    person: &PersonId,
    (key, message): (&str, &Message),
    again: bool,
) -> Result<(), SendError> {
    let channels = &setup.channels;
    match message {
        Message::Text(text) => {
            let texts = channels
                .texts()
                .ok_or_else(|| SendError::permanent("no text service: configure `notify`"))?;
            let number = channels
                .number(person)
                .ok_or_else(|| SendError::permanent(format!("{person} has no telephone number")))?;
            // It may have been taken although nobody said so; where that cannot be told, twice is better than never.
            if again && matches!(texts.trace(MessageKind::Text, key, clock.now()).await, Ok(Trace::Taken(_)))
            {
                return Ok(());
            }
            texts.send(number, text, key, clock.now()).await.map(drop)
        }
        Message::Call(words) => {
            let calls = channels
                .calls()
                .ok_or_else(|| SendError::permanent("nobody rings people up: configure `twilio`"))?;
            let number = channels
                .voice_number(person)
                .ok_or_else(|| SendError::permanent(format!("{person} has no number to be rung at")))?;
            calls.call(number, words, key, None).await.map(drop)
        }
        Message::Webhook(kind, letter, language) => {
            let to = channels
                .program(person)
                .ok_or_else(|| SendError::permanent(format!("{person} has no program that is told")))?;
            let with = (channels.client(), channels.patience());
            crate::program::plainly(to, with, (key, kind), (letter, *language), clock.now()).await
        }
        Message::Letter(letter) => {
            let to = channels
                .mailbox(&Channel::Email(person.clone()))
                .ok_or_else(|| SendError::permanent(format!("{person} has no mailbox")))?;
            let by_notify = channels.texts().filter(|texts| texts.mails());
            let sent = match channels.mail() {
                Some(mail) => mail.send_alone(to, letter, key, clock.now()).await,
                None => Err(SendError::permanent("no mail server: configure `mail`")),
            };
            match (sent, by_notify) {
                (Err(_), Some(notify)) => notify.mail(to, letter, key, clock.now()).await.map(drop),
                (sent, _) => sent.map(drop),
            }
        }
    }
}
