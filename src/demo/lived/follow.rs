//! One check from one vantage, through an hour of a made-up past.

use domain::{
    Check, Failure, Http, Layer, Outcome, Phases, ReferenceKey, Situation, Status, TrackId, VantageId,
    Verdict, next_due,
};
use jiff::{SignedDuration, Timestamp};
use simulator::{Asked, Fault, Past, Seen};
use std::{sync::Arc, time::Duration};
use store::Sample;

/// When a probe was, and how it was judged.
type Judged = (Timestamp, Verdict);

/// One check from one vantage.
pub(super) struct Followed {
    pub(super) id: TrackId,
    pub(super) asked: Asked,
    check: Arc<Check>,
    /// It works, and nothing says otherwise: another Pass would change nothing.
    pub(super) steady: bool,
    /// The hour's probes in order, how each was judged, and when some were sent out of turn.
    seen: Vec<Seen>,
    verdicts: Vec<Verdict>,
    confirms: Vec<Timestamp>,
    /// The first that is not behind us.
    next: usize,
    /// The first from there that has something to say.
    tells: Option<usize>,
    /// The last of the hours before.
    last: Option<Judged>,
}

impl Followed {
    pub(super) fn new(check: &Arc<Check>, vantage: &VantageId, situation: &Situation) -> Self {
        let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
        let last = situation.latest.get(&id).map(|latest| (latest.at, latest.verdict));
        let mut followed = Self {
            asked: super::asked(check, &id),
            id,
            check: Arc::clone(check),
            steady: false,
            seen: Vec::new(),
            verdicts: Vec::new(),
            confirms: Vec::new(),
            next: 0,
            tells: None,
            last,
        };
        followed.steady = followed.is_steady(situation);
        followed
    }

    /// An hour begins, and is lived to `to`.
    pub(super) fn begin(&mut self, past: &Past, from: Timestamp, to: Timestamp) {
        let first = next_due(&self.id, self.check.every, from - SignedDuration::from_nanos(1));
        self.seen = if first < to { past.seen(&self.asked, first, to) } else { Vec::new() };
        self.verdicts = vec![Verdict::Pass; self.seen.len()];
        self.next = 0;
        self.find();
    }

    /// The samples of the hour, if there are any.
    pub(super) fn end(&mut self) -> Option<Vec<Sample>> {
        let last = self.seen.last().zip(self.verdicts.last());
        self.last = last.map(|(seen, verdict)| (seen.at, *verdict)).or(self.last);
        self.confirms.clear();
        self.tells = None;
        let warm = self.check.is_warm();
        let sample =
            |(seen, verdict): (Seen, Verdict)| Sample { at: seen.at, verdict, warm, total: seen.took };
        let seen = std::mem::take(&mut self.seen).into_iter().zip(std::mem::take(&mut self.verdicts));
        let samples: Vec<Sample> = seen.map(sample).collect();
        (!samples.is_empty()).then_some(samples)
    }

    /// When the next probe came back that has something to say.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.tells.and_then(|index| self.seen.get(index)).map(|seen| seen.at)
    }

    /// The last probe at `now` or before.
    pub(super) fn last_at(&self, now: Timestamp) -> Option<Judged> {
        let after = self.seen.partition_point(|seen| seen.at <= now);
        self.judged_at(after.checked_sub(1)).or(self.last)
    }

    /// A probe out of turn joins the others.
    pub(super) fn confirm(&mut self, seen: Seen) {
        let place = self.seen.partition_point(|other| other.at < seen.at);
        if place >= self.next && self.seen.get(place).is_none_or(|other| other.at != seen.at) {
            self.seen.insert(place, seen);
            self.verdicts.insert(place, Verdict::Pass);
            self.confirms.push(seen.at);
            self.find();
        }
    }

    /// The next that has something to say, as an outcome, and what came before it.
    pub(super) fn advance(&mut self, key: &ReferenceKey) -> Option<(Outcome, Option<Judged>)> {
        let index = self.tells?;
        let seen = *self.seen.get(index)?;
        let before = self.judged_at(index.checked_sub(1)).or(self.last);
        self.next = index + 1;
        Some((self.outcome(&seen, key), before))
    }

    /// How the one that was advanced to was judged.
    pub(super) fn judged(&mut self, verdict: Verdict) {
        if let Some(judged) = self.next.checked_sub(1).and_then(|index| self.verdicts.get_mut(index)) {
            *judged = verdict;
        }
    }

    /// What is known of it at `now` may be otherwise than before.
    pub(super) fn settle(&mut self, situation: &Situation, now: Timestamp) {
        let steady = self.is_steady(situation);
        if self.steady {
            // What was passed over is behind us; what comes at this very moment is not.
            self.next = self.next.max(self.seen.partition_point(|seen| seen.at < now));
        }
        if steady != self.steady || self.tells.is_some_and(|index| index < self.next) {
            self.steady = steady;
            self.find();
        }
    }

    fn find(&mut self) {
        let ahead = self.seen.get(self.next..).unwrap_or_default();
        let found = ahead.iter().position(|seen| {
            !self.steady
                || seen.fault != Fault::None
                || seen.took > self.asked.slow
                || self.confirms.contains(&seen.at)
        });
        self.tells = found.map(|ahead| self.next + ahead);
    }

    fn is_steady(&self, situation: &Situation) -> bool {
        situation.tracks.get(&self.id).is_some_and(|track| {
            track.status == Status::Operational && track.round.is_none() && track.inconclusive_since.is_none()
        })
    }

    fn judged_at(&self, index: Option<usize>) -> Option<Judged> {
        let (seen, verdict) = (self.seen.get(index?)?, self.verdicts.get(index?)?);
        Some((seen.at, *verdict))
    }

    fn outcome(&self, seen: &Seen, key: &ReferenceKey) -> Outcome {
        let symptom = seen.symptom();
        let status = symptom.as_ref().map_or(Some(200), |symptom| symptom.status);
        let failure = symptom.and_then(|symptom| {
            let kind = serde_json::Value::String(symptom.kind.to_owned());
            Some(Failure {
                layer: Layer::parse(symptom.layer)?,
                kind: serde_json::from_value(kind).ok()?,
                message: symptom.message,
            })
        });
        Outcome {
            confirm: self.confirms.contains(&seen.at),
            phases: phases(seen, status.is_some()),
            total: seen.took,
            failure,
            http: status.map(|status| Http {
                status,
                version: "HTTP/1.1".into(),
                remote_ip: None,
                bytes: 512,
            }),
            request_id: Some(prober::request_id(&key.0, &self.id, seen.at).to_string()),
            ..Outcome::new(self.id.check.clone(), self.id.vantage.clone(), seen.at)
        }
    }
}

/// A connection takes little of it, the answer nearly all.
fn phases(seen: &Seen, answered: bool) -> Phases {
    if matches!(seen.fault, Fault::Refuse | Fault::Reset) {
        return Phases { connect: Some(seen.took), ..Phases::default() };
    }
    let connect = (seen.took / 16).min(Duration::from_millis(2));
    let rest = seen.took.saturating_sub(connect);
    let body = answered.then(|| rest / 20);
    let first_byte = Some(rest.saturating_sub(body.unwrap_or_default()));
    Phases { connect: Some(connect), first_byte, body, ..Phases::default() }
}
