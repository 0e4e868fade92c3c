//! A decision in the making: the situation so far, and what changed.

use crate::{
    Change, Configuration, ContactProof, Decision, DeskId, Environment, Gateway, Health, Incident,
    IncidentId, InstanceId, Maintenance, Notification, Outcome, PersonId, Release, RotaOverride, Silence,
    Situation, StatusChange, TeamId, Track, TrackId, Verdict, Wanted, burn, reached::Seen,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A decision in the making.
pub(crate) struct Fold {
    /// The situation so far.
    pub(crate) after: Situation,
    /// When, for the rules.
    pub(crate) now: Timestamp,
    /// When what is to be told can be told: later than `now` where something could not be recorded when it came.
    pub(crate) telling_at: Timestamp,
    /// What came could not be recorded then: nobody is told of it for the first time.
    pub(crate) late: bool,
    /// Incidents whose duties have to be looked at.
    pub(crate) touched: BTreeSet<IncidentId>,
    /// Outcomes that no probe brought.
    pub(crate) made: Vec<(Arc<Outcome>, Verdict)>,
    changes: Vec<Change>,
    probes: BTreeSet<Wanted>,
    in_maintenance: BTreeMap<Environment, bool>,
    instances: BTreeMap<Environment, usize>,
    /// What was seen of all that is behind a gateway, while no probe said anything else.
    pub(crate) behind: BTreeMap<Gateway, Arc<[Seen]>>,
    /// Which incident holds each instance back, while it is known that this is still so.
    pub(crate) holders: Option<BTreeMap<InstanceId, IncidentId>>,
}

impl Fold {
    pub(crate) const fn new(after: Situation, now: Timestamp) -> Self {
        Self {
            after,
            now,
            telling_at: now,
            late: false,
            touched: BTreeSet::new(),
            made: Vec::new(),
            changes: Vec::new(),
            probes: BTreeSet::new(),
            in_maintenance: BTreeMap::new(),
            instances: BTreeMap::new(),
            behind: BTreeMap::new(),
            holders: None,
        }
    }

    /// Of what came at `then` and could not be recorded before `now`.
    pub(crate) fn late(after: Situation, then: Timestamp, now: Timestamp) -> Self {
        Self { telling_at: now.max(then), late: true, ..Self::new(after, then) }
    }

    pub(crate) fn decision(
        self,
        verdict: Option<Verdict>,
        answer: Option<Result<String, String>>,
    ) -> Decision {
        let probes = self.probes.into_iter().collect();
        Decision { after: self.after, changes: self.changes, probes, verdict, made: self.made, answer }
    }

    /// The configuration in force.
    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.after.configuration)
    }

    /// `since`, or when the rules began to look without a break, if that is later.
    pub(crate) fn watched(&self, since: Timestamp) -> Timestamp {
        self.after.watch.and_then(|watch| watch.since).map_or(since, |began| since.max(began))
    }

    /// Since when nothing has been known of what was never measured: since somebody looks for it. What a program before
    /// this one did not see proves nothing.
    pub(crate) fn unmeasured(&self) -> Timestamp {
        self.watched(self.after.watch.map_or(self.now, |watch| watch.began))
    }

    /// A time for people, in the site's zone.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        self.after.configuration.site.time(at, self.now)
    }

    /// An instance for people: `Patient Demographics (production)`.
    pub(crate) fn name(&self, instance: &InstanceId) -> String {
        let api = self.after.configuration.apis.get(&instance.api);
        let name = api.map_or_else(|| instance.api.to_string(), |api| api.name.en.clone());
        format!("{name} ({})", instance.environment)
    }

    /// A service desk for people.
    pub(crate) fn desk(&self, desk: &DeskId) -> String {
        let known = self.after.configuration.desks.get(desk);
        known.map_or_else(|| desk.to_string(), |desk| desk.name.en.clone())
    }

    /// A person by name.
    pub(crate) fn person(&self, person: &PersonId) -> String {
        let known = self.after.configuration.people.get(person);
        known.map_or_else(|| person.to_string(), |person| person.name.clone())
    }

    /// A team for people.
    pub(crate) fn team(&self, team: &TeamId) -> String {
        let known = self.after.configuration.teams.get(team);
        known.map_or_else(|| team.to_string(), |team| team.name.en.clone())
    }

    /// Whether planned work covers an instance now.
    pub(crate) fn in_maintenance(&mut self, instance: &InstanceId) -> bool {
        self.after.maintenances.values().any(|planned| planned.covers(instance, self.now))
            || self.in_window(instance.environment)
    }

    /// Whether a window of the configuration covers an environment now: asked for every instance, worked out once.
    pub(crate) fn in_window(&mut self, environment: Environment) -> bool {
        let configuration = &self.after.configuration;
        *self.in_maintenance.entry(environment).or_insert_with(|| {
            let zone = &configuration.site.time_zone;
            let windows =
                configuration.policy(environment).into_iter().flat_map(|policy| &policy.maintenance);
            windows.into_iter().any(|window| window.covering(self.now, zone).is_some())
        })
    }

    /// How many instances an environment has: asked for every incident, worked out once.
    pub(crate) fn instances_in(&mut self, environment: Environment) -> usize {
        let apis = &self.after.configuration.apis;
        *self
            .instances
            .entry(environment)
            .or_insert_with(|| apis.values().filter(|api| api.instances.contains_key(&environment)).count())
    }

    /// Keeps a track. Says whether anything that its instance's status or causes depend on changed.
    pub(crate) fn put_track(&mut self, track: Track) -> bool {
        let before = self.after.tracks.get(&track.id);
        if before.is_some_and(|before| **before == track) {
            return false;
        }
        let matters = before.is_none_or(|before| {
            before.status != track.status
                || before.layer != track.layer
                || before.inconclusive_since.is_some() != track.inconclusive_since.is_some()
        });
        let track = Arc::new(track);
        self.changes.push(Change::Track(Arc::clone(&track)));
        self.after.tracks.insert(track.id.clone(), track);
        matters
    }

    /// Turns a page of an instance's history.
    pub(crate) fn put_health(&mut self, health: Health, why: &str) {
        self.after.healths.insert_mut(health.instance.clone(), Arc::new(health.clone()));
        burn::noted(&mut self.after, &health);
        self.changes.push(Change::Status(StatusChange { health, decided_at: self.now, why: why.to_owned() }));
    }

    /// Another version runs.
    pub(crate) fn put_release(&mut self, release: Arc<Release>) {
        self.after.releases.insert_mut(release.instance.clone(), Arc::clone(&release));
        self.changes.push(Change::Release(release));
    }

    /// A copy of an incident, to change.
    pub(crate) fn incident(&self, id: IncidentId) -> Option<Incident> {
        self.after.incidents.get(&id).map(|incident| (**incident).clone())
    }

    /// The number of a new incident.
    pub(crate) const fn number_incident(&mut self) -> IncidentId {
        let id = IncidentId(self.after.next_incident);
        self.after.next_incident += 1;
        id
    }

    /// Keeps an incident's new state; its duties will be looked at.
    pub(crate) fn put_incident(&mut self, incident: Incident) {
        let before = self.after.incidents.get(&incident.id);
        if before.is_some_and(|before| **before == incident) {
            return;
        }
        let holds = |incident: &Incident| incident.is_open() && !incident.held_back.is_empty();
        let same = before.map_or(!holds(&incident), |before| {
            before.held_back == incident.held_back && holds(before) == holds(&incident)
        });
        self.holders = self.holders.take().filter(|_| same);
        self.touched.insert(incident.id);
        let incident = Arc::new(incident);
        self.after.incidents.insert_mut(incident.id, Arc::clone(&incident));
        let earlier = self.changes.iter_mut().find_map(|change| match change {
            Change::Incident(other) if other.id == incident.id => Some(other),
            Change::Incident(_)
            | Change::Track(_)
            | Change::Status(_)
            | Change::Release(_)
            | Change::Notify(_)
            | Change::Withdraw(_)
            | Change::Silence(_)
            | Change::Maintenance(_)
            | Change::Override(_)
            | Change::Proof(_) => None,
        });
        match earlier {
            // It keeps its place: notifications that follow refer to it.
            Some(earlier) => *earlier = incident,
            None => self.changes.push(Change::Incident(incident)),
        }
    }

    /// To be told, in the same transaction.
    pub(crate) fn notify(&mut self, notification: Notification) {
        self.changes.push(Change::Notify(notification));
    }

    /// Not to be told any more.
    pub(crate) fn withdraw(&mut self, key: String) {
        self.changes.push(Change::Withdraw(key));
    }

    /// A silence began or changed.
    pub(crate) fn put_silence(&mut self, silence: Silence) {
        self.after.silences.insert_mut(silence.id, silence.clone());
        self.changes.push(Change::Silence(silence));
    }

    /// Planned work was announced or changed.
    pub(crate) fn put_maintenance(&mut self, planned: Maintenance) {
        self.after.maintenances.insert_mut(planned.id, planned.clone());
        self.changes.push(Change::Maintenance(planned));
    }

    /// Something was added to a rota, or changed.
    pub(crate) fn put_override(&mut self, added: RotaOverride) {
        self.after.overrides.insert_mut(added.id, added.clone());
        self.changes.push(Change::Override(added));
        self.in_force();
    }

    /// Somebody was reached.
    pub(crate) fn put_proof(&mut self, proof: ContactProof) {
        let key = (proof.person.clone(), proof.way);
        // One that is still to come is of a clock that was ahead.
        let known = self.after.proofs.get(&key).filter(|known| **known <= self.now);
        if known.is_none_or(|known| *known < proof.at) {
            self.after.proofs.insert_mut(key, proof.at);
            self.changes.push(Change::Proof(proof));
        }
    }

    /// What is written down and what was added to its rotas are put together anew.
    pub(crate) fn in_force(&mut self) {
        let (written, added) = (&self.after.written, self.after.overrides.values());
        self.after.configuration = Configuration::with_overrides(written, added);
    }

    /// A probe out of turn.
    pub(crate) fn want(&mut self, at: Timestamp, track: TrackId) {
        self.probes.insert(Wanted { at, track });
    }
}
