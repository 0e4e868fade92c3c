//! The immutable view that pages are made from, with its time.

use crate::{
    Audience, History, IncidentView, Page, Past, SetAside, Standing,
    incident_view::{MAX_INCIDENTS, incident_views},
    instance_view::{AllInstances, InstanceView, is_over},
    past::rank,
    planned::ahead,
};
use domain::{
    Api, ApiId, AvailabilityPolicy, Environment, Hours, Incident, InstanceId, Objective, Site, Situation,
    Status, Text,
};
use jiff::Timestamp;
use std::sync::Arc;

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
    pub api: Arc<Api>,
    /// The provider team's name.
    pub team: Option<Text>,
    /// APIs it depends on that the audience sees too.
    pub depends_on: Vec<ApiId>,
    /// Its supported hours; `None`: all hours are alike.
    pub supported: Option<Hours>,
    /// What is promised of it in production, where the audience sees that.
    pub objective: Option<Objective>,
    /// Its instances, production first.
    pub instances: Vec<Arc<InstanceView>>,
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

impl Snapshot {
    /// What `audience` sees at `now`.
    pub fn of(
        situation: &Situation,
        history: &History,
        audience: Audience,
        now: Timestamp,
        started_at: Timestamp,
    ) -> Self {
        let all = AllInstances::of(situation, history, now);
        Self::seeing(&all, (situation, history), audience, (now, started_at))
    }

    /// The same, where the views of all instances are made already: both audiences share them.
    pub(crate) fn seeing(
        all: &AllInstances,
        (situation, history): (&Situation, &History),
        audience: Audience,
        (now, started_at): (Timestamp, Timestamp),
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
            .filter_map(|api| api_view(all, situation, api, &environments))
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
        self.api(&id.api)?.instances.iter().map(AsRef::as_ref).find(|view| view.id == *id)
    }

    /// All instances.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceView> {
        self.apis.iter().flat_map(|api| &api.instances).map(AsRef::as_ref)
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

fn api_view(
    all: &AllInstances,
    situation: &Situation,
    api: &Arc<Api>,
    environments: &[Environment],
) -> Option<ApiView> {
    let configuration = &situation.configuration;
    let here = |environment: &Environment| {
        let id = InstanceId { api: api.id.clone(), environment: *environment };
        all.get(&id).cloned()
    };
    let instances: Vec<Arc<InstanceView>> = environments.iter().filter_map(here).collect();
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
        api: Arc::clone(api),
    })
}
