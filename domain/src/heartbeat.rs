//! Heartbeats: operations whose request is that something calls us. A scheduled job says that it ended; silence is the
//! failure.

use crate::{Check, CheckId, Cron, Language, ReferenceKey, TrackId, VantageId, duration_words};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// Letters of an address that cannot be guessed: 160 bits.
const REFERENCE_LENGTH: usize = 32;

/// The clock of the machine that a job runs on may be so much ahead of ours.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// What a heartbeat says is true for so long after it is no longer in time: by then silence has been judged, or could not be.
const JUDGED_WITHIN: Duration = Duration::from_secs(60);

/// A job that calls us when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// When it ends.
    pub rhythm: Rhythm,
    /// It may end so much later.
    pub grace: Duration,
    /// Another number is another address.
    pub address: u32,
}

/// When a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rhythm {
    /// So long after it last did.
    Every(Duration),
    /// At these times, in this zone.
    At(Box<Cron>, TimeZone),
}

/// What a job tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beat {
    /// It has begun.
    Started,
    /// It has ended, and well.
    Ended,
    /// It has ended, and not well; with its exit status, where it says one.
    Failed(Option<u8>),
}

impl Heartbeat {
    /// Where heartbeats are heard: no probe is sent from there, so no configuration may define it.
    pub const VANTAGE: &str = "inbound";

    /// When the end after that of `settled` is due, and when silence is a failure. `None`: never.
    pub(crate) fn awaited(&self, settled: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let due = match &self.rhythm {
            Rhythm::Every(every) => settled.checked_add(*every).ok()?,
            // One that comes a little before its time is that one.
            Rhythm::At(cron, zone) => cron.next(settled.checked_add(EARLY).ok()?, zone)?,
        };
        Some((due, due.checked_add(self.grace).ok()?))
    }

    /// The first moment at which the end that is awaited since `settled` can have come so that, had we not heard it, nothing
    /// more would have come in time. `ended`: it ended at `settled`.
    ///
    /// A job that ends again and again in the same time, interval and grace together or shorter, ends twice in these if it
    /// first does before half of them.
    pub(crate) fn comes_from(&self, settled: Timestamp, ended: bool, due: Timestamp) -> Timestamp {
        match self.rhythm {
            Rhythm::Every(every) if ended => settled.checked_add((every + self.grace) / 2).unwrap_or(due),
            Rhythm::Every(_) => settled,
            Rhythm::At(..) => due.checked_sub(EARLY).unwrap_or(due),
        }
    }

    /// From one end to the next; of times that are not even, from the first to the second of the year 2027.
    pub fn every(&self) -> Duration {
        match &self.rhythm {
            Rhythm::Every(every) => *every,
            Rhythm::At(cron, zone) => {
                let start = Timestamp::constant(1_798_761_600, 0);
                let first = cron.next(start, zone);
                let second = first.and_then(|first| cron.next(first, zone));
                let gap =
                    first.zip(second).map(|(first, second)| second.duration_since(first).unsigned_abs());
                gap.unwrap_or(Duration::from_hours(24))
            }
        }
    }

    pub(crate) fn line(&self) -> String {
        let words = |duration| {
            let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
            duration_words(duration, Language::En)
        };
        let grace = words(self.grace);
        match &self.rhythm {
            Rhythm::Every(every) => format!("heartbeat every {}, {grace} of grace", words(*every)),
            Rhythm::At(cron, _) => format!("heartbeat at {cron}, {grace} of grace"),
        }
    }

    pub(crate) fn words(&self) -> Vec<Cow<'_, str>> {
        let rhythm = match &self.rhythm {
            Rhythm::Every(every) => format!("{every:?}"),
            Rhythm::At(cron, _) => cron.to_string(),
        };
        vec!["heartbeat".into(), rhythm.into(), format!("{:?}", self.grace).into()]
    }
}

impl Check {
    /// What it hears, if nobody is asked.
    pub fn heartbeat(&self) -> Option<&Heartbeat> {
        self.operation.request.heartbeat()
    }

    /// The last part of the address at which it is heard: made by a keyed hash, so that it cannot be guessed and nobody
    /// has to keep it.
    pub fn beat_reference(&self, key: &ReferenceKey) -> Option<String> {
        let heartbeat = self.heartbeat()?;
        Some(key.word(&format!("heartbeat {} {}", self.id, heartbeat.address), REFERENCE_LENGTH))
    }
}

impl CheckId {
    /// The track of a heartbeat.
    pub(crate) fn heard(&self) -> TrackId {
        TrackId { check: self.clone(), vantage: VantageId::inbound() }
    }
}

/// How long what a heartbeat said at `at` is true.
pub(crate) fn validity(heartbeat: &Heartbeat, at: Timestamp) -> Duration {
    let until = heartbeat.awaited(at).map_or(Timestamp::MAX, |(_, deadline)| deadline);
    until.duration_since(at).unsigned_abs() + JUDGED_WITHIN
}
