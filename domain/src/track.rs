//! Rule two, *health*, for one check as seen from one vantage: streaks and rounds become a confirmed Status.

use crate::{Confirm, Failure, Layer, Outcome, Pulse, Status, TrackId, Verdict};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The health of a Check as seen from one Vantage: its confirmed status, and the streak that may change it.
///
/// Everything here is durable; it changes in the database only when it changes here, so a steady check costs nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Which check, from where.
    pub id: TrackId,
    /// Operational, Degraded, `MajorOutage` (the check fails) or Unknown.
    pub status: Status,
    /// Since when; back-dated to the first probe that showed it.
    pub since: Timestamp,
    /// Where it fails, while it does.
    pub layer: Option<Layer>,
    /// What was wrong, in words, while it fails or cannot be told.
    pub message: Option<String>,
    /// A round of probes in progress, which may change the status.
    pub round: Option<Round>,
    /// While probes are Inconclusive: the last conclusive one, or the first of them if there was none.
    pub inconclusive_since: Option<Timestamp>,
    /// Of a heartbeat: when its job was heard, and from when on it is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse: Option<Pulse>,
}

/// Probes that disagree with the confirmed status (DESIGN §5, `confirm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Worse than confirmed: `fail` of `of` probes decide.
    Confirm {
        /// The first of them: a confirmed change is back-dated to here.
        since: Timestamp,
        /// Conclusive probes in this round.
        probes: u32,
        /// Slow ones among them.
        slows: u32,
        /// Failed ones among them.
        fails: u32,
    },
    /// Better than confirmed: `recover` of them in a row decide.
    Recover {
        /// The first of them: recovery is back-dated to here.
        since: Timestamp,
        /// In a row so far.
        probes: u32,
        /// Slow ones among them.
        slows: u32,
    },
}

/// The last Outcome of a track, not durable as such: the outcomes themselves are.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// When.
    pub at: Timestamp,
    /// How it was judged.
    pub verdict: Verdict,
    /// The whole of it, when it came while this process runs.
    pub outcome: Option<std::sync::Arc<crate::Outcome>>,
}

/// How bad: 0 works, 1 slow, 2 fails. `None`: cannot be told.
const fn rank_of_status(status: Status) -> Option<u8> {
    match status {
        Status::Operational => Some(0),
        Status::Degraded => Some(1),
        Status::PartialOutage | Status::MajorOutage => Some(2),
        Status::Maintenance | Status::Unknown => None,
    }
}

const fn status_of_rank(rank: u8) -> Status {
    match rank {
        0 => Status::Operational,
        1 => Status::Degraded,
        _ => Status::MajorOutage,
    }
}

const fn rank_of_verdict(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Pass => Some(0),
        Verdict::Slow => Some(1),
        Verdict::Fail => Some(2),
        Verdict::Inconclusive => None,
    }
}

impl Track {
    /// A track of which nothing is known since `since`.
    pub const fn unknown(id: TrackId, since: Timestamp) -> Self {
        Self {
            id,
            status: Status::Unknown,
            since,
            layer: None,
            message: None,
            round: None,
            inconclusive_since: None,
            pulse: None,
        }
    }

    /// The track after `outcome`, judged as `verdict`; `last_at` is when the previous outcome was.
    /// The caller has seen to it that `outcome` is newer than that.
    #[must_use]
    pub fn step(
        &self,
        outcome: &Outcome,
        verdict: Verdict,
        last_at: Option<Timestamp>,
        confirm: &Confirm,
    ) -> Self {
        let mut next = self.clone();
        let Some(seen) = rank_of_verdict(verdict) else {
            next.inconclusive_since = self.inconclusive_since.or(Some(last_at.unwrap_or(outcome.at)));
            if self.status == Status::Unknown {
                next.message = message(outcome.failure.as_ref());
            }
            return next;
        };
        next.inconclusive_since = None;
        match rank_of_status(self.status) {
            None if seen == 0 => next.become_status(Status::Operational, outcome.at, None),
            None => next.confirm(outcome, 0, seen, confirm),
            Some(rank) if seen > rank || matches!(self.round, Some(Round::Confirm { .. })) => {
                next.confirm(outcome, rank, seen, confirm);
            }
            Some(rank) if seen < rank => next.recover(outcome, seen, confirm),
            Some(_) => {
                next.round = None;
                if seen == 2 {
                    next.layer = layer(outcome.failure.as_ref());
                    next.message = message(outcome.failure.as_ref());
                }
            }
        }
        next
    }

    /// The track when its last outcome no longer speaks: Unknown from then on. `None`: it still speaks at `now`.
    pub fn expire(&self, last_at: Option<Timestamp>, validity: Duration, now: Timestamp) -> Option<Self> {
        let until = self.speaks_until(last_at, validity)?;
        (until <= now).then(|| self.expired(until))
    }

    /// When its last outcome no longer speaks. `None`: nothing is known of it that could end.
    pub(crate) fn speaks_until(&self, last_at: Option<Timestamp>, validity: Duration) -> Option<Timestamp> {
        if self.status == Status::Unknown && self.round.is_none() {
            return None;
        }
        let spoke_at = self.inconclusive_since.or(last_at).unwrap_or(self.since);
        Some(spoke_at + SignedDuration::try_from(validity).unwrap_or(SignedDuration::MAX))
    }

    /// The track since nothing speaks for it any more.
    pub(crate) fn expired(&self, until: Timestamp) -> Self {
        let mut next = self.clone();
        // A round begun before the silence proves nothing after it.
        next.round = None;
        if self.status != Status::Unknown {
            next.become_status(Status::Unknown, until.max(self.since), None);
        }
        next
    }

    /// Whether a round is in progress that another probe, out of turn, would settle.
    pub const fn wants_confirmation(&self) -> bool {
        matches!(self.round, Some(Round::Confirm { .. }))
    }

    fn become_status(&mut self, status: Status, since: Timestamp, failure: Option<&Failure>) {
        self.status = status;
        self.since = since;
        self.round = None;
        self.layer = layer(failure);
        self.message = message(failure);
    }

    /// One more probe of a confirmation round; `rank` is how bad the confirmed status is, `seen` how bad this probe.
    fn confirm(&mut self, outcome: &Outcome, rank: u8, seen: u8, rule: &Confirm) {
        let (since, mut probes, mut slows, mut fails) = match self.round {
            Some(Round::Confirm { since, probes, slows, fails }) => (since, probes, slows, fails),
            Some(Round::Recover { .. }) | None => (outcome.at, 0, 0, 0),
        };
        probes += 1;
        slows += u32::from(seen == 1);
        fails += u32::from(seen == 2);
        let failed = fails >= rule.fail;
        let slowed = rank < 1 && slows + fails >= rule.fail;
        if failed || slowed {
            let status = status_of_rank(if failed { 2 } else { 1 });
            self.become_status(status, since, outcome.failure.as_ref());
        } else if probes >= rule.of {
            self.round = None;
        } else {
            self.round = Some(Round::Confirm { since, probes, slows, fails });
        }
    }

    /// One more probe that is better than the confirmed status.
    fn recover(&mut self, outcome: &Outcome, seen: u8, rule: &Confirm) {
        let (since, mut probes, mut slows) = match self.round {
            Some(Round::Recover { since, probes, slows }) => (since, probes, slows),
            Some(Round::Confirm { .. }) | None => (outcome.at, 0, 0),
        };
        probes += 1;
        slows += u32::from(seen == 1);
        if probes >= rule.recover {
            self.become_status(status_of_rank(u8::from(slows > 0)), since, outcome.failure.as_ref());
        } else {
            self.round = Some(Round::Recover { since, probes, slows });
        }
    }
}

fn layer(failure: Option<&Failure>) -> Option<Layer> {
    failure.map(|failure| failure.layer)
}

fn message(failure: Option<&Failure>) -> Option<String> {
    failure.map(|failure| failure.message.clone())
}
