//! `/api/v1`: our JSON. Times are RFC 3339 UTC with milliseconds; shapes may grow but not change.

use crate::{
    IncidentView, Snapshot, assets,
    body::Body,
    incident_json::incident_json,
    paging, rfc3339,
    router::{Shown, kept_json, open_to_all},
};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use domain::{Environment, OperationId, Situation};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    iter,
    sync::{Arc, LazyLock},
};

/// `GET /api/v1/status`.
pub(crate) async fn status(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
) -> Response<HttpBody> {
    let body = shown.site.view(shown.audience).json("status", status_of);
    kept_json(&shown, &method, &headers, body)
}

fn status_of(snapshot: &Snapshot) -> String {
    let instances: Vec<Value> = snapshot
        .instances()
        .map(|instance| {
            json!({
                "api": instance.id.api,
                "environment": instance.id.environment,
                "status": instance.shown.word(),
                "since": instance.since.map(rfc3339),
                "checked_at": instance.checked_at.map(rfc3339),
                "layer": instance.layer.map(domain::Layer::word),
                "release": instance.release.as_ref().map(|release| json!({
                    "version": release.version,
                    "since": rfc3339(release.since),
                    "before": release.before,
                })),
            })
        })
        .collect();
    json!({
        "as_of": rfc3339(snapshot.as_of),
        "stale": snapshot.stale || snapshot.unrecorded_since.is_some(),
        "unrecorded_since": snapshot.unrecorded_since.map(rfc3339),
        "instances": instances,
    })
    .to_string()
}

/// `GET /api/v1/incidents`: all of them, or by parts.
pub(crate) async fn incidents(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response<HttpBody> {
    let view = shown.site.view(shown.audience);
    let seen = &view.snapshot.incidents;
    let said = |part| incidents_of(&view.snapshot, &view.situation, part);
    let Some(query) = uri.query() else {
        return kept_json(&shown, &method, &headers, view.json("incidents", |_| said(seen)));
    };
    let ids: Vec<String> = seen.iter().map(|seen| seen.incident.id.to_string()).collect();
    let (part, next) = match paging::part(&ids, query) {
        Ok(part) => part,
        Err(problem) => return problem.answer(shown.audience),
    };
    let value = said(seen.get(part).unwrap_or_default());
    let body = Body::new("application/json", value.into_bytes());
    let mut response = kept_json(&shown, &method, &headers, Ok(Some(Arc::new(body))));
    let link = next.map(|next| HeaderValue::try_from(format!("<{}{next}>; rel=\"next\"", uri.path())));
    if let Some(Ok(link)) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// `GET /api/v1/apis`: the catalogue.
pub(crate) async fn apis(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
) -> Response<HttpBody> {
    let body = shown.site.view(shown.audience).json("apis", apis_of);
    kept_json(&shown, &method, &headers, body)
}

fn apis_of(snapshot: &Snapshot) -> String {
    array(snapshot.apis.iter().map(|view| {
        let environments: Vec<_> = view.instances.iter().map(|i| i.id.environment).collect();
        json!({
            "id": view.api.id,
            "name": view.api.name,
            "description": view.api.description,
            "kind": view.api.kind.word(),
            "lifecycle": view.api.lifecycle.word(),
            "service_level": view.api.service_level.word(),
            "documentation": view.api.documentation,
            "depends_on": view.depends_on,
            "environments": environments,
            "operations": operations_of(view),
        })
    }))
}

/// What is made from a snapshot alone, each with its path; one when the one before is done with.
pub(crate) fn documents<'a>(
    snapshot: &'a Snapshot,
    situation: &'a Situation,
) -> impl Iterator<Item = (&'static str, String)> + 'a {
    let status = iter::once_with(|| ("/api/v1/status", status_of(snapshot)));
    let incidents =
        iter::once_with(|| ("/api/v1/incidents", incidents_of(snapshot, situation, &snapshot.incidents)));
    status.chain(incidents).chain(iter::once_with(|| ("/api/v1/apis", apis_of(snapshot))))
}

/// An array whose parts are not all there at once: of a thousand APIs they are ten times what they are as text.
fn array(parts: impl Iterator<Item = Value>) -> String {
    let mut text = "[".to_owned();
    for part in parts {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&part.to_string());
    }
    text + "]"
}

fn incidents_of(snapshot: &Snapshot, situation: &Situation, part: &[IncidentView]) -> String {
    let said =
        |seen: &IncidentView| incident_json(situation, &seen.incident, snapshot.audience, snapshot.as_of);
    array(part.iter().map(said))
}

fn operations_of(view: &crate::ApiView) -> Vec<Value> {
    let mut by_id: BTreeMap<&OperationId, (bool, Vec<Environment>)> = BTreeMap::new();
    for instance in &view.instances {
        for operation in &instance.operations {
            let entry = by_id.entry(&operation.check.id.operation).or_default();
            entry.0 |= operation.critical;
            entry.1.push(instance.id.environment);
        }
    }
    by_id
        .into_iter()
        .map(|(id, (critical, environments))| {
            json!({ "id": id, "critical": critical, "environments": environments })
        })
        .collect()
}

/// `GET /api/v1/openapi.json`.
pub(crate) async fn openapi(
    State(shown): State<Shown>,
    method: Method,
    headers: HeaderMap,
) -> Response<HttpBody> {
    static OPENAPI: LazyLock<Body> =
        LazyLock::new(|| Body::new("application/json", include_bytes!("../openapi.json").to_vec()));
    let answer = OPENAPI.answer(&method, &headers, StatusCode::OK, assets::AN_HOUR);
    open_to_all(answer, shown.audience)
}
