//! `/api/v2`: the public JSON of Atlassian's Statuspage, so that its readers read us. Welsh is in `x_cy`, which they skip.

mod component;
mod maintenance;

use crate::{
    IncidentView, InstanceView, Page, Planned, WordsError,
    document::{absolute, host},
    feed::changed,
    incidents::alone,
    past::rank,
    planned::identified,
    rfc3339,
    sentence::sentence,
    wording::Wording,
};
use component::{Component, code, component_of, component_status, components, name};
use domain::{IncidentStatus, InstanceId, Language, PostSays, Status};
use jiff::Timestamp;
use maintenance::maintenance;
use serde::Serialize;
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

/// What is in a document; they share their shape. Only the components may be thousands, so they have a type of their own: as values they
/// would take ten times the memory.
#[derive(Debug, Serialize)]
pub(crate) struct Contents<'a> {
    page: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<Component<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_maintenances: Option<Value>,
}

/// One of the documents.
pub(crate) fn document(part: Part, both: Both<'_>) -> Result<Contents<'_>, WordsError> {
    let snapshot = both.en.snapshot;
    let id = host(both.en);
    let now = snapshot.as_of;
    let mut contents = Contents {
        page: page(both, id),
        status: None,
        components: None,
        incidents: None,
        scheduled_maintenances: None,
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
        contents.status = Some(status(both)?);
    }
    if matches!(part, Part::Summary | Part::Components) {
        contents.components = Some(components(both, id)?);
    }
    match part {
        Part::Summary => {
            contents.incidents = Some(incidents(true)?);
            contents.scheduled_maintenances = Some(maintenances(&|_| true)?);
        }
        Part::Incidents => contents.incidents = Some(incidents(false)?),
        Part::Unresolved => contents.incidents = Some(incidents(true)?),
        Part::Maintenances => contents.scheduled_maintenances = Some(maintenances(&|_| true)?),
        Part::Active => {
            contents.scheduled_maintenances = Some(maintenances(&|planned| planned.from <= now)?);
        }
        Part::Upcoming => {
            contents.scheduled_maintenances = Some(maintenances(&|planned| planned.from > now)?);
        }
        Part::Status | Part::Components => {}
    }
    Ok(contents)
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

fn incident(both: Both<'_>, page: &str, view: &IncidentView) -> Result<Value, WordsError> {
    let incident = &view.incident;
    let id = incident.id.to_string();
    let components = affected(both, page, view.affects.iter())?;
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

fn affected<'a, 'i>(
    both: Both<'a>,
    page: &'a str,
    ids: impl Iterator<Item = &'i InstanceId>,
) -> Result<Vec<Component<'a>>, WordsError> {
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
