//! All that the rules know at a moment: cheap to copy, so that a batch that cannot be committed is simply dropped.

use crate::{
    ApiId, Cause, Configuration, ContactProof, Environment, Health, Incident, IncidentId, InstanceId, Latest,
    Maintenance, Notification, Outcome, PerTrack, PersonId, Release, RotaOverride, Silence, Status,
    StatusChange, Track, TrackId, VantageId, Way, burn, per_track::Places, release::Coming, shown::Shown,
};
use jiff::Timestamp;
use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use std::{collections::BTreeSet, sync::Arc};

/// All that the rules know at a moment. Its maps share structure: a copy costs a few pointers.
#[derive(Debug, Clone)]
pub struct Situation {
    /// What people wrote down.
    pub written: Arc<Configuration>,
    /// That, with what was added to its rotas: what is in force.
    pub configuration: Arc<Configuration>,
    /// Checks by vantage.
    pub tracks: PerTrack<Arc<Track>>,
    /// The last outcome of each.
    pub latest: PerTrack<Latest>,
    /// The certificates that were shown lately.
    pub(crate) shown: PerTrack<Arc<Shown>>,
    /// Instances.
    pub healths: HashTrieMapSync<InstanceId, Arc<Health>>,
    /// Which version runs in each instance whose answers name one.
    pub releases: HashTrieMapSync<InstanceId, Arc<Release>>,
    /// Versions that answers begin to name.
    pub(crate) coming: HashTrieMapSync<InstanceId, Coming>,
    /// Open incidents, and those resolved lately.
    pub incidents: RedBlackTreeMapSync<IncidentId, Arc<Incident>>,
    /// Silences that have not ended.
    pub silences: RedBlackTreeMapSync<u64, Silence>,
    /// Planned work that was announced and has not ended long ago.
    pub maintenances: RedBlackTreeMapSync<u64, Maintenance>,
    /// What was added to rotas and has not ended long ago.
    pub overrides: RedBlackTreeMapSync<u64, RotaOverride>,
    /// By which ways people were reached, and when last.
    pub proofs: RedBlackTreeMapSync<(PersonId, Way), Timestamp>,
    /// When somebody looked; `None`: not since the program started.
    pub watch: Option<crate::Watch>,
    /// How well heartbeats are heard; `None`: not yet.
    pub listening: Option<crate::Listening>,
    /// Until then every outcome speaks that speaks now; `None`: not worked out.
    pub(crate) speaks_until: Option<Timestamp>,
    /// Until then nothing more is foreseen than what is known; `None`: not worked out.
    pub(crate) foreseen_until: Option<Timestamp>,
    /// How our own clock was set last, by what this program saw.
    pub(crate) clock_set: Option<crate::clock_set::ClockSet>,
    /// Until then nobody is to be called for a test, nor to hear that their shift begins; `None`: not worked out.
    pub(crate) tests_at: Option<Timestamp>,
    /// What was missed lately of instances with an objective: their changes of health, in order.
    pub(crate) missed: HashTrieMapSync<InstanceId, Arc<Vec<Health>>>,
    /// Vantages whose probes begin late, and since when.
    pub behind: RedBlackTreeMapSync<VantageId, Timestamp>,
    /// Makes references that cannot be guessed; lives in the database.
    pub key: ReferenceKey,
    /// The next incident's number.
    pub next_incident: u64,
    /// The next silence's number.
    pub next_silence: u64,
    /// The next announced maintenance's number.
    pub next_maintenance: u64,
    /// The next added override's number.
    pub next_override: u64,
}

/// The secret from which callout references are made.
#[derive(Clone)]
pub struct ReferenceKey(pub [u8; 32]);

impl ReferenceKey {
    /// A word of `length` (at most 51) characters that only this key makes from `text`: Crockford's base 32 in lower
    /// case, which has no i, l, o or u to be misread over the telephone.
    pub fn word(&self, text: &str, length: usize) -> String {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.0), text.as_bytes());
        let bits = tag.as_ref().iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1));
        let bits: Vec<u8> = bits.collect();
        bits.chunks_exact(5)
            .take(length)
            .filter_map(|five| {
                let index = five.iter().fold(0_usize, |index, bit| index * 2 + usize::from(*bit));
                LETTERS.get(index).map(|letter| char::from(*letter))
            })
            .collect()
    }
}

impl std::fmt::Debug for ReferenceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReferenceKey(***)")
    }
}

/// What the store remembers, read once at the start.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// Durable tracks.
    pub tracks: Vec<Track>,
    /// When each track's last outcome was, and how it was judged.
    pub latest: Vec<(TrackId, Timestamp, crate::Verdict)>,
    /// The last health of each instance.
    pub healths: Vec<Health>,
    /// Changes of health in production in the hours before the last one, in order for each instance.
    pub changes: Vec<Health>,
    /// The last release of each instance.
    pub releases: Vec<Release>,
    /// Open incidents, and those resolved lately.
    pub incidents: Vec<Incident>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// Planned work that was announced and has not ended.
    pub maintenances: Vec<Maintenance>,
    /// What was added to rotas and has not ended.
    pub overrides: Vec<RotaOverride>,
    /// By which ways people were reached.
    pub proofs: Vec<ContactProof>,
    /// The highest incident number ever used, 0 if none.
    pub last_incident: u64,
    /// The highest silence number ever used, 0 if none.
    pub last_silence: u64,
    /// The highest number of announced maintenance ever used, 0 if none.
    pub last_maintenance: u64,
    /// The highest number of an added override ever used, 0 if none.
    pub last_override: u64,
    /// The database's own key.
    pub key: ReferenceKey,
}

/// What the rules decided: the Situation after it, what is to be stored, and what is to be done.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The Situation once the changes are durable.
    pub after: Situation,
    /// To be committed together (invariant 6), in this order.
    pub changes: Vec<Change>,
    /// Probes wanted out of turn: hints, made again from the Situation if lost.
    pub probes: Vec<Wanted>,
    /// How the outcome was judged, when the event was one.
    pub verdict: Option<crate::Verdict>,
    /// Outcomes that the rules made, of heartbeats: to be committed with the changes.
    pub made: Vec<(Arc<Outcome>, crate::Verdict)>,
    /// What to answer whoever told us something.
    pub answer: Option<Result<String, String>>,
}

/// One durable change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A track's durable part changed.
    Track(Arc<Track>),
    /// An instance's history turns a page.
    Status(StatusChange),
    /// Another version runs.
    Release(Arc<Release>),
    /// An incident began or changed: its whole state.
    Incident(Arc<Incident>),
    /// To be told.
    Notify(Notification),
    /// Not to be told any more, if it has not been sent: a notification's key.
    Withdraw(String),
    /// A silence began or changed.
    Silence(Silence),
    /// Planned work was announced or changed.
    Maintenance(Maintenance),
    /// Something was added to a rota, or changed.
    Override(RotaOverride),
    /// Somebody was reached.
    Proof(ContactProof),
}

/// A probe wanted out of turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// When.
    pub at: Timestamp,
    /// Which check, from where.
    pub track: TrackId,
}

impl Remembered {
    /// What a database remembers in which nothing was ever recorded.
    pub const fn nothing(key: ReferenceKey) -> Self {
        Self {
            tracks: Vec::new(),
            latest: Vec::new(),
            healths: Vec::new(),
            changes: Vec::new(),
            releases: Vec::new(),
            incidents: Vec::new(),
            silences: Vec::new(),
            maintenances: Vec::new(),
            overrides: Vec::new(),
            proofs: Vec::new(),
            last_incident: 0,
            last_silence: 0,
            last_maintenance: 0,
            last_override: 0,
            key,
        }
    }

    /// The APIs that had an instance in production when the program last ran, as far as something was known of it then:
    /// of what left the configuration nothing is known.
    pub fn in_production(&self) -> impl Iterator<Item = &ApiId> {
        let runs = |health: &&Health| {
            health.instance.environment == Environment::Production
                && (health.status != Status::Unknown || health.maintenance)
        };
        self.healths.iter().filter(runs).map(|health| &health.instance.api)
    }
}

impl Situation {
    /// The situation at the start, from what is written down and what is remembered.
    /// What is remembered of what is no longer configured is brought to its end by the first [`crate::Event::Configured`].
    pub fn new(configuration: Arc<Configuration>, remembered: Remembered) -> Self {
        // With the configuration's own words, which all that know it share.
        let known = |id: &TrackId| {
            let check = configuration.checks.get(&id.check)?;
            let vantage = check.from.iter().find(|vantage| **vantage == id.vantage)?;
            Some(TrackId { check: check.id.clone(), vantage: vantage.clone() })
        };
        let changed: BTreeSet<&InstanceId> =
            remembered.changes.iter().map(|health| &health.instance).collect();
        let lasting = remembered.healths.iter().filter(|health| !changed.contains(&health.instance));
        let lately: Vec<Health> = lasting.chain(&remembered.changes).cloned().collect();
        let in_force = Configuration::with_overrides(&configuration, &remembered.overrides);
        let places = Places::of(&configuration);
        let (mut tracks, mut latest) = (PerTrack::among(&places), PerTrack::among(&places));
        for track in remembered.tracks {
            if let Some(id) = known(&track.id) {
                tracks.insert(id.clone(), Arc::new(Track { id, ..track }));
            }
        }
        for (id, at, verdict) in remembered.latest {
            if let Some(id) = known(&id) {
                latest.insert(id, Latest { at, verdict, outcome: None });
            }
        }
        let mut situation = Self {
            tracks,
            latest,
            shown: PerTrack::among(&places),
            healths: remembered
                .healths
                .into_iter()
                .map(|health| (health.instance.clone(), Arc::new(health)))
                .collect(),
            releases: remembered
                .releases
                .into_iter()
                .map(|release| (release.instance.clone(), Arc::new(release)))
                .collect(),
            coming: HashTrieMapSync::new_sync(),
            incidents: remembered
                .incidents
                .into_iter()
                .map(|incident| (incident.id, Arc::new(incident)))
                .collect(),
            silences: remembered.silences.into_iter().map(|silence| (silence.id, silence)).collect(),
            maintenances: remembered.maintenances.into_iter().map(|planned| (planned.id, planned)).collect(),
            overrides: remembered.overrides.into_iter().map(|added| (added.id, added)).collect(),
            proofs: remembered
                .proofs
                .into_iter()
                .map(|proof| ((proof.person, proof.way), proof.at))
                .collect(),
            watch: None,
            listening: None,
            speaks_until: None,
            foreseen_until: None,
            clock_set: None,
            tests_at: None,
            missed: HashTrieMapSync::new_sync(),
            behind: RedBlackTreeMapSync::new_sync(),
            key: remembered.key,
            next_incident: remembered.last_incident + 1,
            next_silence: remembered.last_silence + 1,
            next_maintenance: remembered.last_maintenance + 1,
            next_override: remembered.last_override + 1,
            configuration: in_force,
            written: configuration,
        };
        for health in &lately {
            burn::noted(&mut situation, health);
        }
        situation
    }

    /// An instance's health; before anything was measured it is Unknown.
    pub fn status(&self, instance: &InstanceId) -> Status {
        self.healths.get(instance).map_or(Status::Unknown, |health| health.status)
    }

    /// Incidents that are not resolved, oldest first.
    pub fn open_incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.values().filter(|incident| incident.is_open())
    }

    /// The open incident of a cause.
    pub fn open_incident(&self, cause: &Cause) -> Option<&Arc<Incident>> {
        self.open_incidents().find(|incident| incident.cause == *cause)
    }

    /// The same without what single probes saw: who keeps it for longer keeps no outcome that newer ones have taken the
    /// place of.
    #[must_use]
    pub fn without_outcomes(&self) -> Self {
        Self { latest: PerTrack::default(), ..self.clone() }
    }

    /// When any of an instance's checks last came back.
    pub fn checked_at(&self, instance: &InstanceId) -> Option<Timestamp> {
        self.configuration
            .tracks_of(instance)
            .filter_map(|id| self.latest.get(&id).map(|latest| latest.at))
            .max()
    }

    /// The last outcome of a track, when it came while this process runs.
    pub fn outcome(&self, track: &TrackId) -> Option<&Arc<Outcome>> {
        self.latest.get(track).and_then(|latest| latest.outcome.as_ref())
    }
}
