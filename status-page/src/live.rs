//! `/livez` and `/readyz` of Curiad itself, as health+json (draft-inadarei-api-health-check-06).

use crate::{Audience, Standing, rfc3339, router::Shown};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;

/// A view older than this means that nobody makes views any more.
const VIEW_AGE_SECONDS: i64 = 60;

/// What is to be told could not be read for so long: nobody is told anything.
const UNDELIVERED: SignedDuration = SignedDuration::from_secs(30);

/// `GET /livez`: the process answers.
pub(crate) async fn livez() -> Response<HttpBody> {
    answer(StatusCode::OK, &json!({ "status": "pass", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /readyz`: views are made, something is measured, and it is recorded.
pub(crate) async fn readyz(State(shown): State<Shown>) -> Response<HttpBody> {
    // The public view is never less fresh than the internal one, and tells no more than times.
    let view = shown.site.view(Audience::Public);
    let age = shown.site.0.clock.now().duration_since(view.snapshot.as_of).as_secs();
    let view_status = if age > VIEW_AGE_SECONDS { "fail" } else { "pass" };
    let measured = if view.snapshot.stale || view.snapshot.heard_at.is_none() { "warn" } else { "pass" };
    let standing = Arc::clone(&shown.site.0.options.standing.borrow());
    let configuration = if standing.is_whole() { "pass" } else { "warn" };
    let unrecorded = shown.site.0.options.unrecorded_since();
    let recorded = if unrecorded.is_some() { "fail" } else { "pass" };
    let undelivered = *shown.site.0.options.undelivered.borrow();
    let delivered = match undelivered {
        Some(since) if shown.site.0.clock.now().duration_since(since) >= UNDELIVERED => "fail",
        Some(_) => "warn",
        None => "pass",
    };
    let hangs = *shown.site.0.options.hangs.borrow();
    let turns = if hangs.is_some() { "fail" } else { "pass" };
    let aside = shown.site.0.options.set_aside.borrow().clone();
    let taken = if aside.count > 0 { "warn" } else { "pass" };
    let status = match (view_status, measured, configuration) {
        _ if [recorded, delivered, turns].contains(&"fail") => "fail",
        ("fail", ..) => "fail",
        (_, "warn", _) | (_, _, "warn") => "warn",
        _ if taken == "warn" || delivered == "warn" => "warn",
        _ => "pass",
    };
    let time = rfc3339(shown.site.0.clock.now());
    let mut body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "checks": {
            "view:age": [{ "status": view_status, "observedValue": age, "observedUnit": "s", "time": time }],
            "probes:newest": [{
                "status": measured,
                "observedValue": view.snapshot.heard_at.map(rfc3339),
                "time": time,
            }],
            "pulse:turning": [{
                "status": turns,
                "output": hangs.map(|since| format!("nothing is probed or recorded since {}", rfc3339(since))),
                "time": time,
            }],
            "store:recording": [{
                "status": recorded,
                "output": unrecorded.map(|since| format!("nothing can be recorded since {}", rfc3339(since))),
                "time": time,
            }],
            "outbox:delivering": [{
                "status": delivered,
                "output": undelivered.map(|since| format!("nothing can be delivered since {}", rfc3339(since))),
                "time": time,
            }],
            "store:refused": [{ "status": taken, "observedValue": aside.count, "time": time }],
            "configuration:standing": [{ "status": configuration }],
            "recorder:role": [{ "status": "pass", "observedValue": shown.site.0.options.role.borrow().word() }],
        },
    });
    if shown.audience == Audience::Internal
        && aside.count > 0
        && let Some(check) = body.pointer_mut("/checks/store:refused/0")
    {
        let words = "the database refuses these outcomes for good: look into the file, and move it away";
        check["output"] = json!(format!("{}: {words}", aside.file));
    }
    if shown.audience == Audience::Internal
        && let Some(check) = body.pointer_mut("/checks/configuration:standing/0")
    {
        *check = standing_in_full(&standing, configuration);
    }
    let code = if status == "fail" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(code, &body)
}

/// File names and what is wrong with them are no matter for the public.
fn standing_in_full(standing: &Standing, status: &str) -> Value {
    let refused = standing.refused.as_ref();
    let restart =
        standing.waits_for_restart.iter().map(|key| format!("'{key}' was changed: needs a restart"));
    let left = standing.left_production.iter().map(|api| {
        format!("{api} has no instance in production any more, and was not retired: put it back, or say 'lifecycle: retired'")
    });
    let output: Vec<String> = refused
        .into_iter()
        .flat_map(|refused| refused.problems.iter().cloned())
        .chain(restart)
        .chain(left)
        .collect();
    json!({
        "status": status,
        "observedValue": standing.version,
        "time": standing.taken_at.map(rfc3339),
        "output": (!output.is_empty()).then(|| output.join("\n")),
    })
}

pub(crate) fn answer(code: StatusCode, body: &Value) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::from(body.to_string()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/health+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
