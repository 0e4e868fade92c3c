//! Random batches, some of which fail: what is remembered equals what a plain model keeps.

use crate::made::{
    Made, at, callout, failed, health, incident, instance, passed, silence, track, track_id, turned,
};
use crate::place::On;
use domain::{
    Change, Environment, Health, Incident, IncidentStatus, InstanceId, Silence, Status, Track, TrackId,
    Verdict,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*};
use std::{collections::BTreeMap, sync::Arc};
use store::Batch;

/// One thing in a batch.
#[derive(Debug, Clone)]
enum Thing {
    Outcome(u8, i64, bool),
    Track(u8, u8),
    Status(u8, u8, i64),
    Incident(u64, u8, u8),
    Notify(u64, u8),
    Silence(u64, i64),
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        6 => (0..9_u8, 0..8_000_000_i64, any::<bool>()).prop_map(|(track, ms, good)| Thing::Outcome(track, ms, good)),
        2 => (0..9_u8, 0..6_u8).prop_map(|(track, status)| Thing::Track(track, status)),
        2 => (0..3_u8, 0..6_u8, 0..9_i64).prop_map(|(api, status, ms)| Thing::Status(api, status, ms * 9_000_000)),
        2 => (1..6_u64, 0..3_u8, 0..4_u8).prop_map(|(number, api, status)| Thing::Incident(number, api, status)),
        1 => (1..6_u64, 0..4_u8).prop_map(|(incident, key)| Thing::Notify(incident, key)),
        1 => (1..4_u64, 0..9_000_i64).prop_map(|(number, until)| Thing::Silence(number, until)),
    ]
}

/// What the store is to remember.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    tracks: BTreeMap<TrackId, Track>,
    outcomes: BTreeMap<(TrackId, Timestamp), Verdict>,
    healths: BTreeMap<(InstanceId, Timestamp), Health>,
    incidents: BTreeMap<u64, Incident>,
    silences: BTreeMap<u64, Silence>,
    notifications: BTreeMap<String, u64>,
}

fn api(number: u8) -> InstanceId {
    instance(&format!("api-{number}"), Environment::Production)
}

fn track_of(number: u8) -> TrackId {
    track_id(api(number % 3), &format!("operation-{}", number / 3), "internet")
}

impl Model {
    /// Adds a thing and says what to record; `false` in the end if the rules of the database forbid the batch.
    fn add(&mut self, thing: &Thing, batch: &mut Batch) -> bool {
        match *thing {
            Thing::Outcome(number, ms, good) => {
                let id = track_of(number);
                let (outcome, verdict) = if good { passed(&id, ms) } else { failed(&id, ms) };
                self.outcomes.entry((id, at(ms))).or_insert(verdict);
                batch.outcomes.push((outcome, verdict));
            }
            Thing::Track(number, status) => {
                let track = track(track_of(number), Status::ALL[usize::from(status)], 0);
                self.tracks.insert(track.id.clone(), track.clone());
                batch.changes.push(Change::Track(Arc::new(track)));
            }
            Thing::Status(number, status, ms) => {
                let health = health(api(number), Status::ALL[usize::from(status)], ms);
                self.healths.insert((health.instance.clone(), health.since), health.clone());
                batch.changes.push(turned(health));
            }
            Thing::Incident(number, api, status) => {
                let status = [
                    IncidentStatus::Open,
                    IncidentStatus::Acknowledged,
                    IncidentStatus::Recovering,
                    IncidentStatus::Resolved,
                ][usize::from(status)];
                let incident = incident(number, &format!("api-{api}"), status);
                self.incidents.insert(number, incident.clone());
                batch.changes.push(Change::Incident(Arc::new(incident)));
                let open = |cause| {
                    let of = |one: &&Incident| one.is_open() && one.cause == cause;
                    self.incidents.values().filter(of).count()
                };
                return self.incidents.values().all(|incident| open(incident.cause.clone()) <= 1);
            }
            Thing::Notify(incident, key) => {
                let mut notification = callout(&format!("C-{incident}/callout/{key}/text"));
                notification.incident = domain::IncidentId(incident);
                self.notifications.insert(notification.key.clone(), incident);
                batch.changes.push(Change::Notify(notification));
            }
            Thing::Silence(number, until) => {
                let silence = silence(number, until);
                self.silences.insert(number, silence.clone());
                batch.changes.push(Change::Silence(silence));
            }
        }
        true
    }

    /// Every notification is about an incident that exists once the batch is in.
    fn whole(&self) -> bool {
        self.notifications.values().all(|incident| self.incidents.contains_key(incident))
    }

    fn latest(&self) -> Vec<(TrackId, Timestamp, Verdict)> {
        let mut latest = BTreeMap::new();
        for ((track, at), verdict) in &self.outcomes {
            latest.insert(track.clone(), (*at, *verdict));
        }
        latest.into_iter().map(|(track, (at, verdict))| (track, at, verdict)).collect()
    }

    fn last_healths(&self) -> Vec<Health> {
        let last: BTreeMap<_, _> = self.healths.values().map(|health| (&health.instance, health)).collect();
        last.into_values().cloned().collect()
    }

    /// Those of production in the six hours before the last; and, of each instance among them, the one before those.
    fn changes(&self) -> Vec<Health> {
        let of_production = |health: &&Health| health.instance.environment == Environment::Production;
        let all: Vec<Health> = self.healths.values().filter(of_production).cloned().collect();
        let last = all.iter().map(|health| health.since).max();
        let lately = |health: &Health| {
            last.is_some_and(|last| last.duration_since(health.since) < SignedDuration::from_hours(6))
        };
        let (mut changes, mut earlier): (Vec<Health>, Vec<Health>) = all.into_iter().partition(lately);
        changes.sort_by(|a, b| (a.since, &b.instance).cmp(&(b.since, &a.instance)));
        earlier.sort_by(|a, b| (a.since, &a.instance).cmp(&(b.since, &b.instance)));
        let in_force = |health: &&Health| {
            let same = |other: &&Health| other.instance == health.instance;
            changes.iter().any(|change| change.instance == health.instance)
                && earlier.iter().rfind(same).is_some_and(|last| last.since == health.since)
        };
        earlier.iter().filter(in_force).chain(&changes).cloned().collect()
    }
}

type Batches = Vec<Vec<Thing>>;

fn batches() -> impl Strategy<Value = (Batches, bool)> {
    (vec(vec(thing(), 1..12), 1..8), any::<bool>())
}

mod what_is_remembered_equals_what_was_recorded {
    use super::{batches, remembers_what_was_recorded};
    use crate::place::{On, random};

    #[test]
    fn sqlite() {
        random(On::Sqlite, &batches(), remembers_what_was_recorded);
    }

    #[test]
    fn postgres() {
        random(On::Postgres, &batches(), remembers_what_was_recorded);
    }
}

async fn remembers_what_was_recorded(on: On, (batches, again): (Batches, bool)) -> Result<(), TestCaseError> {
    let mut made = Made::new(on).await;
    let mut model = Model::default();
    for things in &batches {
        let (mut next, mut batch, mut allowed) = (model.clone(), Batch::default(), true);
        for thing in things {
            allowed &= next.add(thing, &mut batch);
        }
        let done = made.store.record(&batch).await;
        prop_assert_eq!(done.is_ok(), allowed && next.whole(), "{:?}", done);
        if done.is_ok() {
            model = next;
        }
    }
    if again {
        made = made.again().await;
    }
    let mut remembered = made.store.remember(at(4_000)).await.unwrap();
    remembered.tracks.sort_by(|a, b| a.id.cmp(&b.id));
    remembered.latest.sort();
    prop_assert_eq!(remembered.tracks, model.tracks.values().cloned().collect::<Vec<_>>());
    prop_assert_eq!(remembered.latest, model.latest());
    prop_assert_eq!(remembered.healths, model.last_healths());
    prop_assert_eq!(remembered.changes, model.changes());
    let incidents: Vec<_> = model
        .incidents
        .values()
        .filter(|incident| incident.resolved_at.is_none_or(|resolved| resolved >= at(4_000)))
        .cloned()
        .collect();
    prop_assert_eq!(remembered.incidents, incidents);
    let silences: Vec<_> = model.silences.values().filter(|one| one.until > at(4_000)).cloned().collect();
    prop_assert_eq!(remembered.silences, silences);
    prop_assert_eq!(remembered.last_incident, model.incidents.keys().max().copied().unwrap_or(0));
    prop_assert_eq!(remembered.last_silence, model.silences.keys().max().copied().unwrap_or(0));
    let waiting = made.store.counts().await.unwrap().outbox_waiting;
    prop_assert_eq!(waiting, model.notifications.len() as u64);
    Ok(())
}
