//! Statuspage's components: the environments, and in each the instances that are there.

use super::Both;
use crate::{InstanceView, Snapshot, WordsError, past::rank, rfc3339, wording::Wording};
use domain::{Environment, InstanceId, Status};
use jiff::Timestamp;
use serde::Serialize;

/// An instance, or an environment with those that are in it.
#[derive(Debug, Serialize)]
pub(super) struct Component<'a> {
    id: String,
    name: String,
    x_cy: Named,
    status: &'static str,
    x_status: &'static str,
    description: Option<&'a str>,
    position: usize,
    group: bool,
    group_id: Option<Environment>,
    showcase: bool,
    start_date: (),
    only_show_if_degraded: bool,
    page_id: &'a str,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: String,
}

/// An environment is a group, an instance a component. Names are whole, for readers that know no groups.
pub(super) fn components<'a>(both: Both<'a>, page: &'a str) -> Result<Vec<Component<'a>>, WordsError> {
    let snapshot = both.en.snapshot;
    let mut all = Vec::new();
    for environment in &snapshot.environments {
        let here: Vec<&InstanceView> =
            snapshot.instances().filter(|instance| instance.id.environment == *environment).collect();
        let worst = here.iter().map(|instance| instance.shown).min_by_key(|status| rank(*status));
        let newest = here.iter().filter_map(|instance| instance.since).max();
        let (position, seen) = (all.len() + 1, seen(snapshot, worst.unwrap_or(Status::Unknown)));
        let group = component(
            snapshot,
            page,
            (environment.word().to_owned(), position),
            seen,
            newest,
            [both.en.environment(*environment)?, both.cy.environment(*environment)?],
        );
        let within = here.iter().map(|instance| code(&instance.id)).collect();
        all.push(Component { group: true, components: Some(within), ..group });
        for instance in here {
            all.push(component_of(both, page, instance, all.len() + 1)?);
        }
    }
    Ok(all)
}

pub(super) fn component_of<'a>(
    both: Both<'a>,
    page: &'a str,
    instance: &InstanceView,
    position: usize,
) -> Result<Component<'a>, WordsError> {
    let snapshot = both.en.snapshot;
    let id = code(&instance.id);
    let names = [name(both.en, &instance.id)?, name(both.cy, &instance.id)?];
    let seen = seen(snapshot, instance.shown);
    let mut component = component(snapshot, page, (id, position), seen, instance.since, names);
    if let Some(api) = snapshot.api(&instance.id.api) {
        component.description = Some(&api.api.description.en);
        component.group_id = Some(instance.id.environment);
    }
    Ok(component)
}

/// What is not recorded is not known.
const fn seen(snapshot: &Snapshot, status: Status) -> Status {
    if snapshot.unrecorded_since.is_some() { Status::Unknown } else { status }
}

fn component<'a>(
    snapshot: &Snapshot,
    page: &'a str,
    (id, position): (String, usize),
    status: Status,
    since: Option<Timestamp>,
    [en, cy]: [String; 2],
) -> Component<'a> {
    Component {
        id,
        name: en,
        x_cy: Named { name: cy },
        status: component_status(status),
        x_status: status.word(),
        description: None,
        position,
        group: false,
        group_id: None,
        showcase: true,
        start_date: (),
        only_show_if_degraded: false,
        page_id: page,
        created_at: rfc3339(snapshot.configured_at),
        updated_at: rfc3339(since.unwrap_or(snapshot.configured_at)),
        components: None,
    }
}

pub(super) fn code(id: &InstanceId) -> String {
    format!("{}.{}", id.environment, id.api)
}

pub(super) fn name(wording: &Wording<'_>, id: &InstanceId) -> Result<String, WordsError> {
    Ok(format!("{} – {}", wording.name(id), wording.environment(id.environment)?))
}

/// Statuspage has no word for what is not known: it is not well.
pub(super) const fn component_status(status: Status) -> &'static str {
    match status {
        Status::Operational => "operational",
        Status::Degraded | Status::Unknown => "degraded_performance",
        Status::PartialOutage => "partial_outage",
        Status::MajorOutage => "major_outage",
        Status::Maintenance => "under_maintenance",
    }
}
