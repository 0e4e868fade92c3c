//! A batch in the making: what happened, and what came of it so far.

use super::{Configured, LARGEST_BATCH, LONGEST_BATCH};
use crate::spool::Late;
use domain::{
    Change, Decision, Event, IncidentId, Message, Situation, Told, Wanted, decide_from, decide_late,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, mem, sync::Arc};
use store::{Batch, InboxId};
use tokio::time::Instant;

/// A batch in the making, over a Situation that is recorded.
pub(super) struct Overlay {
    /// What is recorded: stands in for the other while that is decided on, so that nobody else has a part in it.
    recorded: Situation,
    /// As it will be.
    pub(super) situation: Situation,
    /// What was folded, and when: what came of it is decided again, when it cannot be recorded now.
    pub(super) events: Vec<(Event, Timestamp)>,
    /// Rows of the inbox among them.
    pub(super) inbox: Vec<InboxId>,
    /// What is to be stored; shared once it is on its way.
    pub(super) batch: Arc<Batch>,
    /// Probes to ask for once it is.
    pub(super) wanted: Vec<Wanted>,
    /// Something changed that somebody waits for.
    pub(super) urgent: bool,
    /// A new configuration is in force, whether or not anything durable came of it.
    pub(super) configured: bool,
    /// When the first of it came.
    pub(super) began: Instant,
    /// Where in the batch each incident changed last.
    incidents: BTreeMap<IncidentId, usize>,
}

impl Overlay {
    pub(super) fn new(situation: &Situation) -> Self {
        Self {
            recorded: situation.clone(),
            situation: situation.clone(),
            events: Vec::new(),
            inbox: Vec::new(),
            batch: Arc::default(),
            wanted: Vec::new(),
            urgent: false,
            configured: false,
            began: Instant::now(),
            incidents: BTreeMap::new(),
        }
    }

    pub(super) fn fold(&mut self, event: Event, inbox: Option<InboxId>, now: Timestamp) {
        let situation = mem::replace(&mut self.situation, self.recorded.clone());
        let decision = decide_from(situation, &event, now);
        self.take(event, inbox, now, decision);
    }

    /// What came at `then` and could not be recorded.
    pub(super) fn fold_late(&mut self, event: Event, then: Timestamp, now: Timestamp) {
        let decision = decide_late(&self.situation, &event, then, now);
        self.take(event, None, then, decision);
    }

    fn take(&mut self, event: Event, inbox: Option<InboxId>, at: Timestamp, decision: Decision) {
        if !self.is_worth_committing() {
            self.began = Instant::now();
        }
        let Decision { after, changes, probes, verdict, made, answer } = decision;
        self.situation = after;
        self.configured |= matches!(event, Event::Configured(_));
        self.urgent |= inbox.is_some() || changes.iter().any(|change| !matches!(change, Change::Track(_)));
        self.wanted.extend(probes);
        let batch = Arc::make_mut(&mut self.batch);
        for change in changes {
            put(&mut batch.changes, &mut self.incidents, change);
        }
        if let (Event::Outcome(outcome), Some(verdict)) = (&event, verdict) {
            batch.outcomes.push((Arc::clone(outcome), verdict));
        }
        batch.outcomes.extend(made);
        match (&event, inbox, answer) {
            // Nobody waits for what we say to it; and it names an agent, whom the incident remembers for as long as it must.
            (
                Event::Told(Told {
                    what: Message::Beat { .. } | Message::Ticket { .. } | Message::ClockSet { .. },
                    ..
                }),
                Some(id),
                _,
            ) => batch.heard.push(id),
            (_, Some(id), Some(answer)) => batch.folded.push((id, answer)),
            (_, Some(_), None) | (_, None, _) => {}
        }
        self.inbox.extend(inbox);
        self.events.push((event, at));
    }

    pub(super) fn is_worth_committing(&self) -> bool {
        !self.batch.is_empty()
    }

    /// It has waited long enough, or somebody waits for it.
    pub(super) fn is_due(&self) -> bool {
        let waited = self.began.elapsed() >= LONGEST_BATCH || self.events.len() >= LARGEST_BATCH;
        (self.urgent || waited) && self.is_worth_committing()
    }

    /// The outcomes, for when they cannot be recorded now. What was told us waits in the inbox, and what is made of it is made
    /// again; time passes by itself.
    pub(super) fn late(&self) -> impl Iterator<Item = Late> {
        self.events.iter().filter_map(|(event, then)| match event {
            Event::Outcome(outcome) => Some(Late { then: *then, outcome: Arc::clone(outcome) }),
            Event::Due | Event::Told(_) | Event::Heard { .. } | Event::Configured(_) => None,
        })
    }

    /// The configuration that came with it, and when.
    pub(super) fn configuration(&self) -> Option<Configured> {
        self.events.iter().rev().find_map(|(event, at)| match event {
            Event::Configured(configuration) => Some((*at, Arc::clone(configuration))),
            Event::Due | Event::Told(_) | Event::Heard { .. } | Event::Outcome(_) => None,
        })
    }
}

/// Adds a change. Of an incident of which nothing new is to be said only the last state is kept: a thousand that join a storm
/// in one batch would else be a thousand copies of a list of a thousand, each of them written.
fn put(changes: &mut Vec<Change>, incidents: &mut BTreeMap<IncidentId, usize>, change: Change) {
    if let Change::Incident(incident) = &change {
        let earlier = incidents.get(&incident.id).and_then(|at| changes.get_mut(*at));
        if let Some(Change::Incident(earlier)) = earlier
            && earlier.timeline.len() == incident.timeline.len()
            && earlier.status == incident.status
        {
            *earlier = Arc::clone(incident);
            return;
        }
        incidents.insert(incident.id, changes.len());
    }
    changes.push(change);
}

/// A line of the log for what operators want to follow.
pub(super) fn say(change: &Change) {
    match change {
        Change::Status(change) => tracing::info!(
            instance = %change.health.instance,
            status = %change.health.status,
            since = %change.health.since,
            why = change.why,
            "status",
        ),
        Change::Incident(incident) => {
            if let Some(entry) = incident.timeline.last() {
                tracing::info!(incident = %incident.id, cause = %incident.cause, status = %incident.status, "{}", entry.text);
            }
        }
        Change::Notify(notification) => tracing::info!(notification = notification.key, "to be told"),
        Change::Withdraw(key) => tracing::debug!(notification = key, "withdrawn"),
        Change::Maintenance(planned) => {
            tracing::info!(maintenance = planned.id, from = %planned.from, until = %planned.until, "planned work");
        }
        Change::Proof(proof) => tracing::info!(person = %proof.person, way = proof.way.word(), "reached"),
        Change::Override(added) => {
            tracing::info!(number = added.id, rota = %added.rota, from = %added.from, until = %added.until, "override");
        }
        Change::Silence(silence) => tracing::info!(silence = silence.id, until = %silence.until, "silence"),
        Change::Release(release) => {
            tracing::info!(instance = %release.instance, version = release.version, since = %release.since, "another version");
        }
        Change::Track(_) => {}
    }
}
