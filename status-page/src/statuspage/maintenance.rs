//! Planned work, as readers of a Statuspage know it.

use super::{Both, affected};
use crate::{Page, Planned, WordsError, document::absolute, rfc3339, wording::Wording};
use domain::Language;
use serde_json::{Value, json};

pub(super) fn maintenance(
    both: Both<'_>,
    page: &str,
    id: &str,
    planned: &Planned,
) -> Result<Value, WordsError> {
    let snapshot = both.en.snapshot;
    let running = planned.from <= snapshot.as_of;
    let status = if running { "in_progress" } else { "scheduled" };
    let announced = rfc3339(planned.announced_at.unwrap_or(snapshot.configured_at));
    let title = |wording: &Wording<'_>| -> Result<String, WordsError> {
        let (what, place) = (wording.plain("maintenance")?, wording.environment(planned.environment)?);
        let api = planned.api.as_ref().and_then(|api| wording.snapshot.api(api));
        let api = api.map(|view| format!("{}, ", wording.text(&view.api.name))).unwrap_or_default();
        Ok(format!("{what} – {api}{place}"))
    };
    let here = snapshot.instances().map(|instance| &instance.id).filter(|id| planned.concerns(id));
    Ok(json!({
        "id": id,
        "name": title(both.en)?,
        "x_cy": { "name": title(both.cy)? },
        "status": status,
        "impact": "maintenance",
        "shortlink": absolute(both.en, &Page::Maintenance.path(Language::En)),
        "scheduled_for": rfc3339(planned.from),
        "scheduled_until": rfc3339(planned.to),
        "started_at": running.then(|| rfc3339(planned.from)),
        "created_at": announced,
        "updated_at": announced,
        "monitoring_at": null,
        "resolved_at": null,
        "page_id": page,
        "components": affected(both, page, here)?,
        "incident_updates": [{
            "id": format!("{id}-1"),
            "incident_id": id,
            "status": status,
            "body": planned.why.en,
            "x_cy": { "body": planned.why.cy },
            "created_at": announced,
            "updated_at": announced,
            "display_at": announced,
            "affected_components": null,
            "deliver_notifications": false,
            "custom_tweet": null,
            "tweet_id": null,
        }],
    }))
}
