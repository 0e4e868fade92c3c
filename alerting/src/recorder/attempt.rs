//! One attempt to have something recorded, and what is known of it afterwards.

use super::{
    Configured, LARGEST_BATCH, REMEMBERED_FOR,
    backlog::{Shared, lock},
    narrowing::Narrowing,
    overlay::Overlay,
};
use crate::spool::{Late, Record, set_aside_in};
use domain::{Configuration, Event, Situation};
use jiff::{SignedDuration, Timestamp};
use std::{error::Error as _, io, pin::Pin, sync::Arc, time::Duration};
use store::{Batch, Store, crash_point};
use tokio::{task::spawn_blocking, time::timeout};

/// What came in time, on its way into the store.
pub(super) type InTime = Pin<Box<dyn Future<Output = Result<(), Trouble>> + Send>>;

/// What is late is folded as if time had been looked at so often: windows begin and end, and what spoke no longer does.
const STEP: SignedDuration = SignedDuration::from_secs(10);
/// Where nothing came for longer, nobody looked.
const BREAK: SignedDuration = SignedDuration::from_secs(60);

/// How an attempt ended.
pub(super) struct Tried {
    /// Whether all of it is recorded.
    pub(super) ended: Result<(), Trouble>,
    /// What it was about, as far as it was folded.
    pub(super) overlay: Option<Overlay>,
    /// What the next attempt builds on.
    pub(super) base: Base,
    /// When time was last looked at for what is late.
    pub(super) looked: Option<Timestamp>,
    /// Records that are out of the spool.
    pub(super) settled: usize,
    /// Records of the spool that could not be read, and were left aside.
    pub(super) damaged: u64,
    /// Outcomes that were tried, and those before them that were thereby set aside.
    pub(super) outcomes: usize,
    pub(super) set_aside: usize,
}

/// What the next attempt builds on.
#[derive(Clone)]
pub(super) enum Base {
    /// What is recorded.
    Recorded(Box<Situation>),
    /// The fate of an attempt is not known: the store is asked what it has.
    Asked(Arc<Configuration>),
}

impl Base {
    /// After an attempt that failed over what was `recorded` before; `asked`: as the store itself has just said.
    pub(super) fn after(trouble: &Trouble, recorded: Situation, asked: bool) -> Self {
        let fate = match trouble {
            Trouble::Refused(error) => fate(error),
            Trouble::Silent(_) => Fate::Unknown,
        };
        match fate {
            Fate::Again | Fate::Final => Self::Recorded(Box::new(recorded)),
            // What was refused may follow from what we believe and is not so.
            Fate::Narrowed { .. } if asked => Self::Recorded(Box::new(recorded)),
            Fate::Narrowed { .. } | Fate::Unknown => Self::Asked(recorded.written),
        }
    }
}

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The store says no.
    Refused(store::Error),
    /// It has not said anything for so long.
    Silent(Duration),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => match error.source() {
                Some(said) if !error.to_string().contains(&said.to_string()) => write!(f, "{error} ({said})"),
                Some(_) | None => error.fmt(f),
            },
            Self::Silent(waited) => {
                let seconds = waited.as_secs();
                write!(
                    f,
                    "the database has not answered for {seconds} s; see what else uses it, and its disk"
                )
            }
        }
    }
}

/// What becomes of an attempt that failed with an error of the store.
pub(super) enum Fate {
    /// Nothing was stored, and another attempt may succeed.
    Again,
    /// Nobody knows whether it was stored: the store is asked what it has.
    Unknown,
    /// Something in it may be what is refused: it is narrowed down. Where all is refused, no repetition mends what breaks
    /// a rule of the database; anything else may be over one day.
    Narrowed { mends: bool },
    /// No repetition mends it: the program ends and says so, rather than probe for nothing.
    Final,
}

/// The one place that knows what the store's errors mean for what was to be recorded.
pub(super) const fn fate(error: &store::Error) -> Fate {
    match error {
        store::Error::Newer { .. }
        | store::Error::Foreign
        | store::Error::Outdated { .. }
        | store::Error::Fenced
        | store::Error::Corrupt { .. } => Fate::Final,
        store::Error::Refused { .. } => Fate::Narrowed { mends: false },
        store::Error::Other { .. } => Fate::Narrowed { mends: true },
        store::Error::Unknown { .. } => Fate::Unknown,
        store::Error::Busy { .. }
        | store::Error::Denied { .. }
        | store::Error::Absent { .. }
        | store::Error::Full { .. }
        | store::Error::Unavailable { .. }
        | store::Error::TooMuch { .. } => Fate::Again,
    }
}

/// Bounded in time. Of what the store is silent about nobody knows whether it has it.
pub(super) async fn record(store: Store, batch: Arc<Batch>, patience: Duration) -> Result<(), Trouble> {
    match timeout(patience, store.record(&batch)).await {
        Ok(recorded) => recorded.map_err(Trouble::Refused),
        Err(_) => Err(Trouble::Silent(patience)),
    }
}

/// What is late: the oldest that waits, in one transaction.
pub(super) struct CatchUp {
    pub(super) store: Store,
    /// Out of here.
    pub(super) source: Source,
    /// How much of it.
    pub(super) narrowing: Narrowing,
    /// Beside which is set aside what is refused for good.
    pub(super) spool: Option<Shared>,
    pub(super) base: Base,
    pub(super) looked: Option<Timestamp>,
    /// A configuration that came meanwhile, and when.
    pub(super) configured: Option<Configured>,
    pub(super) now: Timestamp,
    pub(super) patience: Duration,
}

/// Where the oldest are.
pub(super) enum Source {
    Spool(Shared),
    Memory(Vec<Record>),
}

impl CatchUp {
    pub(super) async fn attempt(self) -> Tried {
        let Self { store, source, narrowing, spool: beside, base, looked, configured, now, patience } = self;
        let mut tried = Tried {
            ended: Ok(()),
            overlay: None,
            base,
            looked,
            settled: 0,
            damaged: 0,
            outcomes: 0,
            set_aside: 0,
        };
        let asked = narrowing.seeks() || matches!(tried.base, Base::Asked(_));
        let recorded = match &tried.base {
            Base::Recorded(situation) => Situation::clone(situation),
            Base::Asked(configuration) => {
                match timeout(patience, store.remember_in_turn(now - REMEMBERED_FOR)).await {
                    Ok(Ok(remembered)) => Situation::new(Arc::clone(configuration), remembered),
                    Ok(Err(error)) => return Tried { ended: Err(Trouble::Refused(error)), ..tried },
                    Err(_) => return Tried { ended: Err(Trouble::Silent(patience)), ..tried },
                }
            }
        };
        let (mut suspects, spool) = match source {
            Source::Memory(records) => (records, None),
            Source::Spool(spool) => {
                let oldest = oldest(Arc::clone(&spool), narrowing.clone()).await;
                tried.damaged = oldest.damaged;
                (oldest.records, oldest.end.map(|end| (spool, end)))
            }
        };
        let count = suspects.len();
        let records = suspects.split_off(narrowing.reach(suspects.iter()).0);
        let late = lates(records);
        tried.outcomes = late.len();
        let (overlay, looked) = fold(Overlay::new(&recorded), late, configured, (looked, now));
        if narrowing.suspects_some() && overlay.batch.outcomes.is_empty() {
            // Nothing that the store must take: it tells nothing of the suspects.
            return tried;
        }
        tried.ended = record(store, Arc::clone(&overlay.batch), patience).await;
        tried.base = match &tried.ended {
            Ok(()) => Base::Recorded(Box::new(overlay.situation.clone())),
            Err(trouble) => Base::after(trouble, recorded, asked),
        };
        if tried.ended.is_ok() {
            crash_point!("spool/recorded");
            tried.overlay = Some(overlay);
            tried.looked = looked;
            let suspects = lates(suspects);
            tried.set_aside = suspects.len();
            set_aside(beside, suspects, narrowing.why().to_owned(), now).await;
            if let Some((spool, end)) = spool {
                tried.settled = count;
                settle(spool, end, count).await;
                crash_point!("spool/settled");
            }
        }
        tried
    }
}

fn lates(records: Vec<Record>) -> Vec<Late> {
    let lates = records.into_iter().filter_map(|record| match record {
        Record::Late(late) => Some(late),
        Record::Told(_) => None,
    });
    lates.collect()
}

/// What the store refuses, while it takes what came after: no repetition mends it.
async fn set_aside(spool: Option<Shared>, lates: Vec<Late>, why: String, now: Timestamp) {
    if lates.is_empty() {
        return;
    }
    let path = spool.as_ref().map(|spool| set_aside_in(lock(spool).path()).display().to_string());
    for Late { outcome, .. } in &lates {
        let (check, at) = (&outcome.check, outcome.at);
        let said = outcome.failure.as_ref().map(|failure| failure.message.as_str());
        tracing::error!(%check, %at, said, why, path, "the database refuses this outcome and takes the next: it is set aside, and history has a gap");
    }
    let Some(spool) = spool else { return };
    let kept = spawn_blocking(move || lock(&spool).set_aside(&lates, &why, now)).await;
    if let Err(error) = kept.unwrap_or_else(|error| Err(io::Error::other(error))) {
        tracing::error!(%error, path, "what is set aside could not be written down: it stands in this log alone");
    }
    crash_point!("spool/set-aside");
}

/// In the order in which it came; time is looked at in between, as it would have been.
fn fold(
    mut overlay: Overlay,
    lates: Vec<Late>,
    mut configured: Option<Configured>,
    (looked, now): (Option<Timestamp>, Timestamp),
) -> (Overlay, Option<Timestamp>) {
    let mut looked = looked.or_else(|| overlay.situation.watch.map(|watch| watch.last));
    for Late { then, outcome } in lates {
        if let Some((at, configuration)) = configured.take_if(|(at, _)| *at <= then) {
            let at = looked.map_or(then, |looked| at.max(looked));
            overlay.fold_late(Event::Configured(configuration), at, now);
        }
        let mut at = looked.unwrap_or(then);
        if then.duration_since(at) > BREAK {
            at = then;
            overlay.fold_late(Event::Due, at, now);
        }
        while at + STEP <= then {
            at += STEP;
            overlay.fold_late(Event::Due, at, now);
        }
        looked = Some(at);
        overlay.fold_late(Event::Outcome(outcome), then, now);
    }
    (overlay, looked)
}

struct Oldest {
    records: Vec<Record>,
    /// Where they end; `None`: they could not be looked at.
    end: Option<u64>,
    damaged: u64,
}

/// The oldest of the spool. What a broken disk does not give back is left aside: to wait for it would lose what comes.
async fn oldest(spool: Shared, narrowing: Narrowing) -> Oldest {
    let read = spawn_blocking(move || {
        let mut spool = lock(&spool);
        let within = |records: &[Record]| narrowing.reach(records.iter()).1;
        match spool.oldest(LARGEST_BATCH).and_then(|(records, end)| match within(&records) {
            reach if reach < records.len() => spool.oldest(reach),
            _ => Ok((records, end)),
        }) {
            Ok((records, end)) => Oldest { records, end: Some(end), damaged: 0 },
            Err(error) => {
                let damaged = spool.waiting();
                let path = spool.path().display().to_string();
                tracing::error!(%error, path, records = damaged, "the rest of the spool cannot be read: its outcomes are lost, and history has a gap");
                let end = Some(spool.give_up_rest());
                Oldest { records: Vec::new(), end, damaged }
            }
        }
    });
    read.await.unwrap_or_else(|_| Oldest { records: Vec::new(), end: None, damaged: 0 })
}

async fn settle(spool: Shared, end: u64, count: usize) {
    let settled = spawn_blocking(move || lock(&spool).settled(end, count)).await;
    if let Err(error) = settled.unwrap_or_else(|error| Err(io::Error::other(error))) {
        tracing::warn!(%error, "the spool could not be emptied: what is recorded may be read again, which changes nothing");
    }
}
