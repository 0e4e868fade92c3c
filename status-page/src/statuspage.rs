//! `/api/v2`: the public JSON of Atlassian's Statuspage, so that its readers read us. Welsh is in `x_cy`, which they skip.

mod maintenance;

use crate::{
    IncidentView, InstanceView, Page, Planned, Snapshot, WordsError,
    document::{absolute, host},
    feed::changed,
    incidents::alone,
    past::rank,
    planned::identified,
    rfc3339,
    sentence::sentence,
    wording::Wording,
};
use domain::{IncidentStatus, InstanceId, Language, PostSays, Status};
use jiff::Timestamp;
use maintenance::maintenance;
use serde_json::{Value, json};
use std::cmp::Reverse;

/// Incidents in a list, the newest first.
const INCIDENTS: usize = 50;
const FOLDER: &str = "/api/v2/";

/// One of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Summary,
    Status,
    Components,
    Incidents,
    Unresolved,
    Maintenances,
    Active,
    Upcoming,
}

impl Part {
    pub(crate) const ALL: [Self; 8] = [
        Self::Summary,
        Self::Status,
        Self::Components,
        Self::Incidents,
        Self::Unresolved,
        Self::Maintenances,
        Self::Active,
        Self::Upcoming,
    ];

    const fn file(self) -> &'static str {
        match self {
            Self::Summary => "summary.json",
            Self::Status => "status.json",
            Self::Components => "components.json",
            Self::Incidents => "incidents.json",
            Self::Unresolved => "incidents/unresolved.json",
            Self::Maintenances => "scheduled-maintenances.json",
            Self::Active => "scheduled-maintenances/active.json",
            Self::Upcoming => "scheduled-maintenances/upcoming.json",
        }
    }

    pub(crate) fn path(self) -> String {
        format!("{FOLDER}{}", self.file())
    }

    pub(crate) fn parse(path: &str) -> Option<Self> {
        let file = path.strip_prefix(FOLDER)?;
        Self::ALL.into_iter().find(|part| part.file() == file)
    }
}

/// Both languages, to say everything in.
#[derive(Clone, Copy)]
pub(crate) struct Both<'a> {
    pub(crate) en: &'a Wording<'a>,
    pub(crate) cy: &'a Wording<'a>,
}

/// A document; they share their shape.
pub(crate) fn document(part: Part, both: Both<'_>) -> Result<Value, WordsError> {
    let snapshot = both.en.snapshot;
    let id = host(both.en);
    let now = snapshot.as_of;
    let mut value = json!({ "page": page(both, id) });
    let mut put = |name: &str, what: Value| {
        if let Value::Object(fields) = &mut value {
            fields.insert(name.to_owned(), what);
        }
    };
    let incidents = |open: bool| -> Result<Value, WordsError> {
        let mut views: Vec<&IncidentView> =
            snapshot.incidents.iter().filter(|view| !open || view.incident.is_open()).collect();
        views.sort_by_key(|view| Reverse((view.incident.started_at, view.incident.id)));
        views.into_iter().take(INCIDENTS).map(|view| incident(both, id, view)).collect()
    };
    let maintenances = |wanted: &dyn Fn(&Planned) -> bool| -> Result<Value, WordsError> {
        identified(&snapshot.planned)
            .filter(|(_, planned)| wanted(planned))
            .map(|(name, planned)| maintenance(both, id, &name, planned))
            .collect()
    };
    if matches!(part, Part::Summary | Part::Status) {
        put("status", status(both)?);
    }
    if matches!(part, Part::Summary | Part::Components) {
        put("components", components(both, id)?);
    }
    match part {
        Part::Summary => {
            put("incidents", incidents(true)?);
            put("scheduled_maintenances", maintenances(&|_| true)?);
        }
        Part::Incidents => put("incidents", incidents(false)?),
        Part::Unresolved => put("incidents", incidents(true)?),
        Part::Maintenances => put("scheduled_maintenances", maintenances(&|_| true)?),
        Part::Active => put("scheduled_maintenances", maintenances(&|planned| planned.from <= now)?),
        Part::Upcoming => put("scheduled_maintenances", maintenances(&|planned| planned.from > now)?),
        Part::Status | Part::Components => {}
    }
    Ok(value)
}

fn page(both: Both<'_>, id: &str) -> Value {
    let snapshot = both.en.snapshot;
    let statuses = snapshot.instances().filter_map(|instance| instance.since);
    let incidents = snapshot.incidents.iter().map(|view| changed(&view.incident));
    json!({
        "id": id,
        "name": snapshot.site.title.en,
        "url": snapshot.site.url.en,
        "time_zone": snapshot.site.time_zone.iana_name(),
        "updated_at": rfc3339(statuses.chain(incidents).fold(snapshot.configured_at, Timestamp::max)),
        "x_cy": { "name": snapshot.site.title.cy, "url": snapshot.site.url.cy },
    })
}

/// How bad all of it is: as bad as the first environment; another's trouble is minor here.
fn status(both: Both<'_>) -> Result<Value, WordsError> {
    let snapshot = both.en.snapshot;
    let in_first = |instance: &&InstanceView| snapshot.environments.first() == Some(&instance.id.environment);
    let of = |statuses: &mut dyn Iterator<Item = Status>| statuses.min_by_key(|status| rank(*status));
    let first = of(&mut snapshot.instances().filter(in_first).map(|instance| instance.shown));
    let any = of(&mut snapshot.instances().map(|instance| instance.shown));
    let all_out = snapshot.instances().filter(in_first).all(|i| i.shown == Status::MajorOutage);
    let unseen = snapshot.stale || snapshot.unrecorded_since.is_some();
    let indicator = match first.filter(|_| !unseen).unwrap_or(Status::Unknown) {
        Status::MajorOutage if all_out => "critical",
        Status::MajorOutage | Status::PartialOutage => "major",
        Status::Degraded | Status::Unknown => "minor",
        Status::Maintenance => "maintenance",
        Status::Operational if any.is_some_and(|status| status.is_trouble() || status == Status::Unknown) => {
            "minor"
        }
        Status::Operational => "none",
    };
    Ok(json!({
        "indicator": indicator,
        "description": sentence(both.en)?.text,
        "x_cy": { "description": sentence(both.cy)?.text },
    }))
}

/// An environment is a group, an instance a component. Names are whole, for readers that know no groups.
fn components(both: Both<'_>, page: &str) -> Result<Value, WordsError> {
    let snapshot = both.en.snapshot;
    let mut all = Vec::new();
    for environment in &snapshot.environments {
        let here: Vec<&InstanceView> =
            snapshot.instances().filter(|instance| instance.id.environment == *environment).collect();
        let worst = here.iter().map(|instance| instance.shown).min_by_key(|status| rank(*status));
        let newest = here.iter().filter_map(|instance| instance.since).max();
        let (position, seen) = (all.len() + 1, seen(snapshot, worst.unwrap_or(Status::Unknown)));
        let mut group = component(
            snapshot,
            page,
            (environment.word(), position),
            seen,
            newest,
            [both.en.environment(*environment)?, both.cy.environment(*environment)?],
        );
        if let Value::Object(fields) = &mut group {
            let ids: Vec<String> = here.iter().map(|instance| code(&instance.id)).collect();
            fields.insert("group".to_owned(), json!(true));
            fields.insert("components".to_owned(), json!(ids));
        }
        all.push(group);
        for instance in here {
            all.push(component_of(both, page, instance, all.len() + 1)?);
        }
    }
    Ok(Value::Array(all))
}

fn component_of(
    both: Both<'_>,
    page: &str,
    instance: &InstanceView,
    position: usize,
) -> Result<Value, WordsError> {
    let snapshot = both.en.snapshot;
    let id = code(&instance.id);
    let names = [name(both.en, &instance.id)?, name(both.cy, &instance.id)?];
    let seen = seen(snapshot, instance.shown);
    let mut value = component(snapshot, page, (&id, position), seen, instance.since, names);
    if let (Value::Object(fields), Some(api)) = (&mut value, snapshot.api(&instance.id.api)) {
        fields.insert("description".to_owned(), json!(api.api.description.en));
        fields.insert("group_id".to_owned(), json!(instance.id.environment));
    }
    Ok(value)
}

/// What is not recorded is not known.
const fn seen(snapshot: &Snapshot, status: Status) -> Status {
    if snapshot.unrecorded_since.is_some() { Status::Unknown } else { status }
}

fn component(
    snapshot: &Snapshot,
    page: &str,
    (id, position): (&str, usize),
    status: Status,
    since: Option<Timestamp>,
    [en, cy]: [String; 2],
) -> Value {
    json!({
        "id": id,
        "name": en,
        "x_cy": { "name": cy },
        "status": component_status(status),
        "x_status": status.word(),
        "description": null,
        "position": position,
        "group": false,
        "group_id": null,
        "showcase": true,
        "start_date": null,
        "only_show_if_degraded": false,
        "page_id": page,
        "created_at": rfc3339(snapshot.configured_at),
        "updated_at": rfc3339(since.unwrap_or(snapshot.configured_at)),
    })
}

fn code(id: &InstanceId) -> String {
    format!("{}.{}", id.environment, id.api)
}

fn name(wording: &Wording<'_>, id: &InstanceId) -> Result<String, WordsError> {
    Ok(format!("{} – {}", wording.name(id), wording.environment(id.environment)?))
}

/// Statuspage has no word for what is not known: it is not well.
const fn component_status(status: Status) -> &'static str {
    match status {
        Status::Operational => "operational",
        Status::Degraded | Status::Unknown => "degraded_performance",
        Status::PartialOutage => "partial_outage",
        Status::MajorOutage => "major_outage",
        Status::Maintenance => "under_maintenance",
    }
}

fn incident(both: Both<'_>, page: &str, view: &IncidentView) -> Result<Value, WordsError> {
    let incident = &view.incident;
    let id = incident.id.to_string();
    let components: Vec<Value> = affected(both, page, view.affects.iter())?;
    Ok(json!({
        "id": id,
        "name": both.en.incident_title(view)?,
        "x_cy": { "name": both.cy.incident_title(view)? },
        "status": match incident.status {
            IncidentStatus::Open => "investigating",
            IncidentStatus::Acknowledged => "identified",
            IncidentStatus::Recovering => "monitoring",
            IncidentStatus::Resolved => "resolved",
        },
        "impact": match incident.worst {
            Status::MajorOutage => "critical",
            Status::PartialOutage => "major",
            Status::Degraded | Status::Unknown => "minor",
            Status::Operational | Status::Maintenance => "none",
        },
        "shortlink": absolute(both.en, &Page::Incident(incident.id).path(Language::En)),
        "started_at": rfc3339(incident.started_at),
        "created_at": rfc3339(incident.opened_at),
        "updated_at": rfc3339(changed(incident)),
        "monitoring_at": incident.recovered_at.map(rfc3339),
        "resolved_at": incident.resolved_at.map(rfc3339),
        "page_id": page,
        "components": components,
        "incident_updates": updates(both, view)?,
    }))
}

fn affected<'i>(
    both: Both<'_>,
    page: &str,
    ids: impl Iterator<Item = &'i InstanceId>,
) -> Result<Vec<Value>, WordsError> {
    let snapshot = both.en.snapshot;
    let mut all = Vec::new();
    for id in ids {
        if let Some(instance) = snapshot.instance(id) {
            all.push(component_of(both, page, instance, all.len() + 1)?);
        }
    }
    Ok(all)
}

/// What was said, the newest first.
fn updates(both: Both<'_>, view: &IncidentView) -> Result<Vec<Value>, WordsError> {
    let id = view.incident.id.to_string();
    let mut all = Vec::new();
    let (mut stage, mut before) = ("investigating", Status::Operational);
    for (n, post) in view.incident.posts.iter().enumerate() {
        let now = match &post.says {
            PostSays::Investigating { status, .. } | PostSays::Returned { status } => {
                stage = "investigating";
                Some(*status)
            }
            PostSays::Acknowledged => {
                stage = "identified";
                None
            }
            PostSays::Recovered => {
                stage = "monitoring";
                Some(Status::Operational)
            }
            PostSays::Resolved => {
                stage = "resolved";
                Some(Status::Operational)
            }
            // What is said once it is over.
            PostSays::Words(_) | PostSays::Phrases(_) if stage == "resolved" => {
                stage = "postmortem";
                None
            }
            PostSays::Words(_) | PostSays::Phrases(_) => None,
        };
        let changes = now.map(|now| {
            let change = |place: &InstanceId| {
                Ok(json!({
                    "code": code(place),
                    "name": name(both.en, place)?,
                    "old_status": component_status(before),
                    "new_status": component_status(now),
                }))
            };
            view.affects.iter().map(change).collect::<Result<Vec<Value>, WordsError>>()
        });
        let changes = changes.transpose()?;
        before = now.unwrap_or(before);
        let at = rfc3339(post.at);
        all.push(json!({
            "id": format!("{id}-{}", n + 1),
            "incident_id": id,
            "status": stage,
            "body": alone(both.en, &view.incident, &post.says)?,
            "x_cy": { "body": alone(both.cy, &view.incident, &post.says)? },
            "created_at": at,
            "updated_at": at,
            "display_at": at,
            "affected_components": changes,
            "deliver_notifications": true,
            "custom_tweet": null,
            "tweet_id": null,
        }));
    }
    all.reverse();
    Ok(all)
}
