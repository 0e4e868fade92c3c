//! While the store takes nothing (invariant 6): probing goes on, outcomes wait, and attempts are made until it does.
//!
//! What comes is folded into a shadow that nobody is shown, so that the last resort can be told how things stand. The
//! record itself is made later, by attempts: each folds the oldest that wait over what is recorded, and commits that.
//! Nothing here is waited for but events, so that nothing slow holds up a probe.

use super::{
    Configured, LARGEST_BATCH, OutageLimits, Recorder,
    attempt::{Base, CatchUp, Fate, InTime, Source, Tried, Trouble, fate},
    backlog::{Backlog, Written},
    overlay::Overlay,
    until_due,
};
use crate::spool::{Late as LateOutcome, Record};
use domain::{Event, Outcome, Situation, Unrecorded, Wanted, decide_late};
use jiff::Timestamp;
use std::{
    future::pending,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Pause after an attempt that failed, doubled up to the second figure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What is in memory goes into the spool so often; and is tried so often where the spool takes no more.
const WRITE: Duration = Duration::from_millis(250);
const WRITE_AGAIN: Duration = Duration::from_secs(5);
/// A line of the log says so often that it goes on.
const SAY: Duration = Duration::from_secs(60);
/// On stopping, what is in memory is put into the spool within this.
const GRACE: Duration = Duration::from_secs(5);

/// Since when nothing was recorded. It ends with the first commit of what came in time.
pub(super) struct Failing {
    pub(super) since: Timestamp,
    began: Instant,
    why: String,
    pause: Duration,
    said: Instant,
    /// The last resort was told of it before this program began.
    told: bool,
}

impl Failing {
    pub(super) fn new(since: Timestamp, why: String, told: bool) -> Self {
        let now = Instant::now();
        Self { since, began: now, why, pause: FIRST_PAUSE, said: now, told }
    }
}

type Writing = Pin<Box<dyn Future<Output = Written> + Send>>;

/// The attempt under way.
enum Attempt {
    None,
    /// Of what came in time.
    InTime(InTime, Box<Overlay>),
    /// Of what waits.
    Late(Pin<Box<dyn Future<Output = Tried> + Send>>),
}

enum Ended {
    InTime(Result<(), Trouble>),
    Late(Box<Tried>),
}

impl Attempt {
    async fn ended(&mut self) -> Ended {
        match self {
            Self::None => pending().await,
            Self::InTime(attempt, ..) => Ended::InTime(attempt.await),
            Self::Late(attempt) => Ended::Late(Box::new(attempt.await)),
        }
    }
}

/// An outage of the store.
pub(super) struct Outage {
    backlog: Backlog,
    base: Base,
    /// How things stand by all that was seen.
    shadow: Situation,
    configured: Option<Configured>,
    attempt: Attempt,
    try_at: Instant,
    writing: Option<Writing>,
    write_at: Instant,
    due_at: Instant,
    looked: Option<Timestamp>,
    /// When the last resort was told, as the spool has it.
    told_at: Option<Timestamp>,
}

/// The store is back, and all but the last of what waited is recorded.
pub(super) struct Back {
    pub(super) situation: Situation,
    pub(super) late: Vec<LateOutcome>,
    pub(super) configured: Option<Configured>,
}

impl Outage {
    /// Over what is recorded; `configured` is not.
    pub(super) fn new(backlog: Backlog, situation: Situation, configured: Option<Configured>) -> Self {
        let (now, told_at) = (Instant::now(), backlog.told_at());
        Self {
            told_at,
            backlog,
            shadow: situation.clone(),
            base: Base::Recorded(situation),
            configured,
            attempt: Attempt::None,
            try_at: now,
            writing: None,
            write_at: now,
            due_at: now,
            looked: None,
        }
    }

    /// What came in time is being recorded, and that takes long.
    pub(super) fn during(mut self, attempt: InTime, overlay: Overlay) -> Self {
        self.shadow = overlay.situation.clone();
        self.backlog.in_hand = overlay.late().map(Record::Late).collect();
        self.attempt = Attempt::InTime(attempt, Box::new(overlay));
        self
    }

    /// What came in time could not be recorded.
    pub(super) fn after(
        mut self,
        overlay: &Overlay,
        failing: &mut Failing,
        trouble: Trouble,
    ) -> Result<Self, store::Error> {
        if let Base::Recorded(recorded) = self.base {
            self.base = Base::after(&trouble, recorded);
        }
        self.shadow = overlay.situation.clone();
        self.configured = overlay.configuration().or(self.configured);
        for late in overlay.late() {
            self.backlog.push(Record::Late(late));
        }
        self.failed(failing, trouble)?;
        Ok(self)
    }

    /// When there is something to do, if nothing happens before.
    fn wake(&self, failing: &Failing, limits: &OutageLimits) -> Instant {
        let attempt = matches!(self.attempt, Attempt::None).then_some(self.try_at);
        let writes = self.backlog.spool.is_some() && self.writing.is_none() && self.backlog.in_memory() > 0;
        let write = writes.then(|| self.write_at.max(failing.began + limits.spool_after));
        [attempt, write].into_iter().flatten().fold(self.due_at, Instant::min)
    }

    /// Only what has just come waits, and the store takes it: it can be recorded with what comes next.
    fn is_over(&self) -> bool {
        self.backlog.on_disk == 0 && self.writing.is_none() && self.backlog.in_memory() <= LARGEST_BATCH / 2
    }

    /// The attempt under way has ended.
    fn ended(&mut self, ended: Ended) -> Result<Option<Overlay>, Trouble> {
        match (ended, std::mem::replace(&mut self.attempt, Attempt::None)) {
            (Ended::InTime(Ok(())), Attempt::InTime(_, overlay)) => {
                self.backlog.in_hand.clear();
                self.base = Base::Recorded(overlay.situation.clone());
                Ok(Some(*overlay))
            }
            (Ended::InTime(Err(trouble)), Attempt::InTime(_, overlay)) => {
                self.backlog.put_back();
                self.configured = self.configured.take().or_else(|| overlay.configuration());
                if let Base::Recorded(recorded) = self.base.clone() {
                    self.base = Base::after(&trouble, recorded);
                }
                Err(trouble)
            }
            (Ended::Late(tried), _) => self.tried(*tried),
            (Ended::InTime(ended), Attempt::None | Attempt::Late(_)) => ended.map(|()| None),
        }
    }

    fn tried(&mut self, tried: Tried) -> Result<Option<Overlay>, Trouble> {
        let Tried { ended, overlay, base, looked, settled, damaged } = tried;
        (self.base, self.looked) = (base, looked);
        self.backlog.settled(settled, damaged);
        if ended.is_ok() {
            self.backlog.in_hand.clear();
        } else {
            self.backlog.put_back();
        }
        if let Some(overlay) = &overlay {
            let in_force = &overlay.situation.configuration;
            self.configured.take_if(|(_, configuration)| Arc::ptr_eq(configuration, in_force));
        }
        ended.map(|()| overlay)
    }

    fn failed(&mut self, failing: &mut Failing, trouble: Trouble) -> Result<(), store::Error> {
        let (now, first) = (Instant::now(), failing.why.is_empty());
        failing.why = trouble.to_string();
        self.try_at = now + failing.pause;
        failing.pause = (failing.pause * 2).min(LONGEST_PAUSE);
        if first || failing.said + SAY <= now {
            failing.said = now;
            let (in_spool, in_memory) = (self.backlog.on_disk, self.backlog.in_memory());
            let since = failing.since;
            tracing::error!(error = %failing.why, %since, in_spool, in_memory, "nothing can be recorded: probing goes on, outcomes wait");
        }
        match trouble {
            Trouble::Refused(error) if matches!(fate(&error), Fate::Final) => Err(error),
            Trouble::Refused(_) | Trouble::Silent(_) => Ok(()),
        }
    }

    /// Begins what is to be done next.
    fn go_on(&mut self, failing: &Failing, recorder: &Recorder) {
        let (now, limits) = (Instant::now(), &recorder.limits);
        let spools = self.backlog.spool.is_some() && failing.began.elapsed() >= limits.spool_after;
        let to_write = spools && self.backlog.in_memory() > 0;
        let mut due = matches!(self.attempt, Attempt::None) && self.try_at <= now;
        if due && self.backlog.on_disk == 0 && to_write && !self.backlog.stuck {
            // Through the spool first, so that a crash meanwhile loses nothing.
            (self.write_at, self.try_at, due) = (now, now + WRITE, false);
        }
        if to_write && self.writing.is_none() && self.write_at <= now {
            self.writing = Some(Box::pin(self.backlog.write()));
        }
        if !due {
            return;
        }
        let source = match &self.backlog.spool {
            Some(spool) if self.backlog.on_disk > 0 => Source::Spool(Arc::clone(spool)),
            Some(_) | None => Source::Memory(self.backlog.take(LARGEST_BATCH)),
        };
        let attempt = CatchUp {
            store: recorder.store.clone(),
            source,
            base: self.base.clone(),
            looked: self.looked,
            configured: self.configured.clone(),
            now: recorder.clock.now(),
            patience: limits.answer,
        };
        self.attempt = Attempt::Late(Box::pin(attempt.attempt()));
    }

    /// What happens is known, if not recorded. Answers the probes that are wanted out of turn.
    fn shadow(&mut self, event: &Event, now: Timestamp) -> Vec<Wanted> {
        let decision = decide_late(&self.shadow, event, now, now);
        self.shadow = decision.after;
        decision.probes
    }

    fn back(self) -> Back {
        let Base::Recorded(situation) = self.base else {
            // An attempt that succeeded says what is recorded.
            return Back { situation: self.shadow, late: Vec::new(), configured: None };
        };
        Back { situation, late: self.backlog.into_memory(), configured: self.configured }
    }
}

/// A write that may not be under way.
async fn written(writing: &mut Option<Writing>) -> Written {
    match writing {
        Some(writing) => writing.await,
        None => pending().await,
    }
}

impl Recorder {
    /// Until the store is back; `None`: until it was stopped, with what waits in the spool.
    pub(super) async fn outlast(
        &mut self,
        mut outage: Outage,
        failing: &mut Failing,
        stop: &CancellationToken,
    ) -> Result<Option<Back>, store::Error> {
        loop {
            outage.go_on(failing, self);
            let wake = outage.wake(failing, &self.limits);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.put_by(outage).await;
                    return Ok(None);
                }
                Ok(()) = self.configuration.changed() => {
                    let configuration = Arc::clone(&self.configuration.borrow_and_update());
                    let now = self.clock.now();
                    outage.configured = Some((now, Arc::clone(&configuration)));
                    self.want_all(outage.shadow(&Event::Configured(configuration), now));
                }
                ended = outage.attempt.ended() => {
                    let in_time = matches!(ended, Ended::InTime(_));
                    match outage.ended(ended) {
                        Ok(overlay) => {
                            if let Some(mut overlay) = overlay {
                                if !in_time {
                                    // Of what is past: it is asked for again once the store is back.
                                    overlay.wanted.clear();
                                }
                                self.publish(overlay);
                            }
                            if outage.is_over() {
                                return Ok(Some(outage.back()));
                            }
                            outage.try_at = Instant::now();
                        }
                        Err(trouble) => {
                            self.recording.failures.fetch_add(1, Ordering::Relaxed);
                            outage.failed(failing, trouble)?;
                        }
                    }
                }
                written = written(&mut outage.writing) => {
                    outage.writing = None;
                    outage.backlog.written(written);
                    let pause = if outage.backlog.stuck { WRITE_AGAIN } else { WRITE };
                    outage.write_at = Instant::now() + pause;
                }
                outcome = self.outcomes.recv() => {
                    let Some(outcome) = outcome else {
                        self.put_by(outage).await;
                        return Ok(None);
                    };
                    self.take_late(&mut outage, outcome);
                }
                () = sleep_until(wake) => {}
            }
            if outage.due_at <= Instant::now() {
                let now = self.clock.now();
                self.want_all(outage.shadow(&Event::Due, now));
                outage.due_at = Instant::now() + until_due(&outage.shadow, now);
                self.say_unrecorded(&mut outage, failing);
            }
        }
    }

    /// One outcome, and whatever else has arrived by now.
    fn take_late(&mut self, outage: &mut Outage, first: Outcome) {
        let (mut next, mut taken, then) = (Some(first), 0, self.clock.now());
        while let Some(outcome) = next {
            let outcome = Arc::new(outcome);
            self.want_all(outage.shadow(&Event::Outcome(Arc::clone(&outcome)), then));
            outage.backlog.push(Record::Late(LateOutcome { then, outcome }));
            taken += 1;
            next = if taken < LARGEST_BATCH { self.outcomes.try_recv().ok() } else { None };
        }
    }

    /// Says to those who must know that nothing is recorded, once it has lasted.
    fn say_unrecorded(&self, outage: &mut Outage, failing: &Failing) {
        let told_at = self.recording.last_resort_told_at();
        if told_at != outage.told_at
            && let Some(told_at) = told_at
        {
            outage.told_at = Some(told_at);
            outage.backlog.push(Record::Told(told_at));
        }
        if failing.told || failing.began.elapsed() >= self.limits.tell_after {
            self.unrecorded.send_replace(Some(Arc::new(Unrecorded {
                since: failing.since,
                why: failing.why.clone(),
                known: outage.shadow.clone(),
            })));
        }
    }

    /// On stopping: all that waits in memory goes into the spool.
    async fn put_by(&mut self, mut outage: Outage) {
        while let Ok(outcome) = self.outcomes.try_recv() {
            let late = LateOutcome { then: self.clock.now(), outcome: Arc::new(outcome) };
            outage.backlog.push(Record::Late(late));
        }
        let writing = outage.writing.take();
        if timeout(GRACE, outage.backlog.put_by(writing)).await.is_err() {
            tracing::error!("the spool did not take what waits within the grace period: it is lost");
        }
    }
}
