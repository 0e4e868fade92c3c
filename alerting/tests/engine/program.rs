//! One running program: its recorder and its deliverer, over the real rules. What it holds in memory goes when it dies.

use crate::{
    outside::Answered,
    plan::{HEALED, SECOND, Who},
    store::{Batch, Line, Refused},
    world::{Happening, World},
};
use alerting::{Course, SendError, Step, Trace};
use domain::{
    Change, Channel, Decision, Event, Incident, Outcome, Receipt, Sent, Situation, Told, decide, decide_late,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc};
use store::Claimed;

const LEASE: i64 = 60 * SECOND;

pub(crate) struct Program {
    fence: i64,
    pub(crate) frozen_until: i64,
    /// As it is recorded.
    situation: Situation,
    /// Outcomes that could not be recorded, and when they came.
    late: Vec<(Timestamp, Arc<Outcome>)>,
    /// What became of the last batch is not known.
    unknown: bool,
    sends: BTreeMap<u64, Sending>,
    sent: u64,
    looks_at: i64,
    claims_at: i64,
}

struct Sending {
    claimed: Claimed,
    step: Step,
    /// What its incident was like when it was last looked at.
    then: Arc<Incident>,
    /// No step is taken after this: another may be sending by then.
    deadline: i64,
}

/// What the other side said.
#[derive(Debug)]
pub(crate) enum Heard {
    Looked(Result<Trace, SendError>),
    Acted(Result<Sent, SendError>),
    LookedAgain(Sent, Option<Sent>),
}

impl Program {
    pub(crate) fn new(fence: i64, situation: Situation) -> Self {
        Self {
            fence,
            frozen_until: 0,
            situation,
            late: Vec::new(),
            unknown: false,
            sends: BTreeMap::new(),
            sent: 0,
            looks_at: 0,
            claims_at: 0,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.sends.is_empty() && self.late.is_empty()
    }
}

/// A batch in the making.
struct Overlay {
    situation: Situation,
    batch: Batch,
    wanted: Vec<domain::Wanted>,
    /// What is decided anew when this cannot be recorded.
    outcomes: Vec<(Timestamp, Arc<Outcome>)>,
}

impl Overlay {
    fn take(&mut self, event: &Event, then: Timestamp, decision: Decision) {
        self.situation = decision.after;
        self.batch.changes.extend(decision.changes);
        self.wanted.extend(decision.probes);
        if let (Event::Outcome(outcome), Some(verdict)) = (event, decision.verdict) {
            let track = domain::TrackId { check: outcome.check.clone(), vantage: outcome.vantage.clone() };
            self.batch.outcomes.push((track, outcome.at, verdict));
            self.outcomes.push((then, Arc::clone(outcome)));
        }
    }
}

impl World {
    /// A new program brings to its end what left the configuration.
    pub(crate) fn configure(&mut self, name: u32) {
        let event = Event::Configured(Arc::clone(&self.plan.configuration));
        self.fold(name, Vec::new(), Some(&event));
    }

    /// The recorder wakes, with what probes brought.
    pub(crate) fn look(&mut self, name: u32, outcomes: Vec<Arc<Outcome>>) {
        self.fold(name, outcomes, None);
    }

    fn fold(&mut self, name: u32, outcomes: Vec<Arc<Outcome>>, more: Option<&Event>) {
        let now = self.wall();
        let away = self.plan.is_store_away(self.now) && !self.is_healed();
        let Some(program) = self.programs.get_mut(&name) else { return };
        let behind = program.unknown || !program.late.is_empty();
        if behind && away {
            program.late.extend(outcomes.into_iter().map(|outcome| (now, outcome)));
            return self.look_again(name, None);
        }
        let situation = if program.unknown {
            self.store.situation(&self.plan.configuration)
        } else {
            program.situation.clone()
        };
        let mut overlay =
            Overlay { situation, batch: Batch::default(), wanted: Vec::new(), outcomes: Vec::new() };
        for (then, outcome) in std::mem::take(&mut program.late) {
            let event = Event::Outcome(outcome);
            let decision = decide_late(&overlay.situation, &event, then, now);
            overlay.take(&event, then, decision);
        }
        let configured = Event::Configured(Arc::clone(&self.plan.configuration));
        let configured = behind.then_some(&configured);
        for event in configured.into_iter().chain(more) {
            let decision = decide(&overlay.situation, event, now);
            overlay.take(event, now, decision);
        }
        for outcome in outcomes {
            let event = Event::Outcome(outcome);
            let decision = decide(&overlay.situation, &event, now);
            overlay.take(&event, now, decision);
        }
        if !away {
            self.read_inbox(&mut overlay, now);
        }
        let decision = decide(&overlay.situation, &Event::Due, now);
        overlay.take(&Event::Due, now, decision);
        self.commit(name, overlay);
    }

    fn read_inbox(&mut self, overlay: &mut Overlay, now: Timestamp) {
        let rows: Vec<(u64, Told)> = self.store.inbox.iter().map(|(id, told)| (*id, told.clone())).collect();
        self.judge.i7_callbacks_commute(&mut self.dice, &overlay.situation, &rows, now);
        for (id, told) in rows {
            let event = Event::Told(told);
            let decision = decide(&overlay.situation, &event, now);
            overlay.take(&event, now, decision);
            overlay.batch.folded.push(id);
        }
    }

    fn commit(&mut self, name: u32, overlay: Overlay) {
        let Overlay { situation, batch, wanted, outcomes } = overlay;
        if self.dies(name) {
            return;
        }
        let empty = batch.changes.is_empty() && batch.outcomes.is_empty() && batch.folded.is_empty();
        let line = if empty { Line::Well } else { self.line() };
        let Some(program) = self.programs.get_mut(&name) else { return };
        let recorded = if empty { Ok(()) } else { self.store.record(program.fence, &batch, line) };
        if recorded == Ok(()) || recorded == Err(Refused::Unanswered) {
            let now = self.wall();
            let steady = self.plan.is_steady(self.now);
            self.judge.recorded(&situation, &batch.changes, steady, self.now, now);
        }
        match recorded {
            Ok(()) => {
                let told = batch.changes.iter().any(|change| matches!(change, Change::Notify(_)));
                if let Some(program) = self.programs.get_mut(&name) {
                    program.situation = situation;
                    program.unknown = false;
                }
                if self.dies(name) {
                    return;
                }
                if told {
                    self.at(self.now + 5, Happening::Claim(name));
                }
                for wanted in wanted {
                    let at = self.when(wanted.at);
                    self.at(at, Happening::Probe(wanted.track));
                }
            }
            Err(Refused::Fenced) => return self.stands_by(name),
            Err(refused) => {
                if let Some(program) = self.programs.get_mut(&name) {
                    program.late = outcomes;
                    program.unknown |= refused == Refused::Unanswered;
                }
            }
        }
        let next = self.programs.get(&name).and_then(|program| program.situation.next_action_at(self.wall()));
        self.look_again(name, next);
    }

    /// Once a second in earnest; here when something is due. Probes make it look often enough besides.
    fn look_again(&mut self, name: u32, next: Option<Timestamp>) {
        let at = next.map_or(i64::MAX, |next| self.when(next).max(self.now + SECOND));
        let at = at.min(self.now + 25 * SECOND);
        let now = self.now;
        let Some(program) = self.programs.get_mut(&name) else { return };
        if program.looks_at <= now || at < program.looks_at {
            program.looks_at = at;
            self.at(at, Happening::Look(name));
        }
    }

    /// Another records now. It begins anew, once that one is gone.
    fn stands_by(&mut self, name: u32) {
        self.programs.remove(&name);
        self.at(self.now + 8 * SECOND, Happening::Starts);
    }

    /// The deliverer claims what is due.
    pub(crate) fn claim(&mut self, name: u32) {
        let (now, line) = (self.wall(), self.line());
        let Some(fence) = self.programs.get(&name).map(|program| program.fence) else { return };
        let claimed = self.store.claim(fence, now, SignedDuration::from_millis(LEASE), line);
        if matches!(claimed, Err(Refused::Fenced)) {
            return self.stands_by(name);
        }
        for claimed in claimed.unwrap_or_default() {
            let Some(program) = self.programs.get(&name) else { return };
            let same = |send: &Sending| send.claimed.notification.key == claimed.notification.key;
            if program.sends.values().any(same) {
                continue;
            }
            let step = Course::of(&claimed).begin(now);
            let deadline = self.now + LEASE / 2;
            let Some(program) = self.programs.get_mut(&name) else { return };
            program.sent += 1;
            let send = program.sent;
            let then = Arc::clone(&claimed.incident);
            program.sends.insert(send, Sending { claimed, step, then, deadline });
            self.at(self.now + 1, Happening::Step(name, send));
        }
        let next = self.store.next_delivery().map_or(i64::MAX, |at| self.when(at).max(self.now + SECOND));
        self.claims_at(name, next);
    }

    fn claims_at(&mut self, name: u32, at: i64) {
        let now = self.now;
        let at = at.min(now + 20 * SECOND);
        let Some(program) = self.programs.get_mut(&name) else { return };
        if program.claims_at <= now || at < program.claims_at {
            program.claims_at = at;
            self.at(at, Happening::Claim(name));
        }
    }

    /// The next step of a send.
    pub(crate) fn step(&mut self, name: u32, send: u64) {
        if self.dies(name) {
            return;
        }
        let now = self.now;
        let Some(program) = self.programs.get_mut(&name) else { return };
        let Some(sending) = program.sends.get_mut(&send) else { return };
        let told = sending.claimed.notification.clone();
        let mut step = sending.step.clone();
        let course = Course::of(&sending.claimed);
        if (course.is_callout() || course.is_pager())
            && (self.now >= HEALED || !self.plan.is_store_away(now))
            && let Some(incident) = self.store.incidents.get(&told.incident)
        {
            step = course.as_it_is_now(step, incident);
            sending.then = Arc::clone(incident);
        }
        if now >= sending.deadline && !matches!(step, Step::End(_)) {
            step = Step::End(Err(SendError::unclear("no end in time")));
        }
        let then = Arc::clone(&sending.then);
        let who = match told.channel {
            Channel::Desk(_) => Who::Desk,
            Channel::Text(_) => Who::Texts,
            Channel::Voice(_) => Who::Calls,
            Channel::DeskEmail(_) | Channel::Email(_) | Channel::Team(_) => Who::Mail,
            Channel::Webhook(_) => Who::Programs,
            Channel::TeamChat(_) | Channel::TeamWebhook(_) | Channel::TeamPager(_) => Who::Teams,
        };
        let mood = self.plan.mood(who, now);
        let (heard, silent) = match step {
            Step::End(ended) => return self.settle(name, send, ended),
            Step::Look => {
                let Answered { answer, silent } = self.outside.look(&told, mood);
                self.judge.looked(&told, answer.is_ok());
                (Heard::Looked(answer), silent)
            }
            Step::Act { repeat } => {
                self.judge.acts(&told, repeat, &self.outside, now);
                let before = self.outside.carried.len();
                let Answered { answer, silent } = self.outside.act(&told, &then, mood);
                if self.outside.carried.len() > before {
                    let well = crate::world::way(&told.channel).is_none() || !self.dice.chance(150);
                    let at = now + self.dice.within(SECOND, 60 * SECOND);
                    self.at(at, Happening::Arrives(before, well));
                }
                (Heard::Acted(answer), silent)
            }
            Step::LookAgain(made) => {
                let found = self.outside.look_again(&told, mood);
                (Heard::LookedAgain(made, found), false)
            }
        };
        if self.dies(name) {
            return;
        }
        let takes = if silent { 10 * SECOND } else { self.dice.within(10, 2 * SECOND) };
        self.at(now + takes, Happening::Heard(name, send, heard));
    }

    pub(crate) fn heard(&mut self, name: u32, send: u64, heard: Heard) {
        let now = self.wall();
        let away = self.now < HEALED && self.plan.is_store_away(self.now);
        let Some(sending) = self.programs.get_mut(&name).and_then(|p| p.sends.get_mut(&send)) else {
            return;
        };
        let course = Course::of(&sending.claimed);
        let step = match heard {
            Heard::Looked(seen) => course.looked(seen, now),
            Heard::Acted(result) if course.is_pager() => {
                let is = self.store.incidents.get(&sending.claimed.notification.incident);
                course.is_still_so(course.acted(result), &sending.then, is.filter(|_| !away).map(|is| &**is))
            }
            Heard::Acted(result) => course.acted(result),
            Heard::LookedAgain(made, found) => course.looked_again(made, found),
        };
        sending.step = step;
        self.at(self.now + 1, Happening::Step(name, send));
    }

    fn settle(&mut self, name: u32, send: u64, ended: Result<Sent, SendError>) {
        let (now, line) = (self.wall(), self.line());
        let Some(program) = self.programs.get_mut(&name) else { return };
        let Some(sending) = program.sends.remove(&send) else { return };
        let (fence, claimed) = (program.fence, sending.claimed);
        let (settlement, said) = Course::of(&claimed).ended(ended, now);
        let receipts: Vec<Receipt> = said
            .into_iter()
            .map(|outcome| Receipt {
                notification: claimed.notification.key.clone(),
                incident: claimed.notification.incident,
                at: now,
                outcome,
            })
            .collect();
        if self.dies(name) {
            return;
        }
        let settled = self.store.settle(fence, &claimed.claim, (&settlement, receipts), now, line);
        if settled == Err(Refused::Fenced) {
            return self.stands_by(name);
        }
        if self.dies(name) {
            return;
        }
        self.at(self.now + 10, Happening::Look(name));
        self.claims_at(name, self.now + 2 * SECOND);
    }
}
