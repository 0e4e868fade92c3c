//! Incidents as an audience may see them.

use crate::{ApiView, Audience, Snapshot};
use domain::{Cause, Configuration, Incident, InstanceId, Situation};
use std::{cmp::Reverse, sync::Arc};

/// Incidents that a snapshot keeps.
pub(crate) const MAX_INCIDENTS: usize = 200;

/// An incident, cut to what the audience may see.
#[derive(Debug, Clone)]
pub struct IncidentView {
    /// The whole record: for the internal audience only beyond posts, times, status, cause, layer and priority.
    pub incident: Arc<Incident>,
    /// Instances it troubles that the audience sees.
    pub affects: Vec<InstanceId>,
    /// Instances that fail because of it and that the audience sees.
    pub held_back: Vec<InstanceId>,
    /// Everything it is about is visible to the audience, so its diagnosis names nothing else.
    pub whole: bool,
}

impl Snapshot {
    /// The same with other incidents, cut to what the audience may see.
    pub(crate) fn with_incidents(&self, situation: &Situation, incidents: Vec<Arc<Incident>>) -> Self {
        let views =
            incident_views(&situation.configuration, incidents.into_iter(), self.audience, &self.apis);
        Self { incidents: views, ..self.clone() }
    }
}

/// Those of `incidents` that `audience` may see, the newest and gravest that are kept.
pub(crate) fn incident_views(
    configuration: &Configuration,
    incidents: impl Iterator<Item = Arc<Incident>>,
    audience: Audience,
    apis: &[ApiView],
) -> Vec<IncidentView> {
    let sees = |id: &InstanceId| {
        apis.iter().any(|view| view.api.id == id.api && view.instances.iter().any(|i| i.id == *id))
    };
    let mut views: Vec<IncidentView> = incidents
        .map(|incident| IncidentView {
            affects: incident.affects.iter().filter(|id| sees(id)).cloned().collect(),
            held_back: incident.held_back.iter().filter(|id| sees(id)).cloned().collect(),
            whole: incident.affects.iter().chain(&incident.held_back).all(sees),
            incident,
        })
        .filter(|view| audience == Audience::Internal || is_public(configuration, view))
        .collect();
    // Open ones by how much they matter, those that are over by when they were; the newest first.
    views.sort_by_key(|view| {
        let incident = &view.incident;
        let weight = incident.is_open().then(|| incident.priority.number());
        (!incident.is_open(), weight, Reverse((incident.started_at, incident.id)))
    });
    views.truncate(MAX_INCIDENTS);
    views
}

/// The public sees an incident once something was published about it, and it is about something the public sees.
fn is_public(configuration: &Configuration, view: &IncidentView) -> bool {
    let about = match &view.incident.cause {
        Cause::Rota(_) | Cause::Behind(_) | Cause::Ahead(_) | Cause::Burn(_) | Cause::Test(_) => false,
        // Of an alert only what people wrote.
        Cause::Instance(_)
        | Cause::Token(_)
        | Cause::Certificate(_)
        | Cause::Gateway(_)
        | Cause::Alert(_) => !view.affects.is_empty(),
        Cause::Refused(environment) | Cause::Storm(environment) => {
            Audience::Public.sees(configuration, *environment)
        }
        Cause::Blind(_) => Audience::Public.sees(configuration, view.incident.environment),
    };
    about && !view.incident.posts.is_empty()
}
