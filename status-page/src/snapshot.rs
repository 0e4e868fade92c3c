//! The immutable view that pages are made from, with its time.

use crate::{
    Audience, History, IncidentView, Page, Past, SetAside, Standing,
    incident_view::{MAX_INCIDENTS, incident_views},
    past::rank,
    planned::ahead,
};
use domain::{
    Api, ApiId, AvailabilityPolicy, Check, Environment, Glance, Health, Hours, Incident, InstanceId, Layer,
    Objective, Release, Site, Situation, Status, Text, Track, TrackId, VantageId, Verdict,
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};

/// All that one audience may see at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// For whom.
    pub audience: Audience,
    /// Its time.
    pub as_of: Timestamp,
    /// When this process started to look.
    pub started_at: Timestamp,
    /// Since when its configuration is in force.
    pub configured_at: Timestamp,
    /// When the newest outcome of all came; `None`: none yet.
    pub heard_at: Option<Timestamp>,
    /// No check has an outcome that still speaks: the view is old.
    pub stale: bool,
    /// Since when nothing that is seen can be recorded, and so shown; `None`: it can.
    pub unrecorded_since: Option<Timestamp>,
    /// What the database refused for good, for those who run it.
    pub set_aside: Option<SetAside>,
    /// What the site is called and where it is.
    pub site: Site,
    /// It is read from files: nobody is there to take a form, or to tell what is new.
    pub as_files: bool,
    /// What counts as available.
    pub policy: AvailabilityPolicy,
    /// The supported hours of every API that has none of its own.
    pub supported: Option<Hours>,
    /// The environments that the audience sees, production first.
    pub environments: Vec<Environment>,
    /// The APIs that have an instance the audience sees: worst first, then by English name.
    pub apis: Vec<ApiView>,
    /// Incidents that the audience sees: open ones first, the gravest of them first, then newest first.
    pub incidents: Vec<IncidentView>,
    /// Since when all incidents are in memory; `None`: some may be missing.
    pub incidents_since: Option<Timestamp>,
    /// When the first incident of all began, if there was any.
    pub first_incident_at: Option<Timestamp>,
    /// Planned work, the nearest first.
    pub planned: Vec<Planned>,
    /// How the configuration stands to its files; the public learns nothing of it.
    pub standing: Option<Arc<Standing>>,
}

/// An API and what of it the audience sees.
#[derive(Debug, Clone)]
pub struct ApiView {
    /// What was written down of it.
    pub api: Api,
    /// The provider team's name.
    pub team: Option<Text>,
    /// APIs it depends on that the audience sees too.
    pub depends_on: Vec<ApiId>,
    /// Its supported hours; `None`: all hours are alike.
    pub supported: Option<Hours>,
    /// What is promised of it in production, where the audience sees that.
    pub objective: Option<Objective>,
    /// Its instances, production first.
    pub instances: Vec<InstanceView>,
}

/// One instance.
#[derive(Debug, Clone)]
pub struct InstanceView {
    /// Which.
    pub id: InstanceId,
    /// What is shown: maintenance laid over what is measured.
    pub shown: Status,
    /// What is measured.
    pub measured: Status,
    /// Since when it is so; `None`: it was never measured.
    pub since: Option<Timestamp>,
    /// Where it fails, while it does.
    pub layer: Option<Layer>,
    /// When any of its checks last came back.
    pub checked_at: Option<Timestamp>,
    /// Which version runs, where answers name one.
    pub release: Option<Arc<Release>>,
    /// Its checks, critical ones first as configured.
    pub operations: Vec<OperationView>,
    /// Its history, once it was read.
    pub past: Option<Arc<Past>>,
}

/// One check, from all its vantages.
#[derive(Debug, Clone)]
pub struct OperationView {
    /// The check as it runs.
    pub check: Arc<Check>,
    /// Whether the instance is down without it (if no operation is marked, all are).
    pub critical: bool,
    /// As seen from each vantage.
    pub tracks: Vec<TrackView>,
}

/// One check from one vantage.
#[derive(Debug, Clone)]
pub struct TrackView {
    /// Where from.
    pub vantage: VantageId,
    /// Its confirmed status, since when, and why.
    pub track: Option<Arc<Track>>,
    /// When it last came back and how that was judged.
    pub last: Option<(Timestamp, Verdict)>,
    /// The last outcome speaks no longer.
    pub expired: bool,
    /// What there is to say of it, when it came while this process runs.
    pub seen: Option<Glance>,
}

/// A stretch of planned work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Where.
    pub environment: Environment,
    /// Of one API alone; `None`: of all there.
    pub api: Option<ApiId>,
    /// When somebody announced it; `None`: it stands in the configuration.
    pub announced_at: Option<Timestamp>,
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// Why.
    pub why: Text,
}

impl Planned {
    /// Whether it is about `instance`.
    pub(crate) fn concerns(&self, instance: &InstanceId) -> bool {
        self.environment == instance.environment && self.api.as_ref().is_none_or(|api| *api == instance.api)
    }

    /// Whether it covers `now`.
    pub(crate) fn runs(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.to
    }
}

/// The rules have so long to say by themselves that an outcome speaks no longer.
const GRACE: Duration = Duration::from_secs(5);

impl Snapshot {
    /// What `audience` sees at `now`.
    pub fn of(
        situation: &Situation,
        history: &History,
        audience: Audience,
        now: Timestamp,
        started_at: Timestamp,
    ) -> Self {
        let configuration = &situation.configuration;
        let sees = |environment: &Environment| audience.sees(configuration, *environment);
        let mut environments: Vec<Environment> = Environment::ALL.into_iter().rev().filter(sees).collect();
        environments.retain(|environment| {
            configuration.apis.values().any(|api| api.instances.contains_key(environment))
        });
        let mut apis: Vec<ApiView> = configuration
            .apis
            .values()
            .filter_map(|api| api_view(situation, history, api, &environments, now))
            .collect();
        apis.sort_by(|a, b| (a.worst_rank(), &a.api.name.en).cmp(&(b.worst_rank(), &b.api.name.en)));
        let older: Vec<&Arc<Incident>> = history
            .incidents
            .iter()
            .filter(|incident| !situation.incidents.contains_key(&incident.id))
            .collect();
        // That somebody is called for a test is nobody's trouble.
        let known = situation.incidents.values().chain(older).filter(|incident| !incident.is_test());
        let incidents = incident_views(&situation.configuration, known.cloned(), audience, &apis);
        let zone = &configuration.site.time_zone;
        let whole = history.incidents.len().max(incidents.len()) < MAX_INCIDENTS;
        let began = incidents.iter().map(|view| view.incident.started_at).min();
        let heard_at = situation.latest.values().map(|latest| latest.at).max();
        Self {
            audience,
            as_of: now,
            started_at,
            configured_at: started_at,
            heard_at,
            unrecorded_since: None,
            set_aside: None,
            stale: heard_at.is_some() && !anything_speaks(situation, now),
            site: configuration.site.clone(),
            as_files: false,
            policy: configuration.availability.clone(),
            supported: configuration
                .availability
                .hours
                .as_ref()
                .and_then(|id| configuration.hours.get(id))
                .cloned(),
            incidents_since: history.taken_at.filter(|_| whole).map(|at| Past::begins(at, zone)),
            first_incident_at: history.first_incident_at.or(began),
            incidents,
            planned: ahead(situation, &environments, now),
            environments,
            apis,
            standing: None,
        }
    }

    /// Whether people can ask here to be told by e-mail.
    pub(crate) fn takes_subscriptions(&self) -> bool {
        self.site.subscriptions && !self.as_files
    }

    /// The API of that id, if the audience sees it.
    pub fn api(&self, id: &ApiId) -> Option<&ApiView> {
        self.apis.iter().find(|view| view.api.id == *id)
    }

    /// The instance of that id, if the audience sees it.
    pub fn instance(&self, id: &InstanceId) -> Option<&InstanceView> {
        self.api(&id.api)?.instances.iter().find(|view| view.id == *id)
    }

    /// All instances.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceView> {
        self.apis.iter().flat_map(|api| &api.instances)
    }

    /// All that the page says is in memory.
    pub(crate) fn holds(&self, page: &Page) -> bool {
        match page {
            Page::Incident(id) => self.incidents.iter().any(|view| view.incident.id == *id),
            Page::Month(month) => {
                let (from, to) = month.range(&self.site.time_zone);
                // One that is not over, or never was, is not looked for.
                self.first_incident_at.is_none_or(|first| to <= first)
                    || self.as_of < from
                    || self.incidents_since.is_some_and(|since| since <= from)
            }
            Page::Front
            | Page::Api(_)
            | Page::Environment(_)
            | Page::Incidents
            | Page::Maintenance
            | Page::Measuring
            | Page::IsItMe
            | Page::Subscribe
            | Page::Wall
            | Page::Accessibility => true,
        }
    }

    /// Incidents that are not over.
    pub fn open_incidents(&self) -> impl Iterator<Item = &IncidentView> {
        self.incidents.iter().filter(|view| view.incident.is_open())
    }
}

impl ApiView {
    /// The rank of its worst instance; production weighs before the others.
    fn worst_rank(&self) -> (u8, u8) {
        let production = self
            .instances
            .iter()
            .filter(|view| view.id.environment == Environment::Production)
            .map(|view| rank(view.shown))
            .min();
        let any = self.instances.iter().map(|view| rank(view.shown)).min();
        let quiet = rank(Status::Operational);
        (production.unwrap_or(quiet), any.unwrap_or(quiet))
    }
}

/// What was heard hours ago may speak still, and says nothing of whether we see: it counts only where nothing is probed.
fn anything_speaks(situation: &Situation, now: Timestamp) -> bool {
    let checks = &situation.configuration.checks;
    let nothing_is_probed = checks.values().all(|check| check.heartbeat().is_some());
    situation.latest.iter().any(|(id, latest)| {
        (nothing_is_probed || !id.vantage.is_inbound())
            && checks.get(&id.check).is_some_and(|check| !is_over(latest.at, check, now))
    })
}

/// Whether an outcome of `at` speaks no longer (DESIGN §5, "Valid for how long").
pub(crate) fn is_over(at: Timestamp, check: &Check, now: Timestamp) -> bool {
    at.checked_add(check.validity(at)).is_ok_and(|end| end < now)
}

fn api_view(
    situation: &Situation,
    history: &History,
    api: &Api,
    environments: &[Environment],
    now: Timestamp,
) -> Option<ApiView> {
    let configuration = &situation.configuration;
    let instances: Vec<InstanceView> = environments
        .iter()
        .filter(|environment| api.instances.contains_key(environment))
        .map(|environment| {
            let id = InstanceId { api: api.id.clone(), environment: *environment };
            instance_view(situation, history, id, now)
        })
        .collect();
    let depends_on = api
        .depends_on
        .iter()
        .filter(|parent| {
            configuration
                .apis
                .get(parent)
                .is_some_and(|parent| environments.iter().any(|e| parent.instances.contains_key(e)))
        })
        .cloned()
        .collect();
    (!instances.is_empty()).then(|| ApiView {
        team: configuration.teams.get(&api.team).map(|team| team.name.clone()),
        depends_on,
        supported: configuration.supported_hours(&api.id).map(|(_, hours)| hours.clone()),
        objective: instances.iter().find_map(|instance| configuration.objective(&instance.id)),
        instances,
        api: api.clone(),
    })
}

fn instance_view(situation: &Situation, history: &History, id: InstanceId, now: Timestamp) -> InstanceView {
    let health = situation.healths.get(&id);
    let checks: Vec<&Arc<Check>> = situation.configuration.checks_of(&id).collect();
    let none_marked = checks.iter().all(|check| !check.operation.critical);
    let operations = checks
        .into_iter()
        .map(|check| OperationView {
            critical: check.operation.critical || none_marked,
            tracks: check.from.iter().map(|vantage| track_view(situation, check, vantage, now)).collect(),
            check: check.clone(),
        })
        .collect();
    // Where nobody turned the page of its history in time: what speaks no longer is Unknown (DESIGN §5).
    let silent_since = health.and_then(|health| silent_since(situation, health, now));
    let measured = |health: &Health| if silent_since.is_some() { Status::Unknown } else { health.status };
    InstanceView {
        shown: health.map_or(Status::Unknown, |health| {
            if health.maintenance { Status::Maintenance } else { measured(health) }
        }),
        measured: health.map_or(Status::Unknown, |health| measured(health)),
        since: health.map(|health| silent_since.unwrap_or(health.since)),
        layer: health.filter(|_| silent_since.is_none()).and_then(|health| health.layer),
        checked_at: situation.checked_at(&id),
        release: situation.releases.get(&id).cloned(),
        past: history.instances.get(&id).cloned(),
        operations,
        id,
    }
}

/// Since when none of an instance's critical checks speaks, if its status says that one does.
fn silent_since(situation: &Situation, health: &Health, now: Timestamp) -> Option<Timestamp> {
    if health.status == Status::Unknown {
        return None;
    }
    let checks = || situation.configuration.checks_of(&health.instance);
    let any_marked = checks().any(|check| check.operation.critical);
    let critical = checks().filter(|check| check.operation.critical || !any_marked);
    let ends = critical.flat_map(|check| {
        check.from.iter().filter_map(|vantage| {
            let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
            let at = situation.latest.get(&id)?.at;
            at.checked_add(check.validity(at) + GRACE).ok()
        })
    });
    ends.max().filter(|end| *end < now).map(|end| end.max(health.since))
}

fn track_view(situation: &Situation, check: &Check, vantage: &VantageId, now: Timestamp) -> TrackView {
    let id = TrackId { check: check.id.clone(), vantage: vantage.clone() };
    let latest = situation.latest.get(&id);
    TrackView {
        vantage: vantage.clone(),
        track: situation.tracks.get(&id).cloned(),
        last: latest.map(|latest| (latest.at, latest.verdict)),
        expired: latest.is_none_or(|latest| is_over(latest.at, check, now)),
        seen: latest.and_then(|latest| latest.outcome.as_deref().map(Glance::from)),
    }
}
