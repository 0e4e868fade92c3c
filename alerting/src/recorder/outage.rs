//! While the store takes nothing (invariant 6): probing goes on, outcomes wait, and attempts are made until it does.
//!
//! What comes is folded into a shadow that nobody is shown, so that the last resort can be told how things stand. The
//! record itself is made later, by attempts: each folds the oldest that wait over what is recorded, and commits that.
//! Nothing here is waited for but events, so that nothing slow holds up a probe.

use super::{
    Configured, LARGEST_BATCH, OutageLimits, Recorder,
    attempt::{Base, CatchUp, Fate, InTime, Source, Tried, Trouble, fate},
    backlog::{Backlog, Written},
    failing::Failing,
    narrowing::Narrowing,
    overlay::Overlay,
};
use crate::spool::{Late as LateOutcome, Record};
use domain::{Event, Outcome, Situation, Unrecorded, Wanted, decide_late};
use jiff::Timestamp;
use std::{future::pending, pin::Pin, sync::Arc, time::Duration};
use tokio::time::Instant;

/// The longest pause after an attempt that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What is in memory goes into the spool so often; and is tried so often where the spool takes no more.
pub(super) const WRITE: Duration = Duration::from_millis(250);
pub(super) const WRITE_AGAIN: Duration = Duration::from_secs(5);
/// A line of the log says so often that it goes on.
const SAY: Duration = Duration::from_secs(60);

pub(super) type Writing = Pin<Box<dyn Future<Output = Written> + Send>>;

/// The attempt under way.
pub(super) enum Attempt {
    None,
    /// Of what came in time.
    InTime(InTime, Box<Overlay>),
    /// Of what waits.
    Late(Pin<Box<dyn Future<Output = Tried> + Send>>),
}

pub(super) enum Ended {
    InTime(Result<(), Trouble>),
    Late(Box<Tried>),
}

impl Attempt {
    pub(super) async fn ended(&mut self) -> Ended {
        match self {
            Self::None => pending().await,
            Self::InTime(attempt, ..) => Ended::InTime(attempt.await),
            Self::Late(attempt) => Ended::Late(Box::new(attempt.await)),
        }
    }
}

/// A disk that takes longer to write the spool is not waited for: probing goes on, within the bound of memory.
const PATIENCE: Duration = Duration::from_secs(10);

/// An outage of the store.
pub(super) struct Outage {
    pub(super) backlog: Backlog,
    base: Base,
    /// How things stand by all that was seen.
    pub(super) shadow: Situation,
    pub(super) configured: Option<Configured>,
    pub(super) attempt: Attempt,
    pub(super) try_at: Instant,
    pub(super) writing: Option<Writing>,
    /// When the spool is written to next, or when that began.
    pub(super) write_at: Instant,
    pub(super) due_at: Instant,
    looked: Option<Timestamp>,
    narrowing: Narrowing,
    /// The store took what the last attempt gave it.
    pub(super) takes: bool,
    /// Outcomes that came since then.
    came: usize,
    /// When the last resort was told, as the spool has it.
    pub(super) told_at: Option<Timestamp>,
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
            base: Base::Recorded(Box::new(situation)),
            configured,
            attempt: Attempt::None,
            try_at: now,
            writing: None,
            write_at: now,
            due_at: now,
            looked: None,
            narrowing: Narrowing::default(),
            takes: false,
            came: 0,
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
            self.base = Base::after(&trouble, *recorded, false);
        }
        self.shadow = overlay.situation.clone();
        self.configured = overlay.configuration().or(self.configured);
        for late in overlay.late() {
            self.backlog.push(Record::Late(late));
        }
        self.failed(failing, trouble)?;
        Ok(self)
    }

    /// What is to be known of it.
    pub(super) fn unrecorded(&self, failing: &Failing) -> Arc<Unrecorded> {
        let (since, why, known) = (failing.since, failing.why.clone(), self.shadow.clone());
        Arc::new(Unrecorded { since, why, known })
    }

    /// When there is something to do, if nothing happens before.
    pub(super) fn wake(&self, failing: &Failing, limits: &OutageLimits) -> Instant {
        let attempt = self.may_try().then_some(self.try_at);
        let writes = self.spools() && self.writing.is_none() && self.backlog.in_memory() > 0;
        let write = writes.then(|| self.write_at.max(failing.began + limits.spool_after));
        [attempt, write].into_iter().flatten().fold(self.due_at, Instant::min)
    }

    /// An attempt may begin. While all that waits is on its way into the spool there is nothing to try.
    fn may_try(&self) -> bool {
        let something = self.backlog.on_disk > 0 || self.backlog.in_memory() > 0 || self.writing.is_none();
        matches!(self.attempt, Attempt::None) && something
    }

    /// What comes is put into the spool. Not while the store takes what it is given and one more attempt is all that is
    /// left: each would find something new in the spool, and where the disk is slow that would never end.
    fn spools(&self) -> bool {
        let left = self.backlog.on_disk + self.backlog.in_memory() as u64;
        self.backlog.spool.is_some() && !(self.takes && left <= LARGEST_BATCH as u64)
    }

    /// How many outcomes may come until the attempt under way has ended. While the store takes what it is given, half of what
    /// an attempt takes: so what waits gets less however fast it comes, for more than that waits with the prober, which slows.
    pub(super) fn room(&self) -> usize {
        let room = if self.takes { (LARGEST_BATCH / 2).saturating_sub(self.came) } else { LARGEST_BATCH };
        // What the spool is about to take waits a while with the prober, too, rather than be lost.
        let writes = match self.writing {
            Some(_) => self.write_at.elapsed() < PATIENCE,
            None => self.write_at > Instant::now(),
        };
        if writes { room.min(self.backlog.room()) } else { room }
    }

    /// One outcome, not recorded yet. Answers the probes that are wanted out of turn.
    pub(super) fn take(&mut self, outcome: Outcome, then: Timestamp) -> Vec<Wanted> {
        let outcome = Arc::new(outcome);
        let wanted = self.shadow(&Event::Outcome(Arc::clone(&outcome)), then);
        self.backlog.push(Record::Late(LateOutcome { then, outcome }));
        self.came += 1;
        wanted
    }

    /// Only what has just come waits, and the store takes it: it can be recorded with what comes next.
    pub(super) fn is_over(&self) -> bool {
        let few = self.backlog.on_disk == 0 && self.backlog.in_memory() <= LARGEST_BATCH / 2;
        few && self.writing.is_none() && !self.narrowing.seeks()
    }

    /// The attempt under way has ended.
    pub(super) fn ended(&mut self, ended: Ended, failing: &mut Failing) -> Result<Option<Overlay>, Trouble> {
        self.takes = match &ended {
            Ended::InTime(ended) => ended.is_ok(),
            Ended::Late(tried) => tried.ended.is_ok(),
        };
        self.came = 0;
        match (ended, std::mem::replace(&mut self.attempt, Attempt::None)) {
            (Ended::InTime(Ok(())), Attempt::InTime(_, overlay)) => {
                self.backlog.in_hand.clear();
                self.base = Base::Recorded(Box::new(overlay.situation.clone()));
                self.try_at = Instant::now();
                Ok(Some(*overlay))
            }
            (Ended::InTime(Err(trouble)), Attempt::InTime(_, overlay)) => {
                self.backlog.put_back();
                self.configured = self.configured.take().or_else(|| overlay.configuration());
                if let Base::Recorded(recorded) = self.base.clone() {
                    self.base = Base::after(&trouble, *recorded, false);
                }
                Err(trouble)
            }
            (Ended::Late(tried), _) => self.tried(*tried, failing),
            (Ended::InTime(ended), Attempt::None | Attempt::Late(_)) => ended.map(|()| None),
        }
    }

    fn tried(&mut self, tried: Tried, failing: &mut Failing) -> Result<Option<Overlay>, Trouble> {
        let Tried { ended, overlay, base, looked, settled, damaged, outcomes, set_aside } = tried;
        (self.base, self.looked) = (base, looked);
        self.backlog.settled(settled, damaged);
        self.backlog.set_aside(set_aside);
        failing.refused &= set_aside == 0;
        self.try_at = Instant::now();
        match (&ended, &overlay) {
            (Ok(()), Some(_)) => {
                self.backlog.in_hand.clear();
                self.narrowing.taken();
                if damaged > 0 || self.backlog.on_disk == 0 && self.backlog.in_memory() == 0 {
                    self.narrowing = Narrowing::default();
                }
            }
            (Ok(()), None) => {
                self.backlog.put_back();
                // What is damaged is gone, the suspects with it.
                if damaged > 0 {
                    self.narrowing = Narrowing::default();
                } else {
                    self.narrowing.untold();
                }
                self.try_at += WRITE;
            }
            (Err(_), _) => self.backlog.put_back(),
        }
        if let Some(overlay) = &overlay {
            let in_force = &overlay.situation.written;
            self.configured.take_if(|(_, configuration)| Arc::ptr_eq(configuration, in_force));
        }
        match ended {
            Err(Trouble::Refused(error)) if matches!(fate(&error), Fate::Narrowed { .. }) => {
                let trouble = Trouble::Refused(error);
                if !self.narrowing.seeks() {
                    tracing::warn!(error = %trouble, outcomes, "a batch is refused: what it is in it is narrowed down");
                }
                if self.narrowing.refused(outcomes, trouble.to_string()) {
                    self.backlog.refused();
                    return Ok(None);
                }
                Err(trouble)
            }
            ended => ended.map(|()| overlay),
        }
    }

    pub(super) fn failed(&mut self, failing: &mut Failing, trouble: Trouble) -> Result<(), store::Error> {
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
        let Trouble::Refused(error) = trouble else { return Ok(()) };
        match fate(&error) {
            Fate::Final => Err(error),
            // What came in time gets here once before it is narrowed down; what was narrowed down, in vain.
            Fate::Narrowed { mends: false } if std::mem::replace(&mut failing.refused, true) => Err(error),
            Fate::Narrowed { .. } | Fate::Again | Fate::Unknown => Ok(()),
        }
    }

    /// Begins what is to be done next.
    pub(super) fn go_on(&mut self, failing: &Failing, recorder: &Recorder) {
        let (now, limits) = (Instant::now(), &recorder.limits);
        let spools = self.spools() && failing.began.elapsed() >= limits.spool_after;
        let to_write = spools && self.backlog.in_memory() > 0;
        let mut due = self.may_try() && self.try_at <= now;
        if due && self.backlog.on_disk == 0 && to_write && !self.backlog.stuck {
            // Through the spool first, so that a crash meanwhile loses nothing.
            (self.write_at, self.try_at, due) = (now, now + WRITE, false);
        }
        if to_write && self.writing.is_none() && self.write_at <= now {
            self.writing = Some(Box::pin(self.backlog.write()));
            self.write_at = now;
        }
        if !due {
            return;
        }
        let source = match &self.backlog.spool {
            Some(spool) if self.backlog.on_disk > 0 => Source::Spool(Arc::clone(spool)),
            Some(_) | None => Source::Memory(self.backlog.take(&self.narrowing)),
        };
        let attempt = CatchUp {
            store: recorder.store.clone(),
            source,
            narrowing: self.narrowing.clone(),
            spool: self.backlog.spool.clone(),
            base: self.base.clone(),
            looked: self.looked,
            configured: self.configured.clone(),
            now: recorder.clock.now(),
            patience: limits.answer,
        };
        self.attempt = Attempt::Late(Box::pin(attempt.attempt()));
    }

    /// What happens is known, if not recorded. Answers the probes that are wanted out of turn.
    pub(super) fn shadow(&mut self, event: &Event, now: Timestamp) -> Vec<Wanted> {
        let decision = decide_late(&self.shadow, event, now, now);
        self.shadow = decision.after;
        decision.probes
    }

    pub(super) fn back(self) -> Back {
        let Base::Recorded(situation) = self.base else {
            // An attempt that succeeded says what is recorded.
            return Back { situation: self.shadow, late: Vec::new(), configured: None };
        };
        Back { situation: *situation, late: self.backlog.into_memory(), configured: self.configured }
    }
}

#[cfg(test)]
mod tests;
