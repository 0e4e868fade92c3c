//! A made-up past as the rules would have lived it: what probes would have seen is folded by `domain::decide` itself, so that
//! statuses, incidents and their timelines are those that the recorder would have written.
//!
//! A check that works and goes on working changes nothing: its probes are counted and not folded.

mod follow;
mod world;

use domain::{
    Change, Configuration, Cron, Decision, Event, Incident, IncidentId, Latest, Message, Release, Situation,
    Text, Told, Track, TrackId, Verdict, Wanted, Watch, Window, decide,
};
use follow::Followed;
use jiff::{SignedDuration, Timestamp};
use simulator::{Asked, PLANNED, Past};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use store::{Simulated, Stretch};

/// While something is amiss time is looked at so often; and once an hour.
const LOOK: SignedDuration = SignedDuration::from_secs(10);
/// What is due and was not done by the last look is tried again so much later.
const TICK: SignedDuration = SignedDuration::from_secs(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The rules, on their way through a past.
pub(super) struct Lived {
    past: Past,
    situation: Situation,
    followed: Vec<Followed>,
    places: BTreeMap<TrackId, usize>,
    /// Nobody probed, from when to when: those to come.
    breaks: VecDeque<(Timestamp, Timestamp)>,
    /// What will be told to us, and when; numbered, because two may come at once.
    tellings: BTreeMap<(Timestamp, u64), Message>,
    /// Other versions that will run: those to come.
    releases: VecDeque<Arc<Release>>,
    wanted: BTreeSet<(Timestamp, usize)>,
    looked_at: Timestamp,
    now: Timestamp,
    stretch: Stretch,
    tracks: BTreeMap<TrackId, Arc<Track>>,
    incidents: BTreeMap<IncidentId, Arc<Incident>>,
}

/// The configuration of the past: with its planned work, and without jobs that would have had to call us.
pub(super) fn configuration(now: &Configuration) -> Configuration {
    let mut then = now.clone();
    then.checks.retain(|_, check| check.heartbeat().is_none());
    for work in PLANNED {
        let environment = domain::Environment::parse(work.environment);
        let policy = environment.and_then(|environment| then.environments.get_mut(&environment));
        if let (Some(policy), Ok(cron)) = (policy, Cron::parse(work.cron)) {
            let why = Text::new(work.why.0, work.why.1);
            policy.maintenance.push(Window { cron, lasts: work.lasts, why });
        }
    }
    then
}

impl Lived {
    /// From `situation`, which is that of `simulated.through`, on.
    pub(super) fn new(seed: u64, situation: Situation, simulated: Simulated) -> Self {
        let configuration = Arc::clone(&situation.configuration);
        let instances: BTreeSet<_> = configuration.instances().collect();
        let instances = instances.iter().map(|one| (one.api.as_str(), one.environment.word()));
        let zone = configuration.site.time_zone.clone();
        let past = Past::new(seed, (simulated.from, simulated.until), zone, instances);
        let followed: Vec<Followed> = configuration
            .checks
            .values()
            .flat_map(|check| check.from.iter().map(|vantage| Followed::new(check, vantage, &situation)))
            .collect();
        let places = followed.iter().enumerate().map(|(place, one)| (one.id.clone(), place)).collect();
        let after = |(_, to): &&(Timestamp, Timestamp)| *to > simulated.through;
        Self {
            breaks: past.breaks().iter().filter(after).copied().collect(),
            releases: releases(&past, &situation, simulated.through),
            past,
            followed,
            places,
            tellings: BTreeMap::new(),
            wanted: BTreeSet::new(),
            looked_at: Timestamp::MIN,
            now: simulated.through,
            stretch: Stretch::default(),
            tracks: BTreeMap::new(),
            incidents: BTreeMap::new(),
            situation,
        }
    }

    /// Lives from `from` to `to`, both in one hour.
    pub(super) fn hour(&mut self, from: Timestamp, to: Timestamp) {
        for one in &mut self.followed {
            one.begin(&self.past, from, to);
        }
        self.events(from, to);
        while let Some(release) = self.releases.pop_front_if(|release| release.since < to) {
            self.situation.releases.insert_mut(release.instance.clone(), Arc::clone(&release));
            self.stretch.releases.push(release);
        }
        for one in &mut self.followed {
            if let Some(samples) = one.end() {
                self.stretch.hours.push((one.id.clone(), samples));
            }
        }
        self.situation.forget(to - alerting::REMEMBERED_FOR);
    }

    /// Whether nothing is amiss and nothing awaited: what has been lived so far stands by itself.
    pub(super) fn is_calm(&self) -> bool {
        self.followed.iter().all(|one| one.steady)
            && self.situation.open_incidents().next().is_none()
            && self.tellings.is_empty()
            && self.wanted.is_empty()
    }

    /// What has been lived since this was last asked.
    pub(super) fn take(&mut self) -> Stretch {
        let mut stretch = std::mem::take(&mut self.stretch);
        stretch.tracks = std::mem::take(&mut self.tracks).into_values().collect();
        stretch.incidents = std::mem::take(&mut self.incidents).into_values().collect();
        stretch
    }

    fn events(&mut self, from: Timestamp, to: Timestamp) {
        loop {
            let sample =
                self.followed.iter().enumerate().filter_map(|(place, one)| Some((one.next_at()?, place)));
            let sample = sample.min();
            let wanted = self.wanted.first().map(|(at, _)| *at);
            let told = self.tellings.first_key_value().map(|((at, _), _)| *at);
            let due = self.due_at(from);
            let next = [sample.map(|(at, _)| at), wanted, told, Some(due)].into_iter().flatten().min();
            let at = next.unwrap_or(to).max(self.now);
            if let Some((off, on)) = self.breaks.front().copied().filter(|(off, _)| *off <= at.min(to)) {
                if on >= to {
                    return;
                }
                self.breaks.pop_front();
                self.wake(off, on);
                continue;
            }
            if at >= to {
                return;
            }
            self.now = at;
            if due <= at {
                self.look();
            } else if told.is_some_and(|told| told <= at) {
                self.hear();
            } else if wanted.is_some_and(|wanted| wanted <= at) {
                self.probe_out_of_turn(to);
            } else if let Some((_, place)) = sample {
                self.fold(place);
            }
        }
    }

    /// When time is to be looked at.
    fn due_at(&self, hour: Timestamp) -> Timestamp {
        if self.looked_at < hour {
            return hour;
        }
        if self.followed.iter().all(|one| one.steady) && self.situation.open_incidents().next().is_none() {
            return self.looked_at + HOUR + HOUR;
        }
        let asked = self.situation.next_action_at(self.now).map(|at| at.max(self.looked_at + TICK));
        asked.map_or(self.looked_at + LOOK, |asked| asked.min(self.looked_at + LOOK))
    }

    fn look(&mut self) {
        self.recall();
        self.decide(&Event::Due);
        self.looked_at = self.now;
        let now = self.now;
        for one in &mut self.followed {
            one.settle(&self.situation, now);
        }
    }

    /// What was not folded because it changed nothing is known all the same.
    fn recall(&mut self) {
        for one in &self.followed {
            if let Some((at, verdict)) = one.last_at(self.now) {
                let known = self.situation.latest.get(&one.id);
                if known.is_none_or(|known| known.at < at) {
                    let latest = Latest { at, verdict, outcome: None };
                    self.situation.latest.insert(one.id.clone(), latest);
                }
            }
        }
    }

    /// The program was off: what was to come in between comes when it is on again, and nobody looked meanwhile.
    fn wake(&mut self, off: Timestamp, on: Timestamp) {
        self.wanted.clear();
        let later = std::mem::take(&mut self.tellings);
        self.tellings = later.into_iter().map(|((at, number), what)| ((at.max(on), number), what)).collect();
        self.now = off;
        self.recall();
        self.situation.watch = self.situation.watch.map(|watch| Watch { last: off, ..watch });
        self.now = on;
        let decision = decide(&self.situation, &Event::Due, on);
        self.take_over(decision);
        self.looked_at = on;
        for one in &mut self.followed {
            one.settle(&self.situation, on);
        }
    }

    fn hear(&mut self) {
        if let Some(((at, _), what)) = self.tellings.pop_first() {
            self.decide(&Event::Told(Told { at, what }));
        }
    }

    fn probe_out_of_turn(&mut self, to: Timestamp) {
        let Some((at, place)) = self.wanted.pop_first() else { return };
        let Some(one) = self.followed.get_mut(place) else { return };
        let seen = self.past.look(&one.asked, self.now);
        if seen.at < to {
            one.confirm(seen);
        } else {
            self.wanted.insert((at.max(to), place));
        }
    }

    fn fold(&mut self, place: usize) {
        let key = self.situation.key.clone();
        let Some(one) = self.followed.get_mut(place) else { return };
        let Some((outcome, before)) = one.advance(&key) else { return };
        if let Some((at, verdict)) = before
            && self.situation.latest.get(&one.id).is_none_or(|known| known.at < at)
        {
            self.situation.latest.insert(one.id.clone(), Latest { at, verdict, outcome: None });
        }
        let outcome = Arc::new(outcome);
        let verdict = self.decide(&Event::Outcome(Arc::clone(&outcome))).unwrap_or(Verdict::Inconclusive);
        if let Some(one) = self.followed.get_mut(place) {
            one.judged(verdict);
            one.settle(&self.situation, outcome.at);
        }
        if verdict != Verdict::Pass {
            self.stretch.failures.push((outcome, verdict));
        }
    }

    fn decide(&mut self, event: &Event) -> Option<Verdict> {
        // Nobody looked in calm: had there been something to see, it would have been folded.
        self.situation.watch = self.situation.watch.map(|watch| Watch { last: self.now, ..watch });
        let decision = decide(&self.situation, event, self.now);
        let verdict = decision.verdict;
        self.take_over(decision);
        verdict
    }

    fn take_over(&mut self, decision: Decision) {
        self.situation = decision.after;
        for change in decision.changes {
            match change {
                Change::Track(track) => drop(self.tracks.insert(track.id.clone(), track)),
                Change::Status(status) => self.stretch.statuses.push(status),
                Change::Incident(incident) => {
                    self.incidents.insert(incident.id, Arc::clone(&incident));
                    self.later(world::of_incident(&incident, self.now));
                }
                Change::Notify(notification) => {
                    let (told, answers) = world::of_notification(&self.situation, notification, self.now);
                    self.stretch.told.push(told);
                    self.later(answers);
                }
                Change::Release(release) => self.stretch.releases.push(release),
                // All that is told has been told at once; nobody is silenced.
                Change::Withdraw(_)
                | Change::Silence(_)
                | Change::Maintenance(_)
                | Change::Override(_)
                | Change::Proof(_) => {}
            }
        }
        for Wanted { at, track } in decision.probes {
            if let Some(place) = self.places.get(&track) {
                self.wanted.insert((at.max(self.now), *place));
            }
        }
    }

    fn later(&mut self, tellings: Vec<(Timestamp, Message)>) {
        for (at, what) in tellings {
            let number = self.tellings.keys().map(|(_, number)| *number).max().map_or(0, |last| last + 1);
            self.tellings.insert((at, number), what);
        }
    }
}

/// What `_status` would have named: a version that begins to run changes nothing else, so no probe is folded for it.
fn releases(past: &Past, situation: &Situation, after: Timestamp) -> VecDeque<Arc<Release>> {
    let estate = simulator::demo_estate();
    let mut releases = Vec::new();
    for check in situation.configuration.checks.values() {
        let instance = &check.id.instance;
        let api = estate.apis.iter().find(|api| api.id == instance.api.as_str());
        let Some(api) = api.filter(|_| check.id.operation.as_str() == "status") else { continue };
        let mut before = None;
        for (since, version) in past.versions(&api.id, instance.environment.word(), &api.version) {
            let release = Release {
                instance: instance.clone(),
                version: version.clone(),
                before: before.replace(version),
                since,
                operation: check.id.operation.clone(),
            };
            releases.push(Arc::new(release));
        }
    }
    releases.retain(|release| release.since >= after);
    releases.sort_by_key(|release| release.since);
    releases.into()
}

/// A check of the configuration as the world is asked it.
fn asked(check: &domain::Check, id: &TrackId) -> Asked {
    Asked {
        api: id.check.instance.api.to_string(),
        environment: id.check.instance.environment.word().to_owned(),
        operation: id.check.operation.to_string(),
        name: id.to_string(),
        every: check.every,
        slow: check.slow,
        timeout: check.timeout,
    }
}

#[cfg(test)]
mod tests;
