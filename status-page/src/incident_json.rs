//! An incident as JSON: one shape for the command line and for `/api/v1/incidents`; for the public, without people,
//! tickets, callouts, and anything about what the public does not see.

use crate::{Audience, rfc3339};
use domain::{Cause, Incident, InstanceId, Language, Ruling, ServiceLevel, Situation, Ticket, next_action};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Fields that only the internal audience gets.
const INTERNAL: [&str; 7] =
    ["acknowledged_by", "ticket", "callouts", "next_action", "priority_set", "not_major", "weight"];

/// An incident as `audience` may see it; `now` is when it is asked (who is on call then).
pub fn incident_json(
    situation: &Situation,
    incident: &Incident,
    audience: Audience,
    now: Timestamp,
) -> Value {
    let configuration = &situation.configuration;
    let sees = |id: &&InstanceId| audience.sees(configuration, id.environment);
    let places = |ids: &[InstanceId]| -> Vec<Value> {
        ids.iter().filter(sees).map(|id| json!({ "api": id.api, "environment": id.environment })).collect()
    };
    let mut value = json!({
        "id": incident.id.to_string(),
        "cause_key": incident.cause.to_string(),
        "status": incident.status.word(),
        "priority": incident.priority.to_string(),
        "weight": weight(incident),
        "priority_set": incident.rank.set.as_ref().map(ruling),
        "major": incident.major.is_some(),
        "not_major": incident.not_major().map(ruling),
        "api": incident.api,
        "environment": incident.environment,
        "affects": places(&incident.affects),
        "layer": incident.layer.map(domain::Layer::word),
        "diagnosis": incident.diagnosis,
        "started_at": rfc3339(incident.started_at),
        "opened_at": rfc3339(incident.opened_at),
        "acknowledged_at": incident.acknowledged.as_ref().map(|by| rfc3339(by.at)),
        "acknowledged_by": incident.acknowledged.as_ref().map(|by| by.by.clone()),
        "resolved_at": incident.resolved_at.map(rfc3339),
        "ticket": ticket(&incident.ticket),
        "callouts": incident.escalation.as_ref().map_or(0, |running| running.callouts.len()),
        "next_action": next_action(situation, incident, now)
            .map(|next| json!({ "what": next.what, "who": next.who, "at": rfc3339(next.at) })),
        "held_back": places(&incident.held_back),
    });
    if audience == Audience::Public
        && let Value::Object(fields) = &mut value
    {
        for hidden in INTERNAL {
            fields.remove(hidden);
        }
        // Whose tokens an API needs is not for the public to know.
        if let Cause::Token(endpoint) = &incident.cause {
            fields.insert("cause_key".to_owned(), json!(format!("token:{}", endpoint.environment)));
        }
        // What it says of itself may name what the public does not see: then it speaks of what the public sees only.
        if !incident.affects.iter().chain(&incident.held_back).all(|id| sees(&id)) {
            let own = incident.affects.iter().find(sees);
            let cause = own.map(|id| Cause::Instance(id.clone()).to_string());
            fields.insert("cause_key".to_owned(), json!(cause));
            fields.insert("api".to_owned(), json!(own.map(|id| &id.api)));
            fields.insert("environment".to_owned(), json!(own.map(|id| id.environment)));
            fields.insert("diagnosis".to_owned(), Value::Null);
        }
    }
    value
}

/// Why it has its priority: in words, and the cell of the matrix where it is one.
fn weight(incident: &Incident) -> Value {
    let cell = incident.rank.cell.as_ref().map(|cell| {
        let weighed = &cell.weighed;
        json!({
            "priority": cell.priority.to_string(), "impact": cell.rating.impact, "urgency": cell.rating.urgency,
            "environment": weighed.environment.word(), "service_level": weighed.level.map(ServiceLevel::word),
            "status": weighed.status.word(), "instances": weighed.instances, "instances_of": weighed.of,
            "consumers": weighed.consumers, "lasted_longer_than_s": weighed.lasted.map(|long| long.as_secs()),
        })
    });
    json!({ "en": incident.weight(Language::En), "cy": incident.weight(Language::Cy), "cell": cell })
}

fn ruling(ruling: &Ruling) -> Value {
    json!({ "at": rfc3339(ruling.at), "by": ruling.by, "why": ruling.why })
}

fn ticket(ticket: &Ticket) -> Value {
    match ticket {
        Ticket::None => Value::Null,
        Ticket::Asked { desk, .. } => json!({ "desk": desk, "number": null, "confirmed": false }),
        Ticket::Raised { desk, number, seen, .. } => json!({
            "desk": desk,
            "number": number,
            "confirmed": true,
            "state": seen.as_ref().map(|seen| seen.state.word()),
            "assigned_to": seen.as_ref().and_then(|seen| seen.assigned_to.as_ref()),
            "group": seen.as_ref().and_then(|seen| seen.group.as_ref()),
            "priority": seen.as_ref().and_then(|seen| seen.priority).map(|priority| priority.to_string()),
        }),
    }
}
