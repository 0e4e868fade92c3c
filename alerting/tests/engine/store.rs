//! The store as a value: transactions, fences, the outbox and the inbox, as `store` promises them.

use domain::{
    Change, Configuration, ContactProof, Health, Incident, IncidentId, InstanceId, Maintenance, Message,
    Notification, NotificationKind, Receipt, ReferenceKey, Release, Remembered, RotaOverride, Silence, Told,
    Track, TrackId, Verdict,
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Arc};
use store::{Claim, Claimed, Settlement};

/// Why a transaction was not made, as far as its maker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Away,
    /// Somebody else has the lease.
    Fenced,
    /// It was made, and the answer was lost.
    Unanswered,
}

/// What becomes of a transaction that reaches the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Well,
    Down,
    AnswerLost,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) notification: Notification,
    pub(crate) state: State,
    pub(crate) not_before: Timestamp,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) fence: i64,
    pub(crate) uncertain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Sent,
    GivenUp,
    Withdrawn,
}

/// A batch of the recorder.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    pub(crate) outcomes: Vec<(TrackId, Timestamp, Verdict)>,
    pub(crate) folded: Vec<u64>,
}

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) incidents: BTreeMap<IncidentId, Arc<Incident>>,
    pub(crate) outbox: BTreeMap<String, Row>,
    pub(crate) inbox: BTreeMap<u64, Told>,
    told: u64,
    /// Who may write.
    pub(crate) fence: i64,
    tracks: BTreeMap<TrackId, Arc<Track>>,
    latest: BTreeMap<TrackId, (Timestamp, Verdict)>,
    healths: BTreeMap<InstanceId, Health>,
    changes: Vec<Health>,
    silences: BTreeMap<u64, Silence>,
    releases: BTreeMap<InstanceId, Release>,
    maintenances: BTreeMap<u64, Maintenance>,
    overrides: BTreeMap<u64, RotaOverride>,
    proofs: Vec<ContactProof>,
}

pub(crate) const KEY: ReferenceKey = ReferenceKey([7; 32]);

impl Store {
    fn may_write(&self, fence: i64, line: Line) -> Result<(), Refused> {
        match line {
            Line::Down => Err(Refused::Away),
            Line::Well | Line::AnswerLost if fence != self.fence => Err(Refused::Fenced),
            Line::Well | Line::AnswerLost => Ok(()),
        }
    }

    pub(crate) fn record(&mut self, fence: i64, batch: &Batch, line: Line) -> Result<(), Refused> {
        self.may_write(fence, line)?;
        for (track, at, verdict) in &batch.outcomes {
            self.latest.insert(track.clone(), (*at, *verdict));
        }
        for change in &batch.changes {
            match change {
                Change::Track(track) => {
                    self.tracks.insert(track.id.clone(), Arc::clone(track));
                }
                Change::Status(change) => {
                    self.healths.insert(change.health.instance.clone(), change.health.clone());
                    self.changes.push(change.health.clone());
                }
                Change::Incident(incident) => {
                    self.incidents.insert(incident.id, Arc::clone(incident));
                }
                Change::Notify(told) => self.put(told),
                Change::Withdraw(key) => {
                    if let Some(row) = self.outbox.get_mut(key)
                        && row.state == State::Waiting
                        && row.lease_until.is_none()
                        && (row.fence == 0 || row.notification.kind != NotificationKind::TicketOpen)
                    {
                        row.state = State::Withdrawn;
                    }
                }
                Change::Release(release) => {
                    self.releases.insert(release.instance.clone(), (**release).clone());
                }
                Change::Maintenance(planned) => {
                    self.maintenances.insert(planned.id, planned.clone());
                }
                Change::Proof(proof) => self.proofs.push(proof.clone()),
                Change::Override(added) => {
                    self.overrides.insert(added.id, added.clone());
                }
                Change::Silence(silence) => {
                    self.silences.insert(silence.id, silence.clone());
                }
            }
        }
        for id in &batch.folded {
            self.inbox.remove(id);
        }
        // The unique index.
        let open: Vec<_> = self.incidents.values().filter(|i| i.is_open()).map(|i| &i.cause).collect();
        let causes: std::collections::BTreeSet<_> = open.iter().collect();
        assert_eq!(open.len(), causes.len(), "one open incident per cause: {open:?}");
        if line == Line::AnswerLost { Err(Refused::Unanswered) } else { Ok(()) }
    }

    fn put(&mut self, told: &Notification) {
        let row = Row {
            notification: told.clone(),
            state: State::Waiting,
            not_before: told.not_before,
            lease_until: None,
            fence: 0,
            uncertain: false,
        };
        match self.outbox.get_mut(&told.key) {
            None => {
                self.outbox.insert(told.key.clone(), row);
            }
            Some(there) if there.state == State::Withdrawn => {
                *there = Row { fence: there.fence, uncertain: there.uncertain, ..row };
            }
            Some(_) => {}
        }
    }

    pub(crate) fn claim(
        &mut self,
        fence: i64,
        now: Timestamp,
        lease: SignedDuration,
        line: Line,
    ) -> Result<Vec<Claimed>, Refused> {
        self.may_write(fence, line)?;
        let mut due: Vec<&mut Row> = self
            .outbox
            .values_mut()
            .filter(|row| row.state == State::Waiting && row.not_before <= now)
            .filter(|row| row.lease_until.is_none_or(|until| until <= now))
            .collect();
        due.sort_by_key(|row| (row.notification.kind.rank(), row.not_before, row.notification.key.clone()));
        let mut claimed = Vec::new();
        for row in due.into_iter().take(32) {
            row.uncertain = row.lease_until.is_some();
            row.lease_until = Some(now + lease);
            row.fence += 1;
            claimed.push(Claimed {
                claim: Claim { key: row.notification.key.clone(), fence: row.fence },
                attempts: u32::try_from(row.fence - 1).expect("few"),
                uncertain: row.uncertain,
                incident: Arc::clone(self.incidents.get(&row.notification.incident).expect("its incident")),
                notification: row.notification.clone(),
            });
        }
        if line == Line::AnswerLost { Err(Refused::Unanswered) } else { Ok(claimed) }
    }

    /// `false`: it is somebody else's by now.
    pub(crate) fn settle(
        &mut self,
        fence: i64,
        claim: &Claim,
        (settlement, receipts): (&Settlement, Vec<Receipt>),
        now: Timestamp,
        line: Line,
    ) -> Result<bool, Refused> {
        self.may_write(fence, line)?;
        let Some(row) = self.outbox.get_mut(&claim.key).filter(|row| {
            row.fence == claim.fence && row.state == State::Waiting && row.lease_until.is_some()
        }) else {
            return Ok(false);
        };
        row.lease_until = None;
        match settlement {
            Settlement::Sent { .. } => row.state = State::Sent,
            Settlement::RetryAt { at, .. } => row.not_before = *at,
            Settlement::GivenUp { .. } => row.state = State::GivenUp,
        }
        for receipt in receipts {
            self.append(Told { at: now, what: Message::Receipt(receipt) });
        }
        if line == Line::AnswerLost { Err(Refused::Unanswered) } else { Ok(true) }
    }

    pub(crate) fn append(&mut self, told: Told) {
        self.told += 1;
        self.inbox.insert(self.told, told);
    }

    /// `clock_set_back` of the real one.
    pub(crate) fn clock_set_back(&mut self, now: Timestamp, waits: SignedDuration, lease: SignedDuration) {
        for row in self.outbox.values_mut().filter(|row| row.state == State::Waiting) {
            if row.not_before > now + waits {
                row.not_before = now;
            }
            row.lease_until = row.lease_until.map(|until| until.min(now + lease));
        }
    }

    pub(crate) fn next_delivery(&self) -> Option<Timestamp> {
        let waiting = self.outbox.values().filter(|row| row.state == State::Waiting);
        waiting.map(|row| row.lease_until.map_or(row.not_before, |until| until.max(row.not_before))).min()
    }

    pub(crate) fn remember(&self) -> Remembered {
        Remembered {
            tracks: self.tracks.values().map(|track| (**track).clone()).collect(),
            latest: self.latest.iter().map(|(id, (at, verdict))| (id.clone(), *at, *verdict)).collect(),
            healths: self.healths.values().cloned().collect(),
            changes: self.changes.clone(),
            incidents: self.incidents.values().map(|incident| (**incident).clone()).collect(),
            silences: self.silences.values().cloned().collect(),
            releases: self.releases.values().cloned().collect(),
            maintenances: self.maintenances.values().cloned().collect(),
            overrides: self.overrides.values().cloned().collect(),
            proofs: self.proofs.clone(),
            last_override: self.overrides.keys().last().copied().unwrap_or(0),
            last_maintenance: self.maintenances.keys().last().copied().unwrap_or(0),
            last_incident: self.incidents.keys().last().map_or(0, |id| id.0),
            last_silence: self.silences.keys().last().copied().unwrap_or(0),
            key: KEY,
        }
    }

    /// The situation of a program that starts now.
    pub(crate) fn situation(&self, configuration: &Arc<Configuration>) -> domain::Situation {
        domain::Situation::new(Arc::clone(configuration), self.remember())
    }
}
