//! `/livez` and `/readyz` of Curiad itself, as health+json (draft-inadarei-api-health-check-06).

use crate::{Audience, rfc3339, router::Shown};
use axum::{
    body::Body as HttpBody,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::{Value, json};

/// A view older than this means that nobody makes views any more.
const VIEW_AGE_SECONDS: i64 = 60;

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
    let unrecorded = shown.site.0.options.unrecorded_since();
    let recorded = if unrecorded.is_some() { "fail" } else { "pass" };
    let status = if view_status == "fail" || recorded == "fail" { "fail" } else { measured };
    let time = rfc3339(shown.site.0.clock.now());
    let body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "checks": {
            "view:age": [{ "status": view_status, "observedValue": age, "observedUnit": "s", "time": time }],
            "probes:newest": [{
                "status": measured,
                "observedValue": view.snapshot.heard_at.map(rfc3339),
                "time": time,
            }],
            "store:recording": [{
                "status": recorded,
                "output": unrecorded.map(|since| format!("nothing can be recorded since {}", rfc3339(since))),
                "time": time,
            }],
        },
    });
    let code = if status == "fail" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(code, &body)
}

fn answer(code: StatusCode, body: &Value) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::from(body.to_string()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/health+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
